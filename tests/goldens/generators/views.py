"""Cases of the ops that only move elements."""

import math

import torch
import torch.nn.functional as F

from .case import case, permuted
from .record import Draw, f32

nan, inf = math.nan, math.inf
RANK_8 = [2, 1, 3, 1, 2, 1, 2, 1]


def reshapes():
    draw = Draw("reshape")
    yield case("reshape", "merge", [draw.normal(2, 3, 4)], shape=[6, 4])
    yield case("reshape", "infer", [draw.normal(2, 3, 4)], shape=[3, -1])
    yield case("reshape", "ones", [draw.normal(3, 5)], shape=[1, 3, 1, 5])
    yield case("reshape", "to scalar", [draw.normal(1, 1)], shape=[])
    yield case("reshape", "from scalar", [draw.normal()], shape=[1, 1])
    yield case("reshape", "empty", [draw.normal(0, 3)], shape=[3, 0, 2])
    yield case("reshape", "permuted", [permuted(draw.normal(2, 3, 4), 2, 0, 1)], shape=[8, 3])
    yield case("reshape", "i32", [permuted(draw.ints(-9, 9, 2, 3), 1, 0)], shape=[6])
    draw = Draw("flatten")
    yield case("flatten", "all", [draw.normal(2, 3, 4)])
    yield case("flatten", "start", [draw.normal(2, 3, 4, 1)], startDim=1)
    yield case("flatten", "middle", [permuted(draw.normal(4, 3, 2, 5), 3, 1, 2, 0)], startDim=1, endDim=2)
    yield case("flatten", "negative", [draw.normal(2, 3, 4)], startDim=-2, endDim=-1)
    yield case("flatten", "scalar", [draw.normal()])
    yield case("flatten", "empty", [draw.normal(2, 0, 4)], startDim=1)


def orders():
    draw = Draw("permute")
    yield case("permute", "rotate", [draw.normal(2, 3, 5)], dims=[2, 0, 1])
    yield case("permute", "negative", [draw.normal(2, 3, 5, 1)], dims=[0, -1, -3, -2])
    yield case("permute", "permuted", [permuted(draw.normal(2, 3, 5), 1, 2, 0)], dims=[1, 0, 2])
    yield case("permute", "identity", [draw.normal(2, 3)], dims=[0, 1])
    yield case("permute", "scalar", [draw.normal()], dims=[])
    yield case("permute", "empty", [draw.normal(0, 3)], dims=[1, 0])
    yield case("permute", "bool", [draw.bools(2, 3)], dims=[1, 0])
    yield case("permute", "rank 8", [draw.normal(*RANK_8)], dims=[6, 1, 4, 7, 2, 3, 0, 5])
    draw = Draw("transpose")
    yield case("transpose", "matrix", [draw.normal(3, 5)], dim0=0, dim1=1)
    yield case("transpose", "negative", [draw.normal(2, 3, 5)], dim0=-1, dim1=0)
    yield case("transpose", "same", [draw.normal(2, 3)], dim0=1, dim1=1)
    draw = Draw("flip")
    yield case("flip", "one", [draw.normal(3, 5)], dims=[1])
    yield case("flip", "two", [draw.normal(2, 3, 4)], dims=[0, -1])
    yield case("flip", "permuted", [permuted(draw.normal(3, 4), 1, 0)], dims=[0])
    yield case("flip", "i32", [draw.ints(-9, 9, 5)], dims=[0])
    yield case("flip", "empty", [draw.normal(0, 2)], dims=[0, 1])


def ones():
    draw = Draw("squeeze")
    yield case("squeeze", "all", [draw.normal(1, 3, 1, 2)])
    yield case("squeeze", "dim", [draw.normal(1, 3, 1)], dim=-1)
    yield case("squeeze", "not one", [draw.normal(1, 3)], dim=1)
    yield case("squeeze", "to scalar", [draw.normal(1, 1)])
    # PyTorch 2 takes several dims
    yield case("squeeze", "dims", [draw.normal(1, 3, 1, 1)], lambda x, dim: x.squeeze(3).squeeze(0), dim=[0, 1, 3])
    draw = Draw("unsqueeze")
    yield case("unsqueeze", "front", [draw.normal(3, 2)], dim=0)
    yield case("unsqueeze", "back", [draw.normal(3, 2)], dim=-1)
    yield case("unsqueeze", "middle", [permuted(draw.normal(3, 2), 1, 0)], dim=1)
    yield case("unsqueeze", "scalar", [draw.normal()], dim=0)


def expand(x, shape):
    return x.expand(shape)


def expansions():
    draw = Draw("expand")
    yield case("expand", "row", [draw.normal(5)], expand, shape=[3, 5])
    yield case("expand", "column", [draw.normal(3, 1)], expand, shape=[3, 4])
    yield case("expand", "keep", [draw.normal(2, 1, 3)], expand, shape=[4, -1, 5, -1])
    yield case("expand", "scalar", [draw.normal()], expand, shape=[2, 3])
    yield case("expand", "permuted", [permuted(draw.normal(3, 1, 2), 2, 0, 1)], expand, shape=[2, 3, 4])
    yield case("expand", "to empty", [draw.normal(1, 3)], expand, shape=[0, 3])
    yield case("expand", "same", [draw.normal(2, 3)], expand, shape=[2, 3])


def slice_(x, starts, ends, steps):
    return x[tuple(map(slice, starts, ends, steps))]


def slices():
    draw = Draw("slice")
    yield slice_case("range", draw.normal(5, 7), [1, 2], [4, 5], [1, 1])
    yield slice_case("steps", draw.normal(7, 8), [0, 1], [7, 8], [3, 2])
    yield slice_case("negative", draw.normal(5, 7), [-4, 0], [-1, -2], [1, 3])
    yield slice_case("one element", draw.normal(3, 4), [2, 1], [3, 2], [1, 1])
    yield slice_case("nothing", draw.normal(3, 4), [1, 0], [1, 4], [1, 1])
    yield slice_case("past the end", draw.normal(3, 4), [1, 0], [99, 4], [1, 9])
    yield slice_case("permuted", permuted(draw.normal(3, 4, 5), 2, 0, 1), [1, 0, 1], [5, 3, 4], [2, 1, 2])
    yield slice_case("i32", draw.ints(-9, 9, 6), [1], [6], [2])
    yield slice_case("rank 8", draw.normal(*RANK_8), [0, 0, 1, 0, 1, 0, 0, 0], [9] * 8, [1, 1, 1, 1, 1, 1, 2, 1])
    yield slice_case("u8", torch.arange(9, dtype=torch.uint8), [2], [8], [3])


def slice_case(name, x, starts, ends, steps):
    return case("slice", name, [x], slice_, starts=starts, ends=ends, steps=steps)


def pad(x, padding, value=0):
    return F.pad(x, padding, value=float(value))


def padded_by(mode):
    return lambda x, padding, mode=mode: F.pad(x, padding, mode=mode)


def pads():
    draw = Draw("pad")
    yield case("pad", "last dim", [draw.normal(2, 3)], pad, padding=[1, 2])
    yield case("pad", "two dims", [draw.normal(2, 3, 2)], pad, padding=[1, 0, 2, 1], value=-1.5)
    yield case("pad", "image", [draw.normal(1, 2, 3, 3)], pad, padding=[1, 1, 1, 1])
    yield case("pad", "crop", [draw.normal(3, 5)], pad, padding=[-1, 2, 1, -1], value=7)
    yield case("pad", "permuted", [permuted(draw.normal(3, 4), 1, 0)], pad, padding=[1, 1])
    yield case("pad", "infinity", [draw.normal(3)], pad, padding=[1, 1], value="-inf")
    yield case("pad", "i32", [draw.ints(-9, 9, 2, 2)], pad, padding=[0, 1, 1, 0], value=5)
    yield case("pad", "empty", [draw.normal(0, 3)], pad, padding=[0, 0, 1, 1], value=2)
    yield case("pad", "bool", [draw.bools(2, 2)], pad, padding=[1, 1], value=1)
    for mode, most in [("reflect", 2), ("replicate", 5), ("circular", 3)]:
        yield case("pad", f"{mode} 1d", [draw.normal(1, 2, 3)], padded_by(mode), padding=[most, 1], mode=mode)
        yield case("pad", f"{mode} 2d", [draw.normal(1, 2, 3, 4)], padded_by(mode), padding=[2, 0, 1, 2], mode=mode)
        images = permuted(draw.normal(3, 4, 2, 1), 3, 2, 0, 1)
        yield case("pad", f"{mode} permuted", [images], padded_by(mode), padding=[1, 1, 0, 2], mode=mode)
        special = f32(nan, 1, -0.0, inf).reshape(1, 1, 4)
        yield case("pad", f"{mode} special", [special], padded_by(mode), padding=[2, 1], mode=mode, grad=False)
    for mode in ["reflect", "replicate"]:
        yield case("pad", f"{mode} and cut", [draw.normal(1, 2, 5)], padded_by(mode), padding=[2, -1], mode=mode)
    yield case("pad", "replicate 3d", [draw.normal(1, 1, 2, 3, 2)], padded_by("replicate"), padding=[1, 0, 0, 1, 2, 0], mode="replicate")


def cat(*tensors, dim=0):
    return torch.cat(tensors, dim)


def stack(*tensors, dim=0):
    return torch.stack(tensors, dim)


def joins():
    draw = Draw("cat")
    yield case("cat", "rows", [draw.normal(2, 3), draw.normal(1, 3), draw.normal(3, 3)], cat)
    yield case("cat", "columns", [draw.normal(2, 1), draw.normal(2, 4)], cat, dim=-1)
    yield case("cat", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 2)], cat, dim=1)
    yield case("cat", "with empty", [draw.normal(2, 0, 3), draw.normal(2, 2, 3)], cat, dim=1)
    yield case("cat", "single", [draw.normal(2, 3)], cat, dim=0)
    yield case("cat", "many", [draw.normal(1, n % 3 + 1) for n in range(11)], cat, dim=1)
    yield case("cat", "i32", [draw.ints(-9, 9, 2), draw.ints(-9, 9, 3)], cat, dim=0)
    yield case("cat", "mixed", [draw.ints(-9, 9, 2), draw.bools(3), torch.arange(2, dtype=torch.uint8)], cat, dim=0)
    yield case("cat", "u8 and bool", [torch.arange(250, 256, dtype=torch.uint8), draw.bools(3)], cat, dim=0)
    yield case("cat", "f32 and i32", [draw.ints(-9, 9, 2, 1), draw.normal(2, 2)], cat, dim=1)
    yield case("cat", "empty of rank 1", [draw.normal(0), draw.normal(2, 3)], cat, dim=-1, grad=False)
    yield case("cat", "rank 8", [draw.normal(*RANK_8), draw.normal(*RANK_8)], cat, dim=3)
    draw = Draw("stack")
    yield case("stack", "front", [draw.normal(2, 3), draw.normal(2, 3)], stack)
    yield case("stack", "back", [draw.normal(2, 3), draw.normal(2, 3), draw.normal(2, 3)], stack, dim=-1)
    yield case("stack", "scalars", [draw.normal(), draw.normal()], stack, dim=0)
    yield case("stack", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3)], stack, dim=1)


def triangles():
    for op in ["tril", "triu"]:
        draw = Draw(op)
        yield case(op, "square", [draw.normal(4, 4)])
        yield case(op, "wide", [draw.normal(3, 5)], diagonal=1)
        yield case(op, "tall", [draw.normal(5, 3)], diagonal=-1)
        yield case(op, "batch", [draw.normal(2, 3, 3)], diagonal=0)
        yield case(op, "permuted", [permuted(draw.normal(3, 4), 1, 0)], diagonal=0)
        yield case(op, "far", [draw.normal(3, 3)], diagonal=-5)
        yield case(op, "i32", [draw.ints(-9, 9, 3, 3)])
        yield case(op, "bool", [draw.bools(3, 4)])
        yield case(op, "nan elsewhere", [f32(nan, inf, 1, nan).reshape(2, 2)], grad=False)


def kinds():
    """Views of views and of nothing; what is no ordinary number moves as it is."""
    draw = Draw("views kinds")
    special = f32(nan, inf, -inf, -0.0, 1, 2).reshape(3, 2)
    moves = {
        "reshape": {"shape": [2, 3]},
        "flatten": {},
        "permute": {"dims": [1, 0]},
        "transpose": {"dim0": 0, "dim1": 1},
        "flip": {"dims": [0]},
        "squeeze": {"dim": 0},
        "unsqueeze": {"dim": 1},
    }
    for op, args in moves.items():
        yield case(op, "special", [special], **args)
    yield case("expand", "special", [special], expand, shape=[2, 3, 2])
    yield slice_case("special", special, [0, 1], [3, 2], [2, 1])
    yield case("pad", "special", [special], pad, padding=[1, 0])
    yield case("cat", "special", [special, f32(nan, 1).reshape(1, 2)], cat)
    yield case("stack", "special", [special, special], stack)
    yield case("transpose", "views", [permuted(draw.normal(2, 3, 5), 1, 2, 0)], dim0=0, dim1=2)
    yield case("squeeze", "views", [permuted(draw.normal(3, 1, 2), 1, 2, 0)], dim=0)
    yield case("transpose", "empty", [draw.normal(0, 3)], dim0=0, dim1=1)
    yield case("squeeze", "empty", [draw.normal(1, 0, 3)], dim=0)
    yield case("unsqueeze", "empty", [draw.normal(0, 3)], dim=-1)
    yield case("stack", "empty", [draw.normal(0, 3), draw.normal(0, 3)], stack, dim=1)
    for op in ["tril", "triu"]:
        yield case(op, "empty", [draw.normal(0, 3)])


GROUPS = [reshapes, orders, ones, expansions, slices, pads, joins, triangles, kinds]
