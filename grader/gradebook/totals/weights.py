"""What each item is worth in the final grade, once excused items have left the sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from grader.course.components import Component
from grader.gradebook.totals.entries import Entry

WHOLE = Fraction(100)


@dataclass(frozen=True)
class Share:
    """Some items of a component, of which so many count.

    Attributes:
        component: whose they are.
        items: ids, in the order of the course file.
        counted: how many of them count: those that bring most.
        weights: percent of the final grade of each item, if it counts.
        of_a_point: percent of the final grade of one point of it.
        extra: they come on top of the 100 percent.
    """

    component: Component
    items: tuple[str, ...]
    counted: int
    weights: dict[str, Fraction]
    of_a_point: dict[str, Fraction]
    extra: bool = False


class ClassShares:
    """What items are worth in one course, found once for all of whom the same items count.

    Call it with one student's entries; it returns what `shares_of` does.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[tuple[str, bool, bool], ...], list[Share]] = {}

    def __call__(self, entries: Sequence[Entry]) -> list[Share]:
        key = tuple((entry.item.id, entry.excused, entry.counts) for entry in entries)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = shares_of(entries)
        return found


SharesOf = Callable[[Sequence[Entry]], list[Share]]


def shares_of(entries: Sequence[Entry]) -> list[Share]:
    """Return what one student's items are worth, of those that have points.

    Excused items leave the sum: the others of the component take their place, and a component
    of which nothing that weighs is left is made good by the others, in proportion. Whatever
    waits for a mark keeps its place. Extra credit keeps its weight.
    """
    present = [entry for entry in entries if not entry.excused]
    components = [
        (component, list(own))
        for component, own in groupby(present, key=lambda entry: entry.component)
    ]
    base = sum(
        (
            Fraction(c.weight or 0)
            for c, own in components
            if not c.extra_credit and _weighs(c, own)
        ),
        Fraction(0),
    )
    factor = WHOLE / base if base else Fraction(0)
    shares = []
    for component, own in components:
        regular = _regular(own)
        if any(entry.counts for entry in regular):
            shares.append(_regular_share(component, regular, factor))
        extra = [entry for entry in own if entry.item.extra_credit and entry.counts]
        shares += [_extra_share(component, entry) for entry in extra]
    return shares


def _weighs(component: Component, entries: Iterable[Entry]) -> bool:
    """Whether anything of a component that is not excused has a weight."""
    return any(_part(component, entry) for entry in _regular(entries))


def _regular(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.item.extra_credit]


def _regular_share(component: Component, entries: Sequence[Entry], factor: Fraction) -> Share:
    counted = _how_many(component, len(entries))
    weight = Fraction(component.weight or 0) * (1 if component.extra_credit else factor)
    parts = {entry.item.id: _part(component, entry) for entry in entries}
    # Only equal parts are ever chosen from: the file's checks see to that.
    whole = sum(parts.values()) if counted == len(entries) else Fraction(counted)
    items = tuple(entry.item.id for entry in entries if entry.counts)
    weights = {i: weight * parts[i] / whole if whole else Fraction(0) for i in items}
    return Share(
        component=component,
        items=items,
        counted=min(counted, len(items)),
        weights=weights,
        of_a_point=_of_a_point(weights, entries),
        extra=component.extra_credit,
    )


def _extra_share(component: Component, entry: Entry) -> Share:
    identifier = entry.item.id
    weights = {identifier: Fraction(entry.item.weight or 0)}
    points = _of_a_point(weights, [entry])
    return Share(component, (identifier,), 1, weights, points, extra=True)


def _of_a_point(weights: dict[str, Fraction], entries: Sequence[Entry]) -> dict[str, Fraction]:
    most = {entry.item.id: entry.item.max_points for entry in entries}
    return {item: weight / Fraction(most[item]) for item, weight in weights.items()}


def _how_many(component: Component, present: int) -> int:
    if component.best is not None:
        return min(component.best, present)
    return max(1, present - component.drop)


def _part(component: Component, entry: Entry) -> Fraction:
    if component.by_points:
        return Fraction(entry.item.max_points)
    return Fraction(1) if entry.item.weight is None else Fraction(entry.item.weight)
