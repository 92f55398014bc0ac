"""What people write into forms, read strictly."""

from __future__ import annotations

import hashlib
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


def form_key(key: str, *of: object) -> str:
    """Return what tells a form that was sent from every other: who sent it, where, and its key.

    One key sent to two places is two forms, and nobody sends another's.

    Raises:
        UsageError: the form has no key.
    """
    if not key or not key.isalnum():
        raise UsageError("the form has no key", hint="Load the page again, then send it.")
    return hashlib.sha256("\0".join(map(str, (*of, key))).encode()).hexdigest()
