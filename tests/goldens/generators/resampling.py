"""Cases of interpolation, sampling by a grid, and channels moved into space."""

import math

import torch

from .case import case, permuted
from .record import Draw, f32

nan, inf = math.nan, math.inf

# name: mode, shape, args
INTERPOLATIONS = {
    "twice": ("nearest", [1, 2, 3, 4], {"scaleFactor": 2.0}),
    "half": ("nearest", [1, 2, 4, 6], {"scaleFactor": 0.5}),
    "larger": ("nearest", [2, 1, 3, 5], {"size": [7, 8]}),
    "smaller": ("nearest", [1, 2, 7, 5], {"size": [3, 4]}),
    "by a factor": ("nearest", [1, 2, 5, 4], {"scaleFactor": [1.7, 0.6]}),
    "by a factor, recomputed": ("nearest", [1, 2, 5, 4], {"scaleFactor": [1.7, 0.6], "recomputeScaleFactor": True}),
    "signal": ("nearest", [2, 2, 5], {"size": 8}),
    "volume": ("nearest", [1, 1, 2, 3, 2], {"scaleFactor": [2.0, 1.4, 1.0]}),
    "one pixel": ("nearest", [1, 2, 1, 1], {"size": 3}),
    "exact, larger": ("nearest-exact", [2, 1, 3, 5], {"size": [7, 8]}),
    "exact, smaller": ("nearest-exact", [1, 2, 7, 5], {"size": [3, 2]}),
    "exact, by a factor": ("nearest-exact", [1, 2, 5, 4], {"scaleFactor": [1.7, 0.6]}),
    "exact, signal": ("nearest-exact", [2, 2, 5], {"size": 3}),
    "exact, volume": ("nearest-exact", [1, 1, 2, 3, 2], {"size": [3, 2, 4]}),
    "bilinear, twice": ("bilinear", [1, 2, 3, 4], {"scaleFactor": 2.0}),
    "bilinear, larger": ("bilinear", [2, 1, 3, 4], {"size": [5, 9]}),
    "bilinear, smaller": ("bilinear", [1, 2, 7, 5], {"size": [3, 2]}),
    "bilinear, much larger": ("bilinear", [1, 1, 2, 2], {"size": [13, 3]}),
    "bilinear, one pixel": ("bilinear", [1, 2, 1, 1], {"size": [2, 3]}),
    "bilinear, to one pixel": ("bilinear", [1, 2, 4, 3], {"size": 1}),
    "bilinear, same size": ("bilinear", [1, 2, 3, 4], {"size": [3, 4]}),
    "bilinear, by a factor": ("bilinear", [1, 2, 5, 4], {"scaleFactor": [1.7, 0.6]}),
    "bilinear, recomputed": ("bilinear", [1, 2, 5, 4], {"scaleFactor": [1.7, 0.6], "recomputeScaleFactor": True}),
    "bilinear, corners, larger": ("bilinear", [2, 1, 3, 4], {"size": [5, 9], "alignCorners": True}),
    "bilinear, corners, smaller": ("bilinear", [1, 2, 7, 5], {"size": [3, 2], "alignCorners": True}),
    "bilinear, corners, to one pixel": ("bilinear", [1, 2, 4, 3], {"size": 1, "alignCorners": True}),
    "bilinear, corners, by a factor": ("bilinear", [1, 2, 5, 4], {"scaleFactor": 1.7, "alignCorners": True}),
    "linear, larger": ("linear", [2, 2, 5], {"size": 8}),
    "linear, smaller, corners": ("linear", [2, 2, 7], {"size": 3, "alignCorners": True}),
    "trilinear": ("trilinear", [1, 1, 2, 3, 2], {"size": [3, 2, 4]}),
    "trilinear, corners": ("trilinear", [1, 1, 2, 3, 2], {"size": [3, 5, 4], "alignCorners": True}),
    "bicubic, larger": ("bicubic", [1, 2, 3, 4], {"size": [5, 9]}),
    "bicubic, smaller": ("bicubic", [1, 1, 7, 6], {"size": [3, 4]}),
    "bicubic, corners": ("bicubic", [1, 1, 4, 5], {"size": [7, 3], "alignCorners": True}),
    "bicubic, by a factor": ("bicubic", [1, 1, 4, 3], {"scaleFactor": [1.6, 2.3]}),
    "bicubic, one pixel": ("bicubic", [1, 2, 1, 1], {"size": 2}),
    "area, smaller": ("area", [1, 2, 7, 5], {"size": [3, 2]}),
    "area, larger": ("area", [1, 2, 3, 4], {"size": [5, 4]}),
    "area, by a factor": ("area", [1, 1, 6, 7], {"scaleFactor": [0.5, 0.6]}),
    "area, signal": ("area", [2, 2, 7], {"size": 3}),
    "area, volume": ("area", [1, 1, 3, 4, 2], {"size": [2, 2, 1]}),
    "antialiased, smaller": ("bilinear", [1, 1, 9, 7], {"size": [4, 3], "antialias": True}),
    "antialiased, corners": ("bilinear", [1, 1, 9, 7], {"size": [4, 8], "antialias": True, "alignCorners": True}),
    "antialiased, bicubic": ("bicubic", [1, 1, 9, 7], {"size": [4, 9], "antialias": True}),
    "antialiased, by a factor": ("bicubic", [1, 1, 7, 8], {"scaleFactor": 0.45, "antialias": True}),
    "no images": ("bilinear", [0, 2, 3, 4], {"size": 5}),
    "nearest, no images": ("nearest", [0, 2, 3, 4], {"size": 5}),
}


def interpolations():
    draw = Draw("interpolate")
    for name, (mode, shape, args) in INTERPOLATIONS.items():
        yield case("interpolate", name, [draw.normal(*shape)], mode=mode, **args)
    permuted_image = permuted(draw.normal(1, 3, 4, 2), 0, 3, 1, 2)
    for mode in ["nearest", "bilinear", "bicubic", "area"]:
        yield case("interpolate", f"permuted, {mode}", [permuted_image], mode=mode, size=[5, 3])
        yield case("interpolate", f"special, {mode}", [special_image()], mode=mode, size=[4, 9], grad=False)
        yield case("interpolate", f"special, same size, {mode}", [special_image()], mode=mode, size=[3, 6], grad=False)


def special_image():
    """Small numbers, infinities, NaN and negative zero, each among finite neighbours."""
    image = (torch.arange(18, dtype=torch.float32) % 5).reshape(1, 1, 3, 6)
    image[0, 0, 0, 0], image[0, 0, 2, 5], image[0, 0, 0, 4], image[0, 0, 2, 0] = inf, -inf, nan, -0.0
    return image


def grid_samples():
    draw = Draw("gridSample")
    for mode in ["bilinear", "nearest"]:
        for padding in ["zeros", "border", "reflection"]:
            for corners in [False, True]:
                inputs = [draw.normal(2, 2, 3, 4), grid(draw, 2, 3, 2)]
                name = f"{mode}, {padding}" + (", corners" if corners else "")
                yield case("gridSample", name, inputs, mode=mode, paddingMode=padding, alignCorners=corners)
    wide = {"mode": "bilinear", "alignCorners": True}
    far = draw.uniform(-4, 4, 1, 3, 3, 2)
    yield case("gridSample", "far away", [draw.normal(1, 1, 3, 4), far], paddingMode="reflection", **wide)
    middles = f32(-1, -1, 1, 1, 0, 0, -0.5, 0.5, 1, -1, -1, 0.5).reshape(1, 2, 3, 2)  # on pixels, and between them
    for padding in ["zeros", "border", "reflection"]:
        yield case("gridSample", f"on pixels, {padding}", [draw.normal(1, 2, 3, 5), middles], paddingMode=padding, **wide)
    halves = f32(-0.25, 0.75, 0.25, -0.75, 0.75, 0.25).reshape(1, 1, 3, 2)  # halfway between pixels: to the even one
    yield case("gridSample", "ties", [draw.normal(1, 1, 4, 4), halves], mode="nearest", alignCorners=False)
    for corners in [False, True]:
        inputs = [draw.normal(1, 2, 1, 1), grid(draw, 1, 2, 2)]
        name = "one pixel" + (", corners" if corners else "")
        yield case("gridSample", name, inputs, paddingMode="reflection", alignCorners=corners)
    views = [permuted(draw.normal(2, 3, 4, 2), 0, 3, 1, 2), permuted(draw.uniform(-1.2, 1.2, 2, 2, 2, 3), 0, 2, 3, 1)]
    yield case("gridSample", "permuted", views, alignCorners=False)
    places = f32(nan, 0.1, inf, 0.1, 0.1, -inf, 1e4, 0.3).reshape(1, 1, 4, 2)
    yield case("gridSample", "special places", [draw.normal(1, 1, 3, 4), places], alignCorners=False, grad=False)
    image = special_image()
    yield case("gridSample", "special pixels", [image, grid(draw, 1, 3, 3)], alignCorners=True, grad=False)
    yield case("gridSample", "special pixels, nearest", [image, grid(draw, 1, 3, 3)], mode="nearest", grad=False, alignCorners=False)
    yield case("gridSample", "no images", [draw.normal(0, 2, 3, 4), grid(draw, 0, 2, 2)], alignCorners=False)
    yield case("gridSample", "no samples", [draw.normal(1, 2, 3, 4), grid(draw, 1, 0, 2)], alignCorners=False)


def grid(draw, *shape):
    """Places in the image and a little around it; three decimals are no kinks."""
    return draw.uniform(-1.6, 1.6, *shape, 2)


def affine_grids():
    draw = Draw("affineGrid")
    for name, size in [("3x4", [2, 1, 3, 4]), ("one row", [1, 3, 1, 5]), ("one", [1, 1, 1, 1])]:
        for corners in [False, True]:
            label = name + (", corners" if corners else "")
            theta = draw.normal(size[0], 2, 3)
            yield case("affineGrid", label, [theta], size=size, alignCorners=corners)
    yield case("affineGrid", "permuted", [permuted(draw.normal(3, 1, 2), 1, 2, 0)], size=[1, 1, 2, 2], alignCorners=False)
    theta = f32(1, inf, 0, nan, 1, -inf).reshape(1, 2, 3)
    yield case("affineGrid", "special", [theta], size=[1, 1, 2, 2], alignCorners=False, grad=False)


def channel_shuffle(x, groups):
    """torch.channel_shuffle, which has no derivative."""
    batch, channels, *inner = x.shape
    shuffled = x.reshape(batch, groups, channels // groups, *inner).transpose(1, 2).reshape(x.shape)
    assert torch.equal(shuffled.nan_to_num(), torch.channel_shuffle(x.detach(), groups).nan_to_num())
    return shuffled


def shuffles():
    edges = f32(nan, inf, -inf, -0.0, 1, 2, 3, 4)
    draw = Draw("pixelShuffle")
    yield case("pixelShuffle", "2", [draw.normal(2, 8, 2, 3)], upscaleFactor=2)
    yield case("pixelShuffle", "3", [draw.normal(1, 9, 1, 2)], upscaleFactor=3)
    yield case("pixelShuffle", "one image", [draw.normal(4, 3, 2)], upscaleFactor=2)
    yield case("pixelShuffle", "two batches", [draw.normal(2, 1, 4, 1, 2)], upscaleFactor=2)
    yield case("pixelShuffle", "by 1", [draw.normal(1, 3, 2, 2)], upscaleFactor=1)
    yield case("pixelShuffle", "permuted", [permuted(draw.normal(1, 2, 3, 4), 0, 3, 1, 2)], upscaleFactor=2)
    yield case("pixelShuffle", "special", [edges.reshape(1, 4, 2, 1)], upscaleFactor=2)
    yield case("pixelShuffle", "no images", [draw.normal(0, 4, 2, 2)], upscaleFactor=2, grad=False)  # PyTorch fails
    draw = Draw("pixelUnshuffle")
    yield case("pixelUnshuffle", "2", [draw.normal(2, 2, 4, 6)], downscaleFactor=2)
    yield case("pixelUnshuffle", "3", [draw.normal(1, 1, 3, 6)], downscaleFactor=3)
    yield case("pixelUnshuffle", "one image", [draw.normal(3, 4, 2)], downscaleFactor=2)
    yield case("pixelUnshuffle", "two batches", [draw.normal(2, 1, 1, 4, 2)], downscaleFactor=2)
    yield case("pixelUnshuffle", "permuted", [permuted(draw.normal(1, 2, 4, 3), 0, 3, 1, 2)], downscaleFactor=2)
    yield case("pixelUnshuffle", "special", [edges.reshape(1, 1, 2, 4)], downscaleFactor=2)
    draw = Draw("channelShuffle")
    yield case("channelShuffle", "2", [draw.normal(2, 6, 2, 3)], groups=2, fn=channel_shuffle)
    yield case("channelShuffle", "3", [draw.normal(1, 6, 1, 2)], groups=3, fn=channel_shuffle)
    yield case("channelShuffle", "signal", [draw.normal(2, 4, 3)], groups=2, fn=channel_shuffle)
    yield case("channelShuffle", "permuted", [permuted(draw.normal(1, 2, 3, 4), 0, 3, 1, 2)], groups=2, fn=channel_shuffle)
    yield case("channelShuffle", "special", [edges.reshape(1, 4, 2, 1)], groups=2, fn=channel_shuffle)
    yield case("channelShuffle", "no images", [draw.normal(0, 4, 2, 2)], groups=2, fn=channel_shuffle)


GROUPS = [interpolations, grid_samples, affine_grids, shuffles]
