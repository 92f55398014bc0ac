"""Curves that a test measures, such as a loss over epochs: from hostile values to a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from grader.suite.results import Curve

MAX_POINTS = 60
"""Of a curve that is kept: what a small picture can show."""
_LARGEST = 1e30


def curve_of(values: Any) -> Curve:
    """Return what can be drawn of a curve, thinned out to `MAX_POINTS` points.

    Of a longer one the kept points lie at equal distances, the first and the last among them. A
    curve decides nothing: what is no finite number is a gap, what is no list, tensor or array of
    one dimension has no points, and no value makes it raise.

    Args:
        values: from the box or from the suite.
    """
    if isinstance(values, torch.Tensor | np.ndarray):
        values = values.tolist() if values.ndim == 1 else ()
    if not isinstance(values, list | tuple):
        return ()
    points = tuple(_point(value) for value in _thinned(values))
    return points if any(point is not None for point in points) else ()


def _thinned(values: Sequence[Any]) -> Sequence[Any]:
    last = len(values) - 1
    if last < MAX_POINTS:
        return values
    return [values[round(i * last / (MAX_POINTS - 1))] for i in range(MAX_POINTS)]


def _point(value: Any) -> float | None:
    if isinstance(value, torch.Tensor | np.ndarray):
        value = value.tolist() if value.ndim == 0 else None
    if not isinstance(value, int | float | np.number):
        return None
    try:
        number = float(value)
    except (OverflowError, TypeError):  # 10**400; a complex number
        return None
    if not math.isfinite(number) or abs(number) > _LARGEST:
        return None
    return float(f"{number:.4g}")
