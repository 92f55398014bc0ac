"""Explanations by where a value is wrong: a row, a column, a triangle, the first or the last."""

from __future__ import annotations

import numpy as np

from grader.diagnosis.values import Array, ComparedArrays
from grader.diagnosis.whole import nearly


def explain_part(pair: ComparedArrays) -> str:
    """Return which part of a value is wrong, or that it is wrong by little."""
    if pair.other.size < 3:
        return ""
    wrong = pair.wrong
    if wrong.all():
        return nearly(pair)
    return _along_the_first(wrong) or _of_a_matrix(wrong) or _by_sign(pair, wrong) or nearly(pair)


def _along_the_first(wrong: Array) -> str:
    each = wrong.reshape(len(wrong), -1)
    rows = np.asarray(each.any(axis=1))
    if len(rows) < 3:
        return ""
    if rows[0] and not rows[1:].any():
        return "all-but-first"
    if rows[-1] and not rows[:-1].any():
        return "all-but-last"
    if not rows[0] and each[1:].all():
        return "first-only"
    return "one-row" if wrong.ndim > 1 and rows.sum() == 1 else ""


def _of_a_matrix(wrong: Array) -> str:
    if wrong.ndim < 2 or min(wrong.shape[-2:]) < 2:
        return ""
    where = np.asarray(wrong.reshape(-1, *wrong.shape[-2:]).any(axis=0))
    columns = np.asarray(where.any(axis=0))
    if wrong.ndim == 2 and len(columns) > 2 and columns.sum() == 1:
        return "one-column"  # of an image or of several matrices that says nothing
    if where.shape[0] != where.shape[1]:
        return ""
    upper, lower = np.triu(where, 1), np.tril(where, -1)
    diagonal = np.diag(where)
    if diagonal.any() and not upper.any() and not lower.any():
        return "diagonal"
    if upper.any() and not lower.any():
        return "upper-triangle"
    return "lower-triangle" if lower.any() and not upper.any() else ""


def _by_sign(pair: ComparedArrays, wrong: Array) -> str:
    positive = pair.other > 0
    if positive.all() or not positive.any() or pair.other.dtype.kind != "f":
        return ""
    return "negative-inputs" if not wrong[positive].any() and wrong[~positive].all() else ""
