"""Cases of what writes, adds or folds at places that an index or a mask names; and of reading by index and by mask."""

import math

import torch

from .case import case, permuted
from .parts import several
from .record import Draw, f32, i32
from .values import SPECIAL
from .views import RANK_8

nan, inf = math.nan, math.inf


def scatter(x, index, src, dim, **reduce):
    return torch.scatter(x, dim, index.long(), src, **reduce)


def scatters():
    draw = Draw("scatter")
    yield case("scatter", "rows", [draw.normal(4, 3), i32(1, 0, 3, 2, 2, 1).reshape(2, 3), draw.normal(2, 3)], scatter, dim=0)
    yield case("scatter", "columns", [draw.normal(2, 5), i32(4, 0, 1, 3, 2, 1).reshape(2, 3), draw.normal(2, 3)], scatter, dim=-1)
    smaller = [draw.normal(4, 5), i32(1, 3, 0, 2).reshape(2, 2), draw.normal(2, 2)]
    yield case("scatter", "smaller", smaller, scatter, dim=0)
    yield case("scatter", "larger source", [draw.normal(4), i32(1, 3), draw.normal(3)], scatter, dim=0, grad=False)
    views = [permuted(draw.normal(3, 4), 1, 0), i32(3, 1, 2).reshape(1, 3), permuted(draw.normal(3, 2), 1, 0)]
    yield case("scatter", "permuted", views, scatter, dim=0, grad=False)
    yield case("scatter", "last of several", [draw.normal(3), i32(1, 1, 0, 1), draw.normal(4)], scatter, dim=0, grad=False)
    yield case("scatter", "nothing", [draw.normal(3), i32(), f32()], scatter, dim=0)
    yield case("scatter", "scalar", [draw.normal(), torch.tensor(0, dtype=torch.int32), draw.normal()], scatter, dim=0)
    yield case("scatter", "special", [f32(1, nan, 2), i32(0, 2), f32(inf, -0.0)], scatter, dim=0, grad=False)
    yield case("scatter", "i32", [draw.ints(-9, 9, 4), i32(3, 0), draw.ints(-9, 9, 2)], scatter, dim=0)
    yield case("scatter", "u8", [torch.arange(4, dtype=torch.uint8), i32(3, 0), torch.tensor([250, 9], dtype=torch.uint8)], scatter, dim=0)
    yield case("scatter", "bool", [draw.bools(2, 3), i32(2, 0).reshape(2, 1), draw.bools(2, 1)], scatter, dim=1)
    number = lambda x, index, dim, value: torch.scatter(x, dim, index.long(), value)
    yield case("scatter", "number", [draw.normal(3, 2), i32(2, 0).reshape(1, 2)], number, dim=0, value=1.5)
    # PyTorch has no gradient of these
    add = [draw.normal(3), i32(1, 1, 0), draw.normal(3)]
    yield case("scatter", "add", add, scatter, dim=0, reduce="add", grad=False)
    yield case("scatter", "multiply", [draw.normal(3), i32(1, 1, 0), draw.normal(3)], scatter, dim=0, reduce="multiply", grad=False)


def scatter_reduce(x, index, src, dim, reduce, include_self=True):
    return torch.scatter_reduce(x, dim, index.long(), src, reduce, include_self=include_self)


def reductions():
    for reduce in ["sum", "prod", "mean", "amax", "amin"]:
        draw = Draw("scatterReduce", reduce)
        fold = lambda name, x, index, src, **args: case(
            "scatterReduce", f"{reduce} {name}", [x, index, src], scatter_reduce, reduce=reduce, **args
        )
        yield fold("rows", draw.normal(4, 3), draw.ints(0, 4, 5, 3), draw.normal(5, 3), dim=0)
        yield fold("columns", draw.normal(2, 4), draw.ints(0, 3, 2, 6), draw.normal(2, 6), dim=1)
        yield fold("smaller", draw.normal(3, 4), draw.ints(0, 3, 4, 2), draw.normal(4, 2), dim=0)
        without = {"dim": 0, "includeSelf": False}
        yield fold("without self", draw.normal(4, 2), draw.ints(0, 3, 5, 2), draw.normal(5, 2), **without)
        views = [permuted(draw.normal(2, 3), 1, 0), permuted(draw.ints(0, 3, 2, 4), 1, 0), permuted(draw.normal(2, 4), 1, 0)]
        yield fold("permuted", *views, dim=0)
        yield fold("nothing", draw.normal(3), i32(), f32(), dim=0)
        yield fold("special", f32(1, nan, 2, 3), i32(0, 1, 2, 2, 3), f32(nan, 5, inf, 1, -inf), dim=0, grad=False)
        yield fold("i32", draw.ints(-9, 9, 3), i32(0, 1, 1, 1), draw.ints(-9, 9, 4), dim=0)
        yield fold("i32 without self", draw.ints(-9, 9, 3), i32(0, 1, 1, 1), draw.ints(-9, 9, 4), **without)
    zeros = [f32(2, 0, 0, 3), i32(0, 0, 1, 2, 2, 3), f32(0, 3, 4, 0, 5, 0.5)]
    yield case("scatterReduce", "prod of zeros", zeros, scatter_reduce, dim=0, reduce="prod")
    ties = [f32(2, 1, 3), i32(0, 0, 1, 1, 2), f32(2, 1, 4, 4, 3)]
    yield case("scatterReduce", "amax of ties", ties, scatter_reduce, dim=0, reduce="amax")
    yield case("scatterReduce", "amin of ties", ties, scatter_reduce, dim=0, reduce="amin")
    yield case("scatterReduce", "rank 8", [Draw("a").normal(*RANK_8), Draw("b").ints(0, 3, *RANK_8), Draw("c").normal(*RANK_8)], scatter_reduce, dim=2, reduce="sum")  # fmt: skip


def index_add(x, index, source, dim, **alpha):
    return torch.index_add(x, dim, index, source, **alpha)


def index_copy(x, index, source, dim):
    return torch.index_copy(x, dim, index.long(), source)


def index_fill(x, index, dim, value):
    return torch.index_fill(x, dim, index.long(), float(value) if isinstance(value, str) else value)


def entries():
    draw = Draw("indexAdd")
    yield case("indexAdd", "rows", [draw.normal(4, 3), i32(2, 0, 2), draw.normal(3, 3)], index_add, dim=0)
    yield case("indexAdd", "columns", [draw.normal(2, 3), i32(1, 1), draw.normal(2, 2)], index_add, dim=-1, alpha=-0.5)
    views = [permuted(draw.normal(3, 4), 1, 0), i32(3, 1), permuted(draw.normal(3, 2), 1, 0)]
    yield case("indexAdd", "permuted", views, index_add, dim=0)
    yield case("indexAdd", "nothing", [draw.normal(3, 2), i32(), draw.normal(0, 2)], index_add, dim=0)
    yield case("indexAdd", "i32", [draw.ints(-9, 9, 3), i32(1, 1), draw.ints(-9, 9, 2)], index_add, dim=0, alpha=3)
    yield case("indexAdd", "special", [f32(1, 2), i32(0, 1, 1), f32(nan, inf, -inf)], index_add, dim=0, grad=False)
    draw = Draw("indexCopy")
    yield case("indexCopy", "rows", [draw.normal(4, 3), i32(2, 0), draw.normal(2, 3)], index_copy, dim=0)
    yield case("indexCopy", "columns", [permuted(draw.normal(3, 2), 1, 0), i32(1), draw.normal(2, 1)], index_copy, dim=1)
    yield case("indexCopy", "nothing", [draw.normal(3), i32(), f32()], index_copy, dim=0)
    yield case("indexCopy", "bool", [draw.bools(4), i32(3, 1), draw.bools(2)], index_copy, dim=0)
    draw = Draw("indexFill")
    yield case("indexFill", "rows", [draw.normal(4, 3), i32(2, -4)], index_fill, dim=0, value=1.5)
    yield case("indexFill", "columns", [permuted(draw.normal(3, 2), 1, 0), i32(1, 1)], index_fill, dim=1, value="-inf")
    yield case("indexFill", "nothing", [draw.normal(3), i32()], index_fill, dim=0, value=2)
    yield case("indexFill", "i32", [draw.ints(-9, 9, 3), i32(1)], index_fill, dim=0, value=7)


def takes():
    draw = Draw("take")
    take = lambda x, index: torch.take(x, index.long())
    yield case("take", "matrix", [draw.normal(3, 4), i32(0, 11, -2, 5).reshape(2, 2)], take)
    yield case("take", "permuted", [permuted(draw.normal(3, 2), 1, 0), i32(1, 1, 4)], take)
    yield case("take", "scalar", [draw.normal(3), torch.tensor(-1, dtype=torch.int32)], take)
    yield case("take", "nothing", [draw.normal(3), i32()], take)
    yield case("take", "u8", [torch.arange(5, dtype=torch.uint8), i32(4, 0)], take)
    draw = Draw("takeAlongDim")
    along = lambda x, index, dim=None: torch.take_along_dim(x, index.long(), dim)
    yield case("takeAlongDim", "columns", [draw.normal(2, 4), draw.ints(0, 4, 2, 3)], along, dim=1)
    yield case("takeAlongDim", "broadcast index", [draw.normal(3, 4), draw.ints(0, 4, 1, 2)], along, dim=1)
    yield case("takeAlongDim", "broadcast tensor", [draw.normal(4, 1), draw.ints(0, 4, 2, 3)], along, dim=0)
    yield case("takeAlongDim", "flat", [draw.normal(2, 3), draw.ints(0, 6, 2, 2)], along)
    draw = Draw("put")
    put = lambda x, index, source, accumulate=False: torch.put(x, index.long(), source, accumulate=accumulate)
    yield case("put", "matrix", [draw.normal(2, 3), i32(5, 0, -2), draw.normal(3)], put)
    yield case("put", "accumulate", [draw.normal(2, 3), i32(5, 0, -1, 0).reshape(2, 2), draw.normal(4)], put, accumulate=True)
    yield case("put", "nothing", [draw.normal(2), i32(), f32()], put)


def masks():
    draw = Draw("maskedFill")
    fill = lambda x, mask, value: x.masked_fill(mask, float(value) if isinstance(value, str) else value)
    yield case("maskedFill", "same", [draw.normal(3, 4), draw.bools(3, 4)], fill, value=-1.5)
    yield case("maskedFill", "broadcast mask", [draw.normal(3, 4), draw.bools(3, 1)], fill, value="-inf")
    yield case("maskedFill", "broadcast tensor", [draw.normal(1), draw.bools(2, 3)], fill, value=2)
    yield case("maskedFill", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.bools(2, 3)], fill, value="nan")
    yield case("maskedFill", "empty", [draw.normal(0, 3), draw.bools(3)], fill, value=1)
    yield case("maskedFill", "special", [f32(nan, inf, -0.0), torch.tensor([True, False, False])], fill, value=0, grad=False)
    yield case("maskedFill", "i32", [draw.ints(-9, 9, 4), draw.bools(4)], fill, value=7)
    yield case("maskedFill", "u8", [torch.arange(4, dtype=torch.uint8), draw.bools(4)], fill, value=255)
    yield case("maskedFill", "bool", [draw.bools(4), draw.bools(4)], fill, value=1)
    value = lambda x, mask, value: x.masked_fill(mask, value)
    yield case("maskedFill", "tensor", [draw.normal(3), draw.bools(3), draw.normal()], value)
    draw = Draw("maskedSelect")
    yield case("maskedSelect", "same", [draw.normal(3, 4), draw.bools(3, 4)])
    yield case("maskedSelect", "broadcast", [draw.normal(2, 1), torch.tensor([True, False, True])])
    # PyTorch 1.13 brings the gradients of masked_select back in the wrong order where the tensor is not contiguous
    select = lambda x, mask: x[mask]
    yield case("maskedSelect", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.bools(2, 3)], select)
    yield case("maskedSelect", "nothing", [draw.normal(3), torch.zeros(3, dtype=torch.bool)])
    yield case("maskedSelect", "empty", [draw.normal(0, 2), torch.ones(0, 2, dtype=torch.bool)])
    yield case("maskedSelect", "scalar", [draw.normal(), torch.tensor(True)])
    yield case("maskedSelect", "i32", [draw.ints(-9, 9, 5), draw.bools(5)])
    draw = Draw("maskedScatter")
    yield case("maskedScatter", "same", [draw.normal(2, 3), draw.bools(2, 3), draw.normal(6)])
    yield case("maskedScatter", "more than needed", [draw.normal(4), torch.tensor([True, False, True, False]), draw.normal(2, 3)])
    yield case("maskedScatter", "broadcast mask", [draw.normal(2, 3), torch.tensor([False, True, True]), draw.normal(4)])
    yield case("maskedScatter", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.bools(2, 3), permuted(draw.normal(2, 3), 1, 0)])
    yield case("maskedScatter", "nothing", [draw.normal(3), torch.zeros(3, dtype=torch.bool), draw.normal(1)])
    yield case("maskedScatter", "special", [f32(nan, 1, 2), torch.tensor([False, True, True]), f32(inf, -0.0)], grad=False)
    yield case("maskedScatter", "u8", [torch.arange(4, dtype=torch.uint8), torch.tensor([True, False, True, True]), torch.arange(9, 13, dtype=torch.uint8)])


def places():
    draw = Draw("nonzero")
    yield case("nonzero", "matrix", [draw.ints(-1, 2, 3, 4)], torch.nonzero)
    yield case("nonzero", "special", [f32(0, -0.0, nan, inf, 1e-40)], torch.nonzero, grad=False)
    yield case("nonzero", "bool", [permuted(draw.bools(3, 2), 1, 0)], torch.nonzero)
    yield case("nonzero", "scalar", [torch.tensor(3, dtype=torch.int32)], torch.nonzero)
    yield case("nonzero", "zero", [torch.tensor(0, dtype=torch.int32)], torch.nonzero)
    yield case("nonzero", "empty", [draw.ints(0, 2, 2, 0)], torch.nonzero)
    yield case("nonzero", "tuple", [draw.ints(0, 2, 3, 4)], several(lambda x, as_tuple: torch.nonzero(x, as_tuple=True)), asTuple=True)
    yield case("argwhere", "matrix", [draw.ints(-1, 2, 3, 2)], torch.argwhere)


def slices():
    draw = Draw("diagonalScatter")
    args = {"fn": torch.diagonal_scatter}
    yield case("diagonalScatter", "square", [draw.normal(3, 3), draw.normal(3)], **args)
    yield case("diagonalScatter", "above", [permuted(draw.normal(4, 3), 1, 0), draw.normal(2)], offset=2, **args)
    yield case("diagonalScatter", "dims", [draw.normal(2, 3, 4), draw.normal(3, 2)], offset=-1, dim1=-1, dim2=0, **args)
    draw = Draw("selectScatter")
    select = lambda x, src, dim, index: torch.select_scatter(x, src, dim, index)
    yield case("selectScatter", "row", [draw.normal(3, 4), draw.normal(4)], select, dim=0, index=1)
    yield case("selectScatter", "last", [permuted(draw.normal(2, 3, 2), 2, 0, 1), draw.normal(2, 2)], select, dim=-1, index=-1)
    draw = Draw("sliceScatter")
    part = lambda x, src, dim, start, end, step: torch.slice_scatter(x, src, dim, start, end, step)
    yield case("sliceScatter", "rows", [draw.normal(5, 2), draw.normal(2, 2)], part, dim=0, start=1, end=3, step=1)
    yield case("sliceScatter", "steps", [draw.normal(2, 7), draw.normal(2, 3)], part, dim=1, start=1, end=None, step=2)


def kinds():
    draw = Draw("writes kinds")
    along = lambda x, index, dim: torch.take_along_dim(x, index.long(), dim)
    take = lambda x, index: torch.take(x, index.long())
    part = lambda x, src, dim, start, end, step: torch.slice_scatter(x, src, dim, start, end, step)
    select = lambda x, src, dim, index: torch.select_scatter(x, src, dim, index)
    yield case("argwhere", "views", [permuted(draw.bools(3, 2), 1, 0)], torch.argwhere)
    yield case("argwhere", "empty", [draw.ints(0, 2, 0, 3)], torch.argwhere)
    yield case("indexCopy", "special", [f32(nan, 1, 2), i32(2, 1), f32(inf, -0.0)], index_copy, dim=0, grad=False)
    yield case("indexFill", "special", [f32(nan, 1, inf), i32(1)], index_fill, dim=0, value="nan", grad=False)
    yield case("maskedScatter", "empty", [draw.normal(0, 3), torch.ones(0, 3, dtype=torch.bool), draw.normal(2)], grad=False)
    yield case("maskedSelect", "special", [f32(nan, 1, -inf), torch.tensor([True, False, True])])
    put = lambda x, index, source: torch.put(x, index.long(), source)
    yield case("put", "special", [f32(nan, 1, 2), i32(2), f32(inf)], put, grad=False)
    yield case("put", "views", [permuted(draw.normal(2, 3), 1, 0), i32(1), draw.normal(1)], put)
    yield case("take", "special", [f32(nan, inf, -0.0), i32(2, 0)], take)
    yield case("takeAlongDim", "special", [f32(nan, inf, -0.0), i32(2, 0)], along, dim=0)
    yield case("takeAlongDim", "views", [permuted(draw.normal(3, 2), 1, 0), draw.ints(0, 3, 2, 2)], along, dim=1)
    yield case("takeAlongDim", "empty", [draw.normal(2, 3), draw.ints(0, 3, 2, 0)], along, dim=1)
    yield case("diagonalScatter", "special", [SPECIAL, f32(1, nan)], torch.diagonal_scatter)
    yield case("diagonalScatter", "nothing", [draw.normal(3, 2), f32()], torch.diagonal_scatter, offset=4)
    yield case("selectScatter", "special", [SPECIAL, f32(1, nan)], select, dim=0, index=1)
    yield case("selectScatter", "empty", [draw.normal(3, 0), f32()], select, dim=0, index=1)
    yield case("sliceScatter", "special", [SPECIAL, SPECIAL[:2]], part, dim=0, start=1, end=3, step=1)
    yield case("sliceScatter", "views", [permuted(draw.normal(2, 3), 1, 0), draw.normal(2, 2)], part, dim=0, start=0, end=3, step=2)
    yield case("sliceScatter", "nothing", [draw.normal(3, 2), draw.normal(0, 2)], part, dim=0, start=2, end=1, step=1)


GROUPS = [scatters, reductions, entries, takes, masks, places, slices, kinds]
