"""Cases of what takes parts of a tensor: pieces, windows, diagonals."""

import math

import torch
import torch.nn.functional as F

from .case import case, permuted
from .record import Draw, encode, f32
from .values import SPECIAL
from .views import RANK_8


nan, inf = math.nan, math.inf


def several(fn):
    """The first of several outputs, and the others as extra."""

    def call(*tensors, **args):
        first, *others = fn(*tensors, **args)
        return first, {"extra": {str(i + 1): encode(other) for i, other in enumerate(others)}}

    return call


def pieces():
    draw = Draw("narrow")
    yield case("narrow", "middle", [draw.normal(3, 7)], dim=1, start=2, length=3)
    yield case("narrow", "from the back", [draw.normal(3, 7)], dim=-1, start=-4, length=2)
    yield case("narrow", "nothing", [draw.normal(3, 4)], dim=0, start=3, length=0)
    yield case("narrow", "permuted", [permuted(draw.normal(2, 3, 4), 2, 0, 1)], dim=0, start=1, length=2)
    yield case("narrow", "rank 8", [draw.normal(*RANK_8)], dim=2, start=1, length=2)
    yield case("narrow", "u8", [torch.arange(7, dtype=torch.uint8)], dim=0, start=2, length=4)
    draw = Draw("select")
    yield case("select", "row", [draw.normal(3, 5)], dim=0, index=1)
    yield case("select", "last column", [draw.normal(3, 5)], dim=-1, index=-1)
    yield case("select", "to scalar", [draw.normal(4)], dim=0, index=2)
    yield case("select", "empty", [draw.normal(0, 3)], dim=1, index=2)
    yield case("select", "permuted", [permuted(draw.normal(2, 3, 4), 1, 2, 0)], dim=1, index=3)
    draw = Draw("split")
    split = several(lambda x, size, dim=0: torch.split(x, size, dim))
    yield case("split", "even", [draw.normal(6, 2)], split, size=3)
    yield case("split", "rest", [draw.normal(2, 7)], split, size=3, dim=1)
    yield case("split", "larger", [draw.normal(2, 3)], split, size=9)
    yield case("split", "sizes", [draw.normal(7, 2)], split, size=[1, 4, 2])
    yield case("split", "sizes with 0", [permuted(draw.normal(2, 5), 1, 0)], split, size=[0, 5], dim=0)
    yield case("split", "empty", [draw.normal(0, 3)], split, size=2)
    yield case("split", "bool", [draw.bools(5)], split, size=2)
    draw = Draw("chunk")
    chunk = several(lambda x, chunks, dim=0: torch.chunk(x, chunks, dim))
    yield case("chunk", "even", [draw.normal(6)], chunk, chunks=3)
    yield case("chunk", "rest", [draw.normal(3, 7)], chunk, chunks=3, dim=-1)
    yield case("chunk", "fewer", [draw.normal(2)], chunk, chunks=3)
    yield case("chunk", "empty", [draw.normal(0)], chunk, chunks=3)
    draw = Draw("tensorSplit")
    # PyTorch calls the argument by two names
    tensor_split = several(lambda x, at, dim=0: torch.tensor_split(x, at if isinstance(at, int) else tuple(at), dim))
    yield case("tensorSplit", "sections", [draw.normal(7)], tensor_split, at=3)
    yield case("tensorSplit", "indices", [draw.normal(7)], tensor_split, at=[1, 3, -1, 9])
    yield case("tensorSplit", "back and forth", [draw.normal(2, 5)], tensor_split, at=[3, 1], dim=1)
    yield case("tensorSplit", "more than there are", [draw.normal(2, 3)], tensor_split, at=4)
    yield case("tensorSplit", "empty", [draw.normal(2, 0)], tensor_split, at=2, dim=1)
    draw = Draw("unbind")
    unbind = several(lambda x, dim=0: torch.unbind(x, dim))
    yield case("unbind", "rows", [draw.normal(3, 4)], unbind)
    yield case("unbind", "columns", [permuted(draw.normal(3, 4), 1, 0)], unbind, dim=1)
    yield case("unbind", "vector", [draw.ints(-9, 9, 3)], unbind)


def unfold(x, dimension, size, step):
    return x.unfold(dimension, size, step)


def windows():
    draw = Draw("unfold")
    yield case("unfold", "overlapping", [draw.normal(7)], unfold, dimension=0, size=3, step=2)
    yield case("unfold", "apart", [draw.normal(2, 9)], unfold, dimension=-1, size=2, step=3)
    yield case("unfold", "dense", [draw.normal(6, 2)], unfold, dimension=0, size=4, step=1)
    yield case("unfold", "middle", [draw.normal(2, 5, 3)], unfold, dimension=1, size=2, step=2)
    yield case("unfold", "permuted", [permuted(draw.normal(2, 3, 5), 2, 0, 1)], unfold, dimension=0, size=3, step=1)
    yield case("unfold", "whole", [draw.normal(4)], unfold, dimension=0, size=4, step=5)
    yield case("unfold", "scalar", [draw.normal()], unfold, dimension=0, size=1, step=1)
    yield case("unfold", "empty", [draw.normal(0, 4)], unfold, dimension=1, size=2, step=1)
    yield case("unfold", "of nothing", [draw.normal(3)], unfold, dimension=0, size=0, step=1, grad=False)
    yield case("unfold", "special", [f32(nan, 1, inf, -0.0)], unfold, dimension=0, size=2, step=1, grad=False)
    yield case("unfold", "bool", [draw.bools(6)], unfold, dimension=0, size=3, step=3)
    draw = Draw("unfoldImages")
    for name, shape, args in [
        ("plain", [2, 3, 4, 5], {"kernelSize": 2}),
        ("padded", [1, 2, 5, 4], {"kernelSize": [3, 2], "padding": [1, 0], "stride": [2, 1]}),
        ("dilated", [1, 2, 6, 7], {"kernelSize": [2, 3], "dilation": [2, 3], "padding": 1, "stride": 2}),
        ("one image", [2, 4, 4], {"kernelSize": 3}),
        ("no images", [0, 2, 4, 4], {"kernelSize": 2}),
    ]:
        yield case("unfoldImages", name, [draw.normal(*shape)], F.unfold, **args)
    images = permuted(draw.normal(3, 4, 5, 2), 3, 0, 2, 1)
    yield case("unfoldImages", "permuted", [images], F.unfold, kernelSize=2)
    draw = Draw("fold")
    for name, shape, args in [
        ("plain", [2, 12, 12], {"outputSize": [4, 5], "kernelSize": 2}),
        ("padded", [1, 12, 9], {"outputSize": [5, 4], "kernelSize": [3, 2], "padding": [1, 0], "stride": [2, 1]}),
        ("dilated", [1, 6, 8], {"outputSize": [6, 9], "kernelSize": [2, 3], "dilation": [2, 3], "padding": 1, "stride": [2, 1]}),
        ("gaps", [1, 4, 4], {"outputSize": [5, 6], "kernelSize": 2, "stride": 3}),
        ("one image", [8, 9], {"outputSize": 4, "kernelSize": 2}),
    ]:
        shape = fitting(shape, args)
        yield case("fold", name, [draw.normal(*shape)], F.fold, **args)
    yield case("fold", "permuted", [permuted(draw.normal(4, 9, 2), 2, 0, 1)], F.fold, outputSize=[4, 4], kernelSize=2)


def fitting(shape, args):
    """The shape with the number of windows that the args give."""
    pairs = {key: [value, value] if isinstance(value, int) else value for key, value in args.items()}
    one, zero = [1, 1], [0, 0]
    count = math.prod(
        (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel, pad, stride, dilation in zip(
            pairs["outputSize"],
            pairs["kernelSize"],
            pairs.get("padding", zero),
            pairs.get("stride", one),
            pairs.get("dilation", one),
        )
    )
    return [*shape[:-1], count]


def diagonals():
    draw = Draw("diagonal")
    yield case("diagonal", "square", [draw.normal(3, 3)])
    yield case("diagonal", "above", [draw.normal(3, 5)], offset=2)
    yield case("diagonal", "below", [draw.normal(5, 3)], offset=-1)
    yield case("diagonal", "dims", [draw.normal(2, 3, 4)], offset=1, dim1=-1, dim2=0)
    yield case("diagonal", "permuted", [permuted(draw.normal(4, 2, 3), 1, 2, 0)], offset=0, dim1=1, dim2=2)
    yield case("diagonal", "past the corner", [draw.normal(2, 3)], offset=5)
    yield case("diagonal", "empty", [draw.normal(2, 0, 3)], offset=0, dim1=0, dim2=2)
    yield case("diagonal", "i32", [draw.ints(-9, 9, 3, 4)], offset=1)
    yield case("diagonal", "rank 8", [draw.normal(*RANK_8)], offset=0, dim1=2, dim2=4)
    draw = Draw("diagEmbed")
    yield case("diagEmbed", "vector", [draw.normal(3)], torch.diag_embed)
    yield case("diagEmbed", "above", [draw.normal(2, 3)], torch.diag_embed, offset=1)
    yield case("diagEmbed", "below", [draw.normal(2, 3)], torch.diag_embed, offset=-2)
    yield case("diagEmbed", "dims", [draw.normal(2, 3)], torch.diag_embed, offset=1, dim1=0, dim2=2)
    yield case("diagEmbed", "swapped", [permuted(draw.normal(3, 2), 1, 0)], torch.diag_embed, offset=1, dim1=-1, dim2=0)
    yield case("diagEmbed", "empty", [draw.normal(2, 0)], torch.diag_embed, offset=1)
    yield case("diagEmbed", "special", [f32(nan, inf)], torch.diag_embed, grad=False)
    yield case("diagEmbed", "bool", [draw.bools(3)], torch.diag_embed)
    draw = Draw("diag")
    yield case("diag", "matrix", [draw.normal(3, 4)], diagonal=1)
    yield case("diag", "vector", [draw.normal(3)], diagonal=-1)
    yield case("diag", "empty", [draw.normal(0)])
    draw = Draw("trace")
    yield case("trace", "square", [draw.normal(3, 3)])
    yield case("trace", "wide", [permuted(draw.normal(5, 2), 1, 0)])
    yield case("trace", "empty", [draw.normal(0, 3)])
    yield case("trace", "special", [f32(1, nan, inf, 2).reshape(2, 2)], grad=False)
    yield case("trace", "i32", [draw.ints(-9, 9, 3, 3)])


def kinds():
    draw = Draw("parts kinds")
    split = several(lambda x, size, dim=0: torch.split(x, size, dim))
    chunk = several(lambda x, chunks, dim=0: torch.chunk(x, chunks, dim))
    tensor_split = several(lambda x, at, dim=0: torch.tensor_split(x, at, dim))
    unbind = several(lambda x, dim=0: torch.unbind(x, dim))
    yield case("narrow", "special", [SPECIAL], dim=0, start=0, length=2)
    yield case("select", "special", [SPECIAL], dim=1, index=0)
    yield case("split", "special", [SPECIAL], split, size=2)
    yield case("chunk", "special", [SPECIAL], chunk, chunks=2)
    yield case("chunk", "permuted", [permuted(draw.normal(2, 5), 1, 0)], chunk, chunks=2)
    yield case("tensorSplit", "special", [SPECIAL], tensor_split, at=2)
    yield case("tensorSplit", "permuted", [permuted(draw.normal(2, 5), 1, 0)], tensor_split, at=2)
    yield case("unbind", "special", [SPECIAL], unbind, dim=1)
    yield case("unbind", "empty", [draw.normal(2, 0)], unbind)
    yield case("unfoldImages", "special", [SPECIAL.reshape(1, 1, 3, 2)], F.unfold, kernelSize=2, grad=False)
    yield case("fold", "special", [SPECIAL.reshape(1, 2, 3)], F.fold, outputSize=[1, 4], kernelSize=[1, 2], grad=False)
    yield case("fold", "no images", [draw.normal(0, 4, 4)], F.fold, outputSize=[3, 3], kernelSize=2)
    yield case("diagonal", "special", [SPECIAL])
    yield case("diag", "special", [f32(nan, inf)])
    yield case("diag", "permuted", [permuted(draw.normal(2, 3), 1, 0)], diagonal=-1)


GROUPS = [pieces, windows, diagonals, kinds]
