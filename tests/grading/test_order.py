"""The longest submission is handed out first."""

from __future__ import annotations

from decimal import Decimal

from grader.grading.job import Job
from grader.grading.order import longest_first
from grader.grading.verdict import Outcome, SubmissionRecord, Usage, Verdict


def job(student: str) -> Job:
    return Job(student=student, file=f"{student}.ipynb", data=b"", sha256=student)


def earlier(student: str, wall_s: float) -> Verdict:
    return Verdict(
        assignment="warm-up",
        student=student,
        outcome=Outcome.GRADED,
        points=Decimal(0),
        max_points=Decimal(8),
        submission=SubmissionRecord(file="", sha256="", attempt=1),
        usage=Usage(wall_s=wall_s),
    )


def order(students: str, *verdicts: Verdict) -> str:
    return "".join(j.student for j in longest_first([job(s) for s in students], verdicts))


def test_who_took_longest_before_is_first() -> None:
    assert order("abc", earlier("a", 1), earlier("b", 30), earlier("c", 5)) == "bca"


def test_who_was_never_run_is_expected_to_take_as_long_as_most() -> None:
    assert order("abcn", earlier("a", 1), earlier("b", 30), earlier("c", 5)) == "bcna"


def test_without_earlier_durations_the_order_stays() -> None:
    assert order("zxy") == "zxy"
