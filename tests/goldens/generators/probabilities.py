"""Cases of losses that are negative log probabilities of numbers."""

import math

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, f32

nan, inf = math.nan, math.inf

REDUCTIONS = ["mean", "sum", "none"]


def binary():
    op = "binaryCrossEntropy"
    draw = Draw(op)

    def loss(x, target, weight=None, reduction="mean"):
        return F.binary_cross_entropy(x, target, weight, reduction=reduction)

    for reduction in REDUCTIONS:
        inputs = [draw.uniform(0.05, 0.95, 3, 5), draw.uniform(0, 1, 3, 5)]
        yield case(op, reduction, inputs, loss, reduction=reduction)
        yield case(op, f"weight {reduction}", [*inputs, constant(draw.uniform(0.2, 2, 5))], loss, reduction=reduction)
    yield case(op, "sure", [f32(0, 1, 0, 1, 1e-30), constant(f32(0, 1, 1, 0, 1))], loss, reduction="none")
    yield case(op, "permuted", [permuted(draw.uniform(0.1, 0.9, 4, 3), 1, 0), draw.uniform(0, 1, 3, 4)], loss)


def gaussian():
    op = "gaussianNllLoss"
    draw = Draw(op)
    for reduction in REDUCTIONS:
        inputs = [draw.normal(3, 4), draw.normal(3, 4), draw.uniform(0.2, 2, 3, 4)]
        yield case(op, reduction, inputs, F.gaussian_nll_loss, reduction=reduction)
    pair = [draw.normal(3, 4), draw.normal(3, 4)]
    yield case(op, "full", [*pair, draw.uniform(0.2, 2, 3, 4)], F.gaussian_nll_loss, full=True)
    yield case(op, "one per sample", [*pair, draw.uniform(0.2, 2, 3)], F.gaussian_nll_loss)
    yield case(op, "kept size", [*pair, draw.uniform(0.2, 2, 3, 1)], F.gaussian_nll_loss)
    yield case(op, "eps", [*pair, draw.uniform(0.01, 0.3, 3, 4)], F.gaussian_nll_loss, eps=0.1)


def poisson():
    op = "poissonNllLoss"
    draw = Draw(op)
    counts = constant(f32(0, 1, 2, 7, 30, 3).reshape(2, 3))
    for reduction in REDUCTIONS:
        yield case(op, reduction, [draw.normal(2, 3), counts], F.poisson_nll_loss, reduction=reduction)
    yield case(op, "full", [draw.normal(2, 3), counts], F.poisson_nll_loss, full=True)
    yield case(op, "means", [draw.uniform(0.2, 9, 2, 3), counts], F.poisson_nll_loss, logInput=False)
    yield case(op, "eps", [draw.uniform(0.2, 9, 2, 3), counts], F.poisson_nll_loss, logInput=False, full=True, eps=0.1)


def margins():
    op = "softMarginLoss"
    draw = Draw(op)
    signs = constant(f32(1, -1, -1, 1, 1, -1).reshape(2, 3))
    for reduction in REDUCTIONS:
        yield case(op, reduction, [draw.normal(2, 3), signs], F.soft_margin_loss, reduction=reduction)
    yield case(op, "far", [f32(8, -50, 8), constant(f32(1, 1, -1))], F.soft_margin_loss, reduction="none")
    op = "multilabelSoftMarginLoss"
    draw = Draw(op)

    def loss(x, target, weight=None, reduction="mean"):
        return F.multilabel_soft_margin_loss(x, target, weight, reduction=reduction)

    labels = constant(f32(1, 0, 0, 1, 1, 0).reshape(2, 3))
    for reduction in REDUCTIONS:
        yield case(op, reduction, [draw.normal(2, 3), labels], loss, reduction=reduction)
    yield case(op, "weight", [draw.normal(2, 3), labels, constant(draw.uniform(0.2, 2, 3))], loss)
    yield case(op, "permuted", [permuted(draw.normal(3, 2), 1, 0), labels], loss)


def kinds():
    """Views, no elements, and no ordinary numbers."""
    draw = Draw("probabilities kinds")
    signs, labels = constant(f32(1, -1, 1)), constant(f32(1, 0, 1))

    def soft_labels(x, target, reduction="mean"):
        return F.multilabel_soft_margin_loss(x, target, None, reduction=reduction)

    def binary_loss(x, target, reduction="mean"):
        return F.binary_cross_entropy(x, target, None, reduction=reduction)

    view = permuted(draw.normal(3, 2), 1, 0)
    counts = constant(f32(0, 1, 2, 7, 30, 3).reshape(2, 3))
    yield case("gaussianNllLoss", "views", [view, draw.normal(2, 3), draw.uniform(0.2, 2, 2, 3)], F.gaussian_nll_loss)
    yield case("poissonNllLoss", "views", [view, counts], F.poisson_nll_loss)
    yield case("softMarginLoss", "views", [view, constant(f32(1, -1, 1, 1, -1, -1).reshape(2, 3))], F.soft_margin_loss)

    nothing = draw.normal(0, 3)
    none = constant(f32().reshape(0, 3))
    yield case("binaryCrossEntropy", "empty", [nothing, none], binary_loss, reduction="sum")
    yield case("gaussianNllLoss", "empty", [nothing, nothing, nothing], F.gaussian_nll_loss, reduction="sum")
    yield case("poissonNllLoss", "empty", [nothing, none], F.poisson_nll_loss, reduction="sum")
    yield case("softMarginLoss", "empty", [nothing, none], F.soft_margin_loss, reduction="sum")
    yield case("multilabelSoftMarginLoss", "empty", [nothing, none], soft_labels, reduction="sum")

    each = {"grad": False, "reduction": "none"}
    special = f32(nan, inf, -inf)
    yield case("binaryCrossEntropy", "special", [f32(0.5, 0.5, 0.25), f32(nan, 0, 1)], binary_loss, **each)
    yield case("gaussianNllLoss", "special", [special, f32(0, 1, 2), f32(1, 2, 3)], F.gaussian_nll_loss, **each)
    yield case("poissonNllLoss", "special", [special, f32(1, 1, 1)], F.poisson_nll_loss, **each)
    yield case("softMarginLoss", "special", [special, signs], F.soft_margin_loss, **each)
    rows = [special.reshape(3, 1), labels.tensor.reshape(3, 1)]
    yield case("multilabelSoftMarginLoss", "special", rows, soft_labels, **each)


GROUPS = [binary, gaussian, poisson, margins, kinds]
