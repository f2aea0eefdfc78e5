"""
Cases of PyTorch's brackets, read and written. Items are numbers, null for None, "..." and slices as strings; "@1" is the
first input after the tensor, an index or a mask.
"""

import math

import torch

from .case import case, permuted
from .record import Draw, f32, i32
from .views import RANK_8

nan, inf = math.nan, math.inf


def decoded(item, tensors):
    if not isinstance(item, str):
        return item
    if item == "...":
        return Ellipsis
    if item[0] == "@":
        index = tensors[int(item[1:]) - 1]
        return index if index.dtype == torch.bool else index.long()
    return slice(*(int(part) if part else None for part in item.split(":")))


def read(x, *tensors, items):
    return x[tuple(decoded(item, tensors) for item in items)]


def backwards(x, items):
    """What PyTorch refuses: negative steps, as NumPy takes them; all items are slices."""
    for dim, item in enumerate(items):
        x = x.index_select(dim, torch.arange(x.shape[dim])[list(range(x.shape[dim]))[decoded(item, [])]].long())
    return x


def read_case(name, x, items, *tensors, **options):
    return case("index", name, [x, *tensors], read, items=items, **options)


def reads():
    draw = Draw("index")
    yield read_case("number", draw.normal(3, 4), [1])
    yield read_case("numbers", draw.normal(3, 4), [-1, 2])
    yield read_case("nothing", draw.normal(2, 2), [])
    yield read_case("slices", draw.normal(5, 7), ["1:4", "::3"])
    yield read_case("negative slices", draw.normal(5, 7), ["-3:", ":-2:2"])
    yield read_case("empty slice", draw.normal(5, 2), ["3:1"])
    yield read_case("new dims", draw.normal(3, 4), [None, 0, None, ":", None])
    yield read_case("ellipsis", draw.normal(2, 3, 4), ["...", 1])
    yield read_case("ellipsis between", draw.normal(2, 3, 4), [0, "...", "1:3", None])
    yield read_case("ellipsis of nothing", draw.normal(2, 3), [0, "...", 1])
    yield read_case("scalar", draw.normal(), ["...", None])
    yield read_case("empty", draw.normal(0, 3), [":", "1:"])
    yield read_case("permuted", permuted(draw.normal(2, 3, 4), 2, 0, 1), ["1::2", -1])
    yield read_case("rank 8", draw.normal(*RANK_8), [1, "...", 0, "::2", 0])
    yield case("index", "backwards", [draw.normal(5, 4)], backwards, items=["::-2", "2:0:-1"])
    yield read_case("indices", draw.normal(4, 3), ["@1"], i32(2, 0, -1, 2))
    yield read_case("matrix of indices", draw.normal(4, 3), ["@1"], draw.ints(-4, 4, 2, 3))
    yield read_case("second dim", draw.normal(2, 5, 3), [":", "@1"], i32(4, -5))
    yield read_case("together", draw.normal(3, 4, 2), ["@1", "@2"], i32(0, 2, 2), i32(-1, 1, 0))
    yield read_case("broadcast", draw.normal(3, 4), ["@1", "@2"], i32(0, 2).reshape(2, 1), i32(3, 0, -2))
    yield read_case("apart", draw.normal(3, 4, 2), ["@1", ":", "@2"], i32(0, 2, 1), i32(-1, 0, 0))
    yield read_case("apart by a new dim", draw.normal(3, 4), ["@1", None, "@2"], i32(0, 2), i32(3, 1))
    yield read_case("behind a number", draw.normal(2, 3, 4), [1, ":", "@1"], i32(3, 1, 0, 0, 2))
    yield read_case("number between", draw.normal(3, 2, 4), ["@1", 1, "@2"], i32(0, 2), i32(3, 1))
    yield read_case("in the middle", draw.normal(2, 3, 4, 2), [":", "@1", "@2"], i32(0, 2), i32(3, 1))
    yield read_case("with slices", draw.normal(3, 6, 4), ["1:", "::2", "@1"], i32(3, 0, 1))
    yield read_case("scalar index", draw.normal(3, 4), ["@1"], torch.tensor(-2, dtype=torch.int32))
    scalar = torch.tensor(1, dtype=torch.int32)
    yield read_case("scalar index apart", draw.normal(2, 3, 4), ["@1", ":", "@2"], scalar, i32(1, 2, 1, 1, 1))
    yield read_case("scalar index between", draw.normal(3, 2, 4), ["@1", "@2", "@3"], i32(0, 2), scalar, i32(3, 1))
    yield read_case("no indices", draw.normal(3, 4), ["@1"], i32())
    yield read_case("permuted indices", permuted(draw.normal(3, 4), 1, 0), ["@1"], permuted(draw.ints(0, 4, 3, 2), 1, 0))
    yield read_case("mask", draw.normal(3, 4), ["@1"], draw.bools(3, 4))
    yield read_case("mask of rows", draw.normal(4, 3), ["@1"], torch.tensor([True, False, True, True]))
    yield read_case("mask of columns", draw.normal(2, 3), [":", "@1"], torch.tensor([True, False, True]))
    yield read_case("mask and indices", draw.normal(4, 3, 2), ["@1", ":", "@2"], torch.tensor([True, False, True, False]), i32(1, 0))
    yield read_case("mask of nothing", draw.normal(2, 3), ["@1"], torch.zeros(2, 3, dtype=torch.bool))
    yield read_case("special", f32(nan, -0.0, inf), ["@1"], i32(1, 0, 2, 1), grad=False)
    yield read_case("u8", torch.arange(9, dtype=torch.uint8), ["@1"], i32(8, 1, 1))
    yield read_case("bool", draw.bools(2, 3), [":", "@1"], i32(2, 0))
    yield read_case("i32", draw.ints(-9, 9, 5), ["@1"], i32(4, -5))


def write(x, value, *tensors, items, accumulate=False):
    place = tuple(decoded(item, tensors) for item in items)
    result = x.clone()
    if accumulate and any(isinstance(item, torch.Tensor) for item in place):
        flat = torch.arange(x.numel()).reshape(x.shape)[place]
        return result.put(flat, value.expand(flat.shape), accumulate=True)
    if accumulate:
        result[place] += value
    else:
        result[place] = value
    return result


def write_case(name, x, value, items, *tensors, **options):
    return case("setAt", name, [x, value, *tensors], write, items=items, **options)


def writes():
    draw = Draw("setAt")
    yield write_case("number", draw.normal(3, 4), draw.normal(4), [1])
    yield write_case("element", draw.normal(3, 4), draw.normal(), [-1, 2])
    yield write_case("all", draw.normal(2, 3), draw.normal(2, 3), ["..."])
    yield write_case("slices", draw.normal(5, 7), draw.normal(3, 3), ["1:4", "::3"])
    yield write_case("broadcast", draw.normal(5, 4), draw.normal(2, 1), ["::3"])
    yield write_case("ones in front", draw.normal(3, 2), draw.normal(1, 1, 2), [0])
    yield write_case("new dims", draw.normal(3, 4), draw.normal(2, 1), [None, ":", "2:", None])
    yield write_case("nothing", draw.normal(3), draw.normal(), ["2:1"])
    yield write_case("scalar", draw.normal(), draw.normal(), ["..."])
    yield write_case("permuted", permuted(draw.normal(2, 3, 4), 2, 0, 1), draw.normal(2, 2), ["1::2", -1, "1:"])
    yield write_case("indices", draw.normal(4, 3), draw.normal(2, 3), ["@1"], i32(2, -4))
    yield write_case("matrix of indices", draw.normal(5, 2), draw.normal(2, 2, 1), ["@1"], i32(4, 0, -3, 1).reshape(2, 2))
    yield write_case("second dim", draw.normal(2, 5, 3), draw.normal(2, 2, 3), [":", "@1"], i32(4, -5))
    yield write_case("together", draw.normal(3, 4, 2), draw.normal(3, 2), ["@1", "@2"], i32(0, 2, 2), i32(-1, 1, 0))
    yield write_case("apart", draw.normal(3, 4, 2), draw.normal(3, 4), ["@1", ":", "@2"], i32(0, 2, 1), i32(-1, 0, 0))
    yield write_case("with slices", draw.normal(3, 6, 4), draw.normal(2, 3, 3), ["1:", "::2", "@1"], i32(3, 0, 1))
    yield write_case("to a number", draw.normal(4, 3), draw.normal(), ["@1", 1], i32(2, 0))
    yield write_case("mask", draw.normal(2, 3), draw.normal(), ["@1"], draw.bools(2, 3))
    yield write_case("mask of rows", draw.normal(4, 3), draw.normal(3, 3), ["@1"], torch.tensor([True, False, True, True]))
    yield write_case("no indices", draw.normal(3, 2), draw.normal(2), ["@1"], i32())
    yield write_case("last of several", draw.normal(3), draw.normal(4), ["@1"], i32(1, 1, 0, 1), grad=False)
    yield write_case("special", f32(nan, 1, -0.0), f32(inf, -0.0), ["::2"], grad=False)
    yield write_case("i32", draw.ints(-9, 9, 4), draw.ints(-9, 9, 2), ["@1"], i32(3, 0))
    yield write_case("u8", torch.arange(5, dtype=torch.uint8), torch.tensor([200, 100], dtype=torch.uint8), ["1:3"])
    yield write_case("bool", draw.bools(2, 3), draw.bools(2), [":", 1])
    yield write_case("rank 8", draw.normal(*RANK_8), draw.normal(2, 1, 2, 1), [1, 0, "1:", "...", 0, ":", 0])
    accumulate = {"accumulate": True}
    yield write_case("add slices", draw.normal(4, 3), draw.normal(2, 1), ["::2"], **accumulate)
    yield write_case("add several", draw.normal(3, 2), draw.normal(4, 2), ["@1"], i32(1, 1, 0, -2), **accumulate)
    yield write_case("add together", draw.normal(3, 4), draw.normal(3), ["@1", "@2"], i32(0, 2, 0), i32(-1, 1, 3), **accumulate)
    yield write_case("add one", draw.normal(3, 2), draw.normal(), ["@1"], i32(1, 1), **accumulate)


def index_put(x, values, *indices, accumulate=False):
    return torch.index_put(x, tuple(index.long() for index in indices), values, accumulate)


def puts():
    draw = Draw("indexPut")
    yield case("indexPut", "rows", [draw.normal(4, 2), draw.normal(2, 2), i32(3, 0)], index_put)
    both = [i32(0, 2, 1), i32(1, 1, 0)]
    yield case("indexPut", "places", [draw.normal(3, 2), draw.normal(3), *both], index_put)
    yield case("indexPut", "accumulate", [draw.normal(3, 2), draw.normal(3), i32(0, 0, 1), i32(1, 1, 0)], index_put, accumulate=True)


def kinds():
    draw = Draw("subscripts kinds")
    yield case("indexPut", "special", [f32(nan, 1, 2), f32(inf), i32(1)], index_put, grad=False)
    yield case("indexPut", "views", [permuted(draw.normal(2, 3), 1, 0), draw.normal(2), i32(2, 0)], index_put)
    yield case("indexPut", "nothing", [draw.normal(3), f32(), i32()], index_put)


GROUPS = [reads, writes, puts, kinds]
