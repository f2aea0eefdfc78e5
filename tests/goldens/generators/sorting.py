"""Cases of the ops that put elements in order."""

import math

import torch

from .case import Input, case, constant, permuted, snake, with_indices
from .record import Draw, encode, f32, i32

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


def order_variants():
    draw = Draw("topk variants")
    yield case("topk", "i32", [draw.ints(-99, 99, 3, 9)], topk, k=4, dim=1)
    yield case("topk", "most", [draw.distinct(40)], topk, k=30, dim=0, grad=False)
    yield case("topk", "scalar", [draw.normal()], topk, k=1)
    yield case("topk", "none", [draw.distinct(2, 3)], topk, k=0, grad=False)
    draw = Draw("sort variants")
    yield case("sort", "special descending", [f32(1, inf, nan, -inf, 5, nan, -0.0, 0)], sort, grad=False, descending=True)
    yield case("sort", "bool", [draw.bools(9)], sort)
    yield case("sort", "scalar", [draw.normal()], sort)
    yield case("sort", "u8", [torch.tensor([3, 200, 3, 0], dtype=torch.uint8)], sort, descending=True)
    draw = Draw("argsort")
    yield case("argsort", "rows", [draw.distinct(3, 7)], argsort)
    yield case("argsort", "ties", [f32(2, 1, 2, 1, 2, 0)], argsort, dim=0, descending=True)
    yield case("argsort", "permuted", [permuted(draw.distinct(5, 3), 1, 0)], argsort, dim=0)
    yield case("argsort", "i32", [draw.ints(-99, 99, 9)], argsort)
    yield case("argsort", "special", [f32(1, inf, nan, -inf)], argsort)
    yield case("argsort", "empty", [f32()], argsort)
    yield case("msort", "matrix", [Draw("msort").distinct(5, 3)])
    yield case("msort", "permuted", [permuted(Draw("msort").distinct(5, 3), 1, 0)])
    yield case("msort", "nan", [f32(3, nan, 1)], grad=False)
    yield case("msort", "empty", [f32().reshape(0, 2)], grad=False)


def argsort(x, dim=-1, descending=False):
    return torch.sort(x, dim=dim, descending=descending, stable=True)[1]


def ranks():
    """The k-th smallest, medians, the most frequent."""
    kthvalue = with_indices(torch.kthvalue)
    draw = Draw("kthvalue")
    yield case("kthvalue", "rows", [draw.distinct(3, 7)], kthvalue, k=3)
    yield case("kthvalue", "columns", [draw.distinct(5, 3)], kthvalue, k=1, dim=0, keepDim=True)
    yield case("kthvalue", "permuted", [permuted(draw.distinct(5, 3), 1, 0)], kthvalue, k=5, dim=1)
    yield case("kthvalue", "nan", [f32(3, nan, 1, -inf)], kthvalue, k=4)
    yield case("kthvalue", "i32", [draw.distinct(9).int()], kthvalue, k=2)
    yield case("kthvalue", "scalar", [draw.normal()], kthvalue, k=1)
    yield case("kthvalue", "to empty", [draw.normal(0, 3)], kthvalue, k=2, dim=1)
    for op in ["median", "nanmedian"]:
        fn = with_indices(getattr(torch, op))
        draw = Draw(op)
        yield case(op, "all", [draw.distinct(3, 5)])
        yield case(op, "all, even", [draw.distinct(2, 4)])
        yield case(op, "all, ties", [f32(2, 1, 2, 3)])
        yield case(op, "all, nan", [f32(2, nan, 5, 3, nan)])
        yield case(op, "scalar", [draw.normal()])
        yield case(op, "rows", [draw.distinct(3, 7)], fn, dim=1)
        yield case(op, "even columns", [draw.distinct(4, 3)], fn, dim=0, keepDim=True)
        yield case(op, "permuted", [permuted(draw.distinct(5, 3), 1, 0)], fn, dim=1)
        yield case(op, "nan", [f32(3, nan, 1, nan, nan, nan, 1, 2, inf, -inf, 5, 4).reshape(4, 3)], fn, dim=1)
        yield case(op, "i32", [draw.distinct(2, 5).int()], fn, dim=-1)
        yield case(op, "to empty", [draw.normal(0, 3)], fn, dim=1)
        yield case(op, "of nothing", [f32()], grad=False)
    mode = with_indices(torch.mode)
    draw = Draw("mode")
    yield case("mode", "rows", [draw.ints(0, 4, 3, 9).float()], mode)
    yield case("mode", "columns", [draw.ints(0, 3, 7, 2).float()], mode, dim=0, keepDim=True)
    yield case("mode", "permuted", [permuted(draw.ints(0, 3, 7, 2).float(), 1, 0)], mode, dim=1)
    yield case("mode", "nan", [f32(nan, nan, 1, 5, 5)], mode, dim=0)
    yield case("mode", "all different", [f32(3, 1, 2)], mode)
    yield case("mode", "i32", [draw.ints(-3, 3, 3, 9)], mode, dim=1)
    yield case("mode", "bool", [draw.bools(3, 5)], mode, dim=1)
    yield case("mode", "scalar", [draw.normal()], mode)
    yield case("mode", "to empty", [draw.normal(0, 3)], mode, dim=1)


def quantiles():
    some = f32(0, 0.1, 0.35, 0.5, 0.9, 1)
    for op in ["quantile", "nanquantile"]:
        at = quantile_at(getattr(torch, op))
        draw = Draw(op)
        yield case(op, "median of all", [draw.distinct(3, 4)], at, q=0.5)
        yield case(op, "rows", [draw.normal(3, 5)], at, q=0.3125, dim=1)
        yield case(op, "columns", [draw.normal(4, 3)], at, q=0.8125, dim=0, keepDim=True)
        yield case(op, "all, kept", [draw.normal(4, 3)], at, q=0.8125, keepDim=True)
        yield case(op, "several", [draw.normal(3, 5), constant(some)], getattr(torch, op), dim=1)
        yield case(op, "several of all", [draw.normal(3, 5), constant(some)], getattr(torch, op), keepDim=True)
        yield case(op, "permuted", [permuted(draw.normal(2, 5, 3), 2, 0, 1), constant(some)], getattr(torch, op), dim=2)
        yield case(op, "gradient of q", [draw.normal(3, 5), f32(0.31, 0.72)], getattr(torch, op), dim=1)
        yield case(op, "nan", [f32(1, 4, 2, 3, nan, 0, nan, nan, nan).reshape(3, 3)], at, q=0.625, dim=1)
        yield case(op, "infinite", [f32(1, inf, -inf, 2).reshape(2, 2)], at, grad=False, q=0.5, dim=1)
        yield case(op, "scalar", [draw.normal()], at, q=0.375)
        yield case(op, "no ranks", [draw.normal(3, 5), constant(f32())], getattr(torch, op), grad=False, dim=1)
        for interpolation in ["linear", "lower", "higher", "midpoint", "nearest"]:
            inputs = [draw.distinct(2, 8), constant(some)]
            yield case(op, interpolation, inputs, getattr(torch, op), dim=1, interpolation=interpolation)
        yield case(op, "first of three dims", [draw.normal(4, 3, 2)], at, q=0.3125, dim=0)
        yield case(op, "several of four dims", [draw.normal(2, 3, 2, 4), constant(some)], getattr(torch, op), dim=-3)


def quantile_at(fn):
    return lambda x, q, **args: fn(x, torch.tensor(q, dtype=x.dtype), **args)


def different():
    """unique and what counts."""

    def values(fn):
        def listed(x, **args):
            first, *others = fn(x, **args)
            return first, {"extra": {str(i + 1): encode(other) for i, other in enumerate(others)}}

        return lambda x, **args: listed(x, **args) if args else fn(x)

    both = {"returnInverse": True, "returnCounts": True}
    for op in ["unique", "uniqueConsecutive"]:
        fn = values(getattr(torch, snake(op)))
        draw = Draw(op)
        yield case(op, "values", [constant(draw.ints(0, 4, 3, 5).float())], fn)
        yield case(op, "all", [draw.ints(-3, 4, 3, 5)], fn, **both)
        yield case(op, "counts", [draw.ints(-3, 4, 7)], fn, returnCounts=True)
        yield case(op, "permuted", [permuted(draw.ints(0, 3, 4, 3), 1, 0)], fn, **both)
        yield case(op, "nan", [constant(f32(3, nan, 1, nan, 1, 1))], nan_last if op == "unique" else fn)
        yield case(op, "bool", [draw.bools(5)], fn, **both)
        yield case(op, "scalar", [torch.tensor(2, dtype=torch.int32)], fn, **both)
        yield case(op, "empty", [i32()], fn, **both)
        yield case(op, "long", [draw.ints(0, 9, 60)], fn, **both)
    draw = Draw("bincount")
    yield case("bincount", "vector", [draw.ints(0, 6, 20)])
    yield case("bincount", "minlength", [i32(1, 1, 3)], minlength=6)
    yield case("bincount", "weights", [i32(2, 0, 2, 3), constant(f32(0.5, 1, 2, -1))], record_as="f32")
    yield case("bincount", "weights that are none", [i32(2, 0, 2, 3), constant(f32(nan, 1, 2, inf))], record_as="f32")
    yield case("bincount", "u8", [torch.tensor([1, 1, 3], dtype=torch.uint8)])
    yield case("bincount", "empty", [i32()])
    draw = Draw("histc")
    yield case("histc", "ranges", [constant(draw.normal(40))], bins=5, min=-2, max=2)
    yield case("histc", "all", [constant(draw.normal(3, 7))], bins=4)
    yield case("histc", "edges", [constant(f32(0, 1, 2, 3, 4, -1, 5, 1))], bins=4, min=0, max=4)
    yield case("histc", "infinite", [constant(f32(0, inf, 2, -inf))], bins=3, min=0, max=3)
    yield case("histc", "one value", [constant(f32(1, 1, 1))], bins=4)
    yield case("histc", "permuted", [Input(draw.normal(3, 4), permute=(1, 0), constant=True)], bins=3, min=-1, max=1)
    yield case("histc", "empty", [constant(f32())], bins=3)


def nan_last(x):
    """PyTorch leaves NaN where its sort happens to; flywheel puts it last."""
    return torch.sort(torch.unique(x))[0]


def searches():
    draw = Draw("searchsorted")
    rising = f32(-1, 0, 0, 2, 5)
    yield case("searchsorted", "vector", [constant(rising), constant(draw.normal(3, 4))])
    yield case("searchsorted", "right", [constant(rising), constant(f32(0, 2, -1, 5, 6))], right=True)
    yield case("searchsorted", "side", [constant(rising), constant(f32(0, 2, -1, 5, 6))], side="right")
    rows = f32(0, 1, 2, 1, 1, 3).reshape(2, 3)
    yield case("searchsorted", "rows", [constant(rows), constant(f32(1, 2, 1, 3).reshape(2, 2))])
    yield case("searchsorted", "special", [constant(f32(-inf, 0, inf, nan)), constant(f32(nan, inf, -inf, -0.0))])
    yield case("searchsorted", "i32", [i32(1, 3, 3, 9), draw.ints(0, 11, 5)])
    yield case("searchsorted", "empty", [constant(f32()), constant(f32(1, 2))])
    yield case("searchsorted", "permuted", [constant(rising), Input(draw.normal(3, 2), permute=(1, 0), constant=True)])
    yield case("bucketize", "matrix", [constant(draw.normal(3, 4)), constant(rising)])
    yield case("bucketize", "right", [constant(f32(0, 2, -1, 5, 6)), constant(rising)], right=True)
    yield case("bucketize", "permuted", [Input(draw.normal(3, 2), permute=(1, 0), constant=True), constant(rising)])
    yield case("bucketize", "i32", [draw.ints(0, 11, 5), i32(1, 3, 3, 9)])
    yield case("bucketize", "nan", [constant(f32(nan, 1)), constant(rising)])
    yield case("bucketize", "empty", [constant(f32()), constant(rising)])


GROUPS = [orders, nothing, order_variants, ranks, quantiles, different, searches]
