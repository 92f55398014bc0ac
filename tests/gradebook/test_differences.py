"""What a regrade would change, mark by mark."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from grader.gradebook.differences import differences
from grader.suite.results import TestOutcome
from tests.helpers.verdicts import broken, graded, test_result


def test_equal_verdicts_have_no_difference() -> None:
    assert differences([graded("Ada")], [graded("Ada", seed=9)]) == []


def test_a_changed_mark_names_the_tests_that_moved_it() -> None:
    old = graded("Ada")
    lost = msgspec.structs.replace(old.tests[0], points=Decimal(0), outcome=TestOutcome.FAILED)
    new = msgspec.structs.replace(old, tests=(lost, *old.tests[1:]), points=old.points - 3)
    (change,) = differences([old], [new])
    assert (change.student, change.change) == ("Ada", Decimal(-3))
    (test,) = change.tests
    assert (test.name, test.old_points, test.new_points) == (lost.name, Decimal(3), Decimal(0))


def test_tests_that_moved_and_cancel_out_are_still_listed() -> None:
    old = graded("Ada", tests=(test_result("q1", "a", "", 2), test_result("q1", "b", "", 2)))
    new = graded("Ada", tests=(test_result("q1", "a", "", 2), test_result("q1", "c", "", 2)))
    (change,) = differences([old], [new])
    assert change.change == 0
    assert [(t.name, t.old_points, t.new_points) for t in change.tests] == [
        ("b", Decimal(2), None),
        ("c", None, Decimal(2)),
    ]


def test_a_new_student_is_a_change_from_nothing() -> None:
    (change,) = differences([], [graded("Ada", points=Decimal(5))])
    assert (change.old_points, change.new_points, change.change) == (None, 5, 5)


def test_an_infrastructure_error_changes_no_mark() -> None:
    assert differences([graded("Ada")], [broken("Ada")]) == []
