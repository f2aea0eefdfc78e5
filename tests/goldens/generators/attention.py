"""Cases of embedding and attention. PyTorch 1.13 has no scaled_dot_product_attention of its own to call: its formula is here."""

import math

import torch
import torch.nn.functional as F

from .case import case, constant, permuted
from .record import Draw, f32, i32

nan, inf = math.nan, math.inf


def embeddings():
    op = "embedding"
    draw = Draw(op)

    def lookup(index, weight, **options):
        return F.embedding(index, weight, **options)

    yield case(op, "matrix", [i32(2, 0, 4, 2).reshape(2, 2), draw.normal(5, 3)], lookup)
    yield case(op, "one", [torch.tensor(1, dtype=torch.int32), draw.normal(5, 3)], lookup)
    yield case(op, "padding", [i32(2, 0, 4, 2, 0), draw.normal(5, 3)], lookup, paddingIdx=2)
    yield case(op, "padding from the back", [i32(2, 0, 4, 2, 4), draw.normal(5, 3)], lookup, paddingIdx=-1)
    yield case(op, "permuted", [i32(2, 0, 3), permuted(draw.normal(3, 4), 1, 0)], lookup)
    yield case(op, "empty", [draw.ints(0, 5, 0, 2), draw.normal(5, 3)], lookup)


def attend(query, key, value, mask=None, is_causal=False):
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if is_causal:
        mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, -inf)
    elif mask is not None:
        scores = scores + mask
    return torch.softmax(scores, -1) @ value


def attentions():
    op = "scaledDotProductAttention"
    draw = Draw(op)

    def three(*lead):
        return [draw.normal(*lead, 3, 4), draw.normal(*lead, 5, 4), draw.normal(*lead, 5, 2)]

    yield case(op, "one head", three(), attend)
    yield case(op, "heads", three(2, 3), attend)
    yield case(op, "causal", three(2), attend, isCausal=True)
    yield case(op, "bool mask", [*three(), torch.tensor([[1, 0, 1, 1, 0], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]]).bool()], attend)
    yield case(op, "float mask", [*three(2), draw.normal(3, 5)], attend)
    yield case(op, "permuted", [permuted(draw.normal(4, 3), 1, 0), draw.normal(5, 4), draw.normal(5, 2)], attend)
    yield case(op, "empty", [draw.normal(0, 3, 4), draw.normal(0, 5, 4), draw.normal(0, 5, 2)], attend)


def kinds():
    """No ordinary numbers: where a key has them, all that attend to it do too."""
    draw = Draw("attention kinds")
    weight = f32(nan, 1, inf, 2, -inf, 3).reshape(3, 2)
    yield case("embedding", "special", [i32(2, 0, 1, 0), weight], F.embedding)
    query, key = draw.normal(3, 2), f32(1, 0, nan, 0, 0, 1).reshape(3, 2)
    attention = "scaledDotProductAttention"
    yield case(attention, "special key", [query, key, draw.normal(3, 2)], attend, grad=False)
    value = f32(1, inf, 2, 3, 4, nan).reshape(3, 2)
    yield case(attention, "special value", [query, draw.normal(3, 2), value], attend, grad=False)


GROUPS = [embeddings, attentions, kinds]
