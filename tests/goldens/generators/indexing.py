"""Cases of the ops that look up, scatter or order elements."""

import math

import torch
import torch.nn.functional as F

from .case import case, permuted
from .record import Draw, encode, f32, i32

nan, inf = math.nan, math.inf


def gather(x, index, dim):
    return torch.gather(x, dim, index.long())


def gathers():
    draw = Draw("gather")
    yield case("gather", "rows", [draw.normal(4, 3), draw.ints(0, 4, 2, 3)], gather, dim=0)
    yield case("gather", "columns", [draw.normal(3, 5), draw.ints(0, 5, 3, 7)], gather, dim=1)
    yield case("gather", "one a row", [draw.normal(3, 5), draw.ints(0, 5, 3, 1)], gather, dim=-1)
    yield case("gather", "smaller", [draw.normal(4, 5, 3), draw.ints(0, 5, 2, 4, 2)], gather, dim=1)
    yield case("gather", "repeated", [draw.normal(4), i32(2, 2, 2, 0)], gather, dim=0)
    both = [permuted(draw.normal(3, 4), 1, 0), permuted(draw.ints(0, 3, 5, 4), 1, 0)]
    yield case("gather", "permuted", both, gather, dim=1)
    yield case("gather", "nothing", [draw.normal(3, 5), draw.ints(0, 5, 3, 0)], gather, dim=1)
    yield case("gather", "i32", [draw.ints(-9, 9, 3, 4), draw.ints(0, 4, 3, 2)], gather, dim=1)


def scatter_add(x, index, source, dim):
    return torch.scatter_add(x, dim, index.long(), source)


def scatter_adds():
    draw = Draw("scatterAdd")
    yield scatter_case("rows", 0, draw.normal(4, 3), draw.ints(0, 4, 2, 3), draw.normal(2, 3))
    yield scatter_case("columns", 1, draw.normal(3, 5), draw.ints(0, 5, 3, 7), draw.normal(3, 7))
    yield scatter_case("one a row", -1, draw.normal(3, 5), draw.ints(0, 5, 3, 1), draw.normal(3, 1))
    yield scatter_case("smaller", 1, draw.normal(4, 5, 3), draw.ints(0, 5, 2, 4, 2), draw.normal(2, 4, 2))
    oversized = draw.normal(3, 4, 3)  # PyTorch has no gradient where the source is larger than the index
    yield scatter_case("larger source", 1, draw.normal(4, 5, 3), draw.ints(0, 5, 2, 4, 2), oversized, grad=False)
    yield scatter_case("collisions", 0, draw.normal(3), i32(1, 1, 1, 1, 0), draw.normal(5))
    columns, source = permuted(draw.normal(3, 4), 1, 0), permuted(draw.normal(3, 2), 1, 0)
    yield scatter_case("permuted", 0, columns, draw.ints(0, 4, 2, 3), source)
    yield scatter_case("nothing", 0, draw.normal(3), i32(), f32())
    yield scatter_case("i32", 0, draw.ints(-9, 9, 4), i32(0, 0, 3), draw.ints(-9, 9, 3))


def scatter_case(name, dim, x, index, source, **options):
    return case("scatterAdd", name, [x, index, source], scatter_add, dim=dim, **options)


def index_select(x, index, dim):
    return torch.index_select(x, dim, index)


def index_selects():
    draw = Draw("indexSelect")
    yield case("indexSelect", "rows", [draw.normal(4, 3), i32(2, 0, 2, 3, 1)], index_select, dim=0)
    yield case("indexSelect", "columns", [draw.normal(3, 5), i32(4, 4)], index_select, dim=-1)
    yield case("indexSelect", "images", [draw.normal(3, 2, 2, 2), i32(2, 0, 1)], index_select, dim=0)
    yield case("indexSelect", "permuted", [permuted(draw.normal(3, 4), 1, 0), i32(3, 1)], index_select, dim=0)
    yield case("indexSelect", "nothing", [draw.normal(4, 3), i32()], index_select, dim=0)
    yield case("indexSelect", "i32", [draw.ints(-9, 9, 4), i32(1, 1, 0)], index_select, dim=0)
    yield case("indexSelect", "u8", [torch.arange(6, dtype=torch.uint8), i32(5, 0)], index_select, dim=0)


def ordered(values_and_indices):
    values, indices = values_and_indices
    return values, {"indices": encode(indices)}


def topk(x, k, dim=-1, largest=True):
    return ordered(torch.topk(x, k, dim, largest))


def sort(x, dim=-1, descending=False):
    return ordered(torch.sort(x, dim=dim, descending=descending, stable=True))


def orders():
    draw = Draw("topk")
    yield case("topk", "rows", [draw.distinct(3, 7)], topk, k=3, dim=-1)
    yield case("topk", "one", [draw.distinct(2, 5)], topk, k=1, dim=-1)
    yield case("topk", "all", [draw.distinct(6)], topk, k=6, dim=-1)
    yield case("topk", "columns", [draw.distinct(5, 3)], topk, k=2, dim=0)
    yield case("topk", "smallest", [draw.distinct(3, 7)], topk, k=2, dim=-1, largest=False)
    yield case("topk", "permuted", [permuted(draw.distinct(6, 3), 1, 0)], topk, k=2, dim=-1)
    yield case("topk", "long", [draw.distinct(2, 300)], topk, k=5, dim=-1)
    yield case("topk", "special", [f32(1, inf, nan, -inf, 5)], topk, k=3, dim=-1, grad=False)
    draw = Draw("sort")
    yield case("sort", "rows", [draw.distinct(3, 7)], sort)
    yield case("sort", "descending", [draw.distinct(3, 7)], sort, dim=-1, descending=True)
    yield case("sort", "columns", [draw.distinct(5, 3)], sort, dim=0)
    yield case("sort", "permuted", [permuted(draw.distinct(6, 3), 1, 0)], sort, dim=1)
    yield case("sort", "stable", [f32(2, 1, 2, 1, 2, 0)], sort)
    yield case("sort", "stable descending", [f32(2, 1, 2, 1, 2, 0)], sort, descending=True)
    yield case("sort", "long", [draw.distinct(300)], sort, grad=False)
    yield case("sort", "special", [f32(1, inf, nan, -inf, 5)], sort, grad=False)
    yield case("sort", "i32", [draw.ints(-99, 99, 9)], sort)
    yield case("sort", "empty", [draw.normal(2, 0)], sort)


def one_hot(x, num_classes):
    return F.one_hot(x.long(), num_classes)


def one_hots():
    yield case("oneHot", "vector", [i32(0, 3, 1, 1)], one_hot, numClasses=4)
    yield case("oneHot", "matrix", [Draw("oneHot").ints(0, 5, 2, 3)], one_hot, numClasses=5)
    yield case("oneHot", "spare classes", [i32(1, 0)], one_hot, numClasses=6)
    yield case("oneHot", "scalar", [torch.tensor(2, dtype=torch.int32)], one_hot, numClasses=3)


GROUPS = [gathers, scatter_adds, index_selects, orders, one_hots]
