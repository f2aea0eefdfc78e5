"""Cases of conv2d, pooling and batchNorm."""

import math

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, encode_all, f32

nan, inf = math.nan, math.inf

# name: input, weight, args
CONVOLUTIONS = {
    "3x3": ([2, 3, 5, 7], [4, 3, 3, 3], {}),
    "3x3 padded": ([2, 2, 5, 5], [3, 2, 3, 3], {"padding": 1}),
    "stride 2": ([1, 3, 7, 7], [2, 3, 3, 3], {"stride": 2, "padding": 1}),
    "stride 2 even": ([2, 2, 8, 6], [3, 2, 3, 3], {"stride": 2, "padding": 1}),
    "stride past kernel": ([1, 2, 8, 7], [2, 2, 2, 2], {"stride": 3}),
    "1x1": ([2, 5, 3, 3], [4, 5, 1, 1], {}),
    "1x1 stride 2": ([2, 3, 5, 5], [4, 3, 1, 1], {"stride": 2}),
    "7x7 stem": ([1, 3, 11, 11], [2, 3, 7, 7], {"stride": 2, "padding": 3}),
    "uneven": ([1, 2, 6, 9], [3, 2, 2, 5], {"stride": [1, 2], "padding": [0, 2]}),
    "dilation": ([1, 2, 9, 8], [2, 2, 3, 3], {"dilation": 2, "padding": 1}),
    "dilation uneven": ([1, 1, 9, 8], [2, 1, 3, 2], {"dilation": [3, 1], "stride": [1, 2]}),
    "groups": ([2, 4, 5, 5], [6, 2, 3, 3], {"groups": 2, "padding": 1}),
    "depthwise": ([1, 5, 6, 6], [5, 1, 3, 3], {"groups": 5, "stride": 2, "padding": 1}),
    "whole image": ([2, 3, 4, 4], [5, 3, 4, 4], {}),
    "kernel past image": ([1, 2, 2, 2], [2, 2, 5, 5], {"padding": 2}),
    "one": ([1, 1, 1, 1], [1, 1, 1, 1], {}),
    "many channels": ([1, 19, 3, 3], [18, 19, 3, 3], {"padding": 1}),
    "no images": ([0, 2, 4, 4], [3, 2, 3, 3], {}),
}


def convolutions():
    draw = Draw("conv2d")
    for name, (x, weight, args) in CONVOLUTIONS.items():
        yield case("conv2d", name, [draw.normal(*x), draw.normal(*weight)], **args)
    for name in ["3x3", "stride 2", "groups", "1x1"]:
        x, weight, args = CONVOLUTIONS[name]
        inputs = [draw.normal(*x), draw.normal(*weight), draw.normal(weight[0])]
        yield case("conv2d", f"{name} bias", inputs, **args)
    channels_last = [permuted(draw.normal(2, 5, 5, 3), 0, 3, 1, 2), permuted(draw.normal(3, 3, 3, 4), 3, 0, 1, 2)]
    yield case("conv2d", "permuted", channels_last, padding=1)


def max_pools():
    draw = Draw("maxPool2d")
    yield case("maxPool2d", "2", [draw.distinct(2, 2, 4, 6)], kernelSize=2)
    yield case("maxPool2d", "odd image", [draw.distinct(1, 2, 5, 7)], kernelSize=2)
    yield case("maxPool2d", "overlap", [draw.distinct(2, 2, 7, 7)], kernelSize=3, stride=2, padding=1)
    yield case("maxPool2d", "uneven", [draw.distinct(1, 2, 6, 7)], kernelSize=[2, 3], stride=[1, 2], padding=[1, 0])
    yield case("maxPool2d", "stride past kernel", [draw.distinct(1, 1, 8, 8)], kernelSize=2, stride=3)
    yield case("maxPool2d", "ties", [draw.ints(0, 2, 2, 1, 5, 5).float()], kernelSize=3, stride=2, padding=1)
    yield case("maxPool2d", "all equal", [draw.ints(0, 1, 1, 1, 5, 5).float()], kernelSize=3, stride=1, padding=1)
    yield case("maxPool2d", "negative", [draw.distinct(1, 1, 4, 4) - 10], kernelSize=3, stride=1, padding=1)
    yield case("maxPool2d", "permuted", [permuted(draw.distinct(2, 4, 4, 3), 0, 3, 1, 2)], kernelSize=2)
    special = f32(1, nan, 2, -inf, 3, 4, -inf, -inf, inf, 5, 6, 7, 8, 9, nan, nan).reshape(1, 1, 4, 4)
    yield case("maxPool2d", "special", [special], kernelSize=2, grad=False)
    yield case("maxPool2d", "no images", [draw.normal(0, 2, 4, 4)], kernelSize=2)


def average_pools():
    draw = Draw("avgPool2d")
    yield case("avgPool2d", "2", [draw.normal(2, 2, 4, 6)], kernelSize=2)
    yield case("avgPool2d", "odd image", [draw.normal(1, 2, 5, 7)], kernelSize=2)
    yield case("avgPool2d", "overlap", [draw.normal(2, 2, 7, 7)], kernelSize=3, stride=2, padding=1)
    yield case("avgPool2d", "uneven", [draw.normal(1, 2, 6, 7)], kernelSize=[2, 3], stride=[1, 2], padding=[1, 0])
    inner = {"kernelSize": 3, "padding": 1, "countIncludePad": False}
    yield case("avgPool2d", "without padding", [draw.normal(1, 2, 5, 5)], **inner)
    yield case("avgPool2d", "permuted", [permuted(draw.normal(2, 4, 4, 3), 0, 3, 1, 2)], kernelSize=2)
    yield case("avgPool2d", "special", [special_image(6, 7)], kernelSize=3, stride=1)
    yield case("avgPool2d", "special, padded", [special_image(6, 7)], kernelSize=[2, 4], stride=2, padding=[1, 2])
    yield case("avgPool2d", "large window", [draw.normal(1, 2, 13, 11)], kernelSize=[7, 6], stride=[3, 2], padding=[3, 1])
    yield case("avgPool2d", "stride past kernel", [draw.normal(1, 2, 8, 9)], kernelSize=2, stride=3)
    draw = Draw("adaptiveAvgPool2d")
    for name, size in [("global", 1), ("3x2", [3, 2]), ("3x3", 3), ("larger", [7, 9])]:
        yield case("adaptiveAvgPool2d", name, [draw.normal(2, 2, 5, 7)], outputSize=size)
    yield case("adaptiveAvgPool2d", "same", [draw.normal(1, 2, 3, 3)], outputSize=3)
    yield case("adaptiveAvgPool2d", "permuted", [permuted(draw.normal(2, 4, 4, 3), 0, 3, 1, 2)], outputSize=1)
    for name, size in [("special", [4, 5]), ("special, rows", [3, 5]), ("special, larger", [8, 9])]:
        yield case("adaptiveAvgPool2d", name, [special_image(6, 7)], outputSize=size)
    yield case("adaptiveAvgPool2d", "columns divide", [draw.normal(2, 1, 7, 6)], outputSize=[4, 3])
    yield case("adaptiveAvgPool2d", "no images", [draw.normal(0, 2, 5, 4)], outputSize=3)


def special_image(height, width):
    """Small numbers, an infinity at the edge and a NaN inside: each may show in its own windows only."""
    image = (torch.arange(height * width, dtype=torch.float32) % 5).reshape(1, 1, height, width)
    image[0, 0, 0, 0], image[0, 0, -1, -2], image[0, 0, 3, 4] = inf, -inf, nan
    return image


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


GROUPS = [convolutions, max_pools, average_pools, batch_norms]
