"""One student's components and items, scored: what counts, for how much, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.course.components import Component
from grader.course.course_file import CourseFile
from grader.course.policy import LatePolicy
from grader.gradebook.changed import changed, exact
from grader.gradebook.totals.charging import Charges, GraceDays, days, earned
from grader.gradebook.totals.entries import Entry, percent_off
from grader.gradebook.totals.reasons import reason
from grader.gradebook.totals.total_lines import ComponentTotal, CriterionPoints, ItemTotal, State
from grader.gradebook.totals.weights import Share, SharesOf, shares_of

_NONE, _ALL = Fraction(0), Fraction(1)


@dataclass(frozen=True, kw_only=True)
class Score:
    """The sum of a student's marks under one view of what still waits.

    Attributes:
        percent: exact; None where nothing is in the sum.
        components: in the order of the course file.
        grace_units: charged, in the policy's units.
    """

    percent: Fraction | None
    components: tuple[ComponentTotal, ...]
    grace_units: int

    @property
    def items(self) -> list[ItemTotal]:
        """All items, in the order of the course file."""
        return [item for component in self.components for item in component.items]

    @property
    def passes(self) -> bool:
        """Whether no item that had to be passed was failed."""
        return all(item.passed is not False for item in self.items)


@dataclass(frozen=True)
class Outlook:
    """What `Score` comes to, without the line of each item: what a search asks for many times.

    `failed` are the titles of the items that had to be passed and were not.
    """

    percent: Fraction | None
    failed: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether no item that had to be passed was failed."""
        return not self.failed


class Scoring:
    """One student's entries, to be scored with one share or many of what waits.

    What is the same with every share is found once: what each item is worth, and what grace days
    bring to those that have a mark.

    Args:
        course: as `load_scheme` reads it, with nothing left open.
        entries: one for each item.
        shares: finds what each item is worth.
    """

    def __init__(
        self, course: CourseFile, entries: Sequence[Entry], *, shares: SharesOf = shares_of
    ) -> None:
        self._course = course
        self._entries = entries
        self._whole = [entry.with_share(_ALL) for entry in entries]
        self._shares = shares(self._whole)
        self._grace_days = GraceDays(course, self._shares)

    def score(self, waiting: Fraction) -> Score:
        """Score them, taken that whatever waits gets this share of its points, 0 to 1."""
        return _score(self._course, self._weighed(waiting))

    def outlook(self, waiting: Fraction) -> Outlook:
        """Return what `score` would, as far as it decides on a letter."""
        weighed = self._weighed(waiting)
        must = [e for e in weighed.entries if e.item.must_pass and e.counts]
        return Outlook(
            percent=weighed.percent(self._course),
            failed=tuple(
                e.item.title
                for e in must
                if weighed.earned[e.item.id] < Fraction(e.item.pass_mark or 0)
            ),
        )

    def _weighed(self, waiting: Fraction) -> _Weighed:
        whole = waiting == _ALL
        assumed = self._whole if whole else [e.with_share(waiting) for e in self._entries]
        return _weigh(self._course, assumed, self._shares, self._grace_days)


def score(course: CourseFile, entries: Sequence[Entry], *, shares: SharesOf = shares_of) -> Score:
    """Score one student, with whatever waits left out of the sum; `shares` finds weights."""
    own = shares(entries)
    return _score(course, _weigh(course, entries, own, GraceDays(course, own)))


def score_item(
    course: CourseFile, entries: Sequence[Entry], item: str, *, shares: SharesOf = shares_of
) -> ItemTotal:
    """Return what `score` says of one item, without the lines of the others."""
    own = shares(entries)
    weighed = _weigh(course, entries, own, GraceDays(course, own))
    return next(_item(course, e, weighed) for e in weighed.entries if e.item.id == item)


@dataclass(frozen=True)
class _Weighed:
    """One student's entries under one view of what waits.

    Attributes:
        earned: points after late days, of each item; 0 of what is in no sum.
        counted: the percent of the final grade of each item that counts.
    """

    entries: Sequence[Entry]
    shares: Sequence[Share]
    charges: Charges
    earned: Mapping[str, Fraction]
    counted: Mapping[str, Fraction]

    def percent(self, course: CourseFile) -> Fraction | None:
        """What was gained of what is in the sum, in percent, and extra credit on top."""
        in_sum = gained = extra = Fraction(0)
        for share in self.shares:
            counted = [item for item in share.items if item in self.counted]
            brings = [item for item in counted if self.earned[item]]
            contribution = sum(
                (share.of_a_point[item] * self.earned[item] for item in brings), _NONE
            )
            if share.extra:
                extra += contribution
            else:
                in_sum += sum((share.weights[item] for item in counted), Fraction(0))
                gained += contribution
        if not in_sum:
            return None
        total = gained * 100 / in_sum + extra
        return total if course.cap is None else min(total, Fraction(course.cap))


def _weigh(
    course: CourseFile, entries: Sequence[Entry], shares: Sequence[Share], grace_days: GraceDays
) -> _Weighed:
    spent = grace_days.spent([e for e in entries if e.counts])
    charges = spent.charges
    taken = [spent.tries.get(entry.item.id, entry) for entry in entries]
    after_lateness = {e.item.id: earned(e, charges.get(e.item.id, 0), course.late) for e in taken}
    counted = _counted(taken, shares, after_lateness)
    return _Weighed(taken, shares, charges, after_lateness, counted)


def _score(course: CourseFile, weighed: _Weighed) -> Score:
    return Score(
        percent=weighed.percent(course),
        components=tuple(_component(course, each, weighed) for each in course.components),
        grace_units=sum(weighed.charges.values()),
    )


def _counted(
    entries: Sequence[Entry], shares: Sequence[Share], earned_points: Mapping[str, Fraction]
) -> Mapping[str, Fraction]:
    """The weight of each item that counts; of equally good ones the earlier count."""
    chosen: dict[str, Fraction] = {}
    for share in shares:
        items: Sequence[str] = share.items
        if share.counted < len(items):
            most = {e.item.id: exact(e.item.max_points) for e in entries}
            items = sorted(items, key=lambda i: -earned_points[i] / most[i])[: share.counted]
        chosen |= {item: share.weights[item] for item in items}
    return chosen


def _component(course: CourseFile, component: Component, weighed: _Weighed) -> ComponentTotal:
    items = tuple(
        _item(course, entry, weighed)
        for entry in weighed.entries
        if entry.component.id == component.id
    )
    regular = [i for i in items if i.state in (State.COUNTED, State.MISSING) and not i.extra_credit]
    weight = sum((i.weight for i in regular), Fraction(0)) if regular else None
    gained = sum((i.contribution for i in regular), Fraction(0))
    return ComponentTotal(
        component=component.id,
        title=component.title,
        weight=weight,
        score=gained / weight if weight else None,
        contribution=sum((i.contribution for i in items), Fraction(0)),
        items=items,
        extra_credit=component.extra_credit,
    )


def _item(course: CourseFile, entry: Entry, weighed: _Weighed) -> ItemTotal:
    item, late = entry.item, course.late
    grace = weighed.charges.get(item.id, 0)
    points = weighed.earned[item.id] if entry.counts else None
    weight = weighed.counted.get(item.id, _NONE)
    total = ItemTotal(
        item=item.id,
        title=item.title,
        state=_state(entry, weighed.counted),
        points=entry.mark.points if entry.mark else None,
        max_points=item.max_points,
        earned=points,
        due=entry.due,
        handed_in=entry.mark.handed_in if entry.mark else None,
        attempt=entry.attempt,
        days_late=_days(entry.late, late),
        grace_days=_days(grace, late),
        percent_off=percent_off(entry, grace, late),
        refused=entry.refused,
        weight=weight,
        contribution=weight * points / exact(item.max_points) if weight and points else _NONE,
        must_pass=item.must_pass,
        passed=points >= Fraction(item.pass_mark or 0)
        if item.must_pass and points is not None
        else None,
        extra_credit=item.extra_credit,
        criteria=_criteria(entry),
    )
    return changed(total, why=reason(total, entry, course))


def _days(units: int, policy: LatePolicy | None) -> Fraction:
    if not units:
        return _NONE
    return days(units, policy) if policy else Fraction(units)


def _criteria(entry: Entry) -> tuple[CriterionPoints, ...]:
    known = entry.mark.criteria if entry.mark else {}
    if not any(criterion.id in known for criterion in entry.item.rubric):
        return ()
    return tuple(
        CriterionPoints(title=c.title, points=known.get(c.id), max_points=c.points)
        for c in entry.item.rubric
    )


def _state(entry: Entry, counted: Mapping[str, Fraction]) -> State:
    if entry.excused:
        return State.EXCUSED
    if entry.waits:
        return State.WAITS
    if entry.item.id not in counted:
        return State.DROPPED
    return State.MISSING if entry.missing else State.COUNTED
