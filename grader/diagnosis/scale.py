"""Explanations by a factor or an offset: of everything, of each row, of each column."""

from __future__ import annotations

import math

import numpy as np

from grader.diagnosis.values import Array, ComparedArrays

_RTOL = 1e-4


def explain_scale(pair: ComparedArrays) -> str:
    """Return the factor or the offset that explains a value."""
    if pair.other.dtype.kind != "f" or pair.mine.dtype.kind != "f":
        return ""
    if pair.other.size < 2:
        return _factor_of_one(pair)
    return _factor(pair) or _offset(pair) or _by_axis(pair)


def _factor_of_one(pair: ComparedArrays) -> str:
    """A single number is off by some factor always: only those are told that mean something."""
    mine, other = float(pair.mine.flat[0]), float(pair.other.flat[0])
    if not other or not mine:
        return ""
    ratio = mine / other
    if _near(ratio, 2.0) or _near(ratio, 0.5):
        return "factor-two"
    return "logarithm-base" if _is_of_a_base(ratio) else ""


def _factor(pair: ComparedArrays) -> str:
    used = np.abs(pair.other) > 1e-9 * np.abs(pair.other).max()
    if used.sum() < 2 or not pair.varied:
        return ""
    ratios = pair.mine[used] / pair.other[used]
    ratio = float(np.median(ratios))
    if not np.allclose(ratios, ratio, rtol=_RTOL) or not pair.is_(ratio * pair.other):
        return ""
    return _name_of(ratio, pair.other.shape)


def _name_of(ratio: float, shape: tuple[int, ...]) -> str:
    if ratio <= 0 or not math.isfinite(ratio):
        return "factor"
    sizes = {*shape, math.prod(shape), *(a * b for a in shape for b in shape)} - {0, 1}
    if any(_near(ratio, float(n)) for n in shape[:1]):
        return "not-averaged"
    if any(_near(ratio, 1 / n) for n in shape[:1]):
        return "averaged"
    if _near(ratio, 2.0) or _near(ratio, 0.5):
        return "factor-two"
    if _is_of_a_base(ratio):
        return "logarithm-base"
    if any(_near(ratio, n / (n - 1)) or _near(ratio, (n - 1) / n) for n in sizes):
        return "bessel"
    if any(_near(ratio, float(n)) for n in sizes):
        return "not-averaged"
    if any(_near(ratio, 1 / n) for n in sizes):
        return "averaged"
    roots = [math.sqrt(n) for n in sizes]
    if any(_near(ratio, root) or _near(ratio, 1 / root) for root in roots):
        return "square-root-factor"
    return "factor"


def _is_of_a_base(ratio: float) -> bool:
    bases = (math.log(2), math.log(10))
    return any(_near(ratio, base) or _near(ratio, 1 / base) for base in bases)


def _near(one: float, two: float) -> bool:
    return math.isclose(one, two, rel_tol=_RTOL)


def _offset(pair: ComparedArrays) -> str:
    difference = pair.mine - pair.other
    offset = float(np.median(difference))
    if not pair.varied or not pair.is_(pair.other + offset):
        return ""
    if _near(abs(offset), 1.0):
        return "off-by-one"
    scale = float(np.abs(pair.mine).max())
    centred = abs(float(pair.other.mean())) < 1e-5 * scale
    return "not-centred" if centred else "offset"


def _by_axis(pair: ComparedArrays) -> str:
    if pair.other.ndim != 2 or min(pair.other.shape) < 2 or not pair.varied:
        return ""
    if _sums_to_one(pair.mine, 0) and _sums_to_one(pair.other, 1):
        return "other-axis"
    if _sums_to_one(pair.mine, 1) and _sums_to_one(pair.other, 0):
        return "other-axis"
    for axis, name in ((1, "row"), (0, "column")):
        amounts = np.median(pair.mine - pair.other, axis=axis, keepdims=True)
        if pair.is_(pair.other + amounts):
            return f"offset-by-{name}"
        if pair.other.all():
            factors = np.median(pair.mine / pair.other, axis=axis, keepdims=True)
            if pair.is_(pair.other * factors):
                return f"factor-by-{name}"
    return ""


def _sums_to_one(value: Array, axis: int) -> bool:
    return bool(np.allclose(value.sum(axis=axis), 1.0, rtol=_RTOL) and (value >= 0).all())
