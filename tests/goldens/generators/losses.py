"""Cases of the losses, and of what they compare with."""

import math

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, f32, i32

nan, inf = math.nan, math.inf


def class_loss(fn):
    """Targets are i32 here and int64 in PyTorch."""

    def loss(x, target, weight=None, reduction="mean", ignore_index=-100, **options):
        return fn(x, target.long(), weight, reduction=reduction, ignore_index=ignore_index, **options)

    return loss


cross_entropy, nll_loss = class_loss(F.cross_entropy), class_loss(F.nll_loss)


def class_losses():
    for op, loss in {"crossEntropy": cross_entropy, "nllLoss": nll_loss}.items():
        draw = Draw(op)
        scores = draw.normal if op == "crossEntropy" else log_probabilities(draw)
        weight = constant(draw.uniform(0.2, 2, 5))
        target = i32(4, 0, 2, 2)
        for reduction in ["mean", "sum", "none"]:
            yield case(op, reduction, [scores(4, 5), target], loss, reduction=reduction)
            yield case(op, f"weight {reduction}", [scores(4, 5), target, weight], loss, reduction=reduction)
            yield case(op, f"ignore {reduction}", [scores(4, 5), i32(4, -100, 2, -100)], loss, reduction=reduction)
        yield case(op, "ignore index", [scores(4, 5), target, weight], loss, ignoreIndex=2)
        yield case(op, "all ignored", [scores(2, 5), i32(-100, -100)], loss, grad=False)
        yield case(op, "images", [scores(2, 3, 2, 2), draw.ints(0, 3, 2, 2, 2)], loss)
        yield case(op, "one sample", [scores(5), torch.tensor(3, dtype=torch.int32)], loss)
        yield case(op, "permuted", [permuted(scores(5, 4), 1, 0), target], loss)


def log_probabilities(draw):
    """Like log probabilities in sign and size; nllLoss does not ask that they sum to one."""
    return lambda *shape: draw.uniform(-6, -0.1, *shape)


def smoothing():
    draw = Draw("labelSmoothing")
    target, weight = i32(4, 0, 2, 2), constant(draw.uniform(0.2, 2, 5))
    for reduction in ["mean", "sum", "none"]:
        options = {"reduction": reduction, "labelSmoothing": 0.1}
        yield case("crossEntropy", f"smooth {reduction}", [draw.normal(4, 5), target], cross_entropy, **options)
        weighted = [draw.normal(4, 5), target, weight]
        yield case("crossEntropy", f"smooth weight {reduction}", weighted, cross_entropy, **options)
    ignoring = {"ignoreIndex": 2, "labelSmoothing": 0.2}
    yield case("crossEntropy", "smooth ignore", [draw.normal(4, 5), target, weight], cross_entropy, **ignoring)


def contrastive():
    draw = Draw("contrastive")
    logits = torch.cat([draw.uniform(10, 14, 3, 1), draw.uniform(-14, 14, 3, 32)], 1)
    yield case("crossEntropy", "contrastive", [logits, i32(0, 0, 0)], cross_entropy)
    yield case("crossEntropy", "large", [f32(1000, 0, -1000, 0, 500, 1000).reshape(2, 3), i32(0, 0)], cross_entropy)
    yield case("crossEntropy", "masked", [f32(-inf, 0, 1, 2, -inf, 1).reshape(2, 3), i32(1, 2)], cross_entropy)


def squared_errors():
    draw = Draw("mseLoss")
    for reduction in ["mean", "sum", "none"]:
        yield case("mseLoss", reduction, [draw.normal(3, 5), draw.normal(3, 5)], reduction=reduction)
    yield case("mseLoss", "default", [draw.normal(7), draw.normal(7)])
    yield case("mseLoss", "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3)])


def absolute_errors():
    draw = Draw("l1Loss")
    for reduction in ["mean", "sum", "none"]:
        yield case("l1Loss", reduction, [draw.normal(3, 5), draw.normal(3, 5)], reduction=reduction)
    yield case("l1Loss", "equal", [f32(1, 2, 3), f32(1, 0, 4)])


def robust_errors():
    for op, option in {"smoothL1Loss": "beta", "huberLoss": "delta"}.items():
        draw = Draw(op)
        for reduction in ["mean", "sum", "none"]:
            yield case(op, reduction, [draw.normal(3, 5), draw.normal(3, 5)], reduction=reduction)
        yield case(op, option, [draw.normal(3, 5), draw.normal(3, 5)], **{option: 0.3})
        yield case(op, "far", [f32(0, 1, 2, -1e30, 1e30), f32(0, 0, 0, 1e30, -1e30)], reduction="none")
    yield case("smoothL1Loss", "beta 0", [f32(1, 2, 4), f32(0, 3, 1)], beta=0)


def divergences():
    op = "klDiv"
    draw = Draw(op)
    scores = lambda: torch.log_softmax(draw.normal(3, 5), 1)
    for reduction in ["mean", "sum", "none", "batchmean"]:
        inputs = [scores(), torch.softmax(draw.normal(3, 5), 1)]
        yield case(op, reduction, inputs, F.kl_div, reduction=reduction)
        yield case(op, f"log {reduction}", [scores(), scores()], F.kl_div, reduction=reduction, logTarget=True)
    yield case(op, "sure", [scores(), constant(torch.eye(3, 5))], F.kl_div)


def binary_errors():
    op = "binaryCrossEntropyWithLogits"
    draw = Draw(op)
    for reduction in ["mean", "sum", "none"]:
        inputs = [draw.normal(3, 5), draw.uniform(0, 1, 3, 5)]
        yield case(op, reduction, inputs, F.binary_cross_entropy_with_logits, reduction=reduction)
    scores = f32(0, 10, -10, 10, -10, 90, -90, 90, -90, 1e-4)
    yield case(op, "far", [scores, f32(1, 1, 1, 0, 0, 1, 0, 0, 1, 0.5)], F.binary_cross_entropy_with_logits, reduction="none")


def binary_weights():
    op = "binaryCrossEntropyWithLogits"
    draw = Draw(f"{op} weights")

    def loss(x, target, weight=None, pos_weight=None, reduction="mean"):
        return F.binary_cross_entropy_with_logits(x, target, weight, pos_weight=pos_weight, reduction=reduction)

    pair = [draw.normal(3, 5), draw.uniform(0, 1, 3, 5)]
    weight, positive = constant(draw.uniform(0.2, 2, 5)), constant(draw.uniform(0.2, 3, 5))
    for reduction in ["mean", "sum", "none"]:
        yield case(op, f"weight {reduction}", [*pair, weight], loss, reduction=reduction)
        yield case(op, f"positive {reduction}", [*pair, None, positive], loss, reduction=reduction)
    yield case(op, "both", [*pair, weight, positive], loss)
    scores = f32(0, 10, -10, 90, -90, 90)
    yield case(op, "positive far", [scores, f32(1, 1, 0, 0, 1, 1), None, constant(f32(2))], loss, reduction="none")


def similarities():
    op = "cosineSimilarity"
    draw = Draw(op)
    yield case(op, "rows", [draw.normal(3, 5), draw.normal(3, 5)])
    yield case(op, "first", [draw.normal(4, 3), draw.normal(4, 3)], dim=0)
    yield case(op, "pairs", [draw.normal(3, 1, 5), draw.normal(1, 4, 5)], dim=-1)
    yield case(op, "along", [draw.normal(2, 1), draw.normal(2, 4)], dim=1, grad=False)  # that of x is 0, but for rounding
    yield case(op, "short", [f32(3e-3, 4e-3, 1, 2).reshape(2, 2), draw.normal(2, 2)], eps=0.1)


def normalize(x, p=2, **options):
    return F.normalize(x, p=float(p), **options)


def normalizes():
    draw = Draw("normalize")
    yield case("normalize", "rows", [draw.normal(3, 7)], normalize, dim=1)
    yield case("normalize", "columns", [draw.normal(3, 7)], normalize, dim=0)
    yield case("normalize", "images", [draw.normal(2, 3, 2, 2)], normalize, dim=1)
    yield case("normalize", "permuted", [permuted(draw.normal(5, 3), 1, 0)], normalize, dim=1)
    yield case("normalize", "zero row", [f32(0, 0, 3, 4).reshape(2, 2)], normalize, dim=1)
    yield case("normalize", "below eps", [f32(0.03, 0.04, 3, 4).reshape(2, 2)], normalize, dim=1, eps=0.1)
    yield case("normalize", "p 1", [draw.normal(3, 5)], normalize, p=1, dim=1)
    yield case("normalize", "empty", [draw.normal(0, 5)], normalize, dim=1)


def elementwise_kinds():
    """Views, no elements, and no ordinary numbers, for losses of pairs of numbers."""
    for op in ["mseLoss", "l1Loss", "smoothL1Loss", "huberLoss", "klDiv", "binaryCrossEntropyWithLogits"]:
        draw = Draw(f"{op} kinds")
        fn = {"klDiv": F.kl_div, "binaryCrossEntropyWithLogits": F.binary_cross_entropy_with_logits}.get(op)
        yield case(op, "views", [permuted(draw.normal(5, 3), 1, 0), permuted(draw.uniform(0, 1, 5, 3), 1, 0)], fn)
        yield case(op, "empty", [draw.normal(0, 3), draw.uniform(0, 1, 0, 3)], fn, reduction="sum")
        yield case(op, "mean of nothing", [draw.normal(0, 3), draw.uniform(0, 1, 0, 3)], fn)
        special = [f32(nan, inf, -inf, 0, 1), f32(0, 1, 0, inf, nan)]
        yield case(op, "special", special, fn, grad=False, reduction="none")


def class_kinds():
    for op, loss in {"crossEntropy": cross_entropy, "nllLoss": nll_loss}.items():
        draw = Draw(f"{op} kinds")
        yield case(op, "empty", [draw.normal(0, 5), i32()], loss, reduction="sum")
        yield case(op, "mean of nothing", [draw.normal(0, 5), i32()], loss)
    special = f32(nan, -1, -2, -inf, -1, inf).reshape(3, 2)
    yield case("nllLoss", "special", [special, i32(0, 1, 0)], nll_loss, grad=False, reduction="none")


def vector_kinds():
    draw = Draw("cosineSimilarity kinds")
    views = [permuted(draw.normal(5, 3), 1, 0), permuted(draw.normal(5, 3), 1, 0)]
    yield case("cosineSimilarity", "views", views)
    yield case("cosineSimilarity", "empty", [draw.normal(0, 5), draw.normal(0, 5)])
    special = f32(nan, 1, inf, 1, 2, 3).reshape(3, 2)
    yield case("cosineSimilarity", "special", [special, draw.normal(3, 2)], grad=False)
    yield case("normalize", "special", [special], normalize, grad=False, dim=1)


GROUPS = [
    class_losses,
    smoothing,
    contrastive,
    squared_errors,
    absolute_errors,
    robust_errors,
    divergences,
    binary_errors,
    binary_weights,
    similarities,
    normalizes,
    elementwise_kinds,
    class_kinds,
    vector_kinds,
]
