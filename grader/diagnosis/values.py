"""The two values of a comparison as arrays, and when two arrays are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MOST_VALUES = 100_000
"""A larger value is not explained: where every test fails a batch must not take longer for it."""

EXPLAINS_RTOL = 1e-4
"""An explanation holds where it leaves so little, where the comparison itself was stricter: what is
computed another way round may differ in its last digits."""


_MUCH_CLOSER = 0.05


@dataclass(frozen=True)
class ComparedArrays:
    """A value, what was expected, and how far apart they might have been."""

    mine: Array
    other: Array
    rtol: float
    atol: float

    def same(self, one: Array, two: Array) -> bool:
        """Whether two arrays agree as closely as was asked for, or nearly so."""
        if one.shape != two.shape:
            return False
        scale = float(np.abs(two).max()) if two.size else 0.0
        atol = max(self.atol, 1e-7 * scale)
        return bool(np.allclose(one, two, rtol=max(self.rtol, EXPLAINS_RTOL / 10), atol=atol))

    def is_(self, guess: Array) -> bool:
        """Whether a guess gives what the student gave, much closer than what was expected is.

        Where a value is nearly right, so is it turned, scaled or without its sign, if that does
        nothing to it.
        """
        guess = np.asarray(guess)
        if not self.same(self.mine, guess):
            return False
        if "b" in (self.mine.dtype.kind, self.other.dtype.kind) or self.other.shape != guess.shape:
            return True
        off = float(np.abs(self.mine - self.other).max(initial=0.0))
        return float(np.abs(self.mine - guess).max(initial=0.0)) <= _MUCH_CLOSER * off

    @property
    def varied(self) -> bool:
        """Whether what was expected has enough different values to tell explanations apart."""
        return bool(np.unique(self.other).size >= min(3, self.other.size))

    @property
    def tells_closeness(self) -> bool:
        """Whether it may be said that a value is close.

        Of one number that would be an interval, whose ends many tries could search for by halves;
        of several different ones all must be close at once.
        """
        return bool(np.unique(self.other).size > 2)

    @property
    def wrong(self) -> Array:
        """Which values are not as close as was asked for."""
        atol = max(self.atol, 1e-12)
        close = np.isclose(self.mine, self.other, rtol=max(self.rtol, 1e-6), atol=atol)
        return np.asarray(~close)


def as_array(value: Any) -> Array | None:
    """A value's numbers as float64, bool or complex; None of what is no number."""
    detached = getattr(value, "detach", None)
    if callable(detached):
        value = detached().cpu()
        value = value.to_dense() if getattr(value, "is_sparse", False) else value
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        value = value.numpy()
    if isinstance(value, str | bytes | dict | set) or value is None:
        return None
    plain = np.asarray(value)
    if plain.dtype.kind in "bc":
        return plain.view(np.ndarray)
    return plain.astype(np.float64).view(np.ndarray) if plain.dtype.kind in "iuf" else None
