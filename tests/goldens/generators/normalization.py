"""Cases of the functions that normalize."""

import math

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, encode_all, f32

nan, inf = math.nan, math.inf


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


def layer_norms():
    op = "layerNorm"
    draw = Draw(op)

    def norm(x, weight=None, bias=None, shape=None, **options):
        return F.layer_norm(x, shape, weight, bias, **options)

    def affine(*shape):
        return [draw.uniform(0.5, 2, *shape), draw.normal(*shape)]

    yield case(op, "rows", [draw.normal(3, 7), *affine(7)], norm, shape=[7])
    yield case(op, "plain", [draw.normal(2, 3, 5)], norm, shape=[5])
    yield case(op, "two dims", [draw.normal(2, 3, 5), *affine(3, 5)], norm, shape=[3, 5])
    yield case(op, "weight only", [draw.normal(2, 3, 5), draw.normal(5), None], norm, shape=[5])
    yield case(op, "eps", [draw.normal(3, 5) * 0.01, *affine(5)], norm, shape=[5], eps=0.01)
    yield case(op, "permuted", [permuted(draw.normal(5, 3), 1, 0), *affine(5)], norm, shape=[5])
    yield case(op, "constant", [torch.full([2, 4], 3.0), *affine(4)], norm, shape=[4])
    yield case(op, "far from zero", [draw.uniform(1000, 1001, 3, 8)], norm, shape=[8])
    yield case(op, "empty", [draw.normal(0, 4), *affine(4)], norm, shape=[4])
    yield case(op, "special", [f32(1, nan, 2, 1, inf, 2, 1, 2, 3).reshape(3, 3)], norm, shape=[3], grad=False)


def group_norms():
    op = "groupNorm"
    draw = Draw(op)

    def norm(x, weight=None, bias=None, num_groups=1, **options):
        return F.group_norm(x, num_groups, weight, bias, **options)

    def affine(channels):
        return [draw.uniform(0.5, 2, channels), draw.normal(channels)]

    yield case(op, "images", [draw.normal(2, 6, 2, 3), *affine(6)], norm, numGroups=3)
    yield case(op, "plain", [draw.normal(2, 6, 3)], norm, numGroups=2)
    yield case(op, "one group", [draw.normal(2, 3, 3), *affine(3)], norm, numGroups=1)
    yield case(op, "each channel", [draw.normal(2, 3, 4), *affine(3)], norm, numGroups=3)
    yield case(op, "matrix", [draw.normal(3, 6), *affine(6)], norm, numGroups=2, eps=0.1)
    yield case(op, "permuted", [permuted(draw.normal(2, 3, 4), 0, 2, 1), *affine(4)], norm, numGroups=2)
    yield case(op, "empty", [draw.normal(0, 4, 2), *affine(4)], norm, numGroups=2)


def instance_norms():
    op = "instanceNorm"
    draw = Draw(op)

    def norm(x, weight=None, bias=None, **options):
        return F.instance_norm(x, weight=weight, bias=bias, **options)

    yield case(op, "images", [draw.normal(2, 3, 2, 4), draw.uniform(0.5, 2, 3), draw.normal(3)], norm)
    yield case(op, "plain", [draw.normal(2, 3, 5)], norm)
    yield case(op, "eps", [draw.normal(2, 3, 5)], norm, eps=0.1)
    yield case(op, "permuted", [permuted(draw.normal(2, 5, 3), 0, 2, 1)], norm)


def kinds():
    """No elements, and no ordinary numbers."""
    draw = Draw("normalization kinds")
    statistics = [constant(draw.normal(3)), constant(draw.uniform(0.2, 2, 3))]
    special = f32(nan, 1, 2, 3, inf, 4).reshape(2, 3)
    yield case("batchNorm", "empty", [draw.normal(0, 3), None, None, *statistics], batch_norm, training=False)
    yield case("batchNorm", "special", [special, None, None, *statistics], batch_norm, grad=False, training=False)
    yield case("batchNorm", "special train", [special, None, None, *statistics], batch_norm, grad=False, training=True)

    def group_norm(x, num_groups):
        return F.group_norm(x, num_groups)

    images = f32(nan, 1, 2, 3, 4, 5, 6, inf, 1, 2, 3, 5).reshape(3, 2, 2)
    yield case("groupNorm", "special", [images], group_norm, grad=False, numGroups=2)
    yield case("instanceNorm", "special", [images], F.instance_norm, grad=False)
    yield case("instanceNorm", "empty", [draw.normal(0, 3, 5)], F.instance_norm)


GROUPS = [batch_norms, layer_norms, group_norms, instance_norms, kinds]
