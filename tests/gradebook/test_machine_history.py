"""The history of the machine's marks."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec

from grader.course.components import Component, Item
from grader.course.course_file import CourseFile
from grader.gradebook.machine_history import machine_history
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from tests.helpers.verdicts import broken, graded, invalid

ITEM = Item(id="a1", title="MLPs", assignment="mlp-backprop")
COURSE = CourseFile(
    title="A course",
    institution="A university",
    term="Fall",
    components=(Component(id="a", title="A", weight=Decimal(100), items=(ITEM,)),),
)


def told(folder: Path, *verdicts: Verdict) -> list[tuple[str, str]]:
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        batch = gradebook.start_batch("mlp-backprop", seed=1)
        for verdict in verdicts:
            gradebook.record(verdict, None, batch=batch)
        return [(event.student, event.what) for event in machine_history(COURSE, gradebook)]


def points(student: str, points: str, attempt: int = 1) -> Verdict:
    verdict = graded(student, points=Decimal(points))
    submission = msgspec.structs.replace(verdict.submission, attempt=attempt)
    return msgspec.structs.replace(verdict, submission=submission, max_points=Decimal(52))


def test_a_regrade_tells_the_mark_before_and_after(tmp_path: Path) -> None:
    assert told(tmp_path, points("ada", "31.33"), points("ben", "5"), points("ada", "35")) == [
        ("ada", "attempt 1: 31.33 of 52 points from the tests"),
        ("ben", "attempt 1: 5 of 52 points from the tests"),
        ("ada", "attempt 1: 31.33 → 35 of 52 points, graded again"),
    ]


def test_a_regrade_that_changes_nothing_is_not_told(tmp_path: Path) -> None:
    assert len(told(tmp_path, points("ada", "31"), points("ada", "31"))) == 1


def test_each_attempt_is_told_for_itself(tmp_path: Path) -> None:
    assert told(tmp_path, points("ada", "31"), points("ada", "20", attempt=2)) == [
        ("ada", "attempt 1: 31 of 52 points from the tests"),
        ("ada", "attempt 2: 20 of 52 points from the tests"),
    ]


def test_a_change_of_the_assignments_points_is_told(tmp_path: Path) -> None:
    regraded = msgspec.structs.replace(points("ada", "31"), max_points=Decimal(60))
    assert told(tmp_path, points("ada", "31"), regraded)[1:] == [
        ("ada", "attempt 1: 31 of 52 → 31 of 60 points, graded again")
    ]


def test_a_fault_of_ours_is_no_mark_and_not_told(tmp_path: Path) -> None:
    assert told(tmp_path, broken("ada")) == []


def test_what_could_not_be_read_is_told_as_such(tmp_path: Path) -> None:
    [(_, what)] = told(tmp_path, invalid("ada"))
    assert what.endswith("points from the tests, could not be read")
