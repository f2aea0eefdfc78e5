"""Cases of the activations."""

from .case import case, permuted
from .record import Draw, f32
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
}


def activations():
    for op, (low, high) in UNARY.items():
        subnormal = op not in ["elu", "celu", "selu"]  # PyTorch's exp(x) - 1 is 0 there
        yield from unary_cases(op, low, high, KINKS.get(op), subnormal)


def options():
    yield case("gelu", "tanh", [Draw("gelu tanh").uniform(-5, 5, 3, 7)], approximate="tanh")
    yield case("softplus", "beta", [Draw("softplus beta").uniform(-6, 6, 3, 7)], beta=2.5)
    yield case("leakyRelu", "slope", [Draw("leakyRelu slope").uniform(-3, 3, 3, 7)], negativeSlope=0.3)
    yield case("elu", "alpha", [Draw("elu alpha").uniform(-4, 4, 3, 7)], alpha=0.7)
    yield case("celu", "alpha", [Draw("celu alpha").uniform(-4, 4, 3, 7)], alpha=2.5)
    yield case("hardtanh", "values", [Draw("hardtanh values").uniform(-3, 3, 3, 7)], minVal=-0.5, maxVal=2)


def softmaxes():
    for op in ["softmax", "logSoftmax"]:
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
