"""Why a line of a total is what it is: each sentence as students read it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grader.gradebook.marks import MarkedTry
from tests.gradebook.totals.courses import course_of, line, mark, marks_of, totals_of

HEAD = """
[[components]]
id = "work"
title = "Work"
weight = 100
{rule}
[[components.items]]
id = "h1"
title = "Homework 1"
due = 2024-10-01
{more}
[[components.items]]
id = "h2"
title = "Homework 2"
due = 2024-10-01
"""
POLICY = "[late]\ngrace_days = 1\npercent_per_day = 10\ncutoff_days = 5\n"
HOURS = POLICY + 'charge = "hours"\n'


def why(given: object, head: str = "", *, rule: str = "", more: str = "", h2: int = 100) -> str:
    """What is said of h1."""
    course = course_of(head + HEAD.format(rule=rule, more=more))
    marks = marks_of(course, {"h1": given, "h2": h2} if given is not ... else {"h2": h2})  # type: ignore[dict-item]
    return line(totals_of(course, marks)[0], "h1").why


def test_on_time_nothing_is_said() -> None:
    assert why((80, "2024-10-01T23:59")) == ""


@pytest.mark.parametrize(
    ("at", "head", "said"),
    [
        ("2024-10-02T12:00", POLICY, "1 day late: 1 day of grace."),
        ("2024-10-03T12:00", POLICY, "2 days late: 1 day of grace, 10 % off."),
        ("2024-10-03T12:00", POLICY.replace("= 1\n", "= 0\n"), "2 days late: 20 % off."),
        ("2024-10-09T12:00", POLICY, "8 days late: not accepted, 0 points."),
        ("2024-10-02T00:30", HOURS, "1 hour late: 1 hour of grace."),
        ("2024-10-03T11:30", HOURS, "36 hours late: 1 day of grace, 5 % off."),
        ("2024-10-03T11:30", HOURS.replace("= 1\n", "= 0\n"), "36 hours late: 15 % off."),
        ("2024-10-03T23:59", HOURS.replace("= 1\n", "= 0\n"), "2 days late: 20 % off."),
        (
            "2024-10-02T12:00",
            "",
            "1 day late: costs nothing (the course file has no late policy).",
        ),
    ],
)
def test_lateness_is_said_with_what_it_costs(at: str, head: str, said: str) -> None:
    assert why((80, at), head) == said


def test_what_is_late_for_free_says_so() -> None:
    assert why((80, "2024-10-02T12:00"), POLICY, more='late = "free"') == (
        "1 day late: costs nothing."
    )


def test_where_nothing_is_lost_no_cost_is_said() -> None:
    assert why((0, "2024-10-02T12:00")) == "1 day late."
    dropped = why((10, "2024-10-02T12:00"), rule="drop = 1")
    assert dropped == "Dropped: the lowest 1 do not count. 1 day late."


def test_what_is_dropped_says_by_which_rule() -> None:
    assert why(10, rule="best = 1") == "Dropped: the best 1 count."
    assert why(10, rule="drop = 1") == "Dropped: the lowest 1 do not count."


def test_what_is_missing_excused_or_waits_says_so() -> None:
    course = course_of(HEAD.format(rule="", more=""))
    others = [mark(course, "h2", 50)]

    def said(*marks: object, final: bool = False) -> str:
        return line(totals_of(course, [*others, *marks], final=final)[0], "h1").why  # type: ignore[list-item]

    assert said(final=True) == "Not handed in: 0 points."
    assert said() == "No mark yet: not in the sum so far."
    waits = mark(course, "h1", None)
    assert said(waits) == "Handed in, not marked yet: not in the sum so far."
    told = replace(waits, waits_for="The report has no mark")
    assert said(told) == "The report has no mark: not in the sum so far."
    assert said(mark(course, "h1", None, excused=True)) == "Excused: it is not in the sum."


def test_what_must_be_passed_says_how_far_it_is() -> None:
    must = "must_pass = true\npass_mark = 50"
    assert why(50, more=must) == "Passed (50 needed)."
    assert why(49, more=must) == "Not passed: 50 points needed."
    assert why(None, more=must) == (
        "Handed in, not marked yet: not in the sum so far. Must be passed, with 50 points."
    )


def test_extra_credit_says_so() -> None:
    assert why(50, more="extra_credit = true\nweight = 5") == "Extra credit, on top of the sum."


def test_an_extension_is_said_first_in_the_courses_own_time() -> None:
    more = '\n[[extensions]]\nstudent = "ada"\nitem = "h1"\ndue = 2024-10-05\n'
    course = course_of(POLICY + HEAD.format(rule="", more="") + more)
    marks = marks_of(course, {"h1": (80, "2024-10-06T12:00"), "h2": 100})
    assert line(totals_of(course, marks)[0], "h1").why == (
        "Extended to 5 October 2024, 23:59. 1 day late: 1 day of grace."
    )


def test_of_several_tries_it_is_said_which_counts() -> None:
    course = course_of(HEAD.format(rule="", more=""))
    tries = tuple(
        MarkedTry(
            number=number,
            points=Decimal(points),
            handed_in=mark(course, "h1", 1, at="2024-09-30T12:00").handed_in,
            machine_points=Decimal(points),
        )
        for number, points in ((3, 20), (5, 60), (8, 10))
    )
    marks = [replace(mark(course, "h1", 60), tries=tries), mark(course, "h2", 50)]
    assert line(totals_of(course, marks)[0], "h1").why == ("Try 2 of 3: the best after late days.")
    one = [replace(mark(course, "h1", 20), tries=tries[:1]), mark(course, "h2", 50)]
    assert line(totals_of(course, one)[0], "h1").why == ""
