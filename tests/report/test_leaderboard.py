"""The leaderboard: who stands where, and that it names nobody."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from grader.course.spec import Leaderboard
from grader.grading.verdict import SubmissionRecord, Verdict
from grader.report.leaderboard import leaderboard_page, places
from grader.suite.results import TestOutcome
from tests.helpers.verdicts import AFTER_DUE, BEFORE_DUE, SPEC, broken, graded, test_result
from tests.report.hostile import ALL
from tests.report.test_student_page import text

BOARD = Leaderboard(test="t", title="Accuracy", percent=True)
DUE = dt.datetime(2024, 10, 30, 23, 59, tzinfo=dt.UTC)


def entry(student: str, measured: str | None, day: int = 1, **more: Any) -> Verdict:
    value = Decimal(measured) if measured else None
    test = test_result("q1", "t", "Accuracy.", 8, measured=value, **more)
    moment = dt.datetime(2024, 10, day, 12, tzinfo=dt.UTC)
    record = SubmissionRecord(file="a.ipynb", sha256=student, submitted_at=moment)
    return msgspec.structs.replace(graded(student, tests=(test,)), submission=record)


def ranked(*verdicts: Verdict, board: Leaderboard = BOARD, **more: Any) -> list[tuple[int, str]]:
    names = {v.student: v.student.upper() for v in verdicts}
    options: dict[str, Any] = {"names": names, "due": DUE, "now": AFTER_DUE, **more}
    return [(place.rank, place.name) for place in places(verdicts, board, **options)]


def test_the_best_comes_first_and_equal_scores_share_a_rank_the_earlier_one_first() -> None:
    verdicts = entry("a", "0.7"), entry("b", "0.9", 3), entry("c", "0.9", 2), entry("d", "0.8")
    assert ranked(*verdicts) == [(1, "C"), (1, "B"), (3, "D"), (4, "A")]


def test_where_less_is_better_the_least_comes_first() -> None:
    board = Leaderboard(test="t", best="lowest")
    verdicts = entry("a", "0.7"), entry("b", "0.2", 3), entry("c", "0.2", 2)
    assert ranked(*verdicts, board=board) == [(1, "C"), (1, "B"), (3, "A")]


def test_who_was_not_measured_or_not_graded_is_left_out() -> None:
    assert ranked(entry("a", None), broken("b"), entry("c", "0.5")) == [(1, "C")]


def test_a_result_that_students_may_not_see_yet_is_not_on_the_board() -> None:
    verdict = entry("a", "0.7", shows="after_due")
    assert ranked(verdict, now=BEFORE_DUE) == []
    assert ranked(verdict) == [(1, "A")]
    assert ranked(entry("a", "0.7", shows="never")) == []


def test_the_page_names_nobody() -> None:
    spec = msgspec.structs.replace(SPEC, leaderboard=BOARD)
    verdicts = [entry("Ada Lovelace", "0.7135"), entry(ALL, "0.5", outcome=TestOutcome.FAILED)]
    names = {"Ada Lovelace": "K7QX2M", ALL: "AAAAAA"}
    html = leaderboard_page(verdicts, spec=spec, names=names, now=AFTER_DUE)
    said = text(html)
    assert "1 K7QX2M 71.35 % 1 October 2024, 12:00 UTC" in said
    assert "Ada" not in html and "script" not in html


def test_an_empty_board_says_so() -> None:
    spec = msgspec.structs.replace(SPEC, leaderboard=BOARD)
    assert "Nothing has been measured yet." in text(
        leaderboard_page([], spec=spec, names={}, now=AFTER_DUE)
    )
