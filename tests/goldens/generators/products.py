"""Cases of products of vectors and matrices beside matmul, and of Einstein sums."""

import math

import torch

from .case import case, permuted
from .record import Draw, f32
from .views import RANK_8

nan, inf = math.nan, math.inf

PAIRS = {
    "mm": [("odd", [3, 7], [7, 5]), ("no inner", [2, 0], [0, 3]), ("no rows", [0, 2], [2, 3])],
    "bmm": [("odd", [2, 3, 4], [2, 4, 5]), ("no batch", [0, 3, 4], [0, 4, 5]), ("one", [1, 1, 1], [1, 1, 1])],
    "mv": [("odd", [3, 5], [5]), ("no columns", [3, 0], [0])],
    "dot": [("odd", [7], [7]), ("nothing", [0], [0])],
    "vdot": [("odd", [5], [5])],
    "outer": [("odd", [3], [4]), ("nothing", [0], [3])],
    "inner": [("vectors", [4], [4]), ("matrices", [2, 3], [4, 3]), ("scalar", [2, 3], []), ("stack", [2, 1, 3], [3])],
}


def pairs():
    for op, shapes in PAIRS.items():
        draw = Draw(op)
        for name, a, b in shapes:
            yield case(op, name, [draw.normal(*a), draw.normal(*b)])
    draw = Draw("products permuted")
    yield case("mm", "permuted", [permuted(draw.normal(4, 3), 1, 0), permuted(draw.normal(2, 4), 1, 0)])
    yield case("mm", "special", [f32(nan, 1, inf, 2).reshape(2, 2), f32(0, 1, 1, 0).reshape(2, 2)], grad=False)
    yield case("mm", "i32", [draw.ints(-9, 9, 3, 4), draw.ints(-9, 9, 4, 2)])
    yield case("bmm", "permuted", [permuted(draw.normal(3, 4, 2), 2, 0, 1), permuted(draw.normal(5, 2, 4), 1, 2, 0)])
    yield case("bmm", "i32", [draw.ints(-9, 9, 2, 3, 4), draw.ints(-9, 9, 2, 4, 2)])
    yield case("mv", "permuted", [permuted(draw.normal(5, 3), 1, 0), draw.normal(5)])
    yield case("dot", "i32", [draw.ints(-9, 9, 5), draw.ints(-9, 9, 5)])
    yield case("dot", "special", [f32(nan, 1), f32(1, 2)], grad=False)
    yield case("outer", "special", [f32(nan, 0), f32(inf, 1)], grad=False)
    yield case("outer", "i32", [draw.ints(-9, 9, 2), draw.ints(-9, 9, 3)])


ADDED = {
    "addmm": ([3, 2], [3, 4], [4, 2]),
    "addmv": ([3], [3, 4], [4]),
    "addr": ([3, 2], [3], [2]),
    "baddbmm": ([2, 3, 2], [2, 3, 4], [2, 4, 2]),
}


def sums():
    for op, (x, a, b) in ADDED.items():
        draw = Draw(op)
        yield case(op, "plain", [draw.normal(*x), draw.normal(*a), draw.normal(*b)])
        yield case(op, "factors", [draw.normal(*x), draw.normal(*a), draw.normal(*b)], beta=0.5, alpha=-2)
        yield case(op, "broadcast", [draw.normal(*x[-1:]), draw.normal(*a), draw.normal(*b)])
        if op != "baddbmm":  # against its own words, PyTorch 1.13 lets NaN through here and there
            left_out = [torch.full(x, nan), draw.normal(*a), draw.normal(*b)]
            yield case(op, "left out", left_out, beta=0, grad=False)
        yield case(op, "i32", [draw.ints(-9, 9, *x), draw.ints(-9, 9, *a), draw.ints(-9, 9, *b)], beta=2, alpha=3)
    draw = Draw("addmm empty")
    yield case("addmm", "no inner", [draw.normal(2, 3), draw.normal(2, 0), draw.normal(0, 3)])
    views = [permuted(draw.normal(2, 3), 1, 0), permuted(draw.normal(4, 3), 1, 0), permuted(draw.normal(2, 4), 1, 0)]
    yield case("addmm", "permuted", views)


def others():
    draw = Draw("cross")
    yield case("cross", "rows", [draw.normal(4, 3), draw.normal(4, 3)], dim=1)
    yield case("cross", "columns", [draw.normal(3, 2), draw.normal(3, 2)], dim=0)
    yield case("cross", "first of three", [draw.normal(2, 3, 3), draw.normal(2, 3, 3)])
    yield case("cross", "broadcast", [draw.normal(2, 1, 3), draw.normal(1, 4, 3)], dim=-1)
    yield case("cross", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3)], dim=-1)
    yield case("cross", "empty", [draw.normal(0, 3), draw.normal(0, 3)], dim=1)
    yield case("cross", "i32", [draw.ints(-9, 9, 3), draw.ints(-9, 9, 3)], dim=0)
    draw = Draw("kron")
    yield case("kron", "matrices", [draw.normal(2, 3), draw.normal(3, 2)])
    yield case("kron", "ranks", [draw.normal(2), draw.normal(2, 1, 2)])
    contiguous = lambda a, b: torch.kron(a.contiguous(), b)  # PyTorch 1.13 takes no other here
    yield case("kron", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 2)], contiguous)
    yield case("kron", "scalar", [draw.normal(), draw.normal(2)])
    yield case("kron", "empty", [draw.normal(2, 0), draw.normal(2, 2)])
    yield case("kron", "i32", [draw.ints(-9, 9, 2, 2), draw.ints(-9, 9, 2)])
    draw = Draw("tensordot")
    yield case("tensordot", "two", [draw.normal(2, 3, 4), draw.normal(3, 4, 5)], dims=2)
    yield case("tensordot", "none", [draw.normal(2), draw.normal(3)], dims=0)
    yield case("tensordot", "lists", [draw.normal(3, 4, 2), draw.normal(4, 3, 2)], dims=[[1, 0], [0, 1]])
    yield case("tensordot", "from the back", [draw.normal(3, 4), draw.normal(2, 4)], dims=[[-1], [-1]])
    yield case("tensordot", "all", [draw.normal(2, 3), draw.normal(2, 3)], dims=2)
    yield case("tensordot", "empty", [draw.normal(2, 0), draw.normal(0, 3)], dims=1)
    yield case("tensordot", "permuted", [permuted(draw.normal(4, 2), 1, 0), permuted(draw.normal(3, 4), 1, 0)], dims=1)
    draw = Draw("multiDot")
    multi_dot = lambda *matrices: torch.linalg.multi_dot(matrices)
    yield case("multiDot", "three", [draw.normal(2, 5), draw.normal(5, 1), draw.normal(1, 4)], multi_dot)
    yield case("multiDot", "vectors", [draw.normal(2), draw.normal(2, 3), draw.normal(3, 4), draw.normal(4)], multi_dot)
    yield case("multiDot", "two", [draw.normal(2, 3), draw.normal(3, 2)], multi_dot)
    yield case("chainMatmul", "four", [draw.normal(*s) for s in ([1, 4], [4, 2], [2, 5], [5, 1])])
    draw = Draw("matrixPower")
    for n in [0, 1, 2, 5]:
        yield case("matrixPower", f"{n}", [draw.normal(3, 3)], grad=n > 0, n=n)
    yield case("matrixPower", "stack", [permuted(draw.normal(2, 2, 2), 2, 0, 1)], n=3)


EINSUMS = {
    "product": ("ij,jk->ik", [2, 3], [3, 4]),
    "implicit": ("ij,jk", [2, 3], [3, 4]),
    "implicit order": ("ba", [2, 3]),
    "capitals first": ("bA", [2, 3]),
    "spaces": (" i j , j k -> i k ", [2, 3], [3, 2]),
    "sum": ("ij->", [2, 3]),
    "row sums": ("ij->i", [2, 3]),
    "transpose": ("ijk->kij", [2, 3, 4]),
    "trace": ("ii", [3, 3]),
    "diagonal": ("ii->i", [3, 3]),
    "diagonal of three": ("iii->i", [2, 2, 2]),
    "diagonal and more": ("iji->ji", [2, 3, 2]),
    "dot": ("i,i->", [4], [4]),
    "outer": ("i,j->ij", [2], [3]),
    "elementwise": ("ij,ij->ij", [2, 3], [2, 3]),
    "column by matrix": ("i,ij->ij", [2], [2, 3]),
    "batch": ("bij,bjk->bik", [2, 3, 4], [2, 4, 2]),
    "batch last": ("ijb,jkb->bik", [2, 3, 2], [3, 2, 2]),
    "two contracted": ("ijk,jkl->il", [2, 3, 2], [3, 2, 2]),
    "summed alone": ("ij,k->i", [2, 3], [4]),
    "bilinear": ("bn,anm,bm->ba", [2, 3], [4, 3, 2], [2, 2]),
    "chain": ("ij,jk,kl->il", [2, 5], [5, 1], [1, 3]),
    "three the same": ("i,i,i->i", [3], [3], [3]),
    "ellipsis": ("...ij,...jk->...ik", [2, 2, 3], [2, 3, 2]),
    "ellipsis broadcasts": ("...ij,...jk->...ik", [4, 1, 2, 3], [2, 3, 2]),
    "ellipsis on one side": ("...ij,jk->...ik", [2, 2, 3], [3, 2]),
    "ellipsis summed": ("...i->i", [2, 2, 3]),
    "ellipsis implicit": ("b...a,a...", [2, 2, 3], [3, 2]),
    "ellipsis of nothing": ("...ij->...ji", [2, 3]),
    "ones broadcast": ("ij,jk->ik", [2, 1], [3, 2]),
    "ones in the result": ("ij,ij->ij", [2, 1], [1, 3]),
    "attention": ("bhqd,bhkd->bhqk", [1, 2, 3, 4], [1, 2, 2, 4]),
    "nothing summed": ("ij,jk->ik", [2, 0], [0, 3]),
    "empty": ("ij,jk->ik", [0, 2], [2, 3]),
    "scalars": (",->", [], []),
    "scalar and vector": (",i->i", [], [3]),
    "rank 8": ("abcdefgh->hcg", RANK_8),
}


def einsums():
    for name, (equation, *shapes) in EINSUMS.items():
        draw = Draw("einsum", name)
        yield case("einsum", name, [draw.normal(*shape) for shape in shapes], einsum, equation=equation)
    draw = Draw("einsum views")
    views = [permuted(draw.normal(3, 2), 1, 0), permuted(draw.normal(4, 3), 1, 0)]
    yield case("einsum", "permuted", views, einsum, equation="ij,jk->ki")
    yield case("einsum", "i32", [draw.ints(-9, 9, 2, 3), draw.ints(-9, 9, 3, 2)], einsum, equation="ij,jk->ik")
    special = [f32(nan, 1, 2, 3).reshape(2, 2), f32(1, 2)]
    yield case("einsum", "special", special, einsum, equation="ij,j->i", grad=False)


def einsum(*operands, equation):
    return torch.einsum(equation, *operands)


def kinds():
    draw = Draw("products kinds")
    view = lambda *shape: permuted(draw.normal(*reversed(shape)), *reversed(range(len(shape))))
    one = f32(nan, 1, inf, 2).reshape(2, 2)
    ones = f32(1, 2, 3, 4).reshape(2, 2)
    vector = f32(nan, 1)
    special = {
        "bmm": [one.reshape(1, 2, 2), ones.reshape(1, 2, 2)],
        "baddbmm": [one.reshape(1, 2, 2), ones.reshape(1, 2, 2), ones.reshape(1, 2, 2)],
        "inner": [vector, f32(2, 3)],
        "vdot": [vector, f32(2, 3)],
        "mv": [one, f32(2, 3)],
        "kron": [vector, f32(2, 3)],
        "cross": [f32(nan, 1, inf), f32(1, 2, 3)],
        "chainMatmul": [one, ones, ones],
    }
    for op, inputs in special.items():
        yield case(op, "special", inputs, grad=False)
    yield case("multiDot", "special", [one, ones, ones], lambda *xs: torch.linalg.multi_dot(xs), grad=False)
    yield case("tensordot", "special", [one, ones], dims=1, grad=False)
    yield case("matrixPower", "special", [one], n=2, grad=False)
    yield case("matrixPower", "empty", [draw.normal(0, 3, 3)], n=2)
    yield case("inner", "nothing", [draw.normal(2, 0), draw.normal(3, 0)])
    yield case("vdot", "nothing", [f32(), f32()])
    yield case("addmv", "views", [draw.normal(3), view(3, 2), draw.normal(2)])
    yield case("addmv", "nothing", [draw.normal(3), draw.normal(3, 0), f32()])
    yield case("addr", "views", [view(3, 2), draw.normal(3), draw.normal(2)])
    yield case("addr", "nothing", [draw.normal(3, 0), draw.normal(3), f32()])
    yield case("baddbmm", "views", [view(2, 3, 2), view(2, 3, 4), view(2, 4, 2)])
    yield case("baddbmm", "nothing", [draw.normal(0, 3, 2), draw.normal(0, 3, 4), draw.normal(0, 4, 2)])
    for op in ["dot", "vdot", "outer"]:
        yield case(op, "views", [view(3), view(3)])
    yield case("multiDot", "views", [view(2, 3), view(3, 4), view(4, 2)], lambda *xs: torch.linalg.multi_dot(xs))
    yield case("multiDot", "nothing", [draw.normal(2, 3), draw.normal(3, 0), draw.normal(0, 2)], lambda *xs: torch.linalg.multi_dot(xs))
    yield case("chainMatmul", "views", [view(2, 3), view(3, 4), view(4, 2)])
    yield case("chainMatmul", "nothing", [draw.normal(0, 3), draw.normal(3, 2), draw.normal(2, 4)])


GROUPS = [pairs, sums, others, einsums, kinds]
