"""Explanations of a value as a whole: precision, signs, constants, functions."""

from __future__ import annotations

import numpy as np

from grader.diagnosis.values import Array, ComparedArrays

_SINGLE, _HALF = 2e-5, 2e-2
"""Relative errors that computing in float32, or in float16 and bfloat16, can leave."""


def explain_whole(pair: ComparedArrays) -> str:
    """Return what explains a value of the right shape as a whole."""
    if pair.mine.dtype.kind == "b" or pair.other.dtype.kind == "b":
        return "inverted" if pair.is_(~pair.other.astype(bool)) else ""
    return _precision(pair) or _plain(pair) or _function(pair)


def _precision(pair: ComparedArrays) -> str:
    """Small errors everywhere, by how small they are."""
    error = _largest_error(pair.mine, pair.other)
    is_single = _fits(pair.mine, np.float32)  # what was float32 at the end can be so still
    if is_single and pair.tells_closeness and error < _SINGLE and pair.rtol < _SINGLE / 10:
        return "single-precision"
    return ""


def nearly(pair: ComparedArrays) -> str:
    """What is close, where nothing else explains it."""
    error = _largest_error(pair.mine, pair.other)
    if not pair.tells_closeness or error >= _HALF:
        return ""
    is_half = pair.mine.dtype.kind == "f" and _fits(pair.mine, np.float16)
    return "half-precision" if is_half else "nearly"


def _largest_error(mine: Array, other: Array) -> float:
    scale = np.maximum(np.abs(other), 1e-3 * np.abs(other).max(initial=0.0))
    return float(np.max(np.abs(mine - other) / np.where(scale == 0, 1.0, scale)))


def _fits(value: Array, dtype: type) -> bool:
    return bool(np.array_equal(value.astype(dtype).astype(np.float64), value))


def _plain(pair: ComparedArrays) -> str:
    mine, other = pair.mine, pair.other
    if not np.any(mine) and np.any(other):
        return "all-zero"
    if pair.is_(-other):
        return "sign"
    if other.size > 1 and np.ptp(other.real) and np.allclose(mine, mine.flat[0]):
        return "constant"
    if other.ndim > 1 and len(mine) > 1 and np.allclose(mine, mine[:1]):
        return "same-rows" if not np.allclose(other, other[:1]) else ""
    return ""


def _function(pair: ComparedArrays) -> str:
    """A function of what was expected; of a single number anything could be one."""
    other = pair.other
    if not pair.varied or other.size < 2 or other.dtype.kind != "f":
        return ""
    guesses = [
        ("absolute", np.abs(other)),
        ("negatives-cut-off", np.maximum(other, 0.0)),
        ("rounded", np.round(other)),
        ("rounded", np.trunc(other)),
        ("rounded", np.floor(other)),
        ("squared", other**2),
        ("complement", 1 - other),
        ("exponential", np.exp(other)),
    ]
    if (other >= 0).all():
        guesses.append(("rooted", np.sqrt(other)))
    if (other > 0).all():
        guesses.append(("logarithm", np.log(other)))
    if other.all():
        guesses.append(("reciprocal", 1 / other))
    return next((kind for kind, guess in guesses if pair.is_(guess)), "")
