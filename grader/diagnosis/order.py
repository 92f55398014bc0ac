"""Explanations by another order of the same values."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from grader.diagnosis.values import ComparedArrays

_MOST_AXES = 4


def explain_order(pair: ComparedArrays) -> str:
    """Return the order that explains a value."""
    other = pair.other
    if other.size < 3 or not pair.varied or pair.same(pair.mine, other):
        return ""
    axes = range(min(other.ndim, _MOST_AXES))
    if other.ndim == 2 and pair.is_(other.T):
        return "transposed"
    if 2 < other.ndim <= _MOST_AXES:
        orders = [other.transpose(order) for order in permutations(range(other.ndim))]
        if any(pair.is_(guess) for guess in orders):
            return "axes-permuted"
    if any(pair.is_(np.flip(other, axis)) for axis in axes):
        return "reversed"
    if any(_is_shifted(pair, axis) for axis in axes):
        return "shifted"
    if other.dtype.kind == "f":
        if any(pair.is_(np.cumsum(other, axis)) for axis in axes):
            return "accumulated"
        if any(pair.same(np.cumsum(pair.mine, axis), other) for axis in axes):
            return "differences"
    return _reordered(pair)


def _is_shifted(pair: ComparedArrays, axis: int) -> bool:
    length = pair.other.shape[axis]
    if length < 3:
        return False
    early, late = slice(None, -1), slice(1, None)
    mine, other = np.moveaxis(pair.mine, axis, 0), np.moveaxis(pair.other, axis, 0)
    return pair.same(mine[late], other[early]) or pair.same(mine[early], other[late])


def _reordered(pair: ComparedArrays) -> str:
    mine, other = pair.mine, pair.other
    if mine.dtype.kind == "c" or not pair.same(np.sort(mine.ravel()), np.sort(other.ravel())):
        return ""
    if mine.ndim == 2:
        rows = (np.lexsort(value.T[::-1]) for value in (mine, other))
        if pair.same(*(v[order] for v, order in zip((mine, other), rows, strict=True))):
            return "rows-reordered"
    return "other-order"
