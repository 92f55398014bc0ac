"""What the totals of a class say together."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.course.course_file import CourseFile
from grader.gradebook.totals.total_lines import ComponentTotal, ItemTotal, State, StudentTotal


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How some numbers lie: exact, in percent."""

    count: int
    mean: Fraction
    lowest: Fraction
    lower_quarter: Fraction
    median: Fraction
    upper_quarter: Fraction
    highest: Fraction
    deviation: float


@dataclass(frozen=True, kw_only=True)
class ItemStatistics:
    """One item over the class: how many are in each state, how many late, and the shares."""

    item: str
    title: str
    states: dict[State, int]
    late: int
    shares: Spread | None


@dataclass(frozen=True, kw_only=True)
class ComponentStatistics:
    """One component over the class: everybody's score, in percent of it."""

    component: str
    title: str
    scores: Spread | None
    items: tuple[ItemStatistics, ...]


@dataclass(frozen=True, kw_only=True)
class TotalsStatistics:
    """Everything that the class's page shows beside its table.

    Attributes:
        complete: how many have a total; the others wait for marks.
        totals: of those who have one, as the course rounds them; before anyone has, of what has
            been marked so far.
        letters: how often each was given, best first; empty where the course has none.
        failed: how many did not pass what had to be passed.
    """

    students: int
    complete: int
    totals: Spread | None
    percents: tuple[Fraction, ...]
    letters: dict[str, int]
    failed: int
    components: tuple[ComponentStatistics, ...]


def totals_statistics(totals: Sequence[StudentTotal], course: CourseFile) -> TotalsStatistics:
    """Sum up a class."""
    complete = [Fraction(t.total) for t in totals if t.total is not None]
    so_far = [t.so_far for t in totals if t.so_far is not None]
    percents = tuple(complete or so_far)
    return TotalsStatistics(
        students=len(totals),
        complete=len(complete),
        totals=spread(percents),
        percents=percents,
        letters=_letters(totals, course),
        failed=sum(bool(total.failed) for total in totals),
        components=tuple(
            _component([total.components[index] for total in totals], component.id, component.title)
            for index, component in enumerate(course.components)
        ),
    )


def spread(numbers: Sequence[Fraction]) -> Spread | None:
    """Return where numbers lie; None where there are none."""
    if not numbers:
        return None
    ordered = sorted(numbers)
    lower, middle, upper = (_quantile(ordered, Fraction(n, 4)) for n in (1, 2, 3))
    return Spread(
        count=len(ordered),
        mean=sum(ordered, Fraction(0)) / len(ordered),
        lowest=ordered[0],
        lower_quarter=lower,
        median=middle,
        upper_quarter=upper,
        highest=ordered[-1],
        deviation=statistics.pstdev(map(float, ordered)),
    )


def _quantile(ordered: Sequence[Fraction], share: Fraction) -> Fraction:
    """Interpolated between the two nearest numbers, as spreadsheets do."""
    place, rest = divmod(share * (len(ordered) - 1), 1)
    after = ordered[min(place + 1, len(ordered) - 1)]
    return ordered[place] + (after - ordered[place]) * rest


def _letters(totals: Sequence[StudentTotal], course: CourseFile) -> dict[str, int]:
    if course.letters is None:
        return {}
    given = Counter(total.letter for total in totals)
    bands = course.letters.bands
    names = [*sorted(bands, key=lambda name: -bands[name]), course.letters.failed]
    return {name: given[name] for name in dict.fromkeys(names)}


def _component(totals: Sequence[ComponentTotal], name: str, title: str) -> ComponentStatistics:
    count = len(totals[0].items) if totals else 0
    return ComponentStatistics(
        component=name,
        title=title,
        scores=spread([total.score * 100 for total in totals if total.score is not None]),
        items=tuple(_item([total.items[index] for total in totals]) for index in range(count)),
    )


def _item(lines: Sequence[ItemTotal]) -> ItemStatistics:
    states = Counter(line.state for line in lines)
    shares = [
        line.earned / Fraction(line.max_points) * 100
        for line in lines
        if line.earned is not None and line.points is not None
    ]
    return ItemStatistics(
        item=lines[0].item,
        title=lines[0].title,
        states={state: states[state] for state in State},
        late=sum(line.days_late > 0 for line in lines),
        shares=spread(shares),
    )
