"""From exact fractions to what is printed: once, at the end, as the course says."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from grader.course.policy import Rounding
from grader.points import show

_HALF = Fraction(1, 2)
_SHOWN = Rounding()


def rounded(value: Fraction, rule: Rounding) -> Decimal:
    """Round a total as the course says.

    Ties are decided exactly: a value is a tie only if it lies exactly in the middle.
    """
    step = Fraction(rule.to)
    whole, rest = divmod(value / step, 1)
    return Decimal(whole + _carry(whole, rest, rule)) * rule.to


def _carry(whole: int, rest: Fraction, rule: Rounding) -> int:
    if rule.way != "nearest":
        return int(rule.way == "up" and rest > 0)
    if rest != _HALF:
        return int(rest > _HALF)
    return {"up": 1, "down": 0, "even": whole % 2}[rule.ties]


def hundredths(value: Fraction) -> Decimal:
    """Return a fraction rounded half up to hundredths, to be shown."""
    return rounded(value, _SHOWN)


def show_fraction(value: Fraction) -> str:
    """Print a fraction as points are printed: 3, 2.5, 0.33."""
    return show(hundredths(value))
