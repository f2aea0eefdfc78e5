"""Cases of comparisons, and of logical and bitwise ops."""

import torch

from .case import case, snake, u32
from .record import Draw, f32, i32
from .values import INTS, PAIRED_EDGES, SHAPES, WORDS, inf, nan, paired, paired_u32, u32_column

COMPARE = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGICAL = ["logicalAnd", "logicalOr", "logicalXor"]
BITWISE = ["bitwiseAnd", "bitwiseOr", "bitwiseXor"]
SHIFTS = ["bitwiseLeftShift", "bitwiseRightShift"]


def comparisons():
    for op in COMPARE:
        draw = Draw(op)
        for name in ["same", "row", "outer", "empty"]:
            a, b = SHAPES[name]
            yield case(op, name, [draw.ints(-2, 3, *a).float(), draw.ints(-2, 3, *b).float()])
        yield paired(op, "edges", PAIRED_EDGES, PAIRED_EDGES)
        yield paired(op, "i32", INTS, INTS)
        yield case(op, "u32", [u32_column(), u32(*WORDS)])


def logic():
    flags = torch.tensor([True, False])
    for op in LOGICAL:
        yield paired(op, "bool", flags, flags)
        yield paired(op, "f32", f32(nan, 0, -0.0, 2, -inf), f32(0, 1))
        yield paired(op, "i32", INTS, i32(0, 1, 2))
    for op in BITWISE:
        yield paired(op, "bool", flags, flags)
        yield paired(op, "i32", INTS, INTS)
        yield paired_u32(op, getattr(torch, snake(op)))
    for op in SHIFTS:
        yield paired(op, "i32", i32(0, 1, -1, 1234567, -1234567, 2147483647), i32(0, 1, 5, 31))
        yield paired_u32(op, getattr(torch, snake(op)), [0, 1, 5, 31])


GROUPS = [comparisons, logic]
