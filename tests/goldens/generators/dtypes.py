"""dtypes.json: the dtype that PyTorch gives results, by the dtypes of their operands; null where it refuses."""

import torch
import torch.nn.functional as F

from .case import snake
from .record import DTYPES as RECORDED

DTYPES = {"bool": torch.bool, "u8": torch.uint8, "i32": torch.int32, "f32": torch.float32, "f64": torch.float64}
NAMES = RECORDED | {torch.float64: "f64"}
NUMBERS = {"whole": 1, "fraction": 1.5, "boolean": True}

# op -> what comes after the tensor
UNARY = {
    **dict.fromkeys("neg abs square sign sgn reciprocal positive signbit nanToNum frac".split(), []),
    **dict.fromkeys("exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh".split(), []),
    **dict.fromkeys("asinh acosh atanh erf erfc erfinv sigmoid logit sinc deg2rad rad2deg".split(), []),
    **dict.fromkeys("isnan isinf isfinite logicalNot bitwiseNot relu relu6 hardtanh tanhshrink softsign".split(), []),
    **dict.fromkeys("leakyRelu elu selu celu gelu silu mish softplus logsigmoid hardsigmoid hardswish".split(), []),
    **dict.fromkeys("hardshrink softshrink".split(), []),
    "threshold": [0, 1],
    "clamp": [0],
    **dict.fromkeys("sum prod mean nansum var std norm amax amin countNonzero".split(), []),
    **dict.fromkeys("cumsum cumprod logsumexp softmax logSoftmax".split(), [0]),
}
BINARY = """add sub mul div trueDivide pow remainder fmod maximum minimum fmax fmin atan2 hypot copysign logaddexp logaddexp2
    xlogy ldexp eq ne lt le gt ge isclose logicalAnd logicalOr logicalXor bitwiseAnd bitwiseOr bitwiseXor bitwiseLeftShift
    bitwiseRightShift""".split()
# functions of tensors only, in PyTorch
TENSORS_ONLY = """maximum minimum fmax fmin atan2 hypot logaddexp logaddexp2 ldexp isclose logicalAnd logicalOr
    logicalXor""".split()


def make():
    return {
        "dtypes": list(DTYPES),
        "numbers": list(NUMBERS),
        "tensors": pairs(lambda a, b: tensor(a) + tensor(b)),
        "withScalar": pairs(lambda a, b: tensor(a) + scalar(b)),
        "withNumber": numbers(lambda a, number: tensor(a) + number),
        "scalarWithNumber": numbers(lambda a, number: scalar(a) + number),
        "where": pairs(lambda a, b: torch.where(torch.tensor([True]), tensor(a), tensor(b))),
        "unary": {op: of_each(lambda a: function(op)(tensor(a), *args)) for op, args in UNARY.items()},
        "binary": {op: of_each(lambda a: function(op)(tensor(a), tensor(a))) for op in BINARY}
        | {
            "floorDivide": of_each(lambda a: torch.div(tensor(a), tensor(a), rounding_mode="floor")),
            "lerp": of_each(lambda a: torch.lerp(tensor(a), tensor(a), 0.5)),
            "addcmul": of_each(lambda a: torch.addcmul(tensor(a), tensor(a), tensor(a))),
            "addcdiv": of_each(lambda a: torch.addcdiv(tensor(a), tensor(a), tensor(a))),
        },
        "byNumber": {
            op: numbers(lambda a, number: function(op)(tensor(a), number)) for op in BINARY if op not in TENSORS_ONLY
        },
    }


def tensor(name):
    return torch.ones(1, dtype=DTYPES[name])


def scalar(name):
    return torch.ones((), dtype=DTYPES[name])


def function(op):
    return getattr(torch, snake(op), None) or getattr(F, snake(op))


def of_each(run):
    """A result per dtype."""
    return [result(lambda: run(a)) for a in DTYPES]


def pairs(run):
    """A row per first dtype, a column per second."""
    return [[result(lambda: run(a, b)) for b in DTYPES] for a in DTYPES]


def numbers(run):
    """A row per dtype, a column per kind of number."""
    return [[result(lambda: run(a, number)) for number in NUMBERS.values()] for a in DTYPES]


def result(run):
    try:
        return NAMES[run().dtype]
    except (RuntimeError, TypeError):
        return None
