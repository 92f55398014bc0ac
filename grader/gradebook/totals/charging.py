"""Which late days a student's grace days pay for, and what the others cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.course.policy import LatePolicy
from grader.gradebook.totals.entries import Entry
from grader.gradebook.totals.lateness import units_a_day
from grader.gradebook.totals.weights import Share

Charges = Mapping[str, int]


def percent_off(entry: Entry, grace: int, policy: LatePolicy | None) -> Fraction:
    """Return how many percent of the points are taken off, at most all."""
    if policy is None or not entry.late or entry.rule(policy) != "policy":
        return Fraction(0)
    days = Fraction(entry.late - grace, units_a_day(policy))
    return min(Fraction(100), Fraction(policy.percent_per_day or 0) * days)


def earned(entry: Entry, grace: int, policy: LatePolicy | None) -> Fraction:
    """Return the points after late days."""
    points = entry.points or Fraction(0)
    off = percent_off(entry, grace, policy)
    return points * (100 - off) / 100 if off else points


def grace_charges(course: CourseFile, entries: Sequence[Entry], shares: Sequence[Share]) -> Charges:
    """Return how many grace units (days, or hours) each late item is charged.

    Args:
        course: with its late policy.
        entries: of one student; those that are in the sum.
        shares: what the items of each component are worth, and how many of them count.
    """
    policy = course.late
    if policy is None or not policy.grace_days:
        return {}
    budget = policy.grace_days * units_a_day(policy)
    if policy.order == "as handed in":
        return _as_handed_in(entries, policy, budget)
    if not any(_most_units(entry, policy, budget) for entry in entries):
        return {}
    must = sum(entry.item.must_pass for entry in entries)
    passes, charges = _best(shares, _choices(entries, shares, policy, budget, bool(must)), budget)
    if passes < must:
        # The course is not passed whatever the days are spent on: then the total decides.
        _, charges = _best(shares, _choices(entries, shares, policy, budget, False), budget)
    return charges


def _choices(
    entries: Sequence[Entry],
    shares: Sequence[Share],
    policy: LatePolicy,
    budget: int,
    passing: bool,
) -> dict[str, _Choice]:
    weights = {item: weight for share in shares for item, weight in share.weights.items()}
    return {
        entry.item.id: _Choice(entry, weights[entry.item.id], policy, budget, passing)
        for entry in entries
    }


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


# Whether it counts; grace units, items passed (0 or 1), percent of the final grade.
_Option = tuple[bool, int, int, Fraction]


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
        most = Fraction(item.max_points)
        counted, dropped = [], []
        for units in range(_most_units(self.entry, self.policy, self.budget) + 1):
            points = earned(self.entry, units, self.policy)
            passed = int(decides and points >= Fraction(item.pass_mark or 0))
            counted.append((True, units, passed, points / most * self.weight))
            if decides or not units:
                dropped.append((False, units, passed, Fraction(0)))
        return counted + dropped


# Items passed, percent of the final grade in a common unit; and which item was charged how much.
_Reached = tuple[tuple[int, int], tuple[tuple[str, int], ...]]
# An option with its percent in the same unit.
_Way = tuple[bool, int, int, int]


def _best(
    shares: Sequence[Share], choices: Mapping[str, _Choice], budget: int
) -> tuple[int, Charges]:
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
            inner = _step(inner, item, ways[item], share.counted, left, budget)
        reached = {b: r for (chosen, b), r in inner.items() if chosen == share.counted}
    spent = max(reached, key=lambda b: (reached[b][0], -b))
    (passes, _), charged = reached[spent]
    return passes, dict(charged)


def _ways(choices: Mapping[str, _Choice]) -> dict[str, list[_Way]]:
    """Each item's ways, their values as whole numbers of one unit: the search adds them often."""
    exact = {item: one.options() for item, one in choices.items()}
    unit = math.lcm(*(value.denominator for ways in exact.values() for *_, value in ways))
    return {
        item: [(c, units, passed, int(value * unit)) for c, units, passed, value in ways]
        for item, ways in exact.items()
    }


def _step(
    inner: Mapping[tuple[int, int], _Reached],
    item: str,
    ways: Sequence[_Way],
    counted: int,
    left: int,
    budget: int,
) -> dict[tuple[int, int], _Reached]:
    after: dict[tuple[int, int], _Reached] = {}
    for (chosen, spent), ((passes, value), charged) in inner.items():
        for counts, units, passed, gain in ways:
            key = (chosen + counts, spent + units)
            if key[0] > counted or key[0] + left < counted or key[1] > budget:
                continue
            score = (passes + passed, value + gain)
            if key not in after or score > after[key][0]:
                path = ((item, units), *charged) if units else charged
                after[key] = (score, path)
    return after


def days(units: int, policy: LatePolicy) -> Fraction:
    """Return units of the policy in days."""
    return Fraction(units, units_a_day(policy))
