"""Cases of arithmetic on two inputs that broadcast."""

import torch

from .case import Input, case, permuted, torch_function
from .record import Draw, f32, i32
from .values import BYTE_DIVISORS, BYTES, DIVISORS, INTS, PAIRED_EDGES, SHAPES, inf, nan, paired, paired_u32, u8


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
    "fmod": torch.fmod,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
}

# of floats only, or with a float result
OF_FLOATS = ["atan2", "hypot", "copysign", "logaddexp", "logaddexp2", "xlogy", "ldexp"]


def arithmetic():
    for op, fn in ARITHMETIC.items():
        draw = Draw(op)
        for name, (a, b) in SHAPES.items():
            yield case(op, name, [draw.uniform(-4, 4, *a), away_from_zero(draw, b)], fn)
        left, right = draw.uniform(-4, 4, 4, 3), away_from_zero(draw, [2, 4, 3])
        yield case(op, "permuted", [permuted(left, 1, 0), permuted(right, 0, 2, 1)], fn)
        yield paired(op, "edges", PAIRED_EDGES, PAIRED_EDGES, fn=fn, grad=False)
        yield paired(op, "i32", INTS, DIVISORS, fn=fn)
        yield paired(op, "u8", BYTES, BYTE_DIVISORS, fn=in_f64(fn) if op == "div" else fn)
        yield case(op, "special gradient", special_pair(), fn)


def in_f64(fn):
    return lambda a, b: fn(a.double(), b.double())


def special_pair():
    return [f32(0, 0, 0, 1, inf, nan, -0.0), f32(0, 1, nan, 0, inf, 1, -0.0)]


def of_floats():
    for op in OF_FLOATS:
        fn = torch_function(op)
        draw = Draw(op)
        for name, (a, b) in SHAPES.items():
            yield case(op, name, [draw.uniform(-4, 4, *a), draw.uniform(0.1, 4, *b)], fn)
        yield case(op, "permuted", [permuted(draw.uniform(-4, 4, 4, 3), 1, 0), permuted(draw.uniform(0.1, 3, 2, 4, 3), 0, 2, 1)], fn)
        yield paired(op, "edges", PAIRED_EDGES, PAIRED_EDGES, fn=fn, grad=False)
        yield case(op, "special gradient", special_pair(), fn)
    for op in ["atan2", "copysign", "xlogy", "ldexp"]:
        yield paired(op, "of i32", INTS, DIVISORS, fn=in_f64(torch_function(op)))
    for op in ["logaddexp", "logaddexp2"]:
        yield case(op, "far apart", [f32(inf, -inf, inf, -inf, 100, -1000), f32(inf, -inf, -inf, 5, -100, 1000)])
    yield case("xlogy", "gradient at 0", [f32(0, 0, -0.0, 0, 0, 0), f32(0.5, 3, 2, -1, 0, inf)])
    yield case("hypot", "large", [f32(3e18, 1e-19, 5e37), f32(4e18, 2e-19, -1e37)])


def options():
    for op in ["add", "sub"]:
        draw = Draw(op, "alpha")
        yield case(op, "alpha", [draw.normal(3, 5), permuted(draw.normal(5, 3), 1, 0)], alpha=-0.5)
        yield paired(op, "i32, alpha", INTS, INTS, alpha=3)
    for mode in ["trunc", "floor"]:
        draw = Draw("div", mode)
        rounding = {"roundingMode": mode}
        for name, (a, b) in SHAPES.items():
            yield case("div", f"{mode}, {name}", [draw.uniform(-9, 9, *a), away_from_zero(draw, b)], **rounding)
        yield paired("div", f"{mode}, edges", PAIRED_EDGES, PAIRED_EDGES, **rounding)
        yield paired("div", f"{mode}, i32", INTS, DIVISORS, **rounding)
        yield paired("div", f"{mode}, u8", BYTES, BYTE_DIVISORS, **rounding)
    yield case("pow", "number base", [Draw("pow base").uniform(-3, 3, 3, 5)], base_to, base=2.5)
    yield case("pow", "number base, i32", [i32(0, 1, 5, 30)], base_to, base=2)
    yield paired("pow", "u8", BYTES, u8(0, 1, 2, 3))
    yield case("pow", "special gradient", special_pair())
    draw = Draw("trueDivide")
    yield case("trueDivide", "row", [permuted(draw.normal(5, 3), 1, 0), away_from_zero(draw, [5])])
    yield case("trueDivide", "empty", [draw.normal(0, 3), draw.normal(3)])
    yield case("trueDivide", "special", special_pair())
    flags = torch.tensor([True, False])
    for op in ["add", "mul", "maximum", "minimum", "fmax", "fmin"]:
        yield paired(op, "bool", flags, flags)
    yield paired("div", "bool", flags, torch.tensor([True]), fn=in_f64(torch.div))


def base_to(x, base):
    return torch.pow(base, x)


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


GROUPS = [arithmetic, of_floats, options, arithmetic_variants, power]
