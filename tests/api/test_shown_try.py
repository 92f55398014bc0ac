"""Pages and comments before the due date: which try is the best is not told by them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from grader.api.pages import page_comments, report
from grader.course.directory import Course
from grader.gradebook.store import Gradebook
from grader.grading.make_verdict import question_marks
from grader.grading.verdict import SubmissionRecord
from grader.suite.results import TestOutcome
from tests.helpers.assignments import SPEC, make_assignment, write_assignment
from tests.helpers.verdicts import graded, test_result

BEST = SPEC.replace("[resources]", '[attempts]\ncounts = "best"\n[resources]')


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Of ada the second try passes a hidden test, of ben the first; else they are equal."""
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    make_assignment(tmp_path)
    course = Course(tmp_path)
    write_assignment(tmp_path, spec=BEST.replace("due = 2024", "due = 2099"))
    spec = course.assignment("warm-up").spec
    with Gradebook(course.database_url) as gradebook:
        batch = gradebook.start_batch("warm-up", seed=1)
        for student, hidden in (("ada", (0, 3)), ("ben", (3, 0))):
            for attempt, points in enumerate(hidden, start=1):
                outcome = TestOutcome.PASSED if points else TestOutcome.FAILED
                tests = (
                    test_result("q1", "test_a", "Rows sum to one.", 5),
                    test_result(
                        "q2", "test_b", "Means.", 3, points=Decimal(points),
                        outcome=outcome, shows="after_due",
                    ),
                )  # fmt: skip
                one = graded(
                    student,
                    assignment="warm-up",
                    tests=tests,
                    questions=question_marks(spec, tests),
                    points=Decimal(5 + points),
                    max_points=Decimal(8),
                    manual_points=Decimal(2),
                    answers={},
                    notes=(),
                    submission=SubmissionRecord(
                        file="a.ipynb", sha256=str(attempt) * 64, attempt=attempt
                    ),
                )
                gradebook.record(one, None, batch=batch)
    return course


def said(course: Course, student: str) -> tuple[str, bool, list[str]]:
    """The attempt on the student's page, whether it has all points, and the comments."""
    pages = report(course, "warm-up").pages
    page = pages[student].read_text()
    attempt = page.partition(", attempt ")[2][:1]
    return attempt, "<strong>8</strong>" in page, page_comments(course, "warm-up")[student]


def test_before_the_due_date_pages_and_comments_are_of_the_best_of_what_is_shown(
    course: Course,
) -> None:
    assert said(course, "ada") == said(course, "ben")
    assert said(course, "ada")[0] == "1"
    # Whoever runs the course sees the one that counts.
    whole = course.graded_dir / "warm-up" / "instructors" / "ada.html"
    assert ", attempt 2" in whole.read_text()
    write_assignment(course.root, spec=BEST)
    assert [said(course, s)[0] for s in ("ada", "ben")] == ["2", "1"]
    assert said(course, "ada")[2][0] == "8 of 10 points, 2 wait."
