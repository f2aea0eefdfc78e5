"""Values and cases that several families share."""

import math
from functools import partial

import torch

from .case import Input, case, permuted, u32
from .record import Draw, f32, i32

nan, inf = math.nan, math.inf

EDGES = f32(
    *(nan, inf, -inf, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5),
    *(0.99999994, 1e-7, -1e-7, 20.5, 89, -89, 110, -110),
)
SPECIAL = f32(nan, inf, -inf, -0.0, 1, 2).reshape(3, 2)
HUGE = f32(1e5, -1e5, 8388609, -8388609, 1e10, -1e10, 1e20, -1e20, 3.4028235e38, -3.4028235e38)
SUBNORMAL = f32(1.1754944e-38, 1e-38, -1e-38, 1e-42, 1.4e-45, -1.4e-45)


def u8(*values):
    return torch.tensor(values, dtype=torch.uint8)


def unary_cases(op, low, high, kinks=None, subnormal=True, huge=True, fn=None):
    """A float function of one number: random where it is smooth, in [low, high], and where it is not."""
    draw = Draw(op)
    of = partial(case, fn=fn)
    yield of(op, "matrix", [draw.uniform(low, high, 3, 7)])
    yield of(op, "permuted", [permuted(draw.uniform(low, high, 2, 3, 5), 2, 0, 1)])
    yield of(op, "scalar", [draw.uniform(low, high)])
    yield of(op, "empty", [draw.uniform(low, high, 0, 3)])
    yield of(op, "edges", [EDGES], grad=False)
    if huge:
        yield of(op, "huge", [HUGE], grad=False)
    if subnormal:
        yield of(op, "subnormal", [SUBNORMAL], grad=False)
    if kinks is not None:  # values at which a gradient is a convention
        yield of(op, "kinks", [kinks])


# Two inputs that broadcast.

SHAPES = {
    "same": ([3, 7], [3, 7]),
    "row": ([3, 5], [5]),
    "outer": ([3, 1], [1, 4]),
    "scalar": ([2, 3, 2], []),
    "both": ([2, 1, 3], [4, 1]),
    "one": ([1], [1]),
    "empty": ([0, 3], [3]),
}

PAIRED_EDGES = f32(nan, inf, -inf, 0.0, -0.0, 1, -2, 3.5, 1e20)
INTS = i32(0, 1, -1, 7, -7, 100, -3)
DIVISORS = i32(1, -1, 2, -2, 7, 100)
BYTES = u8(0, 1, 2, 7, 100, 128, 200, 255)
BYTE_DIVISORS = u8(1, 2, 7, 100, 255)
WORDS = [0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x12345678]


def paired(op, name, column, row, **options):
    """Every element of one vector with every element of another."""
    return case(op, name, [column.reshape(-1, 1), row], **options)


def u32_column():
    return Input(torch.tensor(WORDS).reshape(-1, 1), dtype="u32")


def words(op_fn):
    """An op on u32 values held in int64."""
    return lambda a, b: op_fn(a, b) & 0xFFFFFFFF


def paired_u32(op, fn, right=WORDS):
    return case(op, "u32", [u32_column(), u32(*right)], words(fn), record_as="u32")
