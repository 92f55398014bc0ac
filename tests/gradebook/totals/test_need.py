"""What a student would need."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.course_file import CourseFile
from grader.errors import UsageError
from grader.gradebook.totals.need import Need, need, needs, plainly
from grader.gradebook.totals.rounding import rounded
from grader.gradebook.totals.scoring import Scoring
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


def test_before_anything_is_marked_all_of_it_is_still_to_come() -> None:
    found = needed(course_of(COURSE), {}, "B")
    assert found.percent == Decimal("79.50") and found.at_most == 100  # 79.5 rounds to 80
    assert needed(course_of(COURSE), {}, "0").percent == 0


def test_a_band_of_exact_totals_is_not_reached_by_rounding() -> None:
    course = course_of(COURSE.replace("[letters]", '[letters]\nof = "exact"'))
    assert needed(course, {"work": 90, "midterm": 70}, "B").percent == 75  # 80, and not 79.5
    assert needed(course, {"work": 90, "midterm": 70}, "80").percent == Decimal("73.75")


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


HARD = """
[late]
grace_days = 2
percent_per_day = 25
[letters]
bands = { A = 90, "A-" = 85, B = 77, C = 64, D = 50 }
[rounding]
to = 1
way = "nearest"
[[components]]
id = "hw"
title = "Homework"
weight = 60
best = 2
[[components.items]]
id = "h1"
title = "One"
due = 2024-10-01T23:59:00
[[components.items]]
id = "h2"
title = "Two"
due = 2024-10-08T23:59:00
[[components.items]]
id = "h3"
title = "Three"
[[components]]
id = "exam"
title = "Exam"
weight = 40
[[components.items]]
id = "oral"
title = "Oral"
must_pass = true
pass_mark = 40
"""


@given(
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 4),
    st.lists(st.sampled_from(["A", "A-", "B", "C", "D", "33", "91.5"]), min_size=1, unique=True),
)
def test_all_targets_at_once_are_what_trying_every_step_finds(
    first: int, second: int, late: int, targets: list[str]
) -> None:
    course = course_of(HARD)
    given_marks: dict[str, Given] = {
        "h1": (first, f"2024-10-0{1 + late}T23:00"),
        "h2": (second, "2024-10-10T23:00"),
    }
    entries = class_entries(course, marks_of(course, given_marks), now=AFTER)["ada"]
    totals = {}
    for step in range(0, 10_001, 100):
        there = Scoring(course, entries).score(Fraction(step, 10_000))
        totals[step] = there.passes, rounded(there.percent or Fraction(0), course.rounding)
    assert course.letters is not None
    for target, found in zip(targets, needs(course, entries, targets), strict=True):
        least = course.letters.bands.get(target) or Decimal(target)
        enough = [step for step, (passes, total) in totals.items() if passes and total >= least]
        if not enough:
            assert found.percent is None
            continue
        assert found.percent is not None
        # Tried in whole percents, the first that is enough is the need, rounded up.
        assert enough[0] - 100 < found.percent * 100 <= enough[0]
