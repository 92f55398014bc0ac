"""What a test compared: the value that came from the box, the other, and how far apart they may be.

Comparisons are seen where a suite's tensors and arrays pass anyway (see `suite.strictness`), and in
`torch.testing.assert_close`, which looks at shapes and dtypes before it compares.
"""

from __future__ import annotations

import contextlib
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest
import torch

MOST = 200
"""Comparisons of one test are kept, the last ones; values are only referred to."""
_LOOKED_AT = 6
"""numpy asks some things more of both values after it has compared them."""
_DEEPEST = 60
_CALLS_A_TEST = "pytest_pyfunc_call"

Line = tuple[CodeType, int]


@dataclass(frozen=True)
class Compared:
    """One comparison.

    `mine` came from the box, or was computed from what did; `other` is what it was compared with.
    Of a comparison for equality both tolerances are 0. Of plain numbers nobody knows which came
    from the box: such a comparison is not `sided`.
    """

    mine: Any
    other: Any
    rtol: float = 0.0
    atol: float = 0.0
    sided: bool = True

    @property
    def holds(self) -> bool:
        """Whether the two are as close as they should be."""
        mine, other = numbers(self.mine), numbers(self.other)
        if mine is None or other is None or mine.shape != other.shape:
            return False
        with np.errstate(all="ignore"):
            return bool(
                np.allclose(mine, other, rtol=self.rtol, atol=self.atol, equal_nan=True)
                if self.rtol or self.atol
                else np.array_equal(mine, other, equal_nan=mine.dtype.kind != "c")
            )


@dataclass(frozen=True)
class FailedComparison:
    """The comparison that has ended a test, and how many had been made, this one among them."""

    compared: Compared
    place: int


@dataclass
class Comparisons:
    """What one test compared, in order, and where in the suite."""

    seen: list[Compared] = field(default_factory=list)
    _lines: list[list[Line]] = field(default_factory=list)
    _count: int = 0

    def add(self, compared: Compared, lines: list[Line]) -> None:
        """Take note of a comparison, made in these lines, the innermost first."""
        self._count += 1
        self.seen.append(compared)
        self._lines.append(lines)
        if len(self.seen) > MOST:
            del self.seen[0], self._lines[0]

    def tolerance_used(self, error: BaseException | None = None) -> float | None:
        """How much of a tolerance a test has used; None where no comparison says so.

        1 is the most that passes. Of a test that ended at a comparison it is what that one used;
        else the most of all that hold. What does not hold, and yet has ended nothing, was meant to
        find a difference, as in `assert not torch.allclose(…)`. What was compared for equality, or
        in another shape, is left out.

        Args:
            error: what has ended the test.
        """
        refused = self.refused(error) if error is not None else None
        used = share_used(refused.compared) if refused is not None else None
        if used is not None:
            return used
        shares = [share for one in self.seen if (share := share_used(one)) is not None]
        return max((share for share in shares if share <= 1), default=None)

    def refused(self, error: BaseException) -> FailedComparison | None:
        """Return the comparison that an assertion is about; None where it is about another thing.

        It is made in the statement that raised, and does not hold. A test may fail at something
        else, such as a length, after a comparison that was meant to find a difference.
        """
        raised = _statements(error)
        for back in range(1, min(_LOOKED_AT, len(self.seen)) + 1):
            compared = self.seen[-back]
            if _is_at(self._lines[-back], raised) and not compared.holds:
                return FailedComparison(compared, self._count - back + 1)
        return None


_current: list[Comparisons] = []


def note(compared: Compared) -> None:
    """Take note of a comparison for the test that runs, if one does."""
    if _current:
        _current[-1].add(compared, _lines_above(sys._getframe(1)))


@contextlib.contextmanager
def noted() -> Iterator[Comparisons]:
    """Take note of every comparison in this block."""
    _current.append(Comparisons())
    try:
        yield _current[-1]
    finally:
        _current.pop()


def _lines_above(frame: FrameType | None) -> list[Line]:
    lines: list[Line] = []
    while frame is not None and len(lines) < _DEEPEST:
        code = frame.f_code
        if code.co_name == _CALLS_A_TEST:
            break
        if not is_of_a_library(code.co_filename):
            lines.append((code, frame.f_lineno))
        frame = frame.f_back
    return lines


@cache
def is_of_a_library(file: str) -> bool:
    """Whether it is no file of a suite: a library compares in one line, and raises in another."""
    return file.startswith(("<", *_LIBRARIES))


_LIBRARIES = tuple(
    dict.fromkeys(
        f"{folder}/"
        for folder in (
            *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
            *(str(Path(module.__file__ or "").parent) for module in (torch, np, pytest)),
            str(Path(__file__).parent),
        )
    )
)


def _statements(error: BaseException) -> dict[CodeType, tuple[int, int]]:
    """Of each function that an error went through, the first and the last line that raised."""
    found: dict[CodeType, tuple[int, int]] = {}
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_of_a_library(code.co_filename):
            trace = trace.tb_next
            continue
        positions = list(code.co_positions())
        at = positions[trace.tb_lasti // 2] if trace.tb_lasti // 2 < len(positions) else None
        first, last = (at[0], at[1]) if at is not None else (None, None)
        found[code] = (first or trace.tb_lineno, last or trace.tb_lineno)
        trace = trace.tb_next
    return found


def _is_at(lines: list[Line], raised: dict[CodeType, tuple[int, int]]) -> bool:
    shared = [(raised[code], line) for code, line in lines if code in raised]
    return bool(shared) and all(first <= line <= last for (first, last), line in shared)


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
    except (TypeError, ValueError, RuntimeError, ArithmeticError):
        return None  # an integer of 400 digits is no float
