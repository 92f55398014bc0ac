"""What must hold for every course and every student, and an oracle that tries everything."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.components import Component, Item
from grader.course.course_file import CourseFile
from grader.course.policy import LatePolicy
from grader.gradebook.marks import ItemMark, MarkedTry
from grader.gradebook.totals.students import class_totals
from grader.gradebook.totals.total_lines import StudentTotal
from grader.points import split

DUE = dt.datetime(2024, 10, 1, 12, tzinfo=dt.UTC)
AFTER = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)

POINTS = st.sampled_from([Decimal(10), Decimal("12.5"), Decimal(100)])


@st.composite
def components(draw: st.DrawFn, index: int, weight: Decimal) -> Component:
    count = draw(st.integers(1, 3))
    rule = draw(st.sampled_from(["all", "best", "drop", "by_points", "weights"]))
    parts = split(weight, count) if rule == "weights" else [None] * count
    items = [
        Item(
            id=f"c{index}i{i}",
            title=f"Item {i}",
            points=draw(POINTS),
            weight=parts[i],
            due=DUE,
        )
        for i in range(count)
    ]
    must = draw(st.integers(-3, count - 1))
    if must >= 0:
        worth = items[must].max_points
        items[must] = msgspec.structs.replace(items[must], must_pass=True, pass_mark=worth / 2)
    if draw(st.integers(0, 4)) == 0:
        items.append(
            Item(id=f"c{index}x", title="Extra", extra_credit=True, weight=Decimal(3), due=DUE)
        )
    return Component(
        id=f"c{index}",
        title=f"Component {index}",
        weight=weight,
        best=draw(st.integers(1, count)) if rule == "best" else None,
        drop=draw(st.integers(0, count - 1)) if rule == "drop" else 0,
        by_points=rule == "by_points",
        items=tuple(items),
    )


@st.composite
def courses(draw: st.DrawFn) -> CourseFile:
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=2)))
    edges = [0, *cuts, 10_000]
    weights = [Decimal(b - a) / 100 for a, b in itertools.pairwise(edges)]
    late = LatePolicy(
        grace_days=draw(st.integers(0, 4)),
        grace_days_per_item=draw(st.sampled_from([None, None, 1, 2])),
        percent_per_day=Decimal(draw(st.sampled_from(["0", "10", "33.3", "60", "100"]))),
        order=draw(st.sampled_from(["best for the student", "as handed in"])),
        cutoff_days=draw(st.sampled_from([None, 3])),
    )
    return CourseFile(
        title="A course",
        institution="A university",
        term="Fall",
        late=draw(st.sampled_from([None, late, late, late])),
        components=tuple(draw(components(i, w)) for i, w in enumerate(weights)),
    )


@st.composite
def marks(draw: st.DrawFn, course: CourseFile, student: str = "ada") -> list[ItemMark]:
    made = []
    for item in course.items:
        kind = draw(st.sampled_from(["mark"] * 5 + ["late"] * 4 + ["excused", "waits", "none"]))
        if kind == "none":
            continue
        days = draw(st.integers(1, 5)) if kind == "late" else 0
        share = draw(st.sampled_from([0, 20, 50, 55, 80, 99, 100]))
        made.append(
            ItemMark(
                student=student,
                item=item.id,
                points=None if kind == "waits" else item.max_points * share / 100,
                max_points=item.max_points,
                handed_in=DUE + dt.timedelta(days=days),
                excused=kind == "excused",
            )
        )
    return made


@st.composite
def classes(draw: st.DrawFn) -> tuple[CourseFile, list[ItemMark]]:
    course = draw(courses())
    return course, draw(marks(course))


def total_of(course: CourseFile, given_marks: Sequence[ItemMark]) -> StudentTotal:
    return class_totals(course, given_marks, now=AFTER, students=["ada"], final=True)[0]


def highest(course: CourseFile) -> Decimal:
    extra = (i.weight for i in course.items if i.extra_credit and i.weight is not None)
    return sum(extra, Decimal(100))


@given(classes())
def test_a_total_lies_between_0_and_100_and_extra_credit(
    case: tuple[CourseFile, list[ItemMark]],
) -> None:
    course, given_marks = case
    total = total_of(course, given_marks)
    assert 0 <= total.at_least <= total.at_most <= highest(course)
    if total.so_far is not None:
        assert 0 <= total.so_far <= highest(course)
    if total.total is not None:
        assert total.at_least == total.total == total.at_most


@given(classes())
def test_the_lines_add_up(case: tuple[CourseFile, list[ItemMark]]) -> None:
    course, given_marks = case
    total = total_of(course, given_marks)
    for component in total.components:
        assert component.contribution == sum(i.contribution for i in component.items)
    regular = [i for i in total.items if not i.extra_credit]
    if total.total is not None:
        assert sum(i.weight for i in regular) == 100
        assert total.so_far == sum(c.contribution for c in total.components)


@given(classes(), st.data())
def test_a_higher_mark_never_lowers_a_total(
    case: tuple[CourseFile, list[ItemMark]], data: st.DataObject
) -> None:
    course, given_marks = case
    marked = [i for i, m in enumerate(given_marks) if m.points is not None]
    if not marked:
        return
    index = data.draw(st.sampled_from(marked))
    old = given_marks[index]
    more = data.draw(st.decimals(0, old.max_points - (old.points or 0), places=2))
    higher = [*given_marks]
    higher[index] = replace(old, points=(old.points or Decimal(0)) + more)
    before, after = total_of(course, given_marks), total_of(course, higher)
    # Days that pass what must be passed may be worth fewer points: to pass comes first.
    assert (not after.failed, after.at_least) >= (not before.failed, before.at_least)


@given(classes(), st.data())
def test_an_earlier_hand_in_never_lowers_a_total(
    case: tuple[CourseFile, list[ItemMark]], data: st.DataObject
) -> None:
    course, given_marks = case
    if course.late is not None and course.late.order == "as handed in":
        return  # there the order of hand-ins decides, and an earlier one can take another's days
    late = [i for i, m in enumerate(given_marks) if m.handed_in and m.handed_in > DUE]
    if not late:
        return
    index = data.draw(st.sampled_from(late))
    earlier = [*given_marks]
    earlier[index] = replace(given_marks[index], handed_in=DUE)
    before, after = total_of(course, given_marks), total_of(course, earlier)
    assert (not after.failed, after.at_least) >= (not before.failed, before.at_least)


@given(courses(), st.data())
def test_the_order_of_marks_does_not_matter(course: CourseFile, data: st.DataObject) -> None:
    everybody = [m for name in ("ada", "ben") for m in data.draw(marks(course, name))]
    mixed = [*everybody]
    random.Random(data.draw(st.integers(0, 1000))).shuffle(mixed)
    first = class_totals(course, everybody, now=AFTER, students=["ada", "ben"], final=True)
    assert class_totals(course, mixed, now=AFTER, students=["ben", "ada"], final=True) == first


@settings(max_examples=150)
@given(classes())
def test_no_way_to_spend_grace_days_is_better(case: tuple[CourseFile, list[ItemMark]]) -> None:
    course, given_marks = case
    if course.late is None or course.late.order == "as handed in":
        return
    total = total_of(course, given_marks)
    got = (not total.failed, total.so_far or Fraction(0))
    assert got == max(_every_outcome(course, given_marks))


def _every_outcome(
    course: CourseFile, given_marks: Sequence[ItemMark]
) -> Iterator[tuple[bool, Fraction]]:
    """Try every way to spend the days and every choice of items: slow, and plainly right."""
    late = course.late
    assert late is not None
    by_item = {m.item: m for m in given_marks}
    most = []
    for item in course.items:
        days = _days(by_item.get(item.id))
        cap = late.grace_days if late.grace_days_per_item is None else late.grace_days_per_item
        over = late.cutoff_days is not None and days > late.cutoff_days
        most.append(0 if over else min(days, cap))
    for spent in itertools.product(*(range(n + 1) for n in most)):
        if sum(spent) <= late.grace_days:
            yield _outcome(
                course, by_item, dict(zip((i.id for i in course.items), spent, strict=True))
            )


def _days(mark: ItemMark | None) -> int:
    return (
        0 if mark is None or mark.handed_in is None or mark.excused else (mark.handed_in - DUE).days
    )


def _outcome(
    course: CourseFile, by_item: dict[str, ItemMark], spent: dict[str, int]
) -> tuple[bool, Fraction]:
    passed, gained, in_sum, extra = True, Fraction(0), Fraction(0), Fraction(0)
    for component in course.components:
        shares: list[tuple[Fraction, Fraction]] = []
        present = 0
        whole = Fraction(0)
        for item in component.items:
            mark = by_item.get(item.id)
            if mark is not None and mark.excused:
                continue
            part = _part(component, item)
            if not item.extra_credit:
                present += 1
                whole += part
            share = _share(course, item, mark, spent[item.id])
            if share is None:
                continue
            if item.must_pass and share * Fraction(item.max_points) < Fraction(item.pass_mark or 0):
                passed = False
            if item.extra_credit:
                extra += share * Fraction(item.weight or 0)
            else:
                shares.append((share, part))
        count = present
        if component.best is not None:
            count = min(component.best, present)
        elif present:
            count = max(1, present - component.drop)
        if count < present:
            whole = Fraction(count)
        best = sorted(shares, reverse=True)[:count]
        if whole and best:
            base = _base(course, by_item)
            weight = Fraction(component.weight or 0) * 100 / base if base else Fraction(0)
            gained += sum((s * p for s, p in best), Fraction(0)) / whole * weight
            in_sum += sum((p for _, p in best), Fraction(0)) / whole * weight
    return passed, (gained * 100 / in_sum + extra) if in_sum else Fraction(0)


def _base(course: CourseFile, by_item: dict[str, ItemMark]) -> Fraction:
    """The weight of the components of which not all is excused."""
    return sum(
        (
            Fraction(c.weight or 0)
            for c in course.components
            if any(
                not i.extra_credit and not (i.id in by_item and by_item[i.id].excused)
                for i in c.items
            )
        ),
        Fraction(0),
    )


def _part(component: Component, item: Item) -> Fraction:
    if component.by_points:
        return Fraction(item.max_points)
    return Fraction(1) if item.weight is None else Fraction(item.weight)


def _share(course: CourseFile, item: Item, mark: ItemMark | None, grace: int) -> Fraction | None:
    """What is left of an item after late days; None while it waits."""
    late = course.late
    assert late is not None
    if mark is None:
        return Fraction(0)
    days = _days(mark)
    if late.cutoff_days is not None and days > late.cutoff_days:
        return Fraction(0)
    if mark.points is None:
        return None
    kept = max(Fraction(0), 1 - Fraction(late.percent_per_day or 0) / 100 * (days - grace))
    return Fraction(mark.points) / Fraction(item.max_points) * kept


@st.composite
def classes_with_tries(draw: st.DrawFn) -> tuple[CourseFile, list[ItemMark]]:
    """Courses in which the best of one to three tries of an item counts."""
    course = draw(courses())
    made = []
    for mark in draw(marks(course)):
        if mark.points is None or mark.excused or draw(st.booleans()):
            made.append(mark)
            continue
        tries = tuple(
            MarkedTry(
                number=number,
                points=mark.max_points * draw(st.sampled_from([20, 50, 80, 80, 100])) / 100,
                machine_points=Decimal(0),
                handed_in=DUE + dt.timedelta(days=days),
            )
            for number, days in enumerate(
                sorted(draw(st.lists(st.integers(0, 4), min_size=2, max_size=3))), start=1
            )
        )
        best = max(tries, key=lambda t: (t.points or 0, -t.number))
        made.append(replace(mark, points=best.points, handed_in=best.handed_in, tries=tries))
    return course, made


def in_question(tries: Sequence[MarkedTry], course: CourseFile) -> list[MarkedTry]:
    """The tries that can be the best: none before it was as good.

    Where days are charged in the order of time, a later one that is no better, or one that is too
    late for any points, would let other items have them; it never counts for that.
    """
    last = None if course.late is None else course.late.cutoff_days
    worth = [
        0 if last is not None and t.handed_in and (t.handed_in - DUE).days > last else t.points or 0
        for t in tries
    ]
    return [t for place, t in enumerate(tries) if all(w < worth[place] for w in worth[:place])]


def every_choice(course: CourseFile, given_marks: Sequence[ItemMark]) -> Iterator[list[ItemMark]]:
    """Every way to let one try of each item count that can be its best."""
    ways = [
        [
            replace(m, points=t.points, handed_in=t.handed_in, tries=())
            for t in in_question(m.tries, course)
        ]
        if m.tries
        else [m]
        for m in given_marks
    ]
    for way in itertools.product(*ways):
        yield list(way)


@settings(max_examples=150)
@given(classes_with_tries())
def test_no_choice_of_tries_leads_to_more_with_the_grace_days_that_it_uses(
    case: tuple[CourseFile, list[ItemMark]],
) -> None:
    course, given_marks = case
    total = total_of(course, given_marks)
    others = [total_of(course, way) for way in every_choice(course, given_marks)]
    assert (not total.failed, total.at_least) == max((not o.failed, o.at_least) for o in others)
    if total.total is not None:
        same = [o for o in others if (o.so_far, o.failed) == (total.so_far, total.failed)]
        assert total.grace_used in [o.grace_used for o in same]


@given(classes_with_tries(), st.data())
def test_a_further_try_never_lowers_a_total_where_the_best_counts(
    case: tuple[CourseFile, list[ItemMark]], data: st.DataObject
) -> None:
    course, given_marks = case
    several = [i for i, m in enumerate(given_marks) if m.tries]
    if not several:
        return
    index = data.draw(st.sampled_from(several))
    fewer = [*given_marks]
    fewer[index] = replace(fewer[index], tries=fewer[index].tries[:-1])
    before, after = total_of(course, fewer), total_of(course, given_marks)
    assert (not after.failed, after.at_least) >= (not before.failed, before.at_least)


@given(classes_with_tries())
def test_of_equal_tries_the_earliest_counts(case: tuple[CourseFile, list[ItemMark]]) -> None:
    course, given_marks = case
    for item in total_of(course, given_marks).items:
        tries = next((m.tries for m in given_marks if m.item == item.item), ())
        equals = [t for t in tries if (t.points, t.handed_in) == (item.points, item.handed_in)]
        assert not tries or item.attempt == equals[0].number


def test_days_are_spent_on_what_counts_most_of_what_is_known() -> None:
    """Of a course most of which waits, 1 % is the whole for now, and extra credit is on top."""

    def item(name: str, **more: Any) -> Item:
        return Item(id=name, title=name, due=DUE, **more)

    first = item("first", points=Decimal(10))
    extra = item("extra", extra_credit=True, weight=Decimal(3))
    course = CourseFile(
        title="A course",
        institution="A university",
        term="Fall",
        components=(
            Component(id="a", title="A", weight=Decimal(1), items=(first, extra)),
            Component(
                id="b", title="B", weight=Decimal(99), items=(item("exam", points=Decimal(10)),)
            ),
        ),
        late=LatePolicy(grace_days=1, percent_per_day=Decimal(10)),
    )
    late = DUE + dt.timedelta(days=1)

    def mark(name: str, points: int | None, most: int, at: dt.datetime) -> ItemMark:
        given_points = None if points is None else Decimal(points)
        return ItemMark(
            student="ada", item=name, points=given_points, max_points=Decimal(most), handed_in=at
        )

    marks_of_ada = [
        mark("first", 2, 10, late),
        mark("extra", 20, 100, late),
        mark("exam", None, 10, DUE),
    ]
    total = total_of(course, marks_of_ada)
    # 20 % of the homework with its day, and of the extra credit's 0.6 what a late day leaves.
    assert total.so_far == 20 + Fraction(54, 100)
