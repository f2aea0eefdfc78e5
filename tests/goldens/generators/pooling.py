"""Cases of pooling."""

import math

import torch
import torch.nn.functional as F

from .case import case, permuted
from .record import Draw, encode, f32, i32

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
    yield case("maxPool2d", "one image", [draw.distinct(2, 4, 5)], kernelSize=2)
    for name, size, args in WINDOWS:
        yield case("maxPool2d", name, [draw.distinct(1, 2, *size)], **args)
    dilated = {"kernelSize": [3, 2], "stride": [1, 2], "padding": [1, 0], "dilation": [2, 3]}
    yield case("maxPool2d", "dilated", [draw.distinct(1, 2, 7, 8)], **dilated)
    yield case("maxPool2d", "dilated, cut", [draw.distinct(1, 1, 6, 9)], kernelSize=2, dilation=3, ceilMode=True)
    indices = {"fn": with_indices(F.max_pool2d), "returnIndices": True}
    yield case("maxPool2d", "indices", [draw.distinct(2, 2, 5, 6)], kernelSize=3, stride=2, padding=1, **indices)
    yield case("maxPool2d", "indices, cut", [draw.distinct(1, 1, 5, 6)], kernelSize=2, ceilMode=True, **indices)
    yield case("maxPool2d", "indices, dilated", [draw.distinct(2, 6, 5)], kernelSize=2, dilation=[3, 2], **indices)
    yield case("maxPool2d", "indices, ties", [draw.ints(0, 2, 1, 2, 5, 5).float()], kernelSize=3, padding=1, **indices)
    yield case("maxPool2d", "indices, special", [special], kernelSize=3, stride=1, grad=False, **indices)
    draw = Draw("maxPool1d")
    yield case("maxPool1d", "3", [draw.distinct(2, 2, 8)], kernelSize=3)
    yield case("maxPool1d", "overlap", [draw.distinct(1, 2, 9)], kernelSize=4, stride=2, padding=2, dilation=2)
    yield case("maxPool1d", "cut", [draw.distinct(1, 2, 8)], kernelSize=3, ceilMode=True)
    yield case("maxPool1d", "one signal", [draw.distinct(3, 7)], kernelSize=2)
    yield case("maxPool1d", "permuted", [permuted(draw.distinct(2, 7, 3), 0, 2, 1)], kernelSize=2)
    yield case("maxPool1d", "ties", [draw.ints(0, 2, 1, 2, 9).float()], kernelSize=3, stride=1, padding=1)
    yield case("maxPool1d", "special", [special.reshape(1, 2, 8)], kernelSize=2, grad=False)
    indices = {"fn": with_indices(F.max_pool1d), "returnIndices": True}
    yield case("maxPool1d", "indices", [draw.distinct(2, 2, 7)], kernelSize=3, stride=2, padding=1, **indices)
    yield case("maxPool1d", "no signals", [draw.normal(0, 2, 5)], kernelSize=2)


# name, size, args: windows that do not cover the plane evenly
WINDOWS = [
    ("cut", [5, 6], {"kernelSize": 2, "ceilMode": True}),
    ("cut, overlap", [6, 7], {"kernelSize": 3, "stride": 2, "ceilMode": True}),
    ("cut, padded", [5, 8], {"kernelSize": [3, 2], "stride": [2, 3], "padding": 1, "ceilMode": True}),
    ("cut, starts in the padding", [4, 5], {"kernelSize": 2, "stride": 3, "padding": 1, "ceilMode": True}),
]


def with_indices(pool):
    """The pooling, and where its maxima are."""

    def pooled(*args, **options):
        values, indices = pool(*args, **(options | {"return_indices": True}))
        return values, {"indices": encode(indices)}

    return pooled


def adaptive_max_pools():
    special = f32(1, nan, 2, -inf, 3, 4, -inf, -inf, inf, 5, 6, 7, 8, 9, nan, nan).reshape(1, 1, 4, 4)
    for op, pool, sizes, shape in [
        ("adaptiveMaxPool2d", F.adaptive_max_pool2d, [1, [3, 2], 3, [7, 9], [None, 2]], [2, 2, 5, 7]),
        ("adaptiveMaxPool1d", F.adaptive_max_pool1d, [1, 3, 7, 9], [2, 2, 7]),
    ]:
        draw = Draw(op)
        indices = {"fn": with_indices(pool), "returnIndices": True}
        for size in sizes:
            yield case(op, f"to {size}", [draw.distinct(*shape)], fn=pool, outputSize=size)
        yield case(op, "one alone", [draw.distinct(*shape[1:])], fn=pool, outputSize=3)
        yield case(op, "permuted", [permuted(draw.distinct(*reversed(shape)), *reversed(range(len(shape))))], fn=pool, outputSize=3)
        yield case(op, "ties", [draw.ints(0, 2, *shape).float()], fn=pool, outputSize=4)
        yield case(op, "indices", [draw.distinct(*shape)], outputSize=3, **indices)
        yield case(op, "indices, ties", [draw.ints(0, 2, *shape).float()], outputSize=4, **indices)
        image = special if op.endswith("2d") else special.reshape(1, 2, 8)
        yield case(op, "special", [image], outputSize=3, grad=False, **indices)
        yield case(op, "empty batch", [draw.normal(0, *shape[1:])], fn=pool, outputSize=2)


def more_average_pools():
    draw = Draw("avgPool2d", "more")
    for name, size, args in WINDOWS:
        yield case("avgPool2d", name, [draw.normal(1, 2, *size)], **args)
        inner = args | {"countIncludePad": False}
        yield case("avgPool2d", f"{name}, without padding", [draw.normal(1, 1, *size)], **inner)
    yield case("avgPool2d", "divisor", [draw.normal(1, 2, 4, 5)], kernelSize=2, divisorOverride=3)
    divisor = {"kernelSize": 3, "padding": 1, "ceilMode": True, "divisorOverride": -2, "countIncludePad": False}
    yield case("avgPool2d", "divisor, cut", [draw.normal(1, 1, 5, 6)], **divisor)
    yield case("avgPool2d", "one image", [draw.normal(2, 5, 4)], kernelSize=[2, 3], stride=1)
    draw = Draw("avgPool2d", "padded")
    for inside in [True, False]:
        name = "as many as tiles, padded" if inside else "as many as tiles, without padding"
        options = {"kernelSize": [2, 3], "padding": [0, 1], "countIncludePad": inside}
        yield case("avgPool2d", name, [draw.normal(1, 2, 4, 6)], **options)
    draw = Draw("avgPool1d")
    yield case("avgPool1d", "3", [draw.normal(2, 2, 8)], kernelSize=3)
    yield case("avgPool1d", "overlap", [draw.normal(1, 2, 9)], kernelSize=4, stride=2, padding=2)
    yield case("avgPool1d", "cut", [draw.normal(1, 2, 8)], kernelSize=3, padding=1, ceilMode=True)
    inner = {"kernelSize": 3, "padding": 1, "ceilMode": True, "countIncludePad": False}
    yield case("avgPool1d", "cut, without padding", [draw.normal(1, 2, 8)], **inner)
    yield case("avgPool1d", "one signal", [draw.normal(3, 7)], kernelSize=2)
    yield case("avgPool1d", "permuted", [permuted(draw.normal(2, 7, 3), 0, 2, 1)], kernelSize=2)
    yield case("avgPool1d", "special", [special_image(6, 7).reshape(1, 3, 14)], kernelSize=3, stride=1)
    yield case("avgPool1d", "no signals", [draw.normal(0, 2, 5)], kernelSize=2)
    yield case("avgPool1d", "as many as tiles, padded", [draw.normal(1, 2, 6)], kernelSize=3, padding=1)
    draw = Draw("adaptiveAvgPool1d")
    for size in [1, 3, 7, 9]:
        yield case("adaptiveAvgPool1d", f"to {size}", [draw.normal(2, 2, 7)], outputSize=size)
    yield case("adaptiveAvgPool1d", "one signal", [draw.normal(3, 7)], outputSize=2)
    yield case("adaptiveAvgPool1d", "permuted", [permuted(draw.normal(2, 7, 3), 0, 2, 1)], outputSize=4)
    yield case("adaptiveAvgPool1d", "special", [special_image(6, 7).reshape(1, 3, 14)], outputSize=4)
    yield case("adaptiveAvgPool1d", "no signals", [draw.normal(0, 2, 5)], outputSize=2)
    draw = Draw("adaptiveAvgPool2d", "more")
    average = {"fn": F.adaptive_avg_pool2d}
    yield case("adaptiveAvgPool2d", "one image", [draw.normal(2, 5, 4)], outputSize=[3, 2], **average)
    yield case("adaptiveAvgPool2d", "rows stay", [draw.normal(1, 2, 5, 4)], outputSize=[None, 3], **average)


def unpools():
    draw = Draw("maxUnpool2d")
    places = i32(5, 2, 11, 0, 8, 3, 14, 9, 1, 4, 10, 15).reshape(1, 3, 2, 2)
    yield case("maxUnpool2d", "2", [draw.normal(1, 3, 2, 2), places], fn=unpool(F.max_unpool2d), kernelSize=2)
    options = {"kernelSize": 3, "stride": 2, "padding": 1}
    places = i32(0, 4, 2, 7, 5, 6).reshape(1, 2, 3)  # one image
    yield case("maxUnpool2d", "odd", [draw.normal(1, 2, 3), places], fn=unpool(F.max_unpool2d), **options)
    sized = {"outputSize": [4, 6], **options}
    yield case("maxUnpool2d", "sized", [draw.normal(1, 2, 3), places], fn=unpool(F.max_unpool2d), **sized)
    twice = i32(0, 2, 2, 2).reshape(1, 1, 2, 2)
    yield case("maxUnpool2d", "places that meet", [draw.normal(1, 1, 2, 2), twice], fn=unpool(F.max_unpool2d), kernelSize=2)
    seen = permuted(draw.normal(2, 2, 1, 1), 3, 2, 1, 0)
    yield case("maxUnpool2d", "permuted", [seen, i32(5, 2, 11, 0).reshape(1, 1, 2, 2)], fn=unpool(F.max_unpool2d), kernelSize=2)
    special = f32(nan, inf, -inf, -0.0).reshape(1, 1, 2, 2)
    yield case("maxUnpool2d", "special", [special, i32(5, 2, 11, 0).reshape(1, 1, 2, 2)], fn=unpool(F.max_unpool2d), kernelSize=2)
    nothing = torch.zeros(0, 1, 2, 2)
    yield case("maxUnpool2d", "no images", [nothing, nothing.int()], fn=unpool(F.max_unpool2d), kernelSize=2)
    draw = Draw("maxUnpool1d")
    yield case("maxUnpool1d", "3", [draw.normal(2, 3), i32(1, 3, 8, 0, 5, 6).reshape(2, 3)], fn=unpool(F.max_unpool1d), kernelSize=3)
    yield case("maxUnpool1d", "sized", [draw.normal(1, 1, 2), i32(1, 4).reshape(1, 1, 2)], fn=unpool(F.max_unpool1d), kernelSize=2, outputSize=5)
    seen = permuted(draw.normal(3, 1, 1), 2, 1, 0)
    yield case("maxUnpool1d", "permuted", [seen, i32(4, 0, 2).reshape(1, 1, 3)], fn=unpool(F.max_unpool1d), kernelSize=2)
    yield case("maxUnpool1d", "special", [special.reshape(1, 1, 4), i32(5, 2, 7, 0).reshape(1, 1, 4)], fn=unpool(F.max_unpool1d), kernelSize=2)
    yield case("maxUnpool1d", "no signals", [nothing[:, 0], nothing[:, 0].int()], fn=unpool(F.max_unpool1d), kernelSize=2)


def unpool(fn):
    """PyTorch wants its indices in int64, and sizes in a list."""

    def unpooled(x, indices, kernel_size, output_size=None, **options):
        sizes = [output_size] if isinstance(output_size, int) else output_size
        return fn(x, indices.long(), kernel_size, output_size=sizes, **options)

    return unpooled


def power_pools():
    for op, size, shape in [("lpPool2d", [2, 3], [2, 2, 5, 7]), ("lpPool1d", 3, [2, 2, 8])]:
        draw = Draw(op)
        yield case(op, "2", [draw.normal(*shape)], normType=2.0, kernelSize=size)
        yield case(op, "3", [draw.uniform(0.5, 2, *shape)], normType=3.0, kernelSize=size, stride=1)
        yield case(op, "1.5, cut", [draw.uniform(0.5, 2, *shape)], normType=1.5, kernelSize=size, ceilMode=True)
        yield case(op, "one alone", [draw.normal(*shape[1:])], normType=2.0, kernelSize=size)
        yield case(op, "permuted", [permuted(draw.normal(*reversed(shape)), *reversed(range(len(shape))))], normType=2.0, kernelSize=2)
        image = special_image(6, 7)
        yield case(op, "special", [image if op.endswith("2d") else image.reshape(1, 3, 14)], normType=2.0, kernelSize=2, grad=False)
        yield case(op, "zeros", [torch.zeros(1, *shape[1:])], normType=2.0, kernelSize=2)
        yield case(op, "empty batch", [draw.normal(0, *shape[1:])], normType=2.0, kernelSize=2)


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


GROUPS = [max_pools, average_pools, kinds, more_average_pools, adaptive_max_pools, power_pools, unpools]
