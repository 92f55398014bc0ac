"""Which try counts, by the rules of the course: the one of the totals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.api.answer_marking import AnswerMarking
from grader.api.totals import course_totals
from grader.course.directory import Course
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Outcome, QuestionMark, SubmissionRecord, Verdict
from tests.helpers.assignments import SPEC, write_assignment

DUE = dt.datetime(2024, 10, 9, 20, 59, tzinfo=dt.UTC)
MACHINE = SPEC.replace("manual = 2", "points = 2")
COURSE = """\
title = "C"
institution = "U"
term = "T"
timezone = "Europe/Istanbul"
assignments = ["first", "second"]
[late]
percent_per_day = 20
grace_days = 1
[[components]]
id = "hw"
title = "Homework"
weight = 100
[[components.items]]
id = "h1"
title = "First"
assignment = "first"
group = true
[[components.items]]
id = "h2"
title = "Second"
assignment = "second"
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Ada and Ben hand in the first together; of the second the best try counts."""
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    write_assignment(tmp_path, "first", spec=MACHINE)
    best = MACHINE.replace("[resources]", '[attempts]\ncounts = "best"\n[resources]')
    write_assignment(tmp_path, "second", spec=best)
    (tmp_path / "course.toml").write_text(COURSE)
    (tmp_path / "groups.csv").write_text("item,group,student\nh1,one,ada\nh1,one,ben\n")
    return Course(tmp_path)


def verdict(assignment: str, student: str, points: str, late_h: int, attempt: int = 1) -> Verdict:
    return Verdict(
        assignment=assignment,
        student=student,
        outcome=Outcome.GRADED,
        points=Decimal(points),
        max_points=Decimal(10),
        submission=SubmissionRecord(
            file="a.ipynb",
            sha256=f"{student}{attempt}",
            attempt=attempt,
            submitted_at=DUE + dt.timedelta(hours=late_h),
        ),
    )


def test_a_day_of_grace_that_the_groups_work_takes_is_gone_for_other_tries(course: Course) -> None:
    made = [
        verdict("first", "ada", "10", 2),
        verdict("second", "ben", "8", -5),
        # With the day of grace it would be the best; the group's work brings more with it.
        verdict("second", "ben", "8.8", 2, attempt=2),
    ]
    second = course.assignment("second")
    with Gradebook(course.database_url) as gradebook:
        for one in made:
            gradebook.record(one, None, batch=gradebook.start_batch(one.assignment, seed=1))
        (counted,) = counted_verdicts(course, second, gradebook)
    h1, h2 = course_totals(course).of("ben").items
    assert (h1.grace_days, h2.attempt) == (1, 1)
    assert counted.submission.attempt == h2.attempt


LATE = COURSE.replace("grace_days = 1", "cutoff_days = 2").replace("group = true\n", "")


@pytest.mark.parametrize(
    ("counts", "tries", "first", "longer"),
    [
        # 7 less 20 % is 5.6; with a longer time it is 7.
        ("best", [("6", -5), ("7", 2)], 1, 2),
        # Not accepted; with a longer time it is.
        ("last", [("6", -5), ("7", 100)], 1, 2),
    ],
)
def test_whoever_marks_answers_reads_those_of_the_try_that_counts(
    counts: str, tries: list[tuple[str, int]], first: int, longer: int, course: Course
) -> None:
    """A mark of the answers of another try would leave the one that counts open for ever."""
    (course.root / "course.toml").write_text(LATE)
    (course.root / "groups.csv").unlink()
    asked = SPEC.replace("[resources]", f'[attempts]\ncounts = "{counts}"\n[resources]')
    write_assignment(course.root, "second", spec=asked)
    second = course.assignment("second")
    question = second.spec.questions[2]
    with Gradebook(course.database_url) as gradebook:
        batch = gradebook.start_batch("second", seed=1)
        for attempt, (points, late_h) in enumerate(tries, start=1):
            one = verdict("second", "ada", points, late_h, attempt)
            marks = (
                QuestionMark(id="q1", title="", points=Decimal(points), max_points=Decimal(8)),
                QuestionMark(
                    id="q3",
                    title="",
                    points=Decimal(0),
                    max_points=Decimal(0),
                    manual_points=Decimal(2),
                ),
            )
            more = {"max_points": Decimal(8), "manual_points": Decimal(2), "questions": marks}
            more |= {"answers": {"q3": f"Answer {attempt}"}}
            gradebook.record(msgspec.structs.replace(one, **more), None, batch=batch)

        def read() -> list[int]:
            marking = AnswerMarking(course, second, gradebook)
            return [one.attempt for one in marking.answers(question, marker="mia")]

        assert read() == [first]
        assert course_totals(course).of("ada").items[1].attempt == first
        until = Change(
            fact=Fact(student="ada", item="h2", kind=Kind.EXTENSION),
            moment=DUE + dt.timedelta(days=9),
        )
        gradebook.hand_marks.record([until], who="Tan", why="ill")
        assert read() == [longer]
        assert course_totals(course).of("ada").items[1].attempt == longer
