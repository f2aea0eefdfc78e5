"""Cases of the ops that look up or scatter elements."""

import math

import torch
import torch.nn.functional as F

from .case import case, permuted
from .record import Draw, f32, i32

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


def one_hot(x, num_classes):
    return F.one_hot(x.long(), num_classes)


def one_hots():
    yield case("oneHot", "vector", [i32(0, 3, 1, 1)], one_hot, numClasses=4)
    yield case("oneHot", "matrix", [Draw("oneHot").ints(0, 5, 2, 3)], one_hot, numClasses=5)
    yield case("oneHot", "spare classes", [i32(1, 0)], one_hot, numClasses=6)
    yield case("oneHot", "scalar", [torch.tensor(2, dtype=torch.int32)], one_hot, numClasses=3)


def kinds():
    """Indices that are views or none; what is no ordinary number moves as it is."""
    draw = Draw("indexing kinds")
    special = f32(nan, inf, -inf, -0.0, 1, 2).reshape(3, 2)
    yield case("gather", "special", [special, i32(2, 0, 0, 1).reshape(2, 2)], gather, dim=0)
    yield case("indexSelect", "special", [special, i32(2, 0, 2)], index_select, dim=0)
    yield scatter_case("special", 0, special, i32(0, 0, 2, 1).reshape(2, 2), f32(1, inf, 1, nan).reshape(2, 2), grad=False)
    yield case("oneHot", "views", [permuted(draw.ints(0, 5, 3, 2), 1, 0)], one_hot, numClasses=5)
    yield case("oneHot", "empty", [draw.ints(0, 5, 0, 3)], one_hot, numClasses=5)


GROUPS = [gathers, scatter_adds, index_selects, one_hots, kinds]
