"""Cases of the functions that normalize."""

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, encode_all


def batch_norm(x, weight, bias, running_mean, running_var, training, **options):
    mean, var = (t if t is None else t.clone() for t in (running_mean, running_var))  # updated in place
    y = F.batch_norm(x, mean, var, weight, bias, training, **options)
    return y, {"extra": encode_all({"runningMean": mean, "runningVar": var})}


def batch_norms():
    draw = Draw("batchNorm")

    def affine(channels):
        return [draw.uniform(0.5, 2, channels), draw.normal(channels)]

    def statistics(channels):
        return [constant(draw.normal(channels)), constant(draw.uniform(0.2, 2, channels))]

    def norm(name, inputs, **args):
        return case("batchNorm", name, inputs, batch_norm, **args)

    nothing = [None, None]
    image, matrix = [3, 4, 2, 3], [5, 3]
    for mode, training in [("train", True), ("eval", False)]:
        yield norm(mode, [draw.normal(*image), *affine(4), *statistics(4)], training=training)
        yield norm(f"{mode} matrix", [draw.normal(*matrix), *affine(3), *statistics(3)], training=training)
        yield norm(f"{mode} no affine", [draw.normal(*image), *nothing, *statistics(4)], training=training)
    channels_last = permuted(draw.normal(3, 2, 3, 4), 0, 3, 1, 2)
    yield norm("permuted", [channels_last, *affine(4), *statistics(4)], training=True)
    yield norm("momentum", [draw.normal(*image), *affine(4), *statistics(4)], training=True, momentum=0.3)
    yield norm("eps", [draw.normal(*image) * 0.01, *affine(4), *statistics(4)], training=True, eps=0.01)
    yield norm("no statistics", [draw.normal(*image), *affine(4), *nothing], training=True)
    yield norm("far from zero", [draw.uniform(1000, 1001, *image), *affine(4), *statistics(4)], training=True)
    yield norm("constant", [torch.full(image, 2.0), *affine(4), *statistics(4)], training=True)


GROUPS = [batch_norms]
