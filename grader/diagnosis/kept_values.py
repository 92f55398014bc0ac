"""What is kept of a compared value to know it again: its shape and some of its numbers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from grader.diagnosis.values import MOST_VALUES, Array, as_array

_KEPT = 64
_RTOL = 1e-4
_SHARE_OF_ERROR = 0.02
"""Two values are the same only where they are much closer to each other than to what was expected:
a small mistake leaves a value close to that of every other small mistake."""
_FEW = 6


class KeptValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a comparison refused.

    Attributes:
        place: how many comparisons the test had made, this one among them.
        shape: of the value.
        numbers: up to 64 of its values, spread over it.
        total: the sum of their sizes, of all of them.
        error: the largest distance from what was expected; 0 where the shapes differ.
    """

    place: int
    shape: tuple[int, ...]
    numbers: tuple[float, ...]
    total: float
    error: float

    def equals(self, other: KeptValue) -> bool:
        """Whether two values are the same, as far as rounding goes, and were compared in one place.

        `self` is the student's, `other` what a mistake gives.
        """
        if self.place != other.place or self.shape != other.shape:
            return False
        mine, theirs = np.asarray(self.numbers), np.asarray(other.numbers)
        allowed = _RTOL * np.abs(theirs) + 1e-7 * float(np.abs(theirs).max())
        if self.error:
            allowed = np.minimum(allowed, _SHARE_OF_ERROR * self.error)
        within = bool((np.abs(mine - theirs) <= allowed).all())
        return within and abs(self.total - other.total) <= _RTOL * abs(other.total)


def kept_value(mine: Any, other: Any, *, place: int, both: bool = False) -> KeptValue | None:
    """Return what is kept of a value; None of one that too many mistakes could give, or of none.

    Args:
        mine: what was compared.
        other: what was expected.
        place: of the comparison.
        both: keep both values, where it is not known which is which.

    Never raises: a value can be anything.
    """
    try:
        found, expected = as_array(mine), as_array(other)
    except (TypeError, ValueError, ArithmeticError, RuntimeError, MemoryError, IndexError):
        return None
    if found is None or expected is None or not 0 < found.size <= MOST_VALUES:
        return None
    if found.dtype.kind == "c" or expected.dtype.kind == "c":
        return None
    numbers = found.astype(np.float64).ravel()
    if not np.isfinite(numbers).all() or not _tells(numbers):
        return None
    error = 0.0
    if found.shape == expected.shape:
        error = float(np.abs(numbers - expected.astype(np.float64).ravel()).max())
        error = error if np.isfinite(error) else 0.0
    if both:
        numbers = np.concatenate([numbers, expected.astype(np.float64).ravel()])
    step = -(-numbers.size // _KEPT)
    return KeptValue(
        place=place,
        shape=found.shape,
        numbers=tuple(numbers[::step].tolist()),
        total=float(np.abs(numbers).sum()),
        error=error,
    )


def _tells(numbers: Array) -> bool:
    """Whether a value is more than what anything could give: zeros, ones, a small whole number."""
    different = np.unique(numbers).size
    if different > 2 or (different == 2 and numbers.size >= _FEW):
        return True
    whole = bool((numbers == np.round(numbers)).all())
    return not whole and different == min(numbers.size, 2)
