"""Which late days a student's grace days pay for, and what the others cost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import is_

from grader.course.course_file import CourseFile
from grader.course.policy import LatePolicy
from grader.gradebook.changed import exact
from grader.gradebook.totals.entries import Entry, percent_off
from grader.gradebook.totals.lateness import units_a_day
from grader.gradebook.totals.weights import Share

Charges = Mapping[str, int]
_MAX_CHOICES = 1000
_NONE = Fraction(0)


def earned(entry: Entry, grace: int, policy: LatePolicy | None) -> Fraction:
    """Return the points after late days."""
    points = entry.points or _NONE
    off = percent_off(entry, grace, policy)
    return points * (100 - off) / 100 if off else points


@dataclass(frozen=True)
class Spending:
    """Which tries count, and how many grace units (days, or hours) each late item is charged.

    `tries` has an entry for each item of which several tries could have counted.
    """

    charges: Charges = field(default_factory=dict)
    tries: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class _Searched:
    """What a search found, and what it was about."""

    entries: tuple[Entry, ...]
    passing: bool
    found: Spending

    def is_about(self, entries: Sequence[Entry], passing: bool) -> bool:
        same = len(entries) == len(self.entries) and all(map(is_, entries, self.entries))
        return same and passing == self.passing


class GraceDays:
    """How one student's grace days are spent, and on which try of each item.

    Which try is the best and what is spent on it depend on each other: two days may make a late
    try better than one on time, and are then gone for other items. They are searched for once,
    however many guesses are made at what items will have that take no days.

    Args:
        course: with its late policy.
        shares: what the items of each component are worth, and how many of them count.
    """

    def __init__(self, course: CourseFile, shares: Sequence[Share]) -> None:
        self._policy = course.late
        self._shares = _of_what_is_known(shares)
        self._searched: _Searched | None = None

    def spent(self, entries: Sequence[Entry]) -> Spending:
        """Return what leaves the student most; `entries` are those that are in the sum."""
        policy = self._policy
        if policy is None or not policy.grace_days:
            return Spending()
        budget = policy.grace_days * units_a_day(policy)
        if policy.order == "as handed in":
            return _best_as_handed_in(entries, self._shares, policy, budget)
        if not any(_most_units(one, policy, budget) for entry in entries for one in _tries(entry)):
            return Spending()
        shares = _undecided(entries, self._shares, policy, budget)
        items = {item for share in shares for item in share.items}
        undecided = tuple(entry for entry in entries if entry.item.id in items)
        decided = [entry for entry in entries if entry.item.id not in items]
        passing = not any(_is_failed(entry, policy) for entry in decided)
        if self._searched is None or not self._searched.is_about(undecided, passing):
            found = _search(undecided, shares, policy, budget, passing)
            self._searched = _Searched(undecided, passing, found)
        return self._searched.found


def _of_what_is_known(shares: Sequence[Share]) -> Sequence[Share]:
    """Return what items bring to the total: that of what is known is counted as the whole.

    Extra credit comes on top as it is, so beside it an item brings more while others wait.
    """
    if not any(share.extra for share in shares):
        return shares
    known = sum(
        (
            sum(sorted(share.weights.values(), reverse=True)[: share.counted], Fraction(0))
            for share in shares
            if not share.extra
        ),
        Fraction(0),
    )
    if known in (0, 100):
        return shares
    scale = 100 / known
    return [
        share
        if share.extra
        else replace(share, weights={item: w * scale for item, w in share.weights.items()})
        for share in shares
    ]


def _search(
    entries: Sequence[Entry],
    shares: Sequence[Share],
    policy: LatePolicy,
    budget: int,
    passing: bool,
) -> Spending:
    weights = {item: share.weights[item] for share in shares for item in share.items}

    def best(passing: bool) -> tuple[int, Spending]:
        choices = {
            entry.item.id: _Choice(entry, weights[entry.item.id], policy, budget, passing)
            for entry in entries
        }
        return _best(shares, choices, budget)

    must = sum(entry.item.must_pass for entry in entries)
    if must and passing:
        passes, found = best(True)
        if passes == must:
            return found
    # Nothing has to be passed, or can't be whatever the days are spent on: the total decides.
    return best(False)[1]


def _is_failed(entry: Entry, policy: LatePolicy) -> bool:
    item = entry.item
    return item.must_pass and earned(entry, 0, policy) < Fraction(item.pass_mark or 0)


def _tries(entry: Entry) -> tuple[Entry, ...]:
    return entry.tries or (entry,)


def _undecided(
    entries: Sequence[Entry], shares: Sequence[Share], policy: LatePolicy, budget: int
) -> list[Share]:
    """Return the shares with the items that the days can change something for, and no others.

    Where all items count, each item that has one try and takes no days brings what it brings; where
    some are dropped, an item that takes days may put out one that takes none.
    """
    moving = {
        entry.item.id for entry in entries if entry.tries or _most_units(entry, policy, budget)
    }
    narrowed = []
    for share in shares:
        if share.counted == len(share.items):
            items = tuple(item for item in share.items if item in moving)
            narrowed.append(replace(share, items=items, counted=len(items)))
        elif moving.intersection(share.items):
            narrowed.append(share)
    return narrowed


def _best_as_handed_in(
    entries: Sequence[Entry], shares: Sequence[Share], policy: LatePolicy, budget: int
) -> Spending:
    """Return the tries on which the days, charged in the order of time, leave the student most.

    All choices are compared, one item at a time where they are more than can be.
    """
    several = [i for i, entry in enumerate(entries) if entry.tries]
    chosen = list(entries)

    def worth() -> tuple[bool, Fraction]:
        charges = _as_handed_in(chosen, policy, budget)
        return _outcome(chosen, shares, charges, policy)

    if math.prod(len(entries[i].tries) for i in several) <= _MAX_CHOICES:
        best = (worth(), list(chosen))
        for ways in itertools.product(*(entries[i].tries for i in several)):
            for i, way in zip(several, ways, strict=True):
                chosen[i] = way
            if (found := worth()) > best[0]:
                best = (found, list(chosen))
        chosen = best[1]
    else:
        for i in several:
            tried = []
            for way in entries[i].tries:
                chosen[i] = way
                tried.append((worth(), way))
            chosen[i] = max(tried, key=lambda pair: pair[0])[1]
    return Spending(
        _as_handed_in(chosen, policy, budget), {chosen[i].item.id: chosen[i] for i in several}
    )


def _outcome(
    entries: Sequence[Entry], shares: Sequence[Share], charges: Charges, policy: LatePolicy
) -> tuple[bool, Fraction]:
    """Whether all is passed that must be, and percent of the final grade.

    Where something can't be passed the total decides, as in the search over grace days.
    """
    points = {e.item.id: earned(e, charges.get(e.item.id, 0), policy) for e in entries}
    items = {e.item.id: e.item for e in entries}
    passed = all(
        points[i] >= Fraction(item.pass_mark or 0) for i, item in items.items() if item.must_pass
    )
    gained = Fraction(0)
    for share in shares:
        values = [points[i] / exact(items[i].max_points) * share.weights[i] for i in share.items]
        gained += sum(sorted(values, reverse=True)[: share.counted], Fraction(0))
    return passed, gained


def _as_handed_in(entries: Sequence[Entry], policy: LatePolicy, budget: int) -> Charges:
    charges: dict[str, int] = {}
    late = [e for e in entries if _most_units(e, policy, budget) and e.mark and e.mark.handed_in]
    for entry in sorted(late, key=_moment):
        charges[entry.item.id] = min(_most_units(entry, policy, budget), budget)
        budget -= charges[entry.item.id]
    return {item: units for item, units in charges.items() if units}


def _moment(entry: Entry) -> float:
    assert entry.mark and entry.mark.handed_in  # noqa: S101 - for the type checker
    return entry.mark.handed_in.timestamp()


def _most_units(entry: Entry, policy: LatePolicy, budget: int) -> int:
    """How many grace units the item can take."""
    if not entry.late or entry.refused or entry.rule(policy) != "policy":
        return 0
    most = min(entry.late, budget)
    if policy.grace_days_per_item is not None:
        most = min(most, policy.grace_days_per_item * units_a_day(policy))
    return most


# Whether it counts; grace units, items passed (0 or 1), percent of the final grade; which try.
_Option = tuple[bool, int, int, Fraction, Entry]


@dataclass(frozen=True)
class _Choice:
    """One item as the search sees it: each number of grace units with what it brings."""

    entry: Entry
    weight: Fraction
    policy: LatePolicy
    budget: int
    passing: bool

    def options(self) -> list[_Option]:
        """Each way to have it: with so many grace units, and in the sum or dropped from it."""
        item = self.entry.item
        decides = self.passing and item.must_pass
        most = exact(item.max_points)
        counted, dropped = [], []
        for one in _tries(self.entry):
            for units in range(_most_units(one, self.policy, self.budget) + 1):
                points = earned(one, units, self.policy)
                passed = int(decides and points >= Fraction(item.pass_mark or 0))
                counted.append((True, units, passed, points / most * self.weight, one))
                if decides or not units:
                    dropped.append((False, units, passed, Fraction(0), one))
        return counted + dropped


# Items passed, percent of the final grade in a common unit; and which try was charged how much.
_Reached = tuple[tuple[int, int], tuple[tuple[Entry, int], ...]]
# An option with its percent in the same unit.
_Way = tuple[bool, int, int, int, Entry]


def _best(
    shares: Sequence[Share], choices: Mapping[str, _Choice], budget: int
) -> tuple[int, Spending]:
    """Search all ways to spend the days, and return the best; of equals the cheapest.

    A knapsack over (days spent, items chosen so far in this component), exact also where only
    the best n of a component count, for the best n are the choice that brings most.
    """
    ways = _ways(choices)
    reached: dict[int, _Reached] = {0: ((0, 0), ())}
    for share in shares:
        inner: dict[tuple[int, int], _Reached] = {(0, b): r for b, r in reached.items()}
        for place, item in enumerate(share.items):
            left = len(share.items) - place - 1
            inner = _step(inner, ways[item], share.counted, left, budget)
        reached = {b: r for (chosen, b), r in inner.items() if chosen == share.counted}
    spent = max(reached, key=lambda b: (reached[b][0], -b))
    (passes, _), charged = reached[spent]
    return passes, Spending(
        charges={entry.item.id: units for entry, units in charged if units},
        tries={entry.item.id: entry for entry, _ in charged if choices[entry.item.id].entry.tries},
    )


def _ways(choices: Mapping[str, _Choice]) -> dict[str, list[_Way]]:
    """Each item's ways, their values as whole numbers of one unit: the search adds them often."""
    exact = {item: one.options() for item, one in choices.items()}
    unit = math.lcm(*(value.denominator for ways in exact.values() for _, _, _, value, _ in ways))
    return {
        item: [(c, units, passed, int(value * unit), one) for c, units, passed, value, one in ways]
        for item, ways in exact.items()
    }


def _step(
    inner: Mapping[tuple[int, int], _Reached],
    ways: Sequence[_Way],
    counted: int,
    left: int,
    budget: int,
) -> dict[tuple[int, int], _Reached]:
    after: dict[tuple[int, int], _Reached] = {}
    several = len({id(entry) for *_, entry in ways}) > 1
    for (chosen, spent), ((passes, value), charged) in inner.items():
        for counts, units, passed, gain, entry in ways:
            key = (chosen + counts, spent + units)
            if key[0] > counted or key[0] + left < counted or key[1] > budget:
                continue
            score = (passes + passed, value + gain)
            if key not in after or score > after[key][0]:
                path = ((entry, units), *charged) if units or several else charged
                after[key] = (score, path)
    return after


def days(units: int, policy: LatePolicy) -> Fraction:
    """Return units of the policy in days."""
    return Fraction(units, units_a_day(policy))
