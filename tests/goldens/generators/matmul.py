"""Cases of matmul and linear."""

import math

import torch

from .case import case, permuted
from .record import Draw, f32

nan, inf = math.nan, math.inf


def matmul(a, b, transpose_a=False, transpose_b=False):
    """Inputs marked as transposed are recorded with their last two dims swapped, and swapped back by a view."""
    a = a.transpose(-1, -2) if transpose_a else a
    b = b.transpose(-1, -2) if transpose_b else b
    return torch.matmul(a, b)


SHAPES = {
    "square": ([4, 4], [4, 4]),
    "odd": ([3, 7], [7, 5]),
    "past a tile": ([17, 33], [33, 19]),
    "row": ([1, 9], [9, 4]),
    "column": ([5, 9], [9, 1]),
    "outer": ([4, 1], [1, 3]),
    "one": ([1, 1], [1, 1]),
    "dot": ([7], [7]),
    "vector matrix": ([4], [4, 3]),
    "matrix vector": ([3, 4], [4]),
    "vector batch": ([4], [2, 4, 3]),
    "batch vector": ([2, 3, 4], [4]),
    "batch": ([2, 3, 4], [2, 4, 5]),
    "batch matrix": ([2, 3, 4], [4, 5]),
    "matrix batch": ([3, 4], [2, 4, 5]),
    "broadcast batches": ([2, 1, 3, 4], [5, 4, 2]),
    "no rows": ([0, 3], [3, 2]),
    "no inner": ([2, 0], [0, 3]),
    "no batch": ([0, 2, 3], [3, 2]),
}


def products():
    draw = Draw("matmul")
    for name, (a, b) in SHAPES.items():
        yield case("matmul", name, [draw.normal(*a), draw.normal(*b)], matmul)
    yield case("matmul", "long inner", [draw.normal(2, 515), draw.normal(515, 2)], matmul)


def transposed():
    draw = Draw("matmul transposed")
    for name, a, b in [("A", [7, 3], [7, 5]), ("A batch", [2, 4, 3], [2, 4, 5])]:
        yield case("matmul", f"transpose {name}", [draw.normal(*a), draw.normal(*b)], matmul, transposeA=True)
    for name, a, b in [("B", [3, 7], [5, 7]), ("B batch", [2, 3, 4], [5, 4])]:
        yield case("matmul", f"transpose {name}", [draw.normal(*a), draw.normal(*b)], matmul, transposeB=True)
    both = [draw.normal(7, 3), draw.normal(5, 7)]
    yield case("matmul", "transpose both", both, matmul, transposeA=True, transposeB=True)
    batches = [permuted(draw.normal(3, 2, 4), 1, 0, 2), permuted(draw.normal(5, 2, 4), 1, 2, 0)]
    yield case("matmul", "permuted batches", batches, matmul)


def wide():
    draw = Draw("matmul ranks")
    yield case("matmul", "rank 8", [draw.normal(2, 1, 1, 2, 1, 1, 2, 3), draw.normal(1, 2, 1, 1, 1, 2, 3, 2)], matmul)
    yield case("matmul", "vector stack", [draw.normal(3), draw.normal(2, 1, 3, 2)], matmul)
    yield case("matmul", "i32", [draw.ints(-9, 9, 2, 3, 4), draw.ints(-9, 9, 4, 2)], matmul)
    yield case("matmul", "i32 vectors", [draw.ints(-9, 9, 4), draw.ints(-9, 9, 4)], matmul)
    yield case("matmul", "i32 empty", [draw.ints(-9, 9, 2, 0), draw.ints(-9, 9, 0, 3)], matmul)


def special():
    a = f32(float("nan"), 1, 0, float("inf"), 2, 3).reshape(3, 2)
    yield case("matmul", "special", [a, f32(0, 1, 1, 0).reshape(2, 2)], matmul, grad=False)


def linears():
    draw = Draw("linear")
    yield case("linear", "matrix", [draw.normal(3, 5), draw.normal(4, 5), draw.normal(4)])
    yield case("linear", "no bias", [draw.normal(3, 5), draw.normal(4, 5)])
    yield case("linear", "vector", [draw.normal(5), draw.normal(4, 5), draw.normal(4)])
    yield case("linear", "batch", [draw.normal(2, 3, 5), draw.normal(4, 5), draw.normal(4)])
    yield case("linear", "permuted", [permuted(draw.normal(5, 3), 1, 0), draw.normal(4, 5), draw.normal(4)])
    yield case("linear", "no rows", [draw.normal(0, 5), draw.normal(4, 5), draw.normal(4)])
    yield case("linear", "a weight per feature", [draw.normal(2, 3, 5), draw.normal(5)])


def linear_kinds():
    special = f32(nan, 1, 2, inf, 3, 4).reshape(2, 3)
    draw = Draw("linear kinds")
    yield case("linear", "special", [special, draw.normal(4, 3), draw.normal(4)], grad=False)


GROUPS = [products, transposed, special, linears, linear_kinds, wide]
