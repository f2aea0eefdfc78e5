"""ops.json: every op's cases."""

from collections import Counter

from . import convolution, elementwise, indexing, losses, matmul, reductions, views

FAMILIES = [elementwise, views, reductions, matmul, convolution, indexing, losses]


def make():
    cases = [case for family in FAMILIES for group in family.GROUPS for case in group()]
    repeated = [key for key, count in Counter((c["op"], c["name"]) for c in cases).items() if count > 1]
    assert not repeated, repeated
    return cases
