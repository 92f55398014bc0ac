"""Explain a wrong value from itself and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.diagnosis.order import explain_order
from grader.diagnosis.parts import explain_part
from grader.diagnosis.scale import explain_scale
from grader.diagnosis.shape import explain_shape
from grader.diagnosis.values import MOST_VALUES, Array, ComparedArrays, as_array
from grader.diagnosis.whole import explain_whole

_EXPLANATIONS: tuple[Callable[[ComparedArrays], str], ...] = (
    explain_whole,
    explain_scale,
    explain_order,
    explain_part,
)


def explain(mine: Any, other: Any, *, rtol: float = 0.0, atol: float = 0.0) -> str:
    """Return the kind of mistake that a value shows; empty where nothing explains it.

    Args:
        mine: the student's: a tensor, an array, a number, or lists of numbers.
        other: what was expected.
        rtol, atol: within which the two should have been.

    Never raises: a value can be anything.
    """
    try:
        with np.errstate(all="ignore"):
            return _explained(mine, other, rtol, atol)
    except (TypeError, ValueError, ArithmeticError, RuntimeError, MemoryError, IndexError):
        return ""


def _explained(mine: Any, other: Any, rtol: float, atol: float) -> str:
    expected = as_array(other)
    if expected is None:
        return ""
    found = as_array(mine)
    if found is None:
        return "no-number"
    if max(found.size, expected.size) > MOST_VALUES or not expected.size:
        return ""
    if not found.size:
        return "empty"  # of no values every one is NaN, and every one is zero
    if found.dtype.kind == "f" and np.isfinite(expected).all() and (kind := _not_finite(found)):
        return kind
    pair = ComparedArrays(found, expected, rtol, atol)
    if found.shape != expected.shape:
        return explain_shape(pair)
    if np.allclose(found, expected, rtol=rtol, atol=atol):
        return ""  # of a dtype or a device there is nothing to be seen here
    return next((kind for explain_ in _EXPLANATIONS if (kind := explain_(pair))), "")


def _not_finite(found: Array) -> str:
    missing = np.isnan(found)
    if missing.all():
        return "nan-everywhere"
    if missing.any():
        return "nan-somewhere"
    return "infinite" if np.isinf(found).any() else ""
