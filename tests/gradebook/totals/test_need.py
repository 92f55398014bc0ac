"""What a student would need."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.course_file import CourseFile
from grader.errors import UsageError
from grader.gradebook.totals.need import Need, need, plainly
from grader.gradebook.totals.students import class_entries
from tests.gradebook.totals.courses import (
    AFTER,
    Given,
    course_of,
    marks_of,
    shipped,
    total_of,
)

COURSE = """
[letters]
bands = { A = 90, B = 80 }
[rounding]
to = 1
[[components]]
id = "work"
title = "Work"
weight = 40
[[components]]
id = "midterm"
title = "Midterm"
weight = 20
[[components]]
id = "exam"
title = "Exam"
weight = 40
"""


def needed(course: CourseFile, given_marks: dict[str, Given], target: str) -> Need:
    marks = marks_of(course, given_marks)
    return need(course, class_entries(course, marks, now=AFTER, students=["ada"])["ada"], target)


def test_the_share_is_the_least_that_reaches_the_target() -> None:
    course = course_of(COURSE)
    found = needed(course, {"work": 90, "midterm": 70}, "B")
    # 36 + 14 = 50 are there; 79.5 rounds to 80, so 29.5 of the exam's 40 are needed: 73.75 %
    assert found.percent == Decimal("73.75")
    assert [(i.item, i.points) for i in found.items] == [("exam", Decimal("73.75"))]
    assert plainly(found) == "For B: 73.75 % of what is still to come (Exam 73.75 of 100)."
    assert total_of(course, {"work": 90, "midterm": 70, "exam": "73.75"}).letter == "B"
    assert total_of(course, {"work": 90, "midterm": 70, "exam": "73.74"}).letter == "F"


def test_a_total_can_be_asked_for_too() -> None:
    found = needed(course_of(COURSE), {"work": 90}, "81")
    # 36 are there; 80.5 - 36 = 44.5 of 60
    assert found.percent == Decimal("74.17")
    assert [i.points for i in found.items] == [Decimal("74.17"), Decimal("74.17")]


def test_many_items_are_counted_and_not_listed() -> None:
    found = needed(shipped("umn-dl"), {"proposal": 80}, "50")
    assert plainly(found).endswith("(the same in each of 8 items).")
    assert len(found.items) == 8


def test_what_is_reached_already_needs_nothing() -> None:
    found = needed(course_of(COURSE), {"work": 100, "midterm": 100}, "60")
    assert found.percent == 0
    assert plainly(found) == "60 is reached already."


def test_what_is_out_of_reach_is_said() -> None:
    found = needed(course_of(COURSE), {"work": 50, "midterm": 50}, "A")
    assert found.percent is None
    assert plainly(found) == "A is out of reach: at most 70."


def test_an_item_that_was_not_passed_puts_every_letter_out_of_reach() -> None:
    must = '[[components.items]]\nid = "x"\ntitle = "Oral"\nmust_pass = true\npass_mark = 60\n'
    course = course_of(COURSE + must)
    found = needed(course, {"x": 59, "work": 100}, "B")
    assert plainly(found) == "B is out of reach: at most 84; not passed: Oral."
    found = needed(course, {"work": 100, "midterm": 100}, "60")
    assert found.percent == 60 and found.must_pass == ("Oral",)


@pytest.mark.parametrize("target", ["C", "many", "", "-1", "nan", "1e9"])
def test_an_unknown_target_is_refused(target: str) -> None:
    with pytest.raises(UsageError, match="expected a letter \\(A, B\\) or a total such as 85"):
        needed(course_of(COURSE), {}, target)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 100))
def test_the_need_is_enough_and_nothing_less_is(work: int, midterm: int, target: int) -> None:
    course = course_of(COURSE)
    have: dict[str, Given] = {"work": work, "midterm": midterm}
    found = needed(course, have, str(target))
    if found.percent is None:
        best = total_of(course, {**have, "exam": 100}).total
        assert best is not None and best < target
        return
    reached = total_of(course, {**have, "exam": str(found.percent)}).total
    assert reached is not None and reached >= target
    if found.percent:
        less = total_of(course, {**have, "exam": str(found.percent - Decimal("0.01"))}).total
        assert less is not None and less < target
