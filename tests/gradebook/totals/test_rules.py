"""The rules of a course, one by one."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from grader.course.policy import Rounding
from grader.errors import GradebookError
from grader.gradebook.totals.rounding import rounded, show_fraction
from grader.gradebook.totals.students import class_entries, class_totals
from grader.gradebook.totals.total_lines import State
from tests.gradebook.totals.courses import (
    AFTER,
    adds,
    course_of,
    line,
    mark,
    marks_of,
    shipped,
    total_of,
    totals_of,
)

FOUR = """
[[components]]
id = "work"
title = "Work"
weight = 60
{rule}
[[components.items]]
id = "h1"
title = "H1"
due = 2024-10-01
[[components.items]]
id = "h2"
title = "H2"
due = 2024-10-08
[[components.items]]
id = "h3"
title = "H3"
points = 50
due = 2024-10-15
[[components.items]]
id = "h4"
title = "H4"
due = 2024-10-22
{more}
[[components]]
id = "exam"
title = "Exam"
weight = 40
"""

LATE = "[late]\ngrace_days = 2\npercent_per_day = 10\ncutoff_days = 5\n"


def four(rule: str = "", more: str = "", head: str = "") -> str:
    return head + FOUR.format(rule=rule, more=more)


ALL = {"h1": 80, "h2": 100, "h3": 20, "h4": 60, "exam": 50}


@pytest.mark.parametrize(
    ("rule", "work", "dropped"),
    [
        ("", "42", []),  # (0.8 + 1 + 0.4 + 0.6) / 4 x 60
        ("best = 3", "48", ["h3"]),  # (0.8 + 1 + 0.6) / 3 x 60
        ("drop = 1", "48", ["h3"]),
        ("best = 1", "60", ["h1", "h3", "h4"]),
        ("drop = 2", "54", ["h3", "h4"]),
        ("by_points = true", "44.57", []),  # 260 / 350 x 60
    ],
)
def test_what_counts_of_a_component(rule: str, work: str, dropped: list[str]) -> None:
    total = total_of(course_of(four(rule)), ALL)
    assert round(adds(total)["work"], 2) == Decimal(work)
    assert [i.item for i in total.items if i.state is State.DROPPED] == dropped


def test_of_equally_good_items_the_earlier_count() -> None:
    total = total_of(course_of(four("best = 2")), {**ALL, "h1": 60, "h4": 60, "h3": 30})
    assert [i.item for i in total.items if i.state is State.COUNTED] == ["h1", "h2", "exam"]


def test_an_excused_item_leaves_the_sum() -> None:
    course = course_of(four())
    given = [m for m in marks_of(course, ALL) if m.item != "h3"]
    [total] = totals_of(course, [*given, mark(course, "h3", None, excused=True)])
    assert adds(total)["work"] == 48  # (0.8 + 1 + 0.6) / 3 x 60
    assert line(total, "h3").why == "Excused: it is not in the sum."


def test_the_best_three_are_still_three_when_one_of_four_is_excused() -> None:
    course = course_of(four("best = 3"))
    given = [m for m in marks_of(course, ALL) if m.item != "h2"]
    [total] = totals_of(course, [*given, mark(course, "h2", 90, excused=True)])
    assert adds(total)["work"] == 36  # (0.8 + 0.4 + 0.6) / 3 x 60


def test_where_fewer_are_left_than_count_all_of_them_count() -> None:
    course = course_of(four("best = 3"))
    excused = [mark(course, h, None, excused=True) for h in ("h1", "h2")]
    given = [mark(course, "h3", 20), mark(course, "h4", 60), mark(course, "exam", 50)]
    [total] = totals_of(course, [*excused, *given])
    assert adds(total)["work"] == 30  # (0.4 + 0.6) / 2 x 60


def test_a_drop_never_takes_the_last_item() -> None:
    course = course_of(four("drop = 3"))
    excused = [mark(course, h, None, excused=True) for h in ("h1", "h2", "h3")]
    given = [mark(course, "h4", 60), mark(course, "exam", 50)]
    [total] = totals_of(course, [*excused, *given])
    assert adds(total)["work"] == 36


def test_a_component_that_is_excused_whole_is_made_good_by_the_others() -> None:
    course = course_of(four())
    given = [m for m in marks_of(course, ALL) if m.item != "exam"]
    [total] = totals_of(course, [*given, mark(course, "exam", None, excused=True)])
    assert total.total == 70  # 42 of 60


def test_who_is_excused_from_everything_has_no_total() -> None:
    course = course_of(four())
    [total] = totals_of(course, [mark(course, i.id, None, excused=True) for i in course.items])
    assert (total.total, total.so_far, total.letter) == (None, None, None)


def test_what_waits_for_a_mark_is_no_zero() -> None:
    total = total_of(course_of(four()), {**ALL, "h3": None, "exam": None}, final=True)
    assert total.total is None and total.letter is None
    assert total.waiting == ("H3", "Exam")
    # (0.8 + 1 + 0.6) x 15 = 36 of 45; the rest can still bring 15 + 40
    assert total.so_far == 80
    assert (total.at_least, total.at_most) == (36, 91)


def test_an_assignment_that_was_due_and_never_came_is_zero_once_it_is_graded() -> None:
    course = shipped("iith-dl")
    ben = marks_of(course, {"a2": 40}, student="ben")
    [ada, _] = class_totals(course, [*marks_of(course, {"a1": 60}), *ben], now=AFTER)
    assert (line(ada, "a2").state, line(ada, "a2").why) == (
        State.MISSING,
        "Not handed in: 0 points.",
    )
    # Nobody has a mark for a3 yet.
    assert line(ada, "a3").state is State.WAITS
    early = dt.datetime(2024, 11, 13, 20, 59, tzinfo=dt.UTC)
    [ada, _] = class_totals(course, [*marks_of(course, {"a1": 60}), *ben], now=early)
    assert line(ada, "a2").state is State.WAITS


def test_of_what_a_person_marks_only_the_end_of_the_course_makes_a_zero() -> None:
    course = course_of(four())
    given = [*marks_of(course, {"h1": 80, "h3": 40, "h4": 80}), *marks_of(course, ALL, "ben")]
    ada, _ = class_totals(course, given, now=AFTER)
    assert ada.waiting == ("H2", "Exam")
    ada, _ = class_totals(course, given, now=AFTER, final=True)
    assert ada.total == 36


EXTRA = """[[components.items]]
id = "bonus"
title = "Bonus"
extra_credit = true
weight = 5
"""


def test_extra_credit_comes_on_top() -> None:
    course = course_of(four(more=EXTRA))
    full = {"h1": 100, "h2": 100, "h3": 50, "h4": 100, "exam": 100}
    assert total_of(course, {**full, "bonus": 50}).total == Decimal("102.5")
    assert total_of(course, full).total == 100
    assert total_of(course, {**ALL, "bonus": 100}).total == 67


def test_a_cap_holds_extra_credit_down() -> None:
    course = course_of(four(more=EXTRA, head="cap = 101\n"))
    full = {"h1": 100, "h2": 100, "h3": 50, "h4": 100, "exam": 100, "bonus": 100}
    assert total_of(course, full).total == 101


def test_a_whole_component_can_be_extra_credit() -> None:
    text = '\n[[components]]\nid = "quizzes"\ntitle = "Quizzes"\nweight = 4\nextra_credit = true\n'
    total = total_of(course_of(four() + text), {**ALL, "quizzes": 75})
    assert total.total == 65  # 62 + 3


def test_an_excuse_does_not_make_extra_credit_worth_more() -> None:
    text = '\n[[components]]\nid = "quizzes"\ntitle = "Quizzes"\nweight = 4\nextra_credit = true\n'
    course = course_of(four() + text)
    given = [m for m in marks_of(course, {**ALL, "quizzes": 75}) if m.item != "exam"]
    [total] = totals_of(course, [*given, mark(course, "exam", None, excused=True)])
    assert total.total == 73  # 42 of 60, and 3


def test_grace_days_go_where_they_bring_most() -> None:
    course = course_of(four(head=LATE))
    given = {**ALL, "h1": (80, "2024-10-03T12:00:00"), "h2": (100, "2024-10-10T12:00:00")}
    total = total_of(course, given)
    assert (line(total, "h1").grace_days, line(total, "h2").grace_days) == (0, 2)
    assert line(total, "h1").why == "2 days late: 20 % off."
    assert line(total, "h2").why == "2 days late: 2 days of grace."
    assert (total.grace_used, total.grace_left) == (2, 0)


def test_as_handed_in_the_first_late_one_gets_them() -> None:
    course = course_of(four(head=LATE + 'order = "as handed in"\n'))
    given = {**ALL, "h1": (80, "2024-10-02T12:00:00"), "h2": (100, "2024-10-10T12:00:00")}
    total = total_of(course, given)
    assert (line(total, "h1").grace_days, line(total, "h2").grace_days) == (1, 1)
    assert line(total, "h2").why == "2 days late: 1 day of grace, 10 % off."


def test_no_grace_day_is_spent_on_what_does_not_count() -> None:
    course = course_of(four("best = 3", head=LATE))
    given = {**ALL, "h3": (20, "2024-10-16T12:00:00"), "h4": (60, "2024-10-23T12:00:00")}
    total = total_of(course, given)
    assert (line(total, "h3").state, line(total, "h3").grace_days) == (State.DROPPED, 0)
    assert (line(total, "h4").grace_days, total.grace_left) == (1, 1)


def test_grace_days_can_change_which_items_count() -> None:
    # Without grace h4 would count with 0.63 and h1 be dropped with 0.6; with it h1 has 0.75.
    course = course_of(four("best = 3", head=LATE))
    given = {"h1": (75, "2024-10-03T12:00:00"), "h2": 100, "h3": 50, "h4": 63, "exam": 50}
    total = total_of(course, given)
    assert line(total, "h4").state is State.DROPPED
    assert line(total, "h1").grace_days == 2


def test_grace_days_pass_what_must_be_passed_before_they_bring_points() -> None:
    must = 'must_pass = true\npass_mark = 50\n[[components.items]]\nid = "h5"\ntitle = "H5"\n'
    course = course_of(four(more=must, head=LATE))  # it is h4 that must be passed
    given = {**ALL, "h2": (100, "2024-10-10T12:00:00"), "h4": (56, "2024-10-24T12:00:00"), "h5": 1}
    total = total_of(course, given)
    # On h2 the two days would bring more; h4 would then have 44.8 points.
    assert (line(total, "h2").grace_days, line(total, "h4").grace_days) == (1, 1)
    assert total.failed == ()
    # Where no day can help any more, points decide.
    total = total_of(course, {**given, "h4": (40, "2024-10-24T12:00:00")})
    assert (line(total, "h2").grace_days, total.failed) == (2, ("H4",))


TWO = """
[late]
grace_days = 2
percent_per_day = 10
[[components]]
id = "work"
title = "Work"
weight = 100
best = 2
[[components.items]]
id = "oral"
title = "Oral"
due = 2024-10-01
must_pass = true
pass_mark = 50
[[components.items]]
id = "essay"
title = "Essay"
due = 2024-10-01
must_pass = true
pass_mark = 50
[[components.items]]
id = "talk"
title = "Talk"
due = 2024-10-01
"""
LATE_BY_TWO = "2024-10-03T12:00:00"


def test_days_that_cannot_save_the_course_go_where_they_bring_points() -> None:
    # They would pass the essay, but the oral is failed whatever they are spent on.
    total = total_of(
        course_of(TWO), {"oral": 20, "essay": (50, LATE_BY_TWO), "talk": (100, LATE_BY_TWO)}
    )
    assert (line(total, "essay").grace_days, line(total, "talk").grace_days) == (0, 2)
    assert total.failed == ("Oral", "Essay")


def test_grace_days_can_pass_what_does_not_even_count() -> None:
    total = total_of(
        course_of(TWO), {"oral": 90, "essay": (50, LATE_BY_TWO), "talk": (80, LATE_BY_TWO)}
    )
    assert line(total, "essay").state is State.DROPPED
    assert (line(total, "essay").grace_days, total.failed) == (2, ())


def test_no_grace_day_is_spent_for_nothing() -> None:
    total = total_of(course_of(four(head=LATE)), {**ALL, "h2": (0, "2024-10-10T12:00:00")})
    assert (total.grace_used, total.grace_left) == (0, 2)


def test_at_most_so_many_grace_days_for_one_item() -> None:
    course = course_of(four(head=LATE + "grace_days_per_item = 1\n"))
    total = total_of(course, {**ALL, "h2": (100, "2024-10-10T12:00:00")})
    assert (line(total, "h2").grace_days, line(total, "h2").percent_off) == (1, 10)
    assert total.grace_left == 1


def test_hours_are_charged_in_parts_of_a_day() -> None:
    course = course_of(four(head=LATE + 'charge = "hours"\n'))
    total = total_of(course, {**ALL, "h2": (100, "2024-10-11T11:59:59")})  # 60 hours
    assert line(total, "h2").days_late == Fraction(5, 2)
    assert (line(total, "h2").grace_days, line(total, "h2").percent_off) == (2, 5)
    assert line(total, "h2").why == "60 hours late: 2 days of grace, 5 % off."


def test_after_the_cutoff_nothing_helps() -> None:
    course = course_of(four(head=LATE))
    total = total_of(course, {**ALL, "h2": (100, "2024-10-14T00:00:00")})
    assert line(total, "h2").why == "6 days late: not accepted, 0 points."
    assert (line(total, "h2").earned, total.grace_left) == (0, 2)


def test_percent_never_take_more_than_all() -> None:
    course = course_of(four(head="[late]\npercent_per_day = 30\n"))
    total = total_of(course, {**ALL, "h2": (100, "2024-10-28T12:00:00")})
    assert (line(total, "h2").earned, line(total, "h2").percent_off) == (0, 100)


def test_an_item_can_refuse_what_is_late() -> None:
    course = course_of(four(head=LATE).replace('"H2"', '"H2"\nlate = "refused"'))
    total = total_of(course, {**ALL, "h2": (100, "2024-10-09T00:00:00")})
    assert line(total, "h2").why == "1 day late: not accepted, 0 points."
    assert total_of(course, {**ALL, "h2": (100, "2024-10-08T23:59:59")}).total == 62


def test_an_item_can_take_what_is_late_for_free() -> None:
    course = course_of(four(head=LATE).replace('"H2"', '"H2"\nlate = "free"'))
    total = total_of(course, {**ALL, "h2": (100, "2025-10-09T00:00:00")})
    assert (total.total, line(total, "h2").why) == (62, "366 days late: costs nothing.")


def test_without_a_late_policy_lateness_is_said_and_costs_nothing() -> None:
    total = total_of(course_of(four()), {**ALL, "h2": (100, "2024-10-09T00:00:00")})
    assert total.total == 62
    assert line(total, "h2").why == (
        "1 day late: costs nothing (the course file has no late policy)."
    )
    assert total.grace_left is None


def test_the_policy_is_about_the_components_that_it_names() -> None:
    course = course_of(four(head=LATE + 'components = ["exam"]\n'))
    assert total_of(course, {**ALL, "h2": (100, "2024-10-11T12:00:00")}).total == 62


EXTENDED = '\n[[extensions]]\nstudent = "ada"\nitem = "h2"\ndue = 2024-10-10\n'


def test_an_extension_moves_one_students_due_date() -> None:
    course = course_of(four(head=LATE) + EXTENDED)
    at = "2024-10-11T12:00:00"
    marks = [
        m for who in ("ada", "ben") for m in marks_of(course, {**ALL, "h2": (100, at)}, student=who)
    ]
    ada, ben = totals_of(course, marks)
    assert line(ada, "h2").why == (
        "Extended to 10 October 2024, 23:59. 1 day late: 1 day of grace."
    )
    assert line(ben, "h2").days_late == 3


def test_the_longer_of_two_extensions_holds() -> None:
    course = course_of(four(head=LATE) + EXTENDED)
    late = mark(course, "h2", 100, at="2024-10-11T12:00:00")
    longer = dt.datetime(2024, 10, 12, tzinfo=course.zone)
    [total] = totals_of(course, [replace(late, extended_to=longer)])
    assert line(total, "h2").days_late == 0


GROUP = """
[[components]]
id = "project"
title = "Project"
weight = 100
[[components.items]]
id = "report"
title = "Report"
group = true
due = 2024-12-01
[[components.items]]
id = "diary"
title = "Diary"
"""
TEAM = {"report": dict.fromkeys(("ada", "ben", "cem"), ("ada", "ben", "cem"))}


def test_a_group_hands_in_once_and_each_member_gets_the_mark() -> None:
    course = course_of(GROUP)
    marks = [mark(course, "report", 80), mark(course, "diary", 100)]
    totals = class_totals(course, marks, now=AFTER, groups=TEAM, final=True)
    assert [(t.student, t.total) for t in totals] == [("ada", 90), ("ben", 40), ("cem", 40)]


def test_a_members_own_mark_holds_for_this_member() -> None:
    course = course_of(GROUP)
    marks = [mark(course, "report", 80), mark(course, "report", 60, student="ben")]
    totals = class_totals(course, marks, now=AFTER, groups=TEAM, final=True)
    assert [line(t, "report").points for t in totals] == [80, 60, None]
    # Which of the two is the third's is not guessed.
    assert totals[2].total is None
    assert "different marks" in line(totals[2], "report").why


def test_one_members_excuse_is_not_the_groups() -> None:
    course = course_of(GROUP)
    marks = [mark(course, "report", None, excused=True), mark(course, "report", 60, student="ben")]
    totals = class_totals(course, marks, now=AFTER, groups=TEAM, final=True)
    assert [line(t, "report").state for t in totals] == [
        State.EXCUSED,
        State.COUNTED,
        State.COUNTED,
    ]


def test_one_members_extension_is_not_the_groups() -> None:
    course = course_of("[late]\ngrace_days = 0\npercent_per_day = 50\n" + GROUP)
    late = mark(course, "report", 80, at="2024-12-02T10:00:00")
    longer = replace(late, extended_to=dt.datetime(2024, 12, 3, tzinfo=course.zone))
    totals = class_totals(course, [longer], now=AFTER, groups=TEAM, final=True)
    assert [line(t, "report").earned for t in totals] == [80, 40, 40]


def test_who_has_longer_than_the_group_has_its_mark_too() -> None:
    course = course_of("[late]\ngrace_days = 0\npercent_per_day = 50\n" + GROUP)
    later = dt.datetime(2024, 12, 3, tzinfo=course.zone)
    longer = replace(mark(course, "report", None, student="ben"), extended_to=later)
    marks = [mark(course, "report", 80, at="2024-12-02T10:00:00"), longer]
    totals = class_totals(course, marks, now=AFTER, groups=TEAM, final=True)
    assert [line(t, "report").earned for t in totals] == [40, 80, 40]


def test_a_groups_mark_is_held_back_until_nobody_of_it_has_longer() -> None:
    course = course_of(GROUP)
    later = dt.datetime(2024, 12, 3, tzinfo=course.zone)
    longer = replace(mark(course, "report", None, student="ben"), extended_to=later)
    marks = [mark(course, "report", 80, at="2024-11-30T10:00:00"), longer]
    entries = class_entries(course, marks, now=AFTER, groups=TEAM)
    for student in ("ada", "ben", "cem"):
        one = entries[student][0]
        assert one.due == (later if student == "ben" else course.items[0].due)
        one = replace(one, item=msgspec.structs.replace(one.item, assignment="a"))
        assert one.held_back(later).waits and not one.held_back(AFTER).waits


def test_a_time_that_a_person_wrote_down_for_one_member_is_theirs() -> None:
    course = course_of("[late]\ngrace_days = 0\npercent_per_day = 50\n" + GROUP)
    own_time = mark(course, "report", None, student="ben", at="2024-11-30T10:00:00")
    marks = [mark(course, "report", 80, at="2024-12-02T10:00:00"), own_time]
    totals = class_totals(course, marks, now=AFTER, groups=TEAM, final=True)
    assert [line(t, "report").earned for t in totals] == [40, 80, 40]
    # While nothing is marked, it is known that the group has handed in.
    totals = class_totals(course, [own_time], now=AFTER, groups=TEAM, final=True)
    assert [line(t, "report").state for t in totals] == [State.WAITS] * 3


def test_a_late_group_costs_each_member_days_of_their_own() -> None:
    course = course_of("[late]\ngrace_days = 3\npercent_per_day = 50\n" + GROUP)
    marks = [mark(course, "report", 80, at="2024-12-03T10:00:00")]
    totals = class_totals(course, marks, now=AFTER, groups=TEAM, final=True)
    assert [t.grace_left for t in totals] == [1, 1, 1]


LETTERS = "[letters]\nbands = { A = 90, B = 80 }\n[rounding]\nto = 1\n"
ONE = '[[components]]\nid = "exam"\ntitle = "Exam"\nweight = 100\n'


@pytest.mark.parametrize(
    ("points", "total", "letter"), [("89.5", 90, "A"), ("89.49", 89, "B"), ("79.49", 79, "F")]
)
def test_letters_follow_the_rounded_total(points: str, total: int, letter: str) -> None:
    got = total_of(course_of(LETTERS + ONE), {"exam": points})
    assert (got.total, got.letter) == (total, letter)


def test_letters_can_follow_the_exact_total() -> None:
    course = course_of(LETTERS.replace("\n[r", '\nof = "exact"\n[r') + ONE)
    got = total_of(course, {"exam": "89.5"})
    assert (got.total, got.letter) == (90, "B")


def test_what_had_to_be_passed_and_was_not_decides_over_the_letter() -> None:
    must = '[[components.items]]\nid = "exam"\ntitle = "Exam"\nmust_pass = true\npass_mark = 95\n'
    got = total_of(course_of(LETTERS + ONE + must), {"exam": "94.99"})
    assert (got.total, got.letter, got.failed) == (95, "F", ("Exam",))
    assert line(got, "exam").why == "Not passed: 95 points needed."
    assert total_of(course_of(LETTERS + ONE + must), {"exam": "95"}).letter == "A"
    lowest = LETTERS.replace("B = 80", "B = 80, D = 0")
    assert total_of(course_of(lowest + ONE + must), {"exam": "94"}).letter == "F"


@pytest.mark.parametrize(
    ("value", "rule", "expected"),
    [
        ("79.215", Rounding(), "79.22"),
        ("79.2149999999", Rounding(), "79.21"),
        ("79.215", Rounding(ties="down"), "79.21"),
        ("79.225", Rounding(ties="even"), "79.22"),
        ("79.215", Rounding(ties="even"), "79.22"),
        ("2.5", Rounding(to=Decimal(1), ties="even"), "2"),
        ("3.5", Rounding(to=Decimal(1), ties="even"), "4"),
        ("79.25", Rounding(to=Decimal("0.5")), "79.5"),
        ("79.01", Rounding(to=Decimal(1), way="up"), "80"),
        ("79", Rounding(to=Decimal(1), way="up"), "79"),
        ("79.99", Rounding(to=Decimal(1), way="down"), "79"),
    ],
)
def test_rounding(value: str, rule: Rounding, expected: str) -> None:
    assert rounded(Fraction(value), rule) == Decimal(expected)


def test_no_binary_float_shows_through() -> None:
    text = "".join(
        f'[[components]]\nid = "c{i}"\ntitle = "C"\nweight = {w}\n'
        for i, w in enumerate(("33.33", "33.33", "33.34"))
    )
    got = total_of(course_of(text), {"c0": "0.1", "c1": "0.1", "c2": "0.1"})
    assert (got.so_far, str(got.total)) == (Fraction(1, 10), "0.10")
    assert show_fraction(Fraction(2, 3)) == "0.67"


def test_a_mark_above_the_items_points_is_refused() -> None:
    with pytest.raises(GradebookError, match="101 points are not between 0 and 100") as caught:
        total_of(course_of(ONE), {"exam": 101})
    assert caught.value.where == "ada, exam"


def test_a_mark_for_other_points_is_refused() -> None:
    course = course_of(ONE)
    with pytest.raises(GradebookError, match="the mark is out of 50 points"):
        totals_of(course, [replace(mark(course, "exam", 40), max_points=Decimal(50))])


def test_a_mark_for_an_unknown_item_is_refused() -> None:
    course = course_of(ONE)
    with pytest.raises(GradebookError, match="the item 'exma', which the course file does not"):
        totals_of(course, [replace(mark(course, "exam", 40), item="exma")])


def test_two_marks_for_one_item_are_refused() -> None:
    course = course_of(ONE)
    with pytest.raises(GradebookError, match="two marks for the item 'exam'"):
        totals_of(course, [mark(course, "exam", 40), mark(course, "exam", 40)])


def test_students_without_a_mark_are_in_the_class() -> None:
    course = course_of(ONE)
    totals = class_totals(course, [], now=AFTER, students=["ben", "ada"])
    assert [(t.student, t.total, t.so_far) for t in totals] == [
        ("ada", None, None),
        ("ben", None, None),
    ]
