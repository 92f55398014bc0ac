"""One student's marks, laid beside the items of the course."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.course.components import Component, Item, lateness_rule
from grader.course.course_file import CourseFile
from grader.course.policy import Lateness, LatePolicy
from grader.errors import GradebookError
from grader.gradebook.changed import changed, exact
from grader.gradebook.marks import ItemMark, MarkedTry
from grader.gradebook.totals.lateness import past_cutoff, units_a_day, units_late
from grader.points import show

_NOTHING = Fraction(0)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One item and what a student has of it.

    Exactly one holds: `points` are known, or `waits`, or `excused`, or it is `missing`.

    Attributes:
        points: before late days; None without a mark.
        due: with the student's extension.
        late: how many days (or hours, as the policy charges) late.
        refused: too late to be accepted: it gives no points.
        tries: where the best of several counts: one entry for each that can be the best, the best
            before grace days first. The entry itself is the first until they are spent.
        told_from: from when on its student may see what is shown after the due date, if that is
            later than `due`: while another member of the group has longer, their next try could be
            made of what the hidden tests said.
    """

    item: Item
    component: Component
    mark: ItemMark | None
    points: Fraction | None
    due: dt.datetime | None
    late: int = 0
    refused: bool = False
    waits: bool = False
    excused: bool = False
    missing: bool = False
    tries: tuple[Entry, ...] = ()
    told_from: dt.datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it is in the sum at all."""
        return self.points is not None

    @property
    def attempt(self) -> int:
        """Which of the student's tries it is; 0 where there are none."""
        return self.mark.attempt if self.mark else 0

    @property
    def extended(self) -> bool:
        """Whether this student has longer than the class."""
        return self.due != self.item.due

    def rule(self, policy: LatePolicy | None) -> Lateness:
        """Return how the course treats this item when it comes late."""
        return lateness_rule(self.item, self.component, policy)

    def held_back(self, now: dt.datetime) -> Entry:
        """Return it as its student may see it: the machine's mark only once it is due.

        Before, a mark that counts tests which are shown after the due date would tell of them.
        """
        until = self.told_from or self.due
        early = until is not None and now <= until and self.item.assignment is not None
        if not early or self.mark is None:
            return self
        return self.kept_back("Marks are shown after the due date")

    def kept_back(self, why: str) -> Entry:
        """Return it as if nothing of it were marked yet."""
        if self.excused or (self.points is None and not (self.mark and self.mark.criteria)):
            return self
        mark = self.mark and changed(self.mark, points=None, criteria={}, tries=(), waits_for=why)
        return changed(
            self, mark=mark, points=None, waits=True, missing=False, refused=False, tries=()
        )

    def with_share(self, share: Fraction) -> Entry:
        """Say what an item that waits would get, of 1."""
        if not self.waits:
            return self
        return changed(self, points=share * exact(self.item.max_points), waits=False)


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """When totals are computed, and what is known by then.

    Attributes:
        now: decides what is overdue.
        final: whatever has no mark counts nothing.
        graded: ids of the items of which the class has marks.
    """

    now: dt.datetime
    final: bool = False
    graded: frozenset[str] = frozenset()

    def missing(self, item: Item, due: dt.datetime | None) -> bool:
        """Tell whether an item without a mark was not handed in, and counts nothing.

        That is known of an assignment that is overdue and graded. Of an item that a person marks
        it is not: it waits.
        """
        known = item.assignment is not None and item.id in self.graded
        return self.final or (known and due is not None and self.now > due)


def entries_of(
    student: str, course: CourseFile, marks: Mapping[str, ItemMark], as_of: AsOf
) -> list[Entry]:
    """Return one entry for each item, in the order of the course file.

    Args:
        student: whose extensions to look up.
        course: as `load_scheme` reads it.
        marks: by item.
        as_of: what to take for missing.

    Raises:
        GradebookError: a mark is above the item's points, below 0, or for other points.
    """
    granted = {e.item: e.due for e in course.extensions if e.student == student}
    return [
        _entry(item, component, marks[item.id], granted.get(item.id), course)
        if item.id in marks
        else _blank(item, component, latest(item.due, granted.get(item.id)), as_of)
        for component in course.components
        for item in component.items
    ]


def _blank(item: Item, component: Component, due: dt.datetime | None, as_of: AsOf) -> Entry:
    missing = as_of.missing(item, due)
    return Entry(
        item=item,
        component=component,
        mark=None,
        points=Fraction(0) if missing else None,
        due=due,
        missing=missing,
        waits=not missing,
    )


def _entry(
    item: Item,
    component: Component,
    mark: ItemMark,
    granted: dt.datetime | None,
    course: CourseFile,
) -> Entry:
    due = latest(item.due, granted, mark.extended_to)
    blank = Entry(item=item, component=component, mark=mark, points=None, due=due)
    if mark.excused:
        return changed(blank, excused=True)
    tries = [_scored(changed(blank, mark=_mark_of(mark, t)), course) for t in mark.tries]
    if not tries:
        return _scored(blank, course)
    if mark.last_counts:
        one = next((t for t in reversed(tries) if not t.refused), tries[-1])
        return changed(one, mark=changed(one.mark, tries=()))
    if any(t.points is None for t in mark.tries):
        # A part waits for a person, who reads the one try that the suite's points speak for.
        worth = {t.number: Fraction(t.machine_points) for t in mark.tries}
        return max(tries, key=lambda e: _kept(e, worth[e.attempt], course.late))
    best = sorted(tries, key=lambda e: -_kept(e, e.points or Fraction(0), course.late))
    return changed(best[0], tries=tuple(_undominated(best)))


def _mark_of(mark: ItemMark, one: MarkedTry) -> ItemMark:
    return changed(
        mark,
        points=one.points,
        handed_in=one.handed_in,
        criteria=one.criteria,
        waits_for=one.waits_for,
        attempt=one.number,
    )


def _kept(entry: Entry, points: Fraction, policy: LatePolicy | None) -> Fraction:
    """What lateness leaves of a try's points, without any grace day."""
    return Fraction(0) if entry.refused else points * (100 - percent_off(entry, 0, policy)) / 100


def _undominated(tries: Sequence[Entry]) -> list[Entry]:
    """Return the tries of which none other is as early and as good: only these can be the best."""

    def beats(one: Entry, other: Entry) -> bool:
        ours, theirs = (one.points or 0, -one.late), (other.points or 0, -other.late)
        return all(a >= b for a, b in zip(ours, theirs, strict=True)) and ours != theirs

    kept: list[Entry] = []
    for one in tries:
        same = any((k.points, k.late) == (one.points, one.late) for k in kept)
        if not same and not any(beats(other, one) for other in tries):
            kept.append(one)
    return kept


def percent_off(entry: Entry, grace: int, policy: LatePolicy | None) -> Fraction:
    """Return how many percent of the points are taken off, at most all."""
    if policy is None or not entry.late or entry.rule(policy) != "policy":
        return _NOTHING
    days = Fraction(entry.late - grace, units_a_day(policy))
    return min(Fraction(100), Fraction(policy.percent_per_day or 0) * days)


def _scored(blank: Entry, course: CourseFile) -> Entry:
    mark, item = blank.mark, blank.item
    assert mark is not None  # noqa: S101 - for the type checker
    _check(mark, item)
    late, refused = _lateness(blank, mark, course)
    if refused:
        return changed(blank, points=Fraction(0), late=late, refused=True)
    if mark.points is None:
        return changed(blank, waits=True, late=late)
    return changed(blank, points=exact(mark.points), late=late)


def latest(*dates: dt.datetime | None) -> dt.datetime | None:
    """Return the latest of those that are there; None where none is."""
    return max((date for date in dates if date is not None), default=None)


def _lateness(entry: Entry, mark: ItemMark, course: CourseFile) -> tuple[int, bool]:
    """How late it is, and whether that is too late."""
    if mark.handed_in is None or entry.due is None:
        return 0, False
    policy = course.late or LatePolicy()
    late = units_late(mark.handed_in, entry.due, policy, course.zone)
    rule = entry.rule(course.late)
    if rule == "refused":
        return late, late > 0
    return late, rule == "policy" and past_cutoff(mark.handed_in, entry.due, policy, course.zone)


def _check(mark: ItemMark, item: Item) -> None:
    where = f"{mark.student}, {mark.item}"
    if mark.max_points != item.max_points:
        raise GradebookError(
            f"the mark is out of {show(mark.max_points)} points, "
            f"but the course file says {show(item.max_points)}",
            where=where,
            hint="Mark it again, or put the item's points right in the course file.",
        )
    if mark.points is not None and not 0 <= mark.points <= item.max_points + mark.extra_points:
        raise GradebookError(
            f"{show(mark.points)} points are not between 0 and {show(item.max_points)}",
            where=where,
            hint="Put the mark right. Points on top belong to an item, or to a question of the "
            "assignment, with extra_credit = true.",
        )
