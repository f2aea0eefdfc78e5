"""Cases of scans: folds of all elements up to each one."""

import math

import torch

from .case import case, constant, permuted, typed, with_indices
from .record import Draw, f32, i32

nan, inf = math.nan, math.inf
SPECIAL = f32(1, nan, inf, 1, inf, -inf, inf, 2, 3, -inf, 0, -5).reshape(4, 3)


def cumsums():
    draw = Draw("cumsum")
    yield case("cumsum", "vector", [draw.normal(7)], dim=0)
    yield case("cumsum", "last", [draw.normal(3, 5)], dim=-1)
    yield case("cumsum", "first", [draw.normal(4, 2, 3)], dim=0)
    yield case("cumsum", "permuted", [permuted(draw.normal(3, 4), 1, 0)], dim=0)
    yield case("cumsum", "long", [draw.uniform(-1, 1, 300)], dim=0)
    yield case("cumsum", "size one", [draw.normal(3, 1)], dim=1)
    yield case("cumsum", "empty", [draw.normal(2, 0)], dim=1)
    yield case("cumsum", "special", [SPECIAL], grad=False, dim=0)
    yield case("cumsum", "i32", [draw.ints(-9, 9, 3, 4)], dim=1)
    yield case("cumsum", "scalar", [draw.normal()], dim=0)
    yield case("cumsum", "bool", [draw.bools(3, 4)], dim=0)
    yield case("cumsum", "i32 wraps", [i32(2147483647, 1, 5)], lambda x, dim: x.cumsum(dim, dtype=torch.int32), dim=0)
    yield case("cumsum", "dtype", [constant(f32(1.7, 2.7, -0.5))], typed(torch.cumsum), dim=0, dtype="i32")


def over_any_dim(op, values, fn=None):
    """What every scan must do."""
    draw = Draw(op)
    yield case(op, "vector", [values(draw, 7)], fn, dim=0)
    yield case(op, "last", [values(draw, 3, 5)], fn, dim=-1)
    yield case(op, "first", [values(draw, 4, 2, 3)], fn, dim=0)
    yield case(op, "permuted", [permuted(values(draw, 2, 3, 4), 2, 0, 1)], fn, dim=1)
    yield case(op, "scalar", [values(draw)], fn, dim=-1)
    yield case(op, "size one", [values(draw, 3, 1)], fn, dim=1)
    yield case(op, "empty", [values(draw, 2, 0)], fn, dim=1)
    yield case(op, "no lines", [values(draw, 0, 3)], fn, dim=1)
    yield case(op, "long", [values(draw, 150)], fn, grad=False, dim=0)
    yield case(op, "special", [SPECIAL], fn, grad=False, dim=0)


def cumprods():
    yield from over_any_dim("cumprod", lambda draw, *shape: draw.uniform(0.7, 1.4, *shape))
    draw = Draw("cumprod variants")
    zeros = f32(2, 3, 4, 5, 2, 0, 4, 3, 0, 1, 0, 2).reshape(3, 4)
    yield case("cumprod", "zeros", [zeros], dim=1)
    yield case("cumprod", "i32", [draw.ints(-9, 9, 3, 4)], dim=1)
    yield case("cumprod", "bool", [draw.bools(3, 4)], dim=0)
    yield case("cumprod", "dtype", [constant(f32(1.7, 2.7, -1.5))], typed(torch.cumprod), dim=0, dtype="i32")


def logcumsumexps():
    yield from over_any_dim("logcumsumexp", lambda draw, *shape: draw.normal(*shape))
    yield case("logcumsumexp", "large", [f32(-1000, 1000, 88, -1000, 999, 1001).reshape(2, 3)], grad=False, dim=1)
    yield case("logcumsumexp", "masked", [f32(1, -inf, 2, -inf, -inf, 3).reshape(2, 3)], dim=1)


def extremes():
    for op in ["cummax", "cummin"]:
        fn = with_indices(getattr(torch, op))
        yield from over_any_dim(op, lambda draw, *shape: draw.distinct(*shape), fn)
        ties = f32(1, 2, 2, 1, 3, 3, 0, 0.0, -0.0, 2, 2, 1).reshape(2, 6)
        yield case(op, "ties", [ties], fn, dim=1)
        yield case(op, "nan", [f32(1, nan, 2, nan, -5, 5)], fn, grad=False, dim=0)
        yield case(op, "i32", [Draw(op, "i32").ints(-99, 99, 3, 5)], fn, dim=1)
        yield case(op, "bool", [Draw(op, "bool").bools(3, 4)], fn, dim=1)


def differences():
    draw = Draw("diff")
    yield case("diff", "rows", [draw.normal(3, 5)])
    yield case("diff", "columns", [draw.normal(4, 3)], n=1, dim=0)
    yield case("diff", "twice", [draw.normal(3, 5)], n=2)
    yield case("diff", "too often", [draw.normal(3)], n=5, grad=False)
    yield case("diff", "never", [draw.normal(3)], n=0)
    yield case("diff", "permuted", [permuted(draw.normal(3, 4), 1, 0)], n=1, dim=0)
    yield case("diff", "joined", [draw.normal(2, 3), draw.normal(2, 1), draw.normal(2, 2)], joined)
    yield case("diff", "special", [f32(1, nan, inf, inf, -inf)], grad=False)
    yield case("diff", "bool", [draw.bools(3, 4)])
    yield case("diff", "i32", [draw.ints(-9, 9, 3, 4)])
    yield case("diff", "empty", [draw.normal(2, 0)], grad=False)


def joined(x, prepend, append):
    return torch.diff(x, prepend=prepend, append=append)


GROUPS = [cumsums, cumprods, logcumsumexps, extremes, differences]
