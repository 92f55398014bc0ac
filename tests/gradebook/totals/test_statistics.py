"""What a class's totals say together, computed by hand."""

from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.totals.statistics import Spread, spread, totals_statistics
from grader.gradebook.totals.total_lines import State
from tests.gradebook.totals.courses import course_of, marks_of, totals_of

COURSE = course_of(
    """
[letters]
bands = { B = 50, A = 80 }
failed = "F"
[late]
percent_per_day = 10
[[components]]
id = "work"
title = "Work"
weight = 60
[[components.items]]
id = "h1"
title = "Homework 1"
due = 2024-10-01
[[components.items]]
id = "h2"
title = "Homework 2"
due = 2024-10-08
points = 50
[[components]]
id = "exam"
title = "Exam"
weight = 40
[[components.items]]
id = "exam"
title = "Exam"
must_pass = true
pass_mark = 20
"""
)
ON_TIME, A_DAY_LATE = "2024-09-30T12:00", "2024-10-02T12:00"


def test_numbers_lie_as_a_spreadsheet_says() -> None:
    # As QUARTILE.INC and STDEV.P compute it.
    numbers = [Fraction(n) for n in (40, 10, 20, 95)]
    assert spread(numbers) == Spread(
        count=4,
        mean=Fraction(165, 4),
        lowest=Fraction(10),
        lower_quarter=Fraction(35, 2),
        median=Fraction(30),
        upper_quarter=Fraction(215, 4),
        highest=Fraction(95),
        deviation=pytest.approx(32.8586, abs=1e-4),
    )


def test_one_number_lies_at_itself_and_none_nowhere() -> None:
    one = Fraction(70)
    assert spread([]) is None
    assert spread([one]) == Spread(
        count=1,
        mean=one,
        lowest=one,
        lower_quarter=one,
        median=one,
        upper_quarter=one,
        highest=one,
        deviation=0.0,
    )


@given(st.lists(st.integers(0, 100), min_size=2, max_size=30))
def test_quarters_are_those_of_the_standard_library(numbers: list[int]) -> None:
    found = spread([Fraction(n) for n in numbers])
    assert found is not None
    ours = [found.lower_quarter, found.median, found.upper_quarter]
    assert ours == [Fraction(q) for q in statistics.quantiles(numbers, n=4, method="inclusive")]


def test_a_class_is_summed_up() -> None:
    marks = [
        *marks_of(COURSE, {"h1": (100, ON_TIME), "h2": (25, ON_TIME), "exam": 90}, "ada"),
        *marks_of(COURSE, {"h1": (50, A_DAY_LATE), "h2": (50, ON_TIME), "exam": 10}, "ben"),
        *marks_of(COURSE, {"h1": (40, ON_TIME), "exam": 40}, "cem"),
    ]
    found = totals_statistics(totals_of(COURSE, marks), COURSE)
    # 100 and 50 %, then 90 %; 45 and 100 %, then 10 %, not passed; 40 and 0 %, then 40 %.
    assert found.percents == (Fraction(81), Fraction("47.5"), Fraction(28))
    assert found.totals == spread(found.percents)
    assert (found.students, found.complete, found.failed) == (3, 3, 1)
    assert list(found.letters.items()) == [("A", 1), ("B", 0), ("F", 2)]
    work, exam = found.components
    assert (work.component, work.title) == ("work", "Work")
    assert (exam.component, exam.title) == ("exam", "Exam")
    assert work.scores == spread([Fraction(75), Fraction("72.5"), Fraction(20)])
    assert exam.scores == spread([Fraction(90), Fraction(10), Fraction(40)])
    first, second = work.items
    assert (first.item, first.title, first.late) == ("h1", "Homework 1", 1)
    assert (second.item, second.title, second.late) == ("h2", "Homework 2", 0)
    assert first.shares == spread([Fraction(100), Fraction(45), Fraction(40)])
    # What was not handed in counts in the totals; it is no share of the item's marks.
    assert second.shares == spread([Fraction(50), Fraction(100)])
    assert {state: n for state, n in second.states.items() if n} == {
        State.COUNTED: 2,
        State.MISSING: 1,
    }
    assert list(second.states) == list(State)


def test_before_anybody_has_a_total_what_has_been_marked_so_far_is_shown() -> None:
    marks = [*marks_of(COURSE, {"exam": 90}, "ada"), *marks_of(COURSE, {"exam": 50}, "ben")]
    found = totals_statistics(totals_of(COURSE, marks, final=False), COURSE)
    assert found.percents == (Fraction(90), Fraction(50))
    assert (found.students, found.complete, found.failed) == (2, 0, 0)
    assert found.components[0].scores is None


def test_those_who_wait_for_marks_are_left_out_once_somebody_has_a_total() -> None:
    marks = [
        *marks_of(COURSE, {"h1": 100, "h2": 50, "exam": 100}, "ada"),
        *marks_of(COURSE, {"exam": 30}, "ben"),
    ]
    found = totals_statistics(totals_of(COURSE, marks, final=False), COURSE)
    assert (found.students, found.complete, found.percents) == (2, 1, (Fraction(100),))


def test_a_class_of_nobody_has_a_page_too() -> None:
    found = totals_statistics([], COURSE)
    assert (found.students, found.complete, found.totals, found.failed) == (0, 0, None, 0)
    assert [component.items for component in found.components] == [(), ()]


def test_a_course_without_letters_counts_none() -> None:
    course = course_of('[[components]]\nid = "exam"\ntitle = "Exam"\nweight = 100\n')
    totals = totals_of(course, marks_of(course, {"exam": 50}))
    found = totals_statistics(totals, course)
    assert found.letters == {}
    assert totals[0].total == Decimal(50)
