"""Cases of what puts elements in another order, repeats them, or puts tensors together."""

import math

import torch

from .case import case, permuted
from .parts import several
from .record import Draw, f32, i32
from .values import SPECIAL
from .views import RANK_8

nan, inf = math.nan, math.inf


def views():
    draw = Draw("movedim")
    yield case("movedim", "one", [draw.normal(2, 3, 4)], source=0, destination=-1)
    yield case("movedim", "two", [draw.normal(2, 3, 4)], source=[0, 1], destination=[2, 0])
    yield case("movedim", "permuted", [permuted(draw.normal(2, 3, 4), 1, 2, 0)], source=-1, destination=0)
    yield case("movedim", "rank 8", [draw.normal(*RANK_8)], source=[2, 6], destination=[-1, 0])
    yield case("movedim", "empty", [draw.normal(2, 0)], source=1, destination=0)
    yield case("moveaxis", "one", [Draw("moveaxis").normal(2, 3)], source=1, destination=0)
    draw = Draw("swapaxes")
    yield case("swapaxes", "ends", [draw.normal(2, 3, 4)], dim0=0, dim1=-1, fn=lambda x, dim0, dim1: x.swapaxes(dim0, dim1))
    yield case("swapdims", "ends", [draw.normal(2, 3, 4)], dim0=0, dim1=-1, fn=lambda x, dim0, dim1: x.swapdims(dim0, dim1))
    draw = Draw("unflatten")
    unflatten = lambda x, dim, sizes: x.unflatten(dim, tuple(sizes))
    yield case("unflatten", "two", [draw.normal(6, 2)], unflatten, dim=0, sizes=[2, 3])
    yield case("unflatten", "infer", [draw.normal(2, 12)], unflatten, dim=-1, sizes=[2, -1, 2])
    yield case("unflatten", "permuted", [permuted(draw.normal(2, 6), 1, 0)], unflatten, dim=0, sizes=[3, 2])
    yield case("unflatten", "empty", [draw.normal(0, 2)], unflatten, dim=0, sizes=[3, 0])
    draw = Draw("ravel")
    yield case("ravel", "permuted", [permuted(draw.normal(2, 3), 1, 0)])
    yield case("ravel", "scalar", [draw.normal()])
    yield case("ravel", "empty", [draw.normal(2, 0)])
    draw = Draw("transposed")
    yield case("T", "matrix", [draw.normal(2, 3)], lambda x: x.T)
    yield case("mT", "stack", [permuted(draw.normal(2, 3, 4), 2, 1, 0)], lambda x: x.mT)
    draw = Draw("broadcastTo")
    broadcast_to = lambda x, shape: torch.broadcast_to(x, shape)
    yield case("broadcastTo", "both", [draw.normal(3, 1)], broadcast_to, shape=[2, 3, 4])
    yield case("broadcastTo", "scalar", [draw.normal()], broadcast_to, shape=[2, 2])
    draw = Draw("broadcastTensors")
    both = several(torch.broadcast_tensors)
    yield case("broadcastTensors", "both", [draw.normal(3, 1), draw.normal(4), draw.normal()], both)
    yield case("broadcastTensors", "empty", [draw.normal(3, 1), draw.normal(0)], both)


def orders():
    draw = Draw("roll")
    yield case("roll", "forward", [draw.normal(5)], shifts=2, dims=0)
    yield case("roll", "backward", [draw.normal(2, 5)], shifts=-1, dims=-1)
    yield case("roll", "flat", [permuted(draw.normal(2, 3), 1, 0)], shifts=2)
    yield case("roll", "two", [draw.normal(3, 4)], shifts=[1, -6], dims=[0, 1])
    yield case("roll", "one twice", [draw.normal(2, 5)], shifts=[1, -3], dims=[1, 1])
    yield case("roll", "around", [draw.normal(3)], shifts=7, dims=0)
    yield case("roll", "empty", [draw.normal(0, 3)], shifts=1, dims=0)
    yield case("roll", "scalar", [draw.normal()], shifts=1)
    yield case("roll", "special", [f32(nan, -0.0, inf)], shifts=1, dims=0, grad=False)
    yield case("roll", "u8", [torch.arange(7, dtype=torch.uint8)], shifts=3, dims=0)
    yield case("roll", "rank 8", [draw.normal(*RANK_8)], shifts=[1, 1], dims=[2, 4])
    draw = Draw("rot90")
    for k in [1, 2, 3, -1, 0]:
        yield case("rot90", f"{k}", [draw.normal(2, 3)], k=k, dims=[0, 1])
    yield case("rot90", "plane", [permuted(draw.normal(2, 3, 4), 1, 2, 0)], k=1, dims=[2, 0])
    yield case("fliplr", "matrix", [Draw("fliplr").normal(2, 3)])
    yield case("flipud", "vector", [Draw("flipud").normal(4)])


def repeats():
    draw = Draw("repeat")
    repeat = lambda x, sizes: x.repeat(*sizes)
    yield case("repeat", "same rank", [draw.normal(2, 3)], repeat, sizes=[2, 3])
    yield case("repeat", "new dims", [draw.normal(3)], repeat, sizes=[2, 1, 2])
    yield case("repeat", "scalar", [draw.normal()], repeat, sizes=[3])
    yield case("repeat", "permuted", [permuted(draw.normal(2, 3), 1, 0)], repeat, sizes=[1, 2])
    yield case("repeat", "none", [draw.normal(2, 3)], repeat, sizes=[0, 2])
    yield case("repeat", "empty", [draw.normal(0, 2)], repeat, sizes=[3, 2])
    yield case("repeat", "bool", [draw.bools(2, 2)], repeat, sizes=[2, 1])
    draw = Draw("tile")
    yield case("tile", "fewer", [draw.normal(2, 3)], dims=[2])
    yield case("tile", "more", [draw.normal(3)], dims=[2, 2])
    draw = Draw("repeatInterleave")
    yield case("repeatInterleave", "flat", [permuted(draw.normal(2, 3), 1, 0)], repeats=2)
    yield case("repeatInterleave", "rows", [draw.normal(2, 3)], repeats=3, dim=0)
    yield case("repeatInterleave", "columns", [draw.normal(2, 3)], repeats=2, dim=-1)
    yield case("repeatInterleave", "none", [draw.normal(2, 3)], repeats=0, dim=1)
    yield case("repeatInterleave", "scalar", [draw.normal()], repeats=3)
    yield case("repeatInterleave", "empty", [draw.normal(0, 2)], repeats=2, dim=0)
    each = lambda x, repeats, dim=None: torch.repeat_interleave(x, repeats, dim)
    yield case("repeatInterleave", "counts", [draw.normal(3, 2), i32(2, 0, 1)], each, dim=0)
    yield case("repeatInterleave", "flat counts", [draw.normal(2, 2), i32(1, 0, 2, 1)], each)
    yield case("repeatInterleave", "one count", [draw.normal(2, 3), i32(2)], each, dim=1)


def joined(fn):
    return lambda *tensors: fn(tensors)


def joins():
    for op, fn in [
        ("hstack", torch.hstack),
        ("vstack", torch.vstack),
        ("dstack", torch.dstack),
        ("columnStack", torch.column_stack),
    ]:
        draw = Draw(op)
        yield case(op, "vectors", [draw.normal(3), draw.normal(3)], joined(fn))
        yield case(op, "matrices", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3)], joined(fn))
        yield case(op, "scalars", [draw.normal(), draw.ints(0, 9)], joined(fn))
        yield case(op, "empty", [draw.normal(0, 3), draw.normal(0, 3)], joined(fn))
    draw = Draw("columnStack")
    yield case("columnStack", "vector and matrix", [draw.normal(3), draw.normal(3, 2)], joined(torch.column_stack))
    yield case("vstack", "vector and matrix", [draw.normal(3), draw.normal(2, 3)], joined(torch.vstack))
    for rank in [1, 2, 3]:
        op = f"atleast{rank}d"
        fn = getattr(torch, f"atleast_{rank}d")
        draw = Draw(op)
        for shape in [[], [3], [2, 3], [2, 1, 2], [1, 1, 2, 2]]:
            yield case(op, f"rank {len(shape)}", [draw.normal(*shape)], fn)


def grids():
    for indexing in ["ij", "xy"]:
        meshgrid = several(lambda *tensors, indexing: torch.meshgrid(*tensors, indexing=indexing))
        draw = Draw("meshgrid", indexing)
        yield case("meshgrid", f"two {indexing}", [draw.normal(2), draw.normal(3)], meshgrid, indexing=indexing)
        three = [draw.normal(2), draw.normal(1), draw.normal(3)]
        yield case("meshgrid", f"three {indexing}", three, meshgrid, indexing=indexing)
        yield case("meshgrid", f"scalar {indexing}", [draw.normal(2), draw.normal()], meshgrid, indexing=indexing)
        yield case("meshgrid", f"one {indexing}", [draw.ints(0, 9, 3)], meshgrid, indexing=indexing)
        yield case("meshgrid", f"empty {indexing}", [draw.normal(2), draw.normal(0)], meshgrid, indexing=indexing)
    draw = Draw("cartesianProd")
    yield case("cartesianProd", "two", [draw.normal(2), draw.normal(3)])
    yield case("cartesianProd", "three", [draw.normal(2), draw.normal(1), draw.normal(2)])
    yield case("cartesianProd", "one", [draw.normal(3)])
    draw = Draw("combinations")
    yield case("combinations", "pairs", [draw.normal(4)])
    yield case("combinations", "triples", [draw.normal(4)], r=3)
    yield case("combinations", "with replacement", [draw.ints(0, 99, 3)], r=2, withReplacement=True)
    yield case("combinations", "too many", [draw.ints(0, 99, 2)], r=3)
    for op in ["trilIndices", "triuIndices"]:
        for name, args in [("wide", [2, 4]), ("above", [3, 3, 1]), ("below", [4, 2, -1]), ("empty", [0, 3])]:
            fn = {"trilIndices": torch.tril_indices, "triuIndices": torch.triu_indices}[op]
            yield case(op, name, [], lambda sizes: fn(*sizes), sizes=args)


VECTOR = f32(nan, inf, -0.0)


def unary_kinds():
    """Functions of one tensor, as PyTorch calls them, and the args that they take."""
    swap = {"dim0": 0, "dim1": 1}
    return {
        "movedim": (torch.movedim, {"source": 0, "destination": 1}),
        "moveaxis": (torch.moveaxis, {"source": 0, "destination": 1}),
        "swapaxes": (lambda x, dim0, dim1: x.swapaxes(dim0, dim1), swap),
        "swapdims": (lambda x, dim0, dim1: x.swapdims(dim0, dim1), swap),
        "ravel": (torch.ravel, {}),
        "T": (lambda x: x.T, {}),
        "mT": (lambda x: x.mT, {}),
        "broadcastTo": (lambda x, shape: torch.broadcast_to(x, shape), {"shape": [2, 3, 2]}),
        "unflatten": (lambda x, dim, sizes: x.unflatten(dim, tuple(sizes)), {"dim": 1, "sizes": [1, 2]}),
        "rot90": (torch.rot90, {"k": 1, "dims": [0, 1]}),
        "fliplr": (torch.fliplr, {}),
        "flipud": (torch.flipud, {}),
        "repeat": (lambda x, sizes: x.repeat(*sizes), {"sizes": [2, 1]}),
        "tile": (torch.tile, {"dims": [2]}),
        "repeatInterleave": (torch.repeat_interleave, {"repeats": 2, "dim": 0}),
        "atleast1d": (torch.atleast_1d, {}),
        "atleast2d": (torch.atleast_2d, {}),
        "atleast3d": (torch.atleast_3d, {}),
    }


def kinds():
    draw = Draw("arranging kinds")
    for op, (fn, args) in unary_kinds().items():
        yield case(op, "special", [SPECIAL], fn, **args)
    viewed = ["moveaxis", "swapaxes", "swapdims", "T", "broadcastTo", "fliplr", "flipud", "tile"]
    for op in [*viewed, "atleast1d", "atleast2d", "atleast3d"]:
        fn, args = unary_kinds()[op]
        yield case(op, "views", [permuted(draw.normal(2, 3), 1, 0)], fn, **args)
    emptied = ["moveaxis", "swapaxes", "swapdims", "T", "mT", "rot90", "fliplr", "flipud", "tile"]
    for op in [*emptied, "atleast1d", "atleast2d", "atleast3d"]:
        fn, args = unary_kinds()[op]
        yield case(op, "size 0", [draw.normal(0, 3)], fn, **args)
    yield case("broadcastTo", "size 0", [draw.normal(3, 1)], lambda x, shape: torch.broadcast_to(x, shape), shape=[3, 0])
    both = several(torch.broadcast_tensors)
    yield case("broadcastTensors", "special", [VECTOR, f32(1)], both)
    for op, fn in [("hstack", torch.hstack), ("vstack", torch.vstack), ("dstack", torch.dstack), ("columnStack", torch.column_stack)]:
        yield case(op, "special", [VECTOR, VECTOR], joined(fn))
    meshgrid = several(lambda *tensors: torch.meshgrid(*tensors, indexing="ij"))
    yield case("meshgrid", "special", [VECTOR, f32(1, 2)], meshgrid)
    yield case("meshgrid", "views", [permuted(draw.normal(3), 0), draw.normal(2)], meshgrid)
    yield case("cartesianProd", "special", [VECTOR, f32(1, 2)])
    yield case("cartesianProd", "views", [permuted(draw.normal(3), 0), draw.normal(2)])
    yield case("cartesianProd", "empty", [draw.normal(3), draw.normal(0)])
    yield case("combinations", "special", [VECTOR])
    yield case("combinations", "views", [permuted(draw.normal(3), 0)])


GROUPS = [views, orders, repeats, joins, grids, kinds]
