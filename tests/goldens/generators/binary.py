"""Cases of arithmetic on two inputs that broadcast."""

import torch

from .case import Input, case, permuted
from .record import Draw, f32, i32
from .values import DIVISORS, INTS, PAIRED_EDGES, SHAPES, inf, nan, paired, paired_u32


def floor_divide(a, b):
    return torch.div(a, b, rounding_mode="floor")  # torch.floor_divide has no gradient


ARITHMETIC = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "remainder": torch.remainder,
    "floorDivide": floor_divide,
}


def arithmetic():
    for op, fn in ARITHMETIC.items():
        draw = Draw(op)
        for name, (a, b) in SHAPES.items():
            yield case(op, name, [draw.uniform(-4, 4, *a), away_from_zero(draw, b)], fn)
        left, right = draw.uniform(-4, 4, 4, 3), away_from_zero(draw, [2, 4, 3])
        yield case(op, "permuted", [permuted(left, 1, 0), permuted(right, 0, 2, 1)], fn)
        yield paired(op, "edges", PAIRED_EDGES, PAIRED_EDGES, fn=fn, grad=False)
        yield paired(op, "i32", INTS, DIVISORS, fn=fn)


def away_from_zero(draw, shape):
    return draw.uniform(0.5, 3, *shape) * (draw.bools(*shape) * 2 - 1)


def arithmetic_variants():
    for op in ["maximum", "minimum"]:
        yield case(op, "ties", [f32(1, 2, 3, 0), f32(1, 3, 2, -0.0)])
    big = i32(2147483647, -2147483648, 65537, -65537)
    for op in ["add", "sub", "mul"]:
        yield paired(op, "i32 wraps", big, big)
        yield paired_u32(op, ARITHMETIC[op])
    yield case("remainder", "near a multiple", [f32(1, 0.3, -1), f32(0.1, 0.1, 0.1)])
    yield case("floorDivide", "near a multiple", [f32(1, 0.3, -1), f32(0.1, 0.1, 0.1)], floor_divide)


def power():
    draw = Draw("pow")
    for name, (a, b) in SHAPES.items():
        yield case("pow", name, [draw.uniform(0.1, 3, *a), draw.uniform(-2, 3, *b)])
    for exponent in [0.0, 1.0, 2.0, 3.0, -1.0, 0.5]:
        base = draw.uniform(0.1, 3, 5) if exponent == 0.5 else f32(-2, -0.5, 0.25, 1, 3)
        yield case("pow", f"exponent {exponent}", [base, Input(f32(exponent), constant=True)])
    yield case("pow", "zero base", [f32(0, 0, 0), Input(f32(0, 1, 2), constant=True)])
    yield paired("pow", "edges", PAIRED_EDGES, f32(nan, inf, -inf, 0, 0.5, 1, 2, 3, -1, -2), grad=False)
    yield paired("pow", "i32", INTS, i32(0, 1, 2, 3))


GROUPS = [arithmetic, arithmetic_variants, power]
