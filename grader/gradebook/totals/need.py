"""What a student would need in what still waits, to reach a total or a letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.errors import UsageError
from grader.gradebook.totals.entries import Entry
from grader.gradebook.totals.rounding import rounded
from grader.gradebook.totals.scoring import Score, score
from grader.gradebook.totals.students import total_of
from grader.points import HUNDREDTH, show

_STEPS = 10_000
_LISTED = 4


@dataclass(frozen=True, kw_only=True)
class NeededPoints:
    """One item that waits, with the points that the share comes to."""

    item: str
    title: str
    points: Decimal
    max_points: Decimal


@dataclass(frozen=True, kw_only=True)
class Need:
    """What it takes to reach a target.

    Attributes:
        target: as it was asked for, such as "B" or "85".
        percent: the least share of the points of everything that waits which reaches the target,
            in percent, in hundredths; None where even all of them do not.
        items: the points that come to, item by item.
        at_most: the total with all points that can still be got.
        must_pass: titles of the items that waited to be passed and those that were failed.
    """

    target: str
    percent: Decimal | None
    items: tuple[NeededPoints, ...]
    at_most: Decimal
    must_pass: tuple[str, ...] = ()


def need(course: CourseFile, entries: Sequence[Entry], target: str) -> Need:
    """Say which share of all that waits is needed, the same in each item.

    Args:
        course: as `load_scheme` reads it, with nothing left open.
        entries: of one student.
        target: a letter of the course, or a total such as 85.

    Raises:
        UsageError: neither of these.
    """
    least = _least_total(course, target)

    letters = course.letters
    exactly = letters is not None and target in letters.bands and letters.of == "exact"

    def reaches(scored: Score) -> bool:
        exact = scored.percent or Fraction(0)
        total = exact if exactly else Fraction(rounded(exact, course.rounding))
        return scored.passes and total >= Fraction(least)

    top = score(course, entries, Fraction(1))
    waiting = [entry for entry in entries if entry.waits]
    failed = tuple(item.title for item in top.items if item.passed is False)
    if not reaches(top):
        return Need(
            target=target, percent=None, items=(), at_most=total_of(top, course), must_pass=failed
        )
    # More points never lower a total, so that the least share is found by halving.
    low, high = -1, _STEPS
    while high - low > 1:
        middle = (low + high) // 2
        if reaches(score(course, entries, Fraction(middle, _STEPS))):
            high = middle
        else:
            low = middle
    return Need(
        target=target,
        percent=Decimal(high) * HUNDREDTH,
        items=tuple(_needed(entry, high) for entry in waiting),
        at_most=total_of(top, course),
        must_pass=tuple(entry.item.title for entry in waiting if entry.item.must_pass),
    )


def _needed(entry: Entry, steps: int) -> NeededPoints:
    exact = entry.item.max_points * steps / _STEPS
    return NeededPoints(
        item=entry.item.id,
        title=entry.item.title,
        points=exact.quantize(HUNDREDTH, ROUND_CEILING),
        max_points=entry.item.max_points,
    )


def _least_total(course: CourseFile, target: str) -> Decimal:
    if course.letters is not None and target in course.letters.bands:
        return course.letters.bands[target]
    try:
        total = Decimal(target)
    except ArithmeticError:
        total = Decimal("NaN")
    if not total.is_finite() or not 0 <= total <= 1000:
        letters = ", ".join(course.letters.bands) if course.letters else ""
        known = f"a letter ({letters}) or a total" if letters else "a total"
        raise UsageError(
            f"{target!r} can't be reached: expected {known} such as 85",
            hint="The course file has no [letters]." if not letters else None,
        )
    return total


def plainly(found: Need) -> str:
    """Say it in a sentence."""
    if found.percent is None:
        why = f"; not passed: {', '.join(found.must_pass)}" if found.must_pass else ""
        return f"{found.target} is out of reach: at most {show(found.at_most)}{why}."
    if not found.items or not found.percent:
        return f"{found.target} is reached already."
    if len(found.items) > _LISTED:
        each = f"the same in each of {len(found.items)} items"
    else:
        each = ", ".join(f"{i.title} {show(i.points)} of {show(i.max_points)}" for i in found.items)
    return f"For {found.target}: {show(found.percent)} % of what is still to come ({each})."
