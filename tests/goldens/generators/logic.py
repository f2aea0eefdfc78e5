"""Cases of comparisons, and of logical and bitwise ops."""

import torch

from .case import case, permuted, snake, u32
from .record import Draw, f32, i32
from .values import BYTES, INTS, PAIRED_EDGES, SHAPES, WORDS, inf, nan, paired, paired_u32, u8, u32_column

COMPARE = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGICAL = ["logicalAnd", "logicalOr", "logicalXor"]
BITWISE = ["bitwiseAnd", "bitwiseOr", "bitwiseXor"]
FLAGS = torch.tensor([True, False])
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
        yield paired(op, "u8", BYTES, BYTES)
        yield paired(op, "bool", FLAGS, FLAGS)
        yield case(op, "mixed", [draw.ints(-2, 3, 4, 1), draw.ints(-2, 3, 5).float() / 2])


def closeness():
    a = f32(1, 1, 1, inf, inf, nan, nan, 0, 1e-9, -0.0)
    b = f32(1.000001, 1.1, nan, inf, -inf, nan, 1, 1e-9, 0, 0.0)
    yield case("isclose", "default", [a, b])
    yield case("isclose", "nan", [a, b], equalNan=True)
    yield case("isclose", "options", [a.reshape(2, 5), permuted(b.reshape(5, 2), 1, 0)], rtol=0.05, atol=0.1)
    yield case("isclose", "exact", [a, b], rtol=0, atol=0)
    yield paired("isclose", "i32", INTS, INTS, rtol=0.2)
    yield case("isclose", "empty", [f32().reshape(0, 3), f32(1, 2, 3)])


def logic():
    flags = FLAGS
    for op in LOGICAL:
        yield paired(op, "bool", flags, flags)
        yield paired(op, "f32", f32(nan, 0, -0.0, 2, -inf), f32(0, 1))
        yield paired(op, "i32", INTS, i32(0, 1, 2))
    for op in BITWISE:
        yield paired(op, "bool", flags, flags)
        yield paired(op, "i32", INTS, INTS)
        yield paired_u32(op, getattr(torch, snake(op)))
        yield paired(op, "u8", BYTES, BYTES)
    for op in SHIFTS:
        yield paired(op, "i32", i32(0, 1, -1, 1234567, -1234567, 2147483647), i32(0, 1, 5, 31))
        yield paired_u32(op, getattr(torch, snake(op)), [0, 1, 5, 31])
        yield paired(op, "u8", BYTES, u8(0, 1, 5))
    for op in LOGICAL + BITWISE + SHIFTS:
        draw = Draw(op)
        yield case(op, "permuted", [permuted(draw.ints(0, 4, 3, 2), 1, 0), draw.ints(0, 4, 4, 2, 1)])
    yield case("bitwiseNot", "permuted", [permuted(Draw("bitwiseNot").ints(-9, 9, 3, 2), 1, 0)])
    for name, x in {"i32": INTS, "u8": BYTES, "bool": FLAGS}.items():
        yield case("bitwiseNot", name, [x])


def nothing():
    draw = Draw("logic of nothing")
    for op in [*LOGICAL, *BITWISE, *SHIFTS]:
        yield case(op, "empty", [draw.ints(0, 5, 0, 3), draw.ints(0, 5, 3)])
    yield case("bitwiseNot", "empty", [draw.ints(0, 5, 0, 3)])
    yield case("bitwiseNot", "views", [permuted(draw.ints(-9, 9, 2, 3), 1, 0)])


GROUPS = [comparisons, closeness, logic, nothing]
