"""Cases of the elementwise ops of one number, and of those that choose or convert."""

import torch

from .case import case, permuted, torch_function
from .record import Draw, f32, i32
from .values import BYTES, EDGES, INTS, inf, nan, u8, unary_cases

# where each float op is smooth: the range that random inputs are drawn from
UNARY = {
    "neg": (-3, 3),
    "abs": (-3, 3),
    "exp": (-4, 4),
    "log": (0.01, 5),
    "log1p": (-0.9, 5),
    "expm1": (-2, 3),
    "exp2": (-4, 4),
    "log2": (0.01, 5),
    "log10": (0.01, 5),
    "sqrt": (0.01, 5),
    "rsqrt": (0.01, 5),
    "square": (-3, 3),
    "reciprocal": (0.1, 3),
    "sin": (-7, 7),
    "cos": (-7, 7),
    "tan": (-1.4, 1.4),
    "asin": (-0.95, 0.95),
    "acos": (-0.95, 0.95),
    "atan": (-3, 3),
    "sinh": (-3, 3),
    "cosh": (-3, 3),
    "asinh": (-3, 3),
    "acosh": (1.1, 5),
    "atanh": (-0.95, 0.95),
    "deg2rad": (-400, 400),
    "rad2deg": (-7, 7),
    "tanh": (-3, 3),
    "sigmoid": (-6, 6),
    "sign": (-3, 3),
    "floor": (-4, 4),
    "ceil": (-4, 4),
    "round": (-4, 4),
    "trunc": (-4, 4),
    "frac": (-4, 4),
    "positive": (-3, 3),
    "signbit": (-3, 3),
    "erf": (-3, 3),
    "erfc": (-3, 4),
    "erfinv": (-0.95, 0.95),
    "isnan": (-3, 3),
    "isinf": (-3, 3),
    "isfinite": (-3, 3),
    "logicalNot": (-3, 3),
}

# values at which a gradient is a convention
UNIT = f32(0.0, -0.0, 1, -1, 2, -2, nan, 0.99999994)
KINKS = {
    "asin": UNIT,
    "acos": UNIT,
    "atanh": UNIT,
    "erfinv": UNIT,
    "acosh": f32(1, 0, -2, 2, nan, inf),
    "rsqrt": f32(0.0, -0.0, 1, -1, inf, nan),
    "reciprocal": f32(0.0, -0.0, inf, nan),
    "log": f32(0.0, -0.0, 1, -1, inf, nan),
    "log2": f32(0.0, -0.0, 1, -1, inf, nan),
    "log10": f32(0.0, -0.0, 1, -1, inf, nan),
    "exp2": f32(-inf, inf, nan, 0, -0.0),
    "frac": f32(1, -1, 2.5, 0.0, -0.0, nan),
    "sign": f32(0.0, -0.0, nan, inf),
    "round": f32(0.5, 1.5, -0.5, nan, inf),
    "abs": f32(0.0, -0.0, 1, -1),
    "sqrt": f32(0, 1, 4),
    "sigmoid": f32(-100, -20, 0, 20, 100),
    "tanh": f32(-100, -20, 0, 20, 100),
    "log1p": f32(1e-7, -1e-7, 0),
    "expm1": f32(1e-7, -1e-7, 0),
}

INT_UNARY = ["neg", "abs", "square", "sign", "logicalNot"]
TO_FLOAT = ["exp", "log2", "sqrt", "reciprocal", "sigmoid", "atan", "erfc", "deg2rad"]


def unary():
    for op, (low, high) in UNARY.items():
        yield from unary_cases(op, low, high, KINKS.get(op))
    for op in INT_UNARY:
        yield case(op, "i32", [i32(0, 1, -1, 7, -46340)])
        yield case(op, "u8", [BYTES])
    for op in TO_FLOAT:
        yield case(op, "of i32", [i32(0, 1, -1, 7, 30)], lambda x, op=op: torch_function(op)(x.double()))
    yield case("logicalNot", "bool", [torch.tensor([[True, False], [False, True]])])
    yield from unary_cases("sgn", -3, 3, fn=torch.sign)  # sgn's own gradient has no memory


def variants():
    draw = Draw("round decimals")
    for decimals in [1, 3, -1]:
        off_ties = draw.ints(-600, 600, 3, 7) / 10 + 0.03  # where f32 and f64 might round to different sides
        yield case("round", f"to {decimals} decimals", [off_ties], decimals=decimals)
    yield case("square", "bool", [torch.tensor([True, False])])
    yield case("log10", "powers", [f32(1, 10, 100, 1000, 1e10, 0.1)])
    yield case("exp2", "powers", [f32(1, 10, -10, 100, -126, 127)])
    special = f32(nan, inf, -inf, 0.0, -0.0, 1.5)
    yield case("nanToNum", "default", [f32(nan, 1, -0.0)])
    yield case("nanToNum", "numbers", [special], nan=7, posinf=1, neginf=-2)
    yield case("nanToNum", "matrix", [permuted(Draw("nanToNum").normal(3, 5), 1, 0)])
    yield case("nanToNum", "empty", [f32()])
    yield case("nanToNum", "i32", [i32(1, -2)])


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
    numbers = {"a": 1.5, "b": -2.5}
    yield case("where", "numbers", [draw.bools(2, 3)], lambda mask, a, b: torch.where(mask, a, b), **numbers)
    yield case("where", "promotes", [draw.bools(4), draw.ints(-9, 9, 4), draw.normal(4)])
    yield case("where", "u8", [draw.bools(8), BYTES, BYTES.flip(0)])


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
    yield case("clamp", "tensors", [draw.normal(3, 7), draw.uniform(-1, 0, 7), draw.uniform(0, 1, 3, 1)])
    bounds = f32(1, 1, 1, 2, 0, nan, 1, 1, 1), f32(2, 2, 2, 1, 1, 1, 1, 1, 1)
    yield case("clamp", "tensors, special gradient", [f32(0, 1, 2, 3, nan, 1, 0, 1, 2), *bounds])
    yield case("clamp", "u8", [BYTES], min=7, max=200)


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
    yield case("lerp", "number", [draw.normal(3, 5), draw.normal(5)], weight=0.3)
    yield case("lerp", "special gradient", [f32(0, inf, 1), f32(1, 1, inf), f32(0.5, 0.2, 0)])


def combinations():
    for op in ["addcmul", "addcdiv"]:
        draw = Draw(op)
        for name, a, b, c in [("same", [3, 5], [3, 5], [3, 5]), ("broadcast", [4, 1, 3], [2, 3], [4, 1, 1]), ("empty", [0, 3], [3], [1])]:
            yield case(op, name, [draw.normal(*a), draw.normal(*b), draw.uniform(0.5, 3, *c)])
        yield case(op, "value", [permuted(draw.normal(5, 3), 1, 0), draw.normal(5), draw.uniform(0.5, 3, 3, 1)], value=-1.5)
        yield case(op, "special", [f32(nan, 1, 1, 0), f32(1, inf, 0, -0.0), f32(1, 0, inf, 2)])
    yield case("addcmul", "i32", [INTS, INTS.flip(0), INTS], value=3)
    yield case("addcmul", "integers to floats", [f32(1, -2, 0.5), i32(100000, -70000, 3), i32(100000, 70000, -5)], value=2)
    yield case("addcmul", "bytes to floats", [f32(1, -2), u8(200, 16), u8(200, 16)])


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
        "u8": u8(0, 1, 127, 128, 255),
    }
    pairs = "f32>i32 i32>f32 bool>f32 f32>bool u8>f32 u8>i32 bool>i32 i32>bool u8>bool f32>f32 i32>i32 i32>u8 bool>u8".split()
    for source, target in (pair.split(">") for pair in pairs):
        yield cast(f"{source} to {target}", sources[source], target)
    yield cast("edges to bool", EDGES, "bool")
    yield cast("permuted", permuted(draw.ints(-9, 9, 2, 3), 1, 0), "f32")
    yield cast("empty", draw.ints(-9, 9, 0, 3), "f32")


def cast(name, source, target):
    return case("cast", name, [source], lambda x, dtype: x.to(CASTS[dtype]), dtype=target)


def kinds():
    special = f32(nan, inf, -inf, 1, 0, -0.0)
    ends = [special.reshape(-1, 1), f32(0, 1, inf), f32(0.25, 0.75, 0.5)]
    yield case("lerp", "special", ends, grad=False)


GROUPS = [unary, variants, selections, clamps, lerps, combinations, casts, kinds]
