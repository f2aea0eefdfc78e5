"""half.json: f16. What PyTorch's own kernels of half give on the CPU, and where 1.13 has none, what f64 gives, rounded to half once.

Gradients are those of sum(result * weight), in f64, rounded once.
"""

import math

import torch
import torch.nn.functional as F

from .record import Draw

TARGET = torch.tensor([2, 0, 3])

# name -> shapes of the inputs, function of them
OWN = {
    "add": ([(3, 4), (3, 4)], lambda a, b: a + b),
    "sub": ([(3, 4), (4,)], lambda a, b: a - b),
    "mul": ([(3, 4), (3, 1)], lambda a, b: a * b),
    "div": ([(3, 4), (3, 4)], lambda a, b: a / b),
    # the number in f32, as CUDA's kernels and later versions have it: 1.13 rounds it to half on the CPU
    "times a number": ([(3, 4)], lambda a: (a.float() * 0.1).half()),
    "plus a number": ([(3, 4)], lambda a: (a.float() + 1.7).half()),
    "neg": ([(3, 4)], lambda a: -a),
    "abs": ([(3, 4)], lambda a: a.abs()),
    "sum": ([(8, 16)], lambda a: a.sum(1)),
    "mean": ([(8, 16)], lambda a: a.mean(1)),
    "amax": ([(8, 16)], lambda a: a.amax(1)),
    "eq": ([(3, 4), (3, 4)], lambda a, b: a.eq(b)),
    "lt": ([(3, 4), (3, 4)], lambda a, b: a.lt(b)),
    "with f32": ([(3, 4)], lambda a: a + torch.full((4,), 0.1)),
    "with integers": ([(3, 4)], lambda a: a + torch.arange(4)),
    "to integers": ([(3, 4)], lambda a: (a * 3).int()),
    "to bool": ([(3, 4)], lambda a: a.bool()),
}
WIDE = {
    "exp": ([(3, 4)], torch.exp),
    "log": ([(3, 4)], lambda a: a.abs().log()),
    "sqrt": ([(3, 4)], lambda a: a.abs().sqrt()),
    "sin": ([(3, 4)], torch.sin),
    "tanh": ([(3, 4)], torch.tanh),
    "sigmoid": ([(3, 4)], torch.sigmoid),
    "erf": ([(3, 4)], torch.erf),
    "pow": ([(3, 4)], lambda a: a.abs() ** 1.5),
    "relu": ([(3, 4)], torch.relu),
    "gelu": ([(3, 4)], F.gelu),
    "silu": ([(3, 4)], F.silu),
    "elu": ([(3, 4)], F.elu),
    "softplus": ([(3, 4)], F.softplus),
    "mish": ([(3, 4)], F.mish),
    "softmax": ([(4, 9)], lambda a: a.softmax(1)),
    "logSoftmax": ([(4, 9)], lambda a: a.log_softmax(1)),
    "logsumexp": ([(4, 9)], lambda a: a.logsumexp(1)),
    "matmul": ([(5, 20), (20, 3)], torch.matmul),
    "linear": ([(5, 20), (3, 20), (3,)], F.linear),
    "conv2d": ([(2, 3, 5, 5), (4, 3, 3, 3), (4,)], lambda x, w, b: F.conv2d(x, w, b, padding=1)),
    "maxPool2d": ([(2, 3, 6, 6)], lambda x: F.max_pool2d(x, 2)),
    "avgPool2d": ([(2, 3, 6, 6)], lambda x: F.avg_pool2d(x, 2)),
    "layerNorm": ([(4, 16), (16,), (16,)], lambda x, w, b: F.layer_norm(x, [16], w, b)),
    "groupNorm": ([(2, 4, 5), (4,), (4,)], lambda x, w, b: F.group_norm(x, 2, w, b)),
    "batchNorm": ([(6, 3, 4), (3,), (3,)], lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)),
    "var": ([(4, 9)], lambda a: a.var(1)),
    "std": ([(4, 9)], lambda a: a.std(1)),
    "norm": ([(4, 9)], lambda a: a.norm(dim=1)),
    "cumsum": ([(4, 9)], lambda a: a.cumsum(1)),
    "prod": ([(4, 5)], lambda a: a.prod(1)),
    "sort": ([(4, 9)], lambda a: a.sort(1).values),
    "gather": ([(4, 9)], lambda a: a.gather(1, torch.tensor([[1, 1, 0]] * 4))),
    "cat": ([(4, 3), (4, 2)], lambda a, b: torch.cat([a, b], 1)),
    "crossEntropy": ([(3, 5)], lambda x: F.cross_entropy(x, TARGET)),
    "mseLoss": ([(3, 5), (3, 5)], F.mse_loss),
    "smoothL1Loss": ([(3, 5), (3, 5)], F.smooth_l1_loss),
    "cosineSimilarity": ([(4, 9), (4, 9)], F.cosine_similarity),
}
NAMES = {torch.float16: "f16", torch.float32: "f32", torch.int32: "i32", torch.bool: "bool"}
KINDS = {"bool": torch.bool, "u8": torch.uint8, "i32": torch.int32, "f32": torch.float32, "f64": torch.float64}


def make():
    return {
        "own": [own(name, *case) for name, case in OWN.items()],
        "wide": [wide(name, *case) for name, case in WIDE.items()],
        "casts": casts(),
        "promotion": promotion(),
    }


def inputs_of(name, shapes):
    draw = Draw("half", name)
    return [draw.normal(*shape).half() for shape in shapes]


def own(name, shapes, function):
    inputs = inputs_of(name, shapes)
    result = function(*inputs)
    return {"name": name, "inputs": list(map(recorded, inputs)), "dtype": NAMES[result.dtype], "result": recorded(result)}


def wide(name, shapes, function):
    inputs = inputs_of(name, shapes)
    leaves = [each.double().requires_grad_() for each in inputs]
    result = function(*leaves)
    weight = Draw("half", name, "weight").normal(*result.shape).half()
    (result * weight.double()).sum().backward()
    return {
        "name": name,
        "inputs": list(map(recorded, inputs)),
        "weight": recorded(weight),
        "result": recorded(result.detach().half()),
        "gradients": [recorded(leaf.grad.half()) for leaf in leaves],
    }


def casts():
    """f32 numbers as half."""
    values = [0.1, 1 / 3, 2049, 65519.996, 65520, -65520, 1e-8, 2.0**-25, 3 * 2.0**-25, 1e-6, 6.1e-5, -0.0, math.inf, math.nan]
    return {"from": numbers(values), "to": numbers(torch.tensor(values).half().float().tolist())}


def promotion():
    """By the other's dtype: two tensors, with a scalar of it, and a scalar of half with it."""
    half, scalar = torch.ones(1).half(), torch.ones(()).half()
    rows = {}
    for name, dtype in KINDS.items():
        other = torch.ones(1, dtype=dtype)
        results = [half + other, half + torch.ones((), dtype=dtype), other + scalar, scalar + torch.ones((), dtype=dtype)]
        rows[name] = [{**NAMES, torch.float64: "f64"}[each.dtype] for each in results]
    return rows


def recorded(tensor):
    return {"shape": list(tensor.shape), "data": numbers(tensor.float().flatten().tolist())}


def numbers(values):
    return [each if math.isfinite(each) else str(each) for each in values]
