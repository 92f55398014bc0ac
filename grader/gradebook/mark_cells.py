"""What people write into the cells of a table of marks: points, times, yes and no."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from grader.course.local_times import local_time
from grader.errors import UsageError
from grader.points import show

_POINTS = re.compile(r"\d{1,7}(?:[.,]\d{1,2}0*)?")
_DIFFERENCE = re.compile(r"(?P<sign>[+\-−]?)(?P<points>\d{1,7}(?:[.,]\d{1,2}0*)?)")
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"", "no", "n", "false", "0"}
_DATE_ALONE = len("2024-10-09")
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
"""Beyond lie slips of the keyboard, and times that can't be reckoned with: 9999 has no next day."""


def points_from(text: str, highest: Decimal, *, where: str) -> Decimal | None:
    """Read points, None where the cell is empty.

    Raises:
        UsageError: not points, or more than there are.
    """
    if not text:
        return None
    if not _POINTS.fullmatch(text):
        raise UsageError(
            f"these are no points: {text[:40]!r}",
            where=where,
            hint=f"Write a number from 0 to {show(highest)}, with at most two decimals.",
        )
    points = Decimal(text.replace(",", ".")).quantize(Decimal("0.01"))
    if points > highest:
        raise UsageError(
            f"{show(points)} points are more than the {show(highest)} that there are",
            where=where,
            hint="Points on top belong to an item with extra_credit = true.",
        )
    return points


def difference_from(text: str, *, where: str) -> Decimal | None:
    """Read points with a sign, such as +4 or -1.5; None where the cell is empty.

    Raises:
        UsageError: not points.
    """
    if not text:
        return None
    match = _DIFFERENCE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"these are no points: {text[:40]!r}",
            where=where,
            hint="Write a number such as 4 or -1.5, with at most two decimals.",
        )
    points = Decimal(match["points"].replace(",", ".")).quantize(Decimal("0.01"))
    return -points if match["sign"] in ("-", "−") else points


def deadline_from(text: str, zone: dt.tzinfo, *, where: str) -> dt.datetime | None:
    """Read until when something is extended, as `time_from` does; a date alone is all of its day.

    As in the course file: who has until a day has as long on it as the class.

    Raises:
        UsageError: as there.
    """
    time = time_from(text, zone, where=where)
    return time.replace(second=59) if time and len(text) == _DATE_ALONE else time


def time_from(text: str, zone: dt.tzinfo, *, where: str) -> dt.datetime | None:
    """Read a time such as 2024-10-09 23:59, local to the course; None where the cell is empty.

    Raises:
        UsageError: not a time, one of another age, or one over which clocks are put forward.
    """
    if not text:
        return None
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"this is no time: {text[:40]!r}",
            where=where,
            hint="Write it like 2024-10-09 23:59, or 2024-10-09T23:59+03:00.",
        ) from error
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise UsageError(
            f"this is no time of a course: {text[:40]!r}",
            where=where,
            hint=f"Write a year between {_FIRST_YEAR} and {_LAST_YEAR}.",
        )
    if len(text) == _DATE_ALONE:
        time = time.replace(hour=23, minute=59)
    return local_time(time, zone, where=where)


def yes_or_no(text: str, *, where: str) -> bool:
    """Read yes or no; an empty cell is no.

    Raises:
        UsageError: neither.
    """
    word = text.casefold()
    if word not in _YES | _NO:
        raise UsageError(f"expected yes or no, got {text[:40]!r}", where=where)
    return word in _YES
