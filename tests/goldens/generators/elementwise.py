"""Cases of the elementwise ops: one number in, or several of one position, one number out."""

import math

import torch

from .case import Input, case, permuted, snake, u32
from .record import Draw, f32, i32

nan, inf = math.nan, math.inf

# where each float op is smooth: the range that random inputs are drawn from
UNARY = {
    "neg": (-3, 3),
    "abs": (-3, 3),
    "exp": (-4, 4),
    "log": (0.01, 5),
    "log1p": (-0.9, 5),
    "expm1": (-2, 3),
    "sqrt": (0.01, 5),
    "rsqrt": (0.01, 5),
    "square": (-3, 3),
    "reciprocal": (0.1, 3),
    "sin": (-7, 7),
    "cos": (-7, 7),
    "tanh": (-3, 3),
    "sigmoid": (-6, 6),
    "relu": (-3, 3),
    "sign": (-3, 3),
    "floor": (-4, 4),
    "ceil": (-4, 4),
    "round": (-4, 4),
    "trunc": (-4, 4),
    "erf": (-3, 3),
    "silu": (-6, 6),
    "gelu": (-5, 5),
    "softplus": (-6, 6),
    "logsigmoid": (-6, 6),
    "mish": (-6, 6),
    "softsign": (-6, 6),
    "leakyRelu": (-3, 3),
    "elu": (-4, 4),
    "celu": (-4, 4),
    "selu": (-4, 4),
    "hardtanh": (-3, 3),
    "relu6": (-3, 9),
    "hardsigmoid": (-6, 6),
    "hardswish": (-6, 6),
    "isnan": (-3, 3),
    "isinf": (-3, 3),
    "isfinite": (-3, 3),
    "logicalNot": (-3, 3),
}

EDGES = f32(
    *(nan, inf, -inf, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5),
    *(0.99999994, 1e-7, -1e-7, 20.5, 89, -89, 110, -110),
)
HUGE = f32(1e5, -1e5, 8388609, -8388609, 1e10, -1e10, 1e20, -1e20, 3.4028235e38, -3.4028235e38)
SUBNORMAL = f32(1.1754944e-38, 1e-38, -1e-38, 1e-42, 1.4e-45, -1.4e-45)

# values at which a gradient is a convention
KINKS = {
    "abs": f32(0.0, -0.0, 1, -1),
    "relu": f32(0.0, -0.0, 1, -1, nan),
    "sqrt": f32(0, 1, 4),
    "sigmoid": f32(-100, -20, 0, 20, 100),
    "tanh": f32(-100, -20, 0, 20, 100),
    "softplus": f32(-100, 0, 19.9, 20, 20.1, 100),
    "silu": f32(-80, 0, 80),
    "gelu": f32(-80, 0, 80),
    "logsigmoid": f32(-100, -20, 0, 20, 100),
    "mish": f32(-80, -20, 0, 20, 80),
    "softsign": f32(0.0, -0.0, 1e10),
    "leakyRelu": f32(0.0, -0.0, 1, -1, nan),
    "elu": f32(0.0, -0.0, 100, -100, nan),
    "celu": f32(0.0, -0.0, 100, -100, nan),
    "selu": f32(0.0, -0.0, 100, -100, nan),
    "hardtanh": f32(-1, 1, 0, -2, 2, nan),
    "relu6": f32(0.0, -0.0, 6, 7, -1, nan),
    "hardsigmoid": f32(-3, 3, 0, 5, -5, nan),
    "hardswish": f32(-3, 3, 0, 5, -5, nan),
    "log1p": f32(1e-7, -1e-7, 0),
    "expm1": f32(1e-7, -1e-7, 0),
}

INT_UNARY = ["neg", "abs", "square", "sign", "logicalNot"]


def unary():
    for op, (low, high) in UNARY.items():
        draw = Draw(op)
        yield case(op, "matrix", [draw.uniform(low, high, 3, 7)])
        yield case(op, "permuted", [permuted(draw.uniform(low, high, 2, 3, 5), 2, 0, 1)])
        yield case(op, "scalar", [draw.uniform(low, high)])
        yield case(op, "empty", [draw.uniform(low, high, 0, 3)])
        yield case(op, "edges", [EDGES], grad=False)
        yield case(op, "huge", [HUGE], grad=False)
        if op not in ["elu", "celu", "selu"]:  # PyTorch's exp(x) - 1 is 0 there
            yield case(op, "subnormal", [SUBNORMAL], grad=False)
        if op in KINKS:
            yield case(op, "kinks", [KINKS[op]])


def unary_variants():
    for op in INT_UNARY:
        yield case(op, "i32", [i32(0, 1, -1, 7, -46340)])
    yield case("logicalNot", "bool", [torch.tensor([[True, False], [False, True]])])
    yield case("gelu", "tanh", [Draw("gelu tanh").uniform(-5, 5, 3, 7)], approximate="tanh")
    yield case("softplus", "beta", [Draw("softplus beta").uniform(-6, 6, 3, 7)], beta=2.5)
    yield case("leakyRelu", "slope", [Draw("leakyRelu slope").uniform(-3, 3, 3, 7)], negativeSlope=0.3)
    yield case("elu", "alpha", [Draw("elu alpha").uniform(-4, 4, 3, 7)], alpha=0.7)
    yield case("celu", "alpha", [Draw("celu alpha").uniform(-4, 4, 3, 7)], alpha=2.5)
    yield case("hardtanh", "values", [Draw("hardtanh values").uniform(-3, 3, 3, 7)], minVal=-0.5, maxVal=2)


# Binary ops. Each pair broadcasts.

SHAPES = {
    "same": ([3, 7], [3, 7]),
    "row": ([3, 5], [5]),
    "outer": ([3, 1], [1, 4]),
    "scalar": ([2, 3, 2], []),
    "both": ([2, 1, 3], [4, 1]),
    "one": ([1], [1]),
    "empty": ([0, 3], [3]),
}


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
COMPARE = ["eq", "ne", "lt", "le", "gt", "ge"]
LOGICAL = ["logicalAnd", "logicalOr", "logicalXor"]
BITWISE = ["bitwiseAnd", "bitwiseOr", "bitwiseXor"]
SHIFTS = ["bitwiseLeftShift", "bitwiseRightShift"]

PAIRED_EDGES = f32(nan, inf, -inf, 0.0, -0.0, 1, -2, 3.5, 1e20)
INTS = i32(0, 1, -1, 7, -7, 100, -3)
DIVISORS = i32(1, -1, 2, -2, 7, 100)
WORDS = [0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x12345678]


def paired(op, name, column, row, **options):
    """Every element of one vector with every element of another."""
    return case(op, name, [column.reshape(-1, 1), row], **options)


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


def words(op_fn):
    """An op on u32 values held in int64."""
    return lambda a, b: op_fn(a, b) & 0xFFFFFFFF


def paired_u32(op, fn, right=WORDS):
    return case(op, "u32", [u32_column(), u32(*right)], words(fn), record_as="u32")


def u32_column():
    return Input(torch.tensor(WORDS).reshape(-1, 1), dtype="u32")


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


def selections():
    draw = Draw("where")
    for name, mask, a, b in [
        ("same", [3, 5], [3, 5], [3, 5]),
        ("broadcast", [3, 1], [5], []),
        ("both", [2, 1, 3], [4, 1], [1, 4, 3]),
        ("empty", [0, 3], [3], [1, 3]),
    ]:
        yield case("where", name, [draw.bools(*mask), draw.normal(*a), draw.normal(*b)])
    yield case("where", "unchosen nan", [torch.tensor([True, False]), f32(1, nan), f32(inf, 2)])
    yield case("where", "i32", [draw.bools(4), draw.ints(-9, 9, 4), draw.ints(-9, 9, 4)])


def clamps():
    draw = Draw("clamp")
    yield case("clamp", "both", [draw.normal(3, 7)], min=-0.5, max=0.75)
    yield case("clamp", "min", [draw.normal(3, 7)], min=0)
    yield case("clamp", "max", [draw.normal(3, 7)], max=0.25)
    yield case("clamp", "permuted", [permuted(draw.normal(3, 4), 1, 0)], min=-0.5, max=0.5)
    yield case("clamp", "min above max", [draw.normal(5)], min=1, max=-1)
    yield case("clamp", "bounds", [f32(-0.5, 0.5, 0, 2)], min=-0.5, max=0.5)
    yield case("clamp", "edges", [EDGES], grad=False, min=-1, max=2)
    yield case("clamp", "i32", [INTS], min=-3, max=7)
    yield case("clamp", "empty", [draw.normal(0, 3)], min=0, max=1)
    special = f32(nan, inf, -inf, 0, -0.0, 1, 0.5, -3, 4)
    for name, bounds in {"both": {"min": 0, "max": 1}, "min": {"min": 0}, "max": {"max": 1}}.items():
        yield case("clamp", f"special gradient, {name}", [special], **bounds)


def lerps():
    draw = Draw("lerp")
    for name, a, b, weight in [
        ("same", [3, 5], [3, 5], [3, 5]),
        ("scalar weight", [3, 5], [3, 5], []),
        ("broadcast", [3, 1], [4], [2, 1, 1]),
        ("empty", [0, 3], [0, 3], []),
    ]:
        yield case("lerp", name, [draw.normal(*a), draw.normal(*b), draw.uniform(0, 1, *weight)])
    yield case("lerp", "ends", [f32(1, 1, 1, 1), f32(3, 3, 3, 3), f32(0, 1, -1, 2)])


CASTS = {
    "f32": torch.float64,
    "i32": torch.int32,
    "bool": torch.bool,
    "u8": torch.uint8,
}


def casts():
    draw = Draw("cast")
    floats = f32(0.0, -0.0, 0.5, -0.5, 1.5, -1.9, 2.999, -7.0, 16777216, -2147483648)
    sources = {
        "f32": floats,
        "i32": i32(0, 1, -1, 7, 16777217, -16777219, 2147483647, -2147483648),
        "bool": torch.tensor([[True, False, True]]),
        "u8": torch.tensor([0, 1, 127, 128, 255], dtype=torch.uint8),
    }
    pairs = "f32>i32 i32>f32 bool>f32 f32>bool u8>f32 u8>i32 bool>i32 i32>bool u8>bool f32>f32 i32>i32".split()
    for source, target in (pair.split(">") for pair in pairs):
        yield cast(f"{source} to {target}", sources[source], target)
    yield cast("edges to bool", EDGES, "bool")
    yield cast("permuted", permuted(draw.ints(-9, 9, 2, 3), 1, 0), "f32")
    yield cast("empty", draw.ints(-9, 9, 0, 3), "f32")


def cast(name, source, target):
    return case("cast", name, [source], lambda x, dtype: x.to(CASTS[dtype]), dtype=target)


GROUPS = [
    unary,
    unary_variants,
    arithmetic,
    arithmetic_variants,
    power,
    comparisons,
    logic,
    selections,
    clamps,
    lerps,
    casts,
]
