"""Cases of convolutions."""

import math

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


def kinds():
    """What is no ordinary number shows in the windows that have it, and in no other."""
    draw = Draw("conv2d kinds")
    image = draw.normal(1, 1, 4, 5)
    image[0, 0, 0, 0], image[0, 0, 3, 4], image[0, 0, 2, 1] = nan, inf, -inf
    yield case("conv2d", "special", [image, draw.normal(2, 1, 2, 2)], grad=False)


GROUPS = [convolutions, kinds]
