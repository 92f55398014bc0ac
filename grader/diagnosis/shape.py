"""Explanations of another shape."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from grader.diagnosis.values import Array, ComparedArrays

_MOST_AXES = 4


def explain_shape(pair: ComparedArrays) -> str:
    """Return what explains another shape; there is always something to be said."""
    return _same_values(pair) or _reduced(pair) or _lengths(pair) or "wrong-shape"


def _same_values(pair: ComparedArrays) -> str:
    mine, other = pair.mine, pair.other
    if mine.size != other.size:
        return ""
    if mine.ndim == other.ndim == 2 and pair.is_(other.T):
        return "transposed"
    orders = permutations(range(other.ndim)) if 2 < other.ndim <= _MOST_AXES else ()
    if any(pair.is_(other.transpose(order)) for order in orders):
        return "axes-permuted"
    if pair.same(mine.ravel(), other.ravel()):
        squeezed = mine.squeeze().shape == other.squeeze().shape
        if squeezed and mine.ndim < other.ndim:
            return "axis-of-one-missing"
        return "axis-too-many" if squeezed else "other-shape"
    return ""


def _reduced(pair: ComparedArrays) -> str:
    mine, other = pair.mine, pair.other
    for axes in _sets_of_axes(other):
        keep = mine.ndim == other.ndim
        if other.dtype.kind in "fc":
            if pair.is_(other.sum(axis=axes, keepdims=keep)):
                return "summed-too-far"
            if pair.is_(other.mean(axis=axes, keepdims=keep)):
                return "averaged-too-far"
    for axes in _sets_of_axes(mine):
        keep = mine.ndim == other.ndim
        for reduce in (np.sum, np.mean):
            if pair.same(np.asarray(reduce(mine, axis=axes, keepdims=keep)), other):
                return "not-reduced"
    return ""


def _sets_of_axes(value: Array) -> list[tuple[int, ...]]:
    if not value.size:
        return []
    single: list[tuple[int, ...]] = [(axis,) for axis in range(min(value.ndim, _MOST_AXES))]
    return [*single, tuple(range(value.ndim))] if value.ndim > 1 else single


def _lengths(pair: ComparedArrays) -> str:
    mine, other = pair.mine.shape, pair.other.shape
    if len(mine) == len(other):
        differing = [(m, o) for m, o in zip(mine, other, strict=True) if m != o]
        if sorted(mine) == sorted(other):
            return "transposed" if len(mine) == 2 else "axes-permuted"
        if all(m == 1 for m, _ in differing):
            return "not-broadcast"
        if len(differing) == 1:
            (have, asked) = differing[0]
            return {1: "one-too-many", -1: "one-too-few"}.get(have - asked, "")
        return ""
    if len(mine) == len(other) - 1 and mine == other[1:]:
        return "batch-axis-missing"
    if len(mine) < len(other) and _is_within(mine, other):
        return "reduced-too-far"
    return "axis-too-many" if len(mine) > len(other) and _is_within(other, mine) else ""


def _is_within(few: tuple[int, ...], many: tuple[int, ...]) -> bool:
    """Whether the first sizes are among the second, in their order."""
    rest = iter(many)
    return all(size in rest for size in few)
