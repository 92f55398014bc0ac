"""What a student would need in what still waits, to reach a total or a letter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.errors import UsageError
from grader.gradebook.totals.entries import Entry
from grader.gradebook.totals.rounding import rounded
from grader.gradebook.totals.scoring import Outlook, Scoring
from grader.gradebook.totals.students import total_of
from grader.points import HUNDREDTH, show

_STEPS = 10_000
_LISTED = 4
_ON_THE_LINE = 4


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
    """As `needs`, for one target."""
    return needs(course, entries, (target,))[0]


def needs(course: CourseFile, entries: Sequence[Entry], targets: Iterable[str]) -> list[Need]:
    """Say for each target which share of all that waits is needed, the same in each item.

    Args:
        course: as `load_scheme` reads it, with nothing left open.
        entries: of one student.
        targets: letters of the course, or totals such as 85.

    Raises:
        UsageError: neither of these.
    """
    ahead = _Ahead(course, entries)
    return [_need(ahead, target) for target in targets]


class _Ahead:
    """What one student would have with each share of what waits, found once for all targets."""

    def __init__(self, course: CourseFile, entries: Sequence[Entry]) -> None:
        self.course = course
        self._scoring = Scoring(course, entries)
        self.waiting = [entry for entry in entries if entry.waits]
        self._known: dict[int, Outlook] = {}

    def at(self, step: int) -> Outlook:
        """With `step / _STEPS` of the points of everything that waits."""
        if step not in self._known:
            self._known[step] = self._scoring.outlook(Fraction(step, _STEPS))
        return self._known[step]


def _need(ahead: _Ahead, target: str) -> Need:
    course = ahead.course
    least = _least_total(course, target)
    letters = course.letters
    exactly = letters is not None and target in letters.bands and letters.of == "exact"

    def reaches(step: int) -> bool:
        there = ahead.at(step)
        exact = there.percent or Fraction(0)
        total = exact if exactly else Fraction(rounded(exact, course.rounding))
        return there.passes and total >= Fraction(least)

    at_most = total_of(ahead.at(_STEPS).percent, course)
    if not reaches(_STEPS):
        return Need(
            target=target,
            percent=None,
            items=(),
            at_most=at_most,
            must_pass=ahead.at(_STEPS).failed,
        )
    step = _least_step(ahead, reaches, least)
    return Need(
        target=target,
        percent=Decimal(step) * HUNDREDTH,
        items=tuple(_needed(entry, step) for entry in ahead.waiting),
        at_most=at_most,
        must_pass=tuple(entry.item.title for entry in ahead.waiting if entry.item.must_pass),
    )


def _least_step(ahead: _Ahead, reaches: Callable[[int], bool], least: Decimal) -> int:
    """The least step that reaches the target, where the last one does.

    More points never lower a total. It is nearly a straight line, so that the first guesses are
    made on the line between the ends, and what is left is halved.
    """
    if reaches(0):
        return 0
    low, high = 0, _STEPS
    for guess in range(_STEPS.bit_length() + _ON_THE_LINE):
        if high - low <= 1:
            break
        if guess < _ON_THE_LINE:
            middle = min(max(_on_the_line(ahead, low, high, least), low + 1), high - 1)
        else:
            middle = (low + high) // 2
        if reaches(middle):
            high = middle
        else:
            low = middle
    return high


def _on_the_line(ahead: _Ahead, low: int, high: int, least: Decimal) -> int:
    """Where the straight line between two steps gets to the target, as the total is rounded."""
    below, above = (ahead.at(step).percent or Fraction(0) for step in (low, high))
    if above <= below:
        return (low + high) // 2
    rule = ahead.course.rounding
    slack = Fraction(rule.to) / 2 if rule.way == "nearest" else Fraction(0)
    return low + math.ceil((Fraction(least) - slack - below) / (above - below) * (high - low))


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
