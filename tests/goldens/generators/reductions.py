"""Cases of the ops that fold a dimension."""

import math

import torch

from .case import case, constant, permuted, typed, with_indices
from .record import Draw, encode, f32, i32

nan, inf = math.nan, math.inf
SPECIAL = f32(1, nan, inf, 1, inf, -inf, inf, 2, 3, -inf, 0, -5).reshape(4, 3)


def vector_norm(x, p=2, **options):
    return torch.linalg.vector_norm(x, float(p), **options)


def spread(torch_fn):
    """var and std: PyTorch 1.13 takes correction only together with dim and keepdim."""

    def fn(x, dim=None, correction=1, keepdim=False):
        return torch_fn(x, dim=dim, correction=correction, keepdim=keepdim)

    return fn


def sums():
    for op, fn in {"sum": None, "mean": None, "norm": vector_norm, "logsumexp": logsumexp}.items():
        yield from over_any_dims(op, fn)
        yield case(op, "special", [SPECIAL], fn, grad=False, dim=1)
    for op in ["sum", "mean", "norm"]:
        fn = vector_norm if op == "norm" else None
        yield case(op, "of nothing", [f32().reshape(2, 0)], fn, grad=False, dim=1)
    draw = Draw("sum variants")
    yield case("sum", "long", [draw.normal(2, 300)], dim=1)
    yield case("sum", "i32", [draw.ints(-9, 9, 3, 4)], dim=0)
    yield case("sum", "bool", [draw.bools(3, 4)], dim=1)
    yield case("sum", "i32 wraps", [i32(2147483647, 1)], lambda x: x.sum(dtype=torch.int32))


def over_any_dims(op, fn=None):
    """What every reduction over one dim, several or all of them must do."""
    draw = Draw(op)
    yield case(op, "all", [draw.normal(3, 7)], fn)
    yield case(op, "last", [draw.normal(2, 3, 5)], fn, dim=-1)
    yield case(op, "first keep", [draw.normal(5, 3)], fn, dim=0, keepDim=True)
    yield case(op, "two", [draw.normal(2, 3, 4, 3)], fn, dim=[0, 2])
    yield case(op, "channels", [draw.normal(2, 3, 3, 2)], fn, dim=[0, 2, 3], keepDim=True)
    yield case(op, "permuted", [permuted(draw.normal(4, 2, 3), 2, 0, 1)], fn, dim=1)
    yield case(op, "size one", [draw.normal(3, 1)], fn, dim=1, grad=op not in ("var", "std"))
    yield case(op, "to empty", [draw.normal(0, 3)], fn, dim=1)


def logsumexp(x, dim=None, keepdim=False):
    return torch.logsumexp(x, list(range(x.dim())) if dim is None else dim, keepdim)


def norms():
    draw = Draw("norm variants")
    yield case("norm", "p 1", [draw.normal(3, 5)], vector_norm, p=1, dim=1)
    yield case("norm", "p 3", [draw.normal(3, 5)], vector_norm, p=3, dim=1)
    yield case("norm", "p inf", [draw.distinct(3, 5)], vector_norm, p="inf", dim=1)
    yield case("norm", "zero row", [f32(0, 0, 3, 4).reshape(2, 2)], vector_norm, dim=1)
    yield case("norm", "large", [f32(1e15, 1e15)], vector_norm)
    zeros = f32(0, 0, 0, 3, 1, -2, 2, -2).reshape(4, 2)
    special = f32(nan, 1, nan, nan, inf, 1, -inf, inf).reshape(4, 2)
    for p in [0.5, 1, 1.5, 2, 3, -0.5, -1, -2, "inf", "-inf"]:
        yield case("norm", f"zeros, p {p}", [zeros], vector_norm, p=p, dim=1)
        yield case("norm", f"special gradient, p {p}", [special], vector_norm, p=p, dim=1, keepDim=True)


def logsumexps():
    yield case("logsumexp", "large", [f32(1000, 1000, -1000, 88, 89, 0).reshape(2, 3)], logsumexp, dim=1)
    yield case("logsumexp", "masked", [f32(-inf, 1, 2, -inf, -inf, 3).reshape(2, 3)], logsumexp, dim=1)
    yield case("logsumexp", "all masked", [f32(-inf, -inf)], logsumexp, grad=False, dim=0)


def spreads():
    for op in ["var", "std"]:
        fn = spread(getattr(torch, op))
        yield from over_any_dims(op, fn)
        draw = Draw(op, "variants")
        yield case(op, "correction 0", [draw.normal(3, 5)], fn, dim=1, correction=0)
        yield case(op, "correction 2", [draw.normal(3, 5)], fn, dim=0, correction=2)
        yield case(op, "far from zero", [draw.uniform(1000, 1001, 3, 40)], fn, dim=1)
        yield case(op, "constant", [f32(2, 2, 2)], fn, dim=0)
        yield case(op, "special", [SPECIAL], fn, grad=False, dim=1)


def extremes():
    for op in ["amax", "amin"]:
        yield from over_any_dims(op, lambda x, dim=(), keepdim=False: getattr(torch, op)(x, dim, keepdim))
        yield case(op, "ties", [f32(3, 1, 3, 2, 2, 2, 1, 3, 1).reshape(3, 3)], dim=1)
        yield case(op, "special", [SPECIAL], grad=False, dim=1)
        yield case(op, "minus infinity", [f32(-inf, -inf, inf, inf).reshape(2, 2)], grad=False, dim=1)
        yield case(op, "i32", [Draw(op, "i32").ints(-99, 99, 3, 4)], dim=0)
    for op in ["argmax", "argmin"]:
        yield from arg_extremes(op)


def arg_extremes(op):
    draw = Draw(op)
    yield case(op, "all", [draw.distinct(3, 7)])
    yield case(op, "last", [draw.distinct(2, 3, 5)], dim=-1)
    yield case(op, "first keep", [draw.distinct(5, 3)], dim=0, keepDim=True)
    yield case(op, "permuted", [permuted(draw.distinct(3, 4), 1, 0)], dim=0)
    yield case(op, "permuted all", [permuted(draw.distinct(3, 4), 1, 0)])
    yield case(op, "ties are first", [f32(3, 1, 3, 1, 2, 2, 2, 2).reshape(2, 4)], dim=1)
    yield case(op, "first nan", [f32(3, nan, 9, nan, -inf, inf, inf, -inf).reshape(2, 4)], dim=1)
    yield case(op, "i32", [draw.ints(-99, 99, 3, 4)], dim=1)
    yield case(op, "to empty", [draw.normal(0, 3)], dim=1)


def products():
    draw = Draw("prod")
    yield case("prod", "all", [draw.normal(2, 4)])
    yield case("prod", "last", [draw.normal(3, 5)], dim=-1)
    yield case("prod", "keep", [draw.normal(4, 3)], dim=0, keepDim=True)
    yield case("prod", "permuted", [permuted(draw.normal(2, 3, 4), 2, 0, 1)], dim=1)
    yield case("prod", "zeros", [f32(2, 3, 4, 2, 0, 4, 0, 0, 4).reshape(3, 3)], dim=1)
    yield case("prod", "special", [SPECIAL], grad=False, dim=1)
    yield case("prod", "of nothing", [f32().reshape(2, 0)], grad=False, dim=1)
    yield case("prod", "i32", [draw.ints(-9, 9, 3, 4)], dim=1)


def quantifiers():
    for op in ["any", "all"]:
        draw = Draw(op)
        rows = torch.tensor([[0, 0, 0], [1, 1, 1], [0, 1, 0]], dtype=torch.bool)
        yield case(op, "all", [rows])
        yield case(op, "last", [rows], dim=1)
        yield case(op, "keep", [draw.bools(4, 3)], dim=0, keepDim=True)
        yield case(op, "permuted", [permuted(draw.bools(2, 3, 2), 2, 0, 1)], dim=-1)
        yield case(op, "f32", [f32(0, -0.0, nan, 0, 1, 2).reshape(3, 2)], dim=1)
        yield case(op, "i32", [i32(0, 0, -3, 0).reshape(2, 2)], dim=1)
        yield case(op, "of nothing", [torch.zeros(2, 0, dtype=torch.bool)], dim=1)


def variants():
    """dtypes, other words for a correction, lists of dims."""
    draw = Draw("variants")
    fractions = constant(f32(1.7, -2.7, 0.5, 3).reshape(2, 2))
    for op in ["sum", "prod"]:
        fn = typed(getattr(torch, op))
        yield case(op, "to i32", [fractions], fn, dim=1, dtype="i32")
        yield case(op, "i32 to f32", [draw.ints(-9, 9, 3, 4)], fn, dim=0, dtype="f32")
        yield case(op, "u8", [torch.tensor([[200, 100], [3, 2]], dtype=torch.uint8)], dim=1)
    yield case("prod", "bool", [draw.bools(3, 2)], dim=1)
    yield case("mean", "i32 to f32", [draw.ints(-9, 9, 3, 4)], typed(torch.mean), dim=0, dtype="f32")
    yield case("mean", "far from zero", [draw.uniform(10000, 10001, 2, 50)], dim=1)
    for op in ["var", "std"]:
        yield case(op, "biased", [draw.normal(3, 5)], dim=1, unbiased=False)
        yield case(op, "biased of all", [draw.normal(3, 5)], unbiased=False)
        yield case(op, "one element", [draw.normal(1, 1)], dim=1)
        yield case(op, "one element, biased", [draw.normal(1, 1)], dim=1, unbiased=False)
        yield case(op, "of nothing", [f32().reshape(2, 0)], grad=False, dim=1)
        yield case(op, "very far from zero", [draw.uniform(10000, 10001, 2, 60)], dim=1)
        yield case(op, "first element far off", [f32(30000, 1, 2, 4, 1.5)], dim=0)
    for op in ["any", "all"]:
        yield case(op, "nan", [f32(nan, nan, 0, nan).reshape(2, 2)], dim=1)


def scalars():
    """Of rank 0 there is nothing to reduce, but the dtype may change."""
    for op in ["sum", "mean", "prod", "amax", "amin", "argmax", "any", "all", "nansum", "nanmean", "countNonzero"]:
        yield case(op, "rank 0", [Draw(op, "rank 0").normal()])
    for op, fn in {"norm": vector_norm, "logsumexp": logsumexp}.items():
        yield case(op, "rank 0", [Draw(op, "rank 0").normal()], fn)
    yield case("sum", "rank 0 bool", [torch.tensor(True)])
    yield case("var", "rank 0", [Draw("var rank 0").normal()], unbiased=False)


def of_numbers():
    for op in ["nansum", "nanmean"]:
        yield from over_any_dims(op)
        yield case(op, "nan", [f32(1, nan, 3, nan, nan, nan, 5, 6, -7).reshape(3, 3)], dim=1)
        yield case(op, "infinite", [f32(1, nan, inf, -inf, 2, inf).reshape(2, 3)], grad=False, dim=1)
    yield case("nansum", "i32", [Draw("nansum i32").ints(-9, 9, 3, 4)], dim=0)
    draw = Draw("countNonzero")
    yield case("countNonzero", "all", [f32(0, -0.0, nan, 1, inf, 0).reshape(2, 3)])
    yield case("countNonzero", "rows", [draw.ints(-1, 2, 3, 7)], dim=1)
    yield case("countNonzero", "two dims", [draw.ints(-1, 2, 3, 2, 4)], dim=[0, 2])
    yield case("countNonzero", "permuted", [permuted(draw.ints(-1, 2, 3, 4), 1, 0)], dim=0)
    yield case("countNonzero", "bool", [draw.bools(3, 4)], dim=0)
    yield case("countNonzero", "of nothing", [f32().reshape(2, 0)], dim=1)


def moments():
    for op, fn in {"varMean": torch.var_mean, "stdMean": torch.std_mean}.items():

        def both(x, **args):
            spread, mean = fn(x, **args)
            return spread, {"extra": {"1": encode(mean)}}

        draw = Draw(op)
        yield case(op, "all", [draw.normal(3, 7)], both)
        yield case(op, "rows", [draw.normal(3, 5)], both, dim=1)
        yield case(op, "two dims", [draw.normal(2, 3, 4)], both, dim=[0, 2], keepDim=True, unbiased=False)
        yield case(op, "permuted", [permuted(draw.normal(4, 3), 1, 0)], both, dim=1)
        yield case(op, "to empty", [draw.normal(0, 3)], both, dim=1)
        yield case(op, "nan", [f32(1, nan, 3, 4, 5, 6).reshape(2, 3)], both, grad=False, dim=1)


def single_extremes():
    """max and min: of all, along a dim with indices, of pairs; and both at once."""
    for op in ["max", "min"]:
        draw = Draw(op)
        along = with_indices(getattr(torch, op))
        yield case(op, "all", [draw.normal(3, 5)])
        yield case(op, "all ties", [f32(3, 1, 3, 1, 2, 3, 1, 2)])
        yield case(op, "all nan", [f32(3, nan, 1, nan)])
        yield case(op, "scalar", [draw.normal()])
        yield case(op, "rows", [draw.distinct(3, 5)], along, dim=-1)
        yield case(op, "columns", [draw.distinct(3, 5)], along, dim=0, keepDim=True)
        yield case(op, "permuted", [permuted(draw.distinct(3, 4), 1, 0)], along, dim=0)
        yield case(op, "ties", [f32(3, 1, 3, 1, 2, 2, 2, 2).reshape(2, 4)], along, dim=1)
        yield case(op, "nan", [f32(3, nan, 9, nan, -inf, inf, inf, -inf).reshape(2, 4)], along, dim=1)
        yield case(op, "i32", [draw.ints(-99, 99, 3, 4)], along, dim=1)
        yield case(op, "to empty", [draw.normal(0, 3)], along, dim=1)
        yield case(op, "pairs", [draw.normal(3, 4), draw.normal(4)])
    draw = Draw("aminmax")

    def aminmax(x, **args):
        low, high = torch.aminmax(x, **args)
        return low, {"extra": {"max": encode(high)}}

    yield case("aminmax", "all", [draw.normal(3, 5)], aminmax, grad=False)
    yield case("aminmax", "rows", [draw.normal(3, 5)], aminmax, grad=False, dim=1, keepDim=True)
    yield case("aminmax", "permuted", [permuted(draw.normal(3, 4), 1, 0)], aminmax, grad=False, dim=0)
    yield case("aminmax", "to empty", [draw.normal(0, 3)], aminmax, grad=False, dim=1)
    yield case("aminmax", "nan", [f32(1, nan, 0, 2).reshape(2, 2)], aminmax, grad=False, dim=1)
    for op in ["amax", "amin"]:
        yield case(op, "bool", [Draw(op, "bool").bools(3, 4)], dim=1)
        yield case(op, "u8", [torch.tensor([[200, 100], [3, 2]], dtype=torch.uint8)], dim=1)


def distances():
    draw = Draw("dist")
    yield case("dist", "matrix", [draw.normal(3, 5), draw.normal(3, 5)])
    yield case("dist", "broadcast", [draw.normal(3, 5), draw.normal(5)], p=1)
    yield case("dist", "p 3", [draw.normal(7), draw.normal(7)], p=3)
    yield case("dist", "p inf", [draw.distinct(7), draw.normal(7)], torch_dist, p="inf")
    yield case("dist", "same", [f32(1, 2), f32(1, 2)])
    yield case("dist", "empty", [f32(), f32()], grad=False)
    yield case("dist", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3)])
    yield case("dist", "special", [f32(1, nan, 3), f32(1, 2, inf)], grad=False)
    yield case("dist", "infinite", [f32(1, 2, 3), f32(1, 2, inf)], grad=False)
    draw = Draw("cdist")
    yield case("cdist", "rows", [draw.normal(3, 5), draw.normal(2, 5)])
    yield case("cdist", "batch", [draw.normal(2, 3, 4), draw.normal(2, 2, 4)], p=1)
    yield case("cdist", "broadcast batch", [draw.normal(2, 3, 4), draw.normal(2, 4)], p=3)
    yield case("cdist", "p inf", [draw.normal(3, 4), draw.normal(2, 4)], torch_cdist, p="inf")
    yield case("cdist", "same rows", [f32(1, 2, 4, 6).reshape(2, 2), f32(1, 2).reshape(1, 2)])
    yield case("cdist", "no rows", [f32().reshape(0, 4), draw.normal(2, 4)])
    yield case("cdist", "permuted", [permuted(draw.normal(4, 3), 1, 0), draw.normal(2, 4)])
    yield case("cdist", "special", [f32(1, nan, 3, inf).reshape(2, 2), f32(1, 2).reshape(1, 2)], grad=False)
    draw = Draw("norm p 0")
    yield case("norm", "p 0", [f32(0, 3, nan, -0.0, 0, 0).reshape(2, 3)], vector_norm, p=0, dim=1)


def torch_dist(x, y, p):
    return torch.dist(x, y, float(p))


def torch_cdist(x, y, p):
    return torch.cdist(x, y, float(p))


GROUPS = [sums, norms, logsumexps, spreads, extremes, products, quantifiers, variants, scalars, of_numbers, moments, single_extremes, distances]
