"""`credit(share, "…")`: a test that gives part of its points; shares of a measured value.

`bands(…)` interpolates between its edges; `at_least(…)` and `at_most(…)` go in steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

from grader.errors import SuiteError
from grader.suite.curves import curve_of
from grader.suite.results import Curve

MAX_REASON_CHARACTERS = 500

Number: TypeAlias = int | float | Decimal | Fraction


@dataclass(frozen=True)
class Credit:
    """What share of its points a test gives, 0 to 1, why, what it measured, and a curve of it."""

    share: Fraction
    reason: str = ""
    measured: Decimal | None = None
    curve: Curve = ()


FULL, NONE = Credit(Fraction(1)), Credit(Fraction(0))

_current: ContextVar[list[Credit] | None] = ContextVar("grader_credit", default=None)
_banded: ContextVar[list[Number] | None] = ContextVar("grader_banded", default=None)


def credit(
    share: Number, reason: str = "", *, measured: Number | None = None, curve: Any = None
) -> None:
    """Let the running test give this share of its points, if it comes to its end.

    A test that fails after all gives nothing, whatever it called; of several calls the last one
    counts. Outside a running test it does nothing.

    Args:
        share: 0 to 1, as a decimal, a fraction or a float, which is taken as it prints. Only a
            test that gives all its points has passed.
        reason: for the student: what was reached, never what was expected.
        measured: what was measured, such as an accuracy. A leaderboard ranks by it, and `validate`
            prints it. By default the value of which the test has last asked `bands`, `at_least`
            or `at_most` for the share.
        curve: how it came about, such as the losses of each epoch: a list, tuple, tensor or array
            of numbers, from the box or not. The page draws it; it changes no mark.

    Raises:
        SuiteError: the share is not between 0 and 1, or what was measured is not finite.
    """
    given = _current.get()
    exact = _exact(share)
    if exact is None or not 0 <= exact <= 1:
        raise SuiteError(f"credit({share!r}): expected a share of the points, 0 to 1")
    if measured is not None and _exact(measured) is None:
        raise SuiteError(f"credit(measured={measured!r}): expected a finite number")
    if given is None:
        return
    banded = _banded.get()
    if measured is None and banded:
        measured = banded[-1]
    value = None if measured is None else Decimal(f"{float(measured):.6g}")
    given[:] = [Credit(exact, str(reason)[:MAX_REASON_CHARACTERS], value, curve_of(curve))]


def bands(*edges: tuple[Number, Number]) -> Callable[[Any], Fraction]:
    """Return the function that gives a measured value its share of the points.

    Between two edges the share is interpolated linearly; below the first and above the last it
    stays what it is there. A value that is not finite is worth nothing. All of it is exact.

        share = bands((0.6, 0), (0.75, 0.5), (0.9, 1))
        share(0.675)  # 1/4

    Args:
        edges: (value, share), the values rising. Shares may fall, for a loss or an error.

    Raises:
        SuiteError: fewer than two edges, values that do not rise, shares that are not 0 to 1.
    """
    points = [(_exact(value), _exact(share)) for value, share in edges]
    known = [(v, s) for v, s in points if v is not None and s is not None and 0 <= s <= 1]
    if (
        len(known) < 2
        or len(known) < len(points)
        or any(a >= b for (a, _), (b, _) in pairwise(known))
    ):
        raise SuiteError(
            f"bands{edges!r}: expected two or more edges (value, share), "
            "the values rising and the shares 0 to 1"
        )

    return _by_value(lambda exact: _interpolated(known, exact))


def at_least(*edges: tuple[Number, Number]) -> Callable[[Any], Fraction]:
    """Return the function that gives a value the share of the highest edge that it reaches.

        share = at_least((0.85, 0.5), (0.95, 1))
        share(0.9)  # 1/2

    Args:
        edges: (value, share), values and shares rising. Below the first there is no share.

    Raises:
        SuiteError: no edge, values or shares that do not rise, shares that are not 0 to 1.
    """
    known = _steps("at_least", edges, 1)
    return _by_value(lambda exact: max((s for v, s in known if exact >= v), default=Fraction(0)))


def at_most(*edges: tuple[Number, Number]) -> Callable[[Any], Fraction]:
    """Return the same as `at_least` for a loss or an error: a value reaches what it is not above.

        share = at_most((9, 0.4), (6.5, 1))
        share(7)  # 2/5

    Args:
        edges: (value, share), the values falling and the shares rising.

    Raises:
        SuiteError: no edge, values that do not fall, shares that do not rise or are not 0 to 1.
    """
    known = _steps("at_most", edges, -1)
    return _by_value(lambda exact: max((s for v, s in known if exact <= v), default=Fraction(0)))


def _steps(
    name: str, edges: tuple[tuple[Number, Number], ...], direction: int
) -> list[tuple[Fraction, Fraction]]:
    points = [(_exact(value), _exact(share)) for value, share in edges]
    known = [(v, s) for v, s in points if v is not None and s is not None and 0 < s <= 1]
    if (
        not known
        or len(known) < len(points)
        or any(direction * (b - a) <= 0 or t <= s for (a, s), (b, t) in pairwise(known))
    ):
        how = "rising" if direction > 0 else "falling"
        raise SuiteError(
            f"{name}{edges!r}: expected edges (value, share), the values {how}, "
            "the shares rising and 0 to 1"
        )
    return known


def _by_value(share_of: Callable[[Fraction], Fraction]) -> Callable[[Any], Fraction]:
    """Return the share of a value, nothing for what is not finite; the test has measured it."""

    def share(value: Any) -> Fraction:
        exact = _exact(value)
        if exact is None:
            return Fraction(0)
        banded = _banded.get()
        if banded is not None:
            banded[:] = [float(value)]
        return share_of(exact)

    return share


def _interpolated(edges: list[tuple[Fraction, Fraction]], exact: Fraction) -> Fraction:
    if exact <= edges[0][0]:
        return edges[0][1]
    if exact >= edges[-1][0]:
        return edges[-1][1]
    (low, from_), (high, to) = next(p for p in pairwise(edges) if exact <= p[1][0])
    return from_ + (to - from_) * (exact - low) / (high - low)


def _exact(value: Any) -> Fraction | None:
    """The number that a person reads: 0.1 is a tenth. None for what is not finite."""
    if isinstance(value, Fraction):
        return value
    number = value if isinstance(value, int | Decimal) else float(value)
    return Fraction(str(number)) if math.isfinite(number) else None


@contextmanager
def given_credit() -> Iterator[list[Credit]]:
    """Hold the credit given in this block: the runner opens one for each run of a test."""
    given: list[Credit] = []
    token, banded = _current.set(given), _banded.set([])
    try:
        yield given
    finally:
        _banded.reset(banded)
        _current.reset(token)
