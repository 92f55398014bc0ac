"""What a batch tells while it runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.cli.grade import SlotCount
from grader.cli.progress import BatchProgress, Running
from grader.grading.verdict import Outcome, SubmissionRecord, Verdict


def verdict(student: str) -> Verdict:
    return Verdict(
        assignment="warm-up",
        student=student,
        outcome=Outcome.GRADED,
        points=Decimal(5),
        max_points=Decimal(8),
        submission=SubmissionRecord(file="", sha256="", attempt=1),
    )


def test_who_runs_is_told_with_cell_and_seconds() -> None:
    shown = BatchProgress("warm-up")
    watchers = shown.progress()
    assert shown.running() == "warming up"
    watchers.warm(2)
    watchers.begun("ada")
    watchers.cell("ada", 3, 12)
    assert shown.running() == "ada (cell 3 of 12, 0 s)"


def test_many_at_once_are_counted() -> None:
    shown = BatchProgress("warm-up")
    for student in "abcde":
        shown.progress().begun(student)
    assert shown.running().endswith("and 2 more")


def test_seconds_are_those_since_it_began() -> None:
    assert Running(began=100.0, cell=1, cells=2).told("ada", 104.2) == "ada (cell 1 of 2, 4 s)"


def test_piped_lines_tell_now_and_then_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    shown = BatchProgress("warm-up")
    watchers = shown.progress()
    watchers.planned(40, 0)
    for number in range(40):
        watchers.judged(verdict(f"s{number}"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 41
    assert next(line for line in lines if " left, about " in line).startswith("[4/40] s3")
    assert sum(" left, about " in line for line in lines) == 9


def test_slots_are_a_number_or_auto() -> None:
    assert SlotCount().convert("auto", None, None) is None
    assert SlotCount().convert("3", None, None) == 3
    with pytest.raises(Exception, match="range"):
        SlotCount().convert("0", None, None)
