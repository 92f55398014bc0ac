"""A course in which people mark: an assignment with a written answer, a rubric, a quiz."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.course.directory import Assignment
from grader.gradebook.store import Gradebook
from grader.grading.verdict import QuestionMark, Verdict
from tests.helpers.verdicts import graded

COURSE = """\
title = "Warming up"
institution = "A university"
term = "Fall"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]

[[components]]
id = "homework"
title = "Homework"
weight = 60

[[components.items]]
id = "h1"
title = "Softmax"
assignment = "warm-up"

[[components]]
id = "project"
title = "Project"
weight = 40

[[components.items]]
id = "report"
title = "Report"

[[components.items.rubric]]
id = "clarity"
title = "Clarity"
points = 40

[[components.items.rubric]]
id = "depth"
title = "Depth"
points = 60

[[components.items]]
id = "quiz"
title = "Quiz"
points = 20
"""


def verdict(student: str, answer: str, points: str = "6.5", attempt: int = 1) -> Verdict:
    made = graded(student, attempt=attempt, points=Decimal(points))
    return msgspec.structs.replace(
        made,
        assignment="warm-up",
        max_points=Decimal(8),
        manual_points=Decimal(2),
        tests=(),
        questions=(
            QuestionMark(id="q1", title="", points=Decimal(points), max_points=Decimal(8)),
            QuestionMark(
                id="q3",
                title="",
                points=Decimal(0),
                max_points=Decimal(0),
                manual_points=Decimal(2),
            ),
        ),
        answers={"q3": answer} if answer else {},
    )


def record(root: Path, *verdicts: Verdict) -> None:
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        batch = gradebook.start_batch("warm-up", seed=1)
        for one in verdicts:
            gradebook.record(one, None, batch=batch)


@pytest.fixture
def course(warm_up: Assignment, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The course, with verdicts on two students."""
    monkeypatch.setenv("GRADER_MARKER", "prof")
    root = warm_up.course_root
    (root / "course.toml").write_text(COURSE)
    record(
        root,
        verdict("ada", "Because $e^x$ grows <script>alert(1)</script>."),
        verdict("ben", "=HYPERLINK(1)", points="4"),
    )
    return root
