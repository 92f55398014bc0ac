"""What a test compared: the value that came from the box, the other, and how far apart they may be.

Comparisons are seen where a suite's tensors and arrays pass anyway (see `suite.strictness`), and in
`torch.testing.assert_close`, which looks at shapes and dtypes before it compares.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from grader.diagnosis.explain import explain

MOST = 200
"""Comparisons of one test are kept, the last ones; values are only referred to."""


@dataclass(frozen=True)
class Compared:
    """One comparison.

    `mine` came from the box, or was computed from what did; `other` is what it was compared with.
    Of a comparison for equality both tolerances are 0.
    """

    mine: Any
    other: Any
    rtol: float = 0.0
    atol: float = 0.0


@dataclass
class Comparisons:
    """What one test compared, in order."""

    seen: list[Compared] = field(default_factory=list)

    def add(self, compared: Compared) -> None:
        """Take note of a comparison."""
        self.seen.append(compared)
        if len(self.seen) > MOST:
            del self.seen[0]

    def tolerance_used(self) -> float | None:
        """The largest share of its tolerance that a comparison has used; None where none had one.

        1 is the most that passes. What was compared for equality, or in another shape, is left out.
        """
        shares = [share for one in self.seen if (share := share_used(one)) is not None]
        return max(shares, default=None)

    def diagnosis(self) -> str:
        """The kind of mistake that the last value shows which was not as it should be."""
        for one in self.seen[: -1 - _EXPLAINED : -1]:
            if kind := explain(one.mine, one.other, rtol=one.rtol, atol=one.atol):
                return kind
        return ""


_EXPLAINED = 6
"""numpy asks some things more of both values after it has compared them."""

_current: list[Comparisons] = []


def note(compared: Compared) -> None:
    """Take note of a comparison for the test that runs, if one does."""
    if _current:
        _current[-1].add(compared)


@contextlib.contextmanager
def noted() -> Iterator[Comparisons]:
    """Take note of every comparison in this block."""
    _current.append(Comparisons())
    try:
        yield _current[-1]
    finally:
        _current.pop()


def share_used(compared: Compared) -> float | None:
    """How much of its tolerance a comparison uses: |mine − other| / (atol + rtol · |other|)."""
    if not (compared.rtol or compared.atol):
        return None
    mine, other = numbers(compared.mine), numbers(compared.other)
    if mine is None or other is None or mine.shape != other.shape or not mine.size:
        return None
    with np.errstate(all="ignore"):
        allowed = compared.atol + compared.rtol * np.abs(other)
        shares = np.where(mine == other, 0.0, np.abs(mine - other) / allowed)
    finite = shares[np.isfinite(shares)]
    return float(finite.max()) if finite.size == shares.size else None


def numbers(value: Any) -> np.ndarray[Any, Any] | None:
    """A value's numbers as float64, or complex; None of what holds none."""
    try:
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu()
            value = value.to(torch.complex128 if value.is_complex() else torch.float64).numpy()
        plain = np.asarray(value)
        return plain if plain.dtype.kind == "c" else plain.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):
        return None
