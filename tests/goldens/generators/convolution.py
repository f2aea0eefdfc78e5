"""Cases of convolutions."""

import math

import torch

from .case import case, permuted
from .record import Draw

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
    for name, (x, weight, args) in MORE_CONVOLUTIONS.items():
        yield case("conv2d", name, [draw.normal(*x), draw.normal(*weight), draw.normal(weight[0])], **args)
    yield case("conv2d", "special, strided", [special(1, 2, 4, 5), draw.normal(2, 2, 2, 2)], stride=2, grad=False)
    yield case("conv2d", "infinite weight", [draw.normal(1, 1, 3, 4), infinite(1, 1, 2, 2)], padding=1, grad=False)


def kinds():
    """What is no ordinary number shows in the windows that have it, and in no other."""
    draw = Draw("conv2d kinds")
    image = draw.normal(1, 1, 4, 5)
    image[0, 0, 0, 0], image[0, 0, 3, 4], image[0, 0, 2, 1] = nan, inf, -inf
    yield case("conv2d", "special", [image, draw.normal(2, 1, 2, 2)], grad=False)


# with a bias
MORE_CONVOLUTIONS = {
    "same": ([1, 2, 4, 5], [2, 2, 3, 3], {"padding": "same"}),
    "same, even": ([1, 2, 4, 5], [2, 2, 2, 4], {"padding": "same"}),
    "same, dilated": ([1, 1, 5, 4], [2, 1, 2, 3], {"padding": "same", "dilation": [3, 2]}),
    "valid": ([1, 2, 4, 5], [2, 2, 2, 3], {"padding": "valid", "stride": [1, 2]}),
    "one image": ([2, 4, 3], [3, 2, 3, 2], {"padding": 1}),
    "one image, same": ([2, 3, 4], [2, 2, 2, 2], {"padding": "same"}),
    "depthwise, two each": ([1, 3, 4, 5], [6, 1, 3, 3], {"groups": 3, "padding": 1}),
    "groups, dilated": ([1, 4, 5, 5], [2, 2, 2, 2], {"groups": 2, "dilation": [2, 3], "padding": 1}),
    "large kernel": ([1, 1, 5, 6], [1, 1, 9, 7], {"padding": 4, "stride": 2}),
    "far dilation": ([1, 1, 9, 7], [2, 1, 3, 3], {"padding": 6, "dilation": 6}),
    "padding past kernel": ([1, 1, 2, 3], [2, 1, 1, 2], {"padding": [2, 3], "stride": [1, 2]}),
}

SIGNALS = {
    "3": ([2, 3, 7], [4, 3, 3], {}),
    "stride 2": ([1, 2, 8], [3, 2, 4], {"stride": 2, "padding": 1}),
    "dilated": ([1, 2, 9], [2, 2, 3], {"dilation": 3, "padding": 2}),
    "groups": ([1, 4, 6], [6, 2, 2], {"groups": 2}),
    "depthwise": ([2, 3, 6], [3, 1, 5], {"groups": 3, "padding": 2}),
    "same": ([1, 2, 6], [2, 2, 4], {"padding": "same"}),
    "same, dilated": ([1, 1, 7], [2, 1, 3], {"padding": "same", "dilation": 2}),
    "valid": ([1, 2, 6], [2, 2, 4], {"padding": "valid"}),
    "one signal": ([2, 5], [3, 2, 2], {}),
    "one": ([1, 1, 1], [1, 1, 1], {}),
    "long kernel": ([1, 1, 5], [1, 1, 13], {"padding": 6, "stride": 3}),
    "no signals": ([0, 2, 5], [3, 2, 3], {}),
}


def signals():
    draw = Draw("conv1d")
    for name, (x, weight, args) in SIGNALS.items():
        yield case("conv1d", name, [draw.normal(*x), draw.normal(*weight), draw.normal(weight[0])], **args)
    yield case("conv1d", "no bias", [draw.normal(1, 2, 5), draw.normal(3, 2, 3)])
    channels_last = [permuted(draw.normal(2, 5, 3), 0, 2, 1), permuted(draw.normal(3, 3, 4), 2, 0, 1)]
    yield case("conv1d", "permuted", channels_last, padding=1)
    yield case("conv1d", "special", [special(1, 2, 8), draw.normal(2, 2, 2)], stride=2, grad=False)


# name: input, weight, output channels, args
TRANSPOSED = {
    "3x3": ([2, 3, 3, 4], [3, 4, 3, 3], 4, {}),
    "stride 2": ([1, 3, 3, 4], [3, 2, 3, 3], 2, {"stride": 2, "padding": 1}),
    "twice as large": ([1, 2, 3, 3], [2, 3, 3, 3], 3, {"stride": 2, "padding": 1, "outputPadding": 1}),
    "4x4 stride 2": ([1, 2, 3, 2], [2, 3, 4, 4], 3, {"stride": 2, "padding": 1}),
    "uneven": ([1, 2, 3, 4], [2, 2, 2, 5], 2, {"stride": [3, 1], "padding": [0, 2], "outputPadding": [2, 0]}),
    "dilated": ([1, 2, 3, 3], [2, 2, 3, 2], 2, {"dilation": [2, 3], "padding": 1}),
    "padded past stride": ([1, 1, 3, 2], [1, 2, 2, 2], 2, {"dilation": 3, "padding": 2, "outputPadding": [2, 1]}),
    "groups": ([2, 4, 3, 3], [4, 3, 2, 2], 6, {"groups": 2, "stride": 2}),
    "depthwise": ([1, 3, 4, 3], [3, 1, 3, 3], 3, {"groups": 3, "padding": 1}),
    "stride past kernel": ([1, 2, 3, 2], [2, 1, 2, 2], 1, {"stride": 3}),
    "one image": ([2, 3, 2], [2, 3, 2, 3], 3, {"stride": 2}),
    "one": ([1, 1, 1, 1], [1, 1, 1, 1], 1, {}),
    "large kernel": ([1, 1, 3, 3], [1, 2, 9, 8], 2, {"padding": 3, "stride": 2}),
    "no images": ([0, 2, 3, 3], [2, 3, 3, 3], 3, {}),
}

TRANSPOSED_SIGNALS = {
    "3": ([2, 3, 5], [3, 4, 3], 4, {}),
    "stride 2": ([1, 2, 4], [2, 3, 4], 3, {"stride": 2, "padding": 1, "outputPadding": 1}),
    "dilated": ([1, 2, 4], [2, 1, 3], 1, {"dilation": 2, "padding": 2}),
    "groups": ([1, 4, 3], [4, 1, 2], 2, {"groups": 2, "stride": 3}),
    "one signal": ([2, 4], [2, 3, 2], 3, {}),
    "no signals": ([0, 2, 3], [2, 3, 3], 3, {}),
}


def transposed():
    for op, table in [("convTranspose2d", TRANSPOSED), ("convTranspose1d", TRANSPOSED_SIGNALS)]:
        draw = Draw(op)
        for name, (x, weight, channels, args) in table.items():
            yield case(op, name, [draw.normal(*x), draw.normal(*weight), draw.normal(channels)], **args)
    draw = Draw("convTranspose2d", "more")
    channels_last = [permuted(draw.normal(2, 3, 3, 3), 0, 3, 1, 2), permuted(draw.normal(2, 3, 3, 3), 1, 0, 3, 2)]
    yield case("convTranspose2d", "permuted", channels_last, stride=2)
    yield case("convTranspose2d", "special", [special(1, 2, 2, 4), draw.normal(2, 1, 2, 2)], stride=2, grad=False)
    # what lies outside is not multiplied: no NaN comes of an infinite weight there
    yield case("convTranspose2d", "infinite weight", [draw.normal(1, 2, 3, 4), infinite(2, 1, 3, 3)], padding=1, grad=False)
    yield case("convTranspose1d", "infinite weight", [draw.normal(1, 1, 4), infinite(1, 1, 3)], stride=2, grad=False)
    draw = Draw("convTranspose1d", "more")
    yield case("convTranspose1d", "permuted", [permuted(draw.normal(2, 4, 3), 0, 2, 1), draw.normal(3, 2, 2)])
    yield case("convTranspose1d", "special", [special(1, 2, 4), draw.normal(2, 1, 2)], stride=2, grad=False)


def special(*shape):
    """Small numbers, and one each of infinity, its negative, NaN and negative zero."""
    values = (torch.arange(math.prod(shape), dtype=torch.float32) % 5 - 2).reshape(-1)
    values[1], values[3], values[-3], values[0] = inf, -inf, nan, -0.0
    return values.reshape(shape)


def infinite(*shape):
    """Ones, and an infinity at the first place."""
    values = torch.ones(math.prod(shape))
    values[0] = inf
    return values.reshape(shape)


GROUPS = [convolutions, kinds, signals, transposed]
