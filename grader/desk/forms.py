"""What people write into forms, read strictly."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from grader.errors import UsageError
from grader.points import to_points

_MOST_POINTS = 10_000


def points_in(text: str) -> Decimal:
    """Return the points that a field says; nothing is none.

    Raises:
        UsageError: it is no number, or has more than two places after the point.
    """
    try:
        points = Decimal(text.replace(",", ".").strip() or "0")
        if points.is_finite() and abs(points) <= _MOST_POINTS and points == to_points(points):
            return to_points(points)
    except InvalidOperation:
        pass
    said = f"{text!r} is no number of points"
    raise UsageError(said, hint="Such as 1, 0.5 or -2: up to two places after the point.")
