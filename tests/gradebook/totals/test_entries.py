"""One student's marks beside the items: what counts, what waits, and what may be seen when."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from grader.errors import GradebookError
from grader.gradebook.marks import ItemMark, MarkedTry
from grader.gradebook.totals.entries import AsOf, Entry, entries_of
from grader.gradebook.totals.students import class_totals
from tests.gradebook.totals.courses import AFTER, course_of, mark, shipped, totals_of

LATE = "[late]\ngrace_days = 1\npercent_per_day = 10\n"
WORK = """
[[components]]
id = "work"
title = "Work"
weight = 100
[[components.items]]
id = "h1"
title = "Homework 1"
due = 2024-10-01
[[components.items]]
id = "talk"
title = "Talk"
"""
COURSE = course_of(LATE + WORK)
DUE = dt.datetime(2024, 10, 1, 23, 59, 59, tzinfo=COURSE.zone)
GRADED = shipped("iith-dl")


def entry(item: str, *marks: ItemMark, as_of: AsOf | None = None) -> Entry:
    """Ada's entry for an item of the course that the marks are of."""
    found = entries_of(
        "ada", COURSE, {one.item: one for one in marks}, as_of or AsOf(now=AFTER, final=True)
    )
    return next(one for one in found if one.item.id == item)


def graded(item: str, points: int | None, now: dt.datetime) -> tuple[Entry, Entry]:
    """An entry for an assignment that the machine marks, and what its student may see of it."""
    marks = {item: replace(mark(GRADED, item, points), criteria={"q1": Decimal(3)})}
    found = entries_of("ada", GRADED, marks, AsOf(now=now))
    own = next(one for one in found if one.item.id == item)
    return own, own.held_back(now)


def due_of(item: str) -> dt.datetime:
    due = next(i.due for i in GRADED.items if i.id == item)
    assert due is not None
    return due


def test_a_mark_of_the_machine_is_held_back_until_it_is_due() -> None:
    due = due_of("a2")
    for now in (due - dt.timedelta(days=3), due):
        own, seen = graded("a2", 40, now)
        assert own.points == 40
        assert (seen.points, seen.waits, seen.tries) == (None, True, ())
        assert seen.mark is not None
        assert (seen.mark.points, seen.mark.criteria) == (None, {})
        assert seen.mark.waits_for == "Marks are shown after the due date"
        assert seen.mark.max_points == own.item.max_points


def test_a_mark_of_the_machine_is_seen_once_it_was_due() -> None:
    own, seen = graded("a2", 40, due_of("a2") + dt.timedelta(seconds=1))
    assert seen is own


def test_parts_of_a_mark_that_waits_for_others_are_held_back_too() -> None:
    own, seen = graded("a2", None, due_of("a2") - dt.timedelta(days=1))
    assert own.mark is not None and own.mark.criteria
    assert seen.waits and seen.mark is not None and seen.mark.criteria == {}


def test_what_is_kept_back_says_neither_points_nor_that_it_came_too_late() -> None:
    own, _ = graded("a2", 40, due_of("a2") + dt.timedelta(days=1))
    for one in (own, replace(own, points=Fraction(0), refused=True), entry("h1")):
        kept = one.kept_back("Not published yet")
        assert (kept.points, kept.waits, kept.refused, kept.missing) == (None, True, False, False)
    excused = replace(own, points=None, excused=True)
    assert excused.kept_back("Not published yet") is excused


def test_a_mark_that_a_person_gave_is_never_held_back() -> None:
    for item in ("h1", "talk"):
        own = entry(item, mark(COURSE, item, 50))
        assert own.held_back(DUE - dt.timedelta(days=9)) is own


def test_what_is_missing_is_not_held_back() -> None:
    own = entry("h1")
    assert own.missing and own.points == 0
    assert own.held_back(DUE - dt.timedelta(days=1)) is own


def test_an_item_without_a_mark_waits_until_the_course_ends() -> None:
    waiting = entry("h1", as_of=AsOf(now=AFTER))
    assert (waiting.waits, waiting.missing, waiting.points, waiting.counts) == (
        True,
        False,
        None,
        False,
    )
    assert waiting.attempt == 0 and not waiting.extended
    missing = entry("h1", as_of=AsOf(now=AFTER, final=True))
    assert (missing.waits, missing.missing, missing.points, missing.counts) == (
        False,
        True,
        Fraction(0),
        True,
    )


def test_what_waits_may_be_given_a_share_of_its_points_and_nothing_else_may() -> None:
    waiting = entry("talk", as_of=AsOf(now=AFTER))
    half = waiting.with_share(Fraction(1, 2))
    assert (half.points, half.waits) == (50, False)
    marked = entry("talk", mark(COURSE, "talk", 10))
    assert marked.with_share(Fraction(1)) is marked


def test_an_assignment_is_missing_once_it_was_due_and_the_class_has_marks_of_it() -> None:
    item = next(i for i in GRADED.items if i.id == "a2")
    due = due_of("a2")
    later = due + dt.timedelta(seconds=1)
    of_class = frozenset({"a2"})
    assert AsOf(now=later, graded=of_class).missing(item, due)
    assert not AsOf(now=due, graded=of_class).missing(item, due)
    assert not AsOf(now=later).missing(item, due)
    assert not AsOf(now=later, graded=of_class).missing(item, None)
    assert AsOf(now=due, final=True).missing(item, None)


def of_tries(*tries: tuple[float | None, str], machine: tuple[int, ...] = ()) -> ItemMark:
    """A mark of h1 of which the best of several tries counts."""
    made = tuple(
        MarkedTry(
            number=number,
            points=None if points is None else Decimal(str(points)),
            handed_in=dt.datetime.fromisoformat(at).replace(tzinfo=COURSE.zone),
            machine_points=Decimal(str(machine[number - 1] if machine else points or 0)),
        )
        for number, (points, at) in enumerate(tries, start=1)
    )
    return replace(mark(COURSE, "h1", 100), tries=made)


def tried(*tries: tuple[float | None, str], machine: tuple[int, ...] = ()) -> Entry:
    """An entry of which the best of several tries counts."""
    return entry("h1", of_tries(*tries, machine=machine))


def test_the_best_try_counts_after_late_days_and_grace() -> None:
    # Three days late costs 30 of 100; a day late costs 9 of 90; on time 75.
    found = tried((75, "2024-10-01T12:00"), (90, "2024-10-02T12:00"), (100, "2024-10-04T12:00"))
    assert (found.attempt, found.points, found.late) == (2, 90, 1)
    # Each may be the best yet, once grace days are spent.
    assert [one.attempt for one in found.tries] == [2, 1, 3]


def test_a_try_without_points_is_worse_than_any_with_some() -> None:
    assert tried((0, "2024-10-01T12:00"), (0.5, "2024-10-01T13:00")).attempt == 2


@pytest.mark.parametrize("order", ["best", "as handed in"])
def test_a_grace_day_can_make_a_later_try_the_best(order: str) -> None:
    course = course_of(LATE + (f'order = "{order}"\n' if order != "best" else "") + WORK)
    # Without it the second would be worth 79.2.
    marks = [of_tries((80, "2024-10-01T12:00"), (88, "2024-10-02T12:00")), mark(course, "talk", 0)]
    line = totals_of(course, marks)[0].items[0]
    assert (line.attempt, line.earned, line.grace_days) == (2, 88, 1)


def test_of_tries_none_is_kept_that_is_later_and_no_better() -> None:
    found = tried((80, "2024-10-01T12:00"), (80, "2024-10-01T13:00"), (70, "2024-10-02T12:00"))
    assert [one.attempt for one in found.tries] == [1]


def test_where_a_person_reads_the_one_try_is_chosen_by_the_suites_points() -> None:
    found = tried((None, "2024-10-01T12:00"), (None, "2024-10-01T13:00"), machine=(10, 20))
    assert (found.attempt, found.waits, found.tries) == (2, True, ())
    # Two days late costs 20 %: 20 points are worth 16.
    found = tried((None, "2024-10-01T12:00"), (None, "2024-10-03T12:00"), machine=(17, 20))
    assert found.attempt == 1


def test_marks_outside_their_bounds_are_refused_with_what_to_do() -> None:
    with pytest.raises(GradebookError) as refused:
        totals_of(COURSE, [replace(mark(COURSE, "h1", 40), max_points=Decimal(50))])
    error = refused.value
    assert error.what == "the mark is out of 50 points, but the course file says 100"
    assert error.where == "ada, h1"
    assert error.hint == "Mark it again, or put the item's points right in the course file."
    for points in (-1, 101):
        with pytest.raises(GradebookError) as refused:
            totals_of(COURSE, [mark(COURSE, "h1", points)])
        error = refused.value
        assert error.what == f"{points} points are not between 0 and 100"
        assert error.where == "ada, h1"
        assert error.hint == (
            "Put the mark right. Points on top belong to an item, or to a question of the "
            "assignment, with extra_credit = true."
        )


def test_marks_at_their_bounds_and_extra_points_within_them_are_taken() -> None:
    for points in (0, 100):
        assert entry("h1", mark(COURSE, "h1", points)).points == points
    extra = replace(mark(COURSE, "h1", 110), extra_points=Decimal(10))
    assert entry("h1", extra).points == 110
    with pytest.raises(GradebookError):
        entry("h1", replace(extra, points=Decimal("110.01")))


def test_a_mark_that_can_not_be_placed_is_refused_with_what_to_do() -> None:
    with pytest.raises(GradebookError) as refused:
        totals_of(COURSE, [replace(mark(COURSE, "h1", 40), item="h9")])
    error = refused.value
    assert error.what == "there is a mark for the item 'h9', which the course file does not have"
    assert error.where == "ada"
    assert error.hint == "Give the item its old id again in the course file."
    with pytest.raises(GradebookError) as refused:
        totals_of(COURSE, [mark(COURSE, "h1", 40), mark(COURSE, "h1", 40)])
    assert refused.value.what == "there are two marks for the item 'h1'"
    assert refused.value.where == "ada"


def test_a_member_of_a_group_without_a_mark_is_told_why() -> None:
    course = course_of(WORK.replace('"Talk"\n', '"Talk"\ngroup = true\n'))
    marks = [mark(course, "talk", 80), mark(course, "talk", 60, student="ben")]
    groups = {"talk": {"cem": ("ada", "ben", "cem")}}
    totals = class_totals(course, marks, now=AFTER, groups=groups, final=True)
    assert [total.student for total in totals] == ["ada", "ben", "cem"]
    assert totals[2].waiting == ("Talk",)
    assert totals[2].items[1].why == (
        "The members of the group have different marks and this one has none: "
        "not in the sum so far."
    )
