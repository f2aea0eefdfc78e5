"""Cases of losses of pairs and triples of vectors. infoNCE is not PyTorch's: its oracle is written out here."""

import math

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, f32, i32

inf, nan = math.inf, math.nan
REDUCTIONS = ["mean", "sum", "none"]


def pairwise():
    op = "pairwiseDistance"
    draw = Draw(op)
    distance = F.pairwise_distance
    yield case(op, "rows", [draw.normal(3, 5), draw.normal(3, 5)], distance)
    yield case(op, "broadcast", [draw.normal(4, 3), draw.normal(3)], distance, keepDim=True)
    yield case(op, "permuted", [permuted(draw.normal(5, 3), 1, 0), draw.normal(3, 5)], distance)
    yield case(op, "p 1", [draw.normal(3, 5), draw.normal(3, 5)], distance, p=1.0)
    yield case(op, "p inf", [draw.normal(3, 5), draw.normal(3, 5)], lambda x, y, p: distance(x, y, p=float(p)), p="inf")
    yield case(op, "eps", [draw.normal(2, 3), draw.normal(2, 3)], distance, eps=0.1)
    yield case(op, "equal", [f32(1, 2, 3).reshape(1, 3), f32(1, 2, 3).reshape(1, 3)], distance)
    yield case(op, "empty", [draw.normal(0, 3), draw.normal(0, 3)], distance)
    yield case(op, "special", [f32(nan, 1, inf, 1).reshape(2, 2), f32(0, 0, 1, 2).reshape(2, 2)], distance, grad=False)


def cosine_embeddings():
    op = "cosineEmbeddingLoss"
    draw = Draw(op)
    for reduction in REDUCTIONS:
        inputs = [draw.normal(5, 3), draw.normal(5, 3), i32(1, -1, 1, -1, -1)]
        yield case(op, reduction, inputs, F.cosine_embedding_loss, reduction=reduction)
        yield case(op, f"margin {reduction}", inputs, F.cosine_embedding_loss, margin=0.3, reduction=reduction)
    yield case(op, "vector", [draw.normal(3), draw.normal(3), torch.tensor(1, dtype=torch.int32)], F.cosine_embedding_loss)
    yield case(op, "neither", [draw.normal(2, 3), draw.normal(2, 3), i32(0, 1)], F.cosine_embedding_loss, reduction="none")
    yield case(op, "zero row", [f32(0, 0, 1, 2).reshape(2, 2), draw.normal(2, 2), i32(1, 1)], F.cosine_embedding_loss)
    yield case(op, "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3), i32(1, -1)], F.cosine_embedding_loss)


def triplets():
    op = "tripletMarginLoss"
    draw = Draw(op)
    for reduction in REDUCTIONS:
        inputs = [draw.normal(5, 3), draw.normal(5, 3), draw.normal(5, 3)]
        yield case(op, reduction, inputs, F.triplet_margin_loss, reduction=reduction)
        yield case(op, f"swap {reduction}", inputs, F.triplet_margin_loss, swap=True, margin=0.5, reduction=reduction)
    three = [draw.normal(4, 3), draw.normal(4, 3), draw.normal(4, 3)]
    yield case(op, "p 1", three, F.triplet_margin_loss, p=1.0)
    yield case(op, "eps", three, F.triplet_margin_loss, eps=0.1)
    yield case(op, "permuted", [permuted(draw.normal(3, 4), 1, 0), *three[1:]], F.triplet_margin_loss)


def rankings():
    op = "marginRankingLoss"
    draw = Draw(op)
    for reduction in REDUCTIONS:
        inputs = [draw.normal(7), draw.normal(7), constant(f32(1, -1, 1, 1, -1, -1, 1))]
        yield case(op, reduction, inputs, F.margin_ranking_loss, reduction=reduction)
        yield case(op, f"margin {reduction}", inputs, F.margin_ranking_loss, margin=0.5, reduction=reduction)
    yield case(op, "ties", [f32(1, 2, 0), f32(1, 2, 0.5), constant(f32(1, -1, -1))], F.margin_ranking_loss)
    yield case(op, "permuted", [permuted(draw.normal(3, 2), 1, 0), draw.normal(2, 3), constant(f32(1, -1, 1, 1, -1, 1).reshape(2, 3))], F.margin_ranking_loss)


def hinges():
    op = "hingeEmbeddingLoss"
    draw = Draw(op)
    for reduction in REDUCTIONS:
        inputs = [draw.normal(7), constant(f32(1, -1, 1, 1, -1, -1, 1))]
        yield case(op, reduction, inputs, F.hinge_embedding_loss, reduction=reduction)
        yield case(op, f"margin {reduction}", inputs, F.hinge_embedding_loss, margin=0.5, reduction=reduction)
    yield case(op, "ties", [f32(1, 2, 0.5), constant(f32(-1, -1, -1))], F.hinge_embedding_loss)
    yield case(op, "images", [permuted(draw.normal(3, 2), 1, 0), constant(f32(1, -1, 1, 1, -1, 1).reshape(2, 3))], F.hinge_embedding_loss)


def info_nce(query, positive, negatives, temperature=0.07, reduction="mean"):
    """Equation 1 of the paper, term by term."""
    own = torch.exp((query * positive).sum(1) / temperature)
    others = torch.exp(query @ negatives.T / temperature).sum(1)
    losses = -torch.log(own / (own + others))
    return losses if reduction == "none" else getattr(losses, reduction)()


def contrasts():
    op = "infoNCE"
    draw = Draw(op)

    def unit(*shape):
        return (F.normalize(draw.normal(*shape).double(), dim=1)).float()

    for reduction in REDUCTIONS:
        yield case(op, reduction, [unit(4, 3), unit(4, 3), unit(7, 3)], info_nce, reduction=reduction)
    yield case(op, "temperature", [unit(3, 5), unit(3, 5), unit(11, 5)], info_nce, temperature=0.5)
    yield case(op, "one", [unit(1, 2), unit(1, 2), unit(1, 2)], info_nce)
    yield case(op, "no negatives", [unit(2, 2), unit(2, 2), unit(0, 2)], info_nce)
    yield case(op, "permuted", [permuted(unit(3, 4), 1, 0), unit(4, 3), permuted(unit(3, 6), 1, 0)], info_nce, temperature=0.3)


def kinds():
    """No elements, and no ordinary numbers."""
    draw = Draw("distances kinds")
    special = f32(nan, 1, inf, 2, -inf, 3).reshape(3, 2)
    cosine, triplet = F.cosine_embedding_loss, F.triplet_margin_loss
    yield case("cosineEmbeddingLoss", "empty", [draw.normal(0, 3), draw.normal(0, 3), i32()], cosine, reduction="sum")
    rows = [special, draw.normal(3, 2), i32(1, -1, 1)]
    yield case("cosineEmbeddingLoss", "special", rows, cosine, grad=False, reduction="none")
    nothing = [draw.normal(0, 3), draw.normal(0, 3), draw.normal(0, 3)]
    yield case("tripletMarginLoss", "empty", nothing, triplet, reduction="sum")
    rows = [special, draw.normal(3, 2), draw.normal(3, 2)]
    yield case("tripletMarginLoss", "special", rows, triplet, grad=False, reduction="none")
    signs = constant(f32(1, -1, 1))
    nothing = [draw.normal(0), draw.normal(0), constant(f32())]
    yield case("marginRankingLoss", "empty", nothing, F.margin_ranking_loss, reduction="sum")
    rows = [f32(nan, inf, 1), f32(0, 1, -inf), signs]
    yield case("marginRankingLoss", "special", rows, F.margin_ranking_loss, grad=False, reduction="none")
    yield case("hingeEmbeddingLoss", "empty", nothing[1:], F.hinge_embedding_loss, reduction="sum")
    yield case("hingeEmbeddingLoss", "special", [f32(nan, inf, -inf), signs], F.hinge_embedding_loss, grad=False, reduction="none")
    query = f32(nan, 0, 1, 0).reshape(2, 2)
    keys = [f32(1, 0, 0, 1).reshape(2, 2), f32(0, 1, 1, 0, -1, 0).reshape(3, 2)]
    yield case("infoNCE", "special", [query, *keys], info_nce, grad=False, reduction="none")


GROUPS = [pairwise, cosine_embeddings, triplets, rankings, hinges, contrasts, kinds]
