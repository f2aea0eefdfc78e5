"""Cases of the activations."""

from .case import case, permuted
from .record import Draw, f32, i32
from .values import inf, nan, unary_cases

# where each is smooth: the range that random inputs are drawn from
UNARY = {
    "relu": (-3, 3),
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
    "hardshrink": (-3, 3),
    "softshrink": (-3, 3),
    "tanhshrink": (-3, 3),
    "rrelu": (-3, 3),
    "logit": (0.05, 0.95),
    "sinc": (-3, 3),
}

# values at which a gradient is a convention
KINKS = {
    "relu": f32(0.0, -0.0, 1, -1, nan),
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
    "hardshrink": f32(0.5, -0.5, 0, 0.6, -0.6),
    "softshrink": f32(0.5, -0.5, 0, 0.6, -0.6),
    "tanhshrink": f32(0.0, -0.0, 100, -100, inf),
    "rrelu": f32(0.0, -0.0, 1, -1, nan),
    "logit": f32(0.0, -0.0, 1, 0.5, -1, 2, nan, inf),
    "sinc": f32(0.0, -0.0, 1e-3, 0.1999, 0.2001, 1, -2, inf, nan),
}


def activations():
    for op, (low, high) in UNARY.items():
        subnormal = op not in ["elu", "celu", "selu"]  # PyTorch's exp(x) - 1 is 0 there
        # pi x in f32 is another angle for large x
        yield from unary_cases(op, low, high, KINKS.get(op), subnormal, huge=op != "sinc")


def options():
    yield case("gelu", "tanh", [Draw("gelu tanh").uniform(-5, 5, 3, 7)], approximate="tanh")
    yield case("softplus", "beta", [Draw("softplus beta").uniform(-6, 6, 3, 7)], beta=2.5)
    yield case("leakyRelu", "slope", [Draw("leakyRelu slope").uniform(-3, 3, 3, 7)], negativeSlope=0.3)
    yield case("elu", "alpha", [Draw("elu alpha").uniform(-4, 4, 3, 7)], alpha=0.7)
    yield case("celu", "alpha", [Draw("celu alpha").uniform(-4, 4, 3, 7)], alpha=2.5)
    draw = Draw("activation options")
    yield case("softplus", "threshold", [draw.uniform(-6, 6, 3, 7)], beta=2, threshold=3)
    yield case("hardshrink", "lambd", [draw.uniform(-3, 3, 3, 7)], lambd=1.5)
    yield case("softshrink", "lambd", [draw.uniform(-3, 3, 3, 7)], lambd=1.5)
    yield case("rrelu", "bounds", [draw.uniform(-3, 3, 3, 7)], lower=0.2, upper=0.6)
    yield case("logit", "eps", [f32(0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1, -1, 2, inf, -inf)], eps=0.1)
    yield case("threshold", "matrix", [permuted(draw.uniform(-3, 3, 3, 7), 1, 0)], threshold=0.5, value=-7)
    yield case("threshold", "kinks", [f32(0.5, nan, inf, -inf, 0.0)], threshold=0.5, value=7)
    yield case("threshold", "i32", [i32(-2, 3)], threshold=1, value=5)
    yield case("threshold", "empty", [f32()], threshold=1, value=5)
    for op in ["relu", "relu6"]:
        yield case(op, "i32", [i32(-3, 0, 4, 9)])
    for name, count in [("one weight", 1), ("channels", 3)]:
        yield case("prelu", name, [draw.uniform(-2, 2, 2, 3, 4), draw.uniform(-1, 1, count)])
    yield case("prelu", "kinks", [f32(0.0, -0.0, nan, 1, -1), f32(0.25)])
    yield case("prelu", "vector", [draw.uniform(-2, 2, 5), draw.uniform(-1, 1, 1)])
    yield case("prelu", "empty", [draw.uniform(-2, 2, 0, 3), draw.uniform(-1, 1, 3)])
    yield case("glu", "last", [draw.normal(3, 8)])
    yield case("glu", "first", [permuted(draw.normal(3, 4), 1, 0)], dim=0)
    yield case("glu", "special", [f32(nan, 1, inf, 1, 1, -inf, 2, 0)])
    yield case("glu", "empty", [draw.normal(0, 4)], dim=1)
    yield case("hardtanh", "values", [Draw("hardtanh values").uniform(-3, 3, 3, 7)], minVal=-0.5, maxVal=2)


def softmaxes():
    for op in ["softmax", "logSoftmax", "softmin"]:
        draw = Draw(op)
        yield case(op, "rows", [draw.normal(3, 7)], dim=1)
        yield case(op, "first", [draw.normal(4, 3)], dim=0)
        yield case(op, "middle", [draw.normal(2, 5, 3)], dim=-2)
        yield case(op, "permuted", [permuted(draw.normal(5, 3), 1, 0)], dim=1)
        yield case(op, "size one", [draw.normal(3, 1)], dim=1)
        yield case(op, "long", [draw.normal(2, 300)], dim=1)
        yield case(op, "large", [f32(1000, 999, -1000, 88, 89, 90).reshape(2, 3)], dim=1)
        yield case(op, "masked", [f32(-inf, 1, 2, 3, -inf, -inf).reshape(2, 3)], dim=1)
        yield case(op, "special", [f32(-inf, -inf, nan, 1, inf, 1).reshape(3, 2)], dim=1, grad=False)
        yield case(op, "empty", [draw.normal(0, 3)], dim=1)


GROUPS = [activations, options, softmaxes]
