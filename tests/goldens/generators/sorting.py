"""Cases of the ops that put elements in order."""

import math

import torch

from .case import case, permuted
from .record import Draw, encode, f32

nan, inf = math.nan, math.inf


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


def nothing():
    yield case("topk", "no rows", [Draw("topk of nothing").normal(0, 3)], topk, k=2, dim=-1)


GROUPS = [orders, nothing]
