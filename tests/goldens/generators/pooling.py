"""Cases of pooling."""

import math

import torch

from .case import case, permuted
from .record import Draw, f32

nan, inf = math.nan, math.inf


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


def kinds():
    yield case("avgPool2d", "no images", [Draw("avgPool2d kinds").normal(0, 2, 4, 4)], kernelSize=2)


GROUPS = [max_pools, average_pools, kinds]
