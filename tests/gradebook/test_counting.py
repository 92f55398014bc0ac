"""Which try counts where a file that could not be judged is handed in again as it was."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from grader.gradebook.counting import Counts, counted
from grader.grading.verdict import Outcome, Verdict
from tests.helpers.verdicts import graded

FIRST = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def tried(attempt: int, outcome: Outcome) -> Verdict:
    made = graded("ada", attempt=attempt)
    at = FIRST + dt.timedelta(days=attempt - 1)
    submission = msgspec.structs.replace(made.submission, sha256="a" * 64, submitted_at=at)
    return msgspec.structs.replace(made, outcome=outcome, submission=submission)


@pytest.mark.parametrize("counts", ["last", "best"])
def test_a_copy_of_what_we_could_not_judge_counts_at_the_time_of_the_first(counts: Counts) -> None:
    failed, judged = tried(1, Outcome.SUITE_ERROR), tried(2, Outcome.GRADED)
    (found,) = counted([failed, judged], counts)
    assert (found.outcome, found.submission.attempt) == (Outcome.GRADED, 2)
    assert found.submission.submitted_at == FIRST
    assert found.points == judged.points


@pytest.mark.parametrize("again", [Outcome.GRADED, Outcome.SUITE_ERROR])
def test_a_copy_of_what_was_judged_is_no_try(again: Outcome) -> None:
    (found,) = counted([tried(1, Outcome.GRADED), tried(2, again)], "last")
    assert (found.outcome, found.submission.attempt) == (Outcome.GRADED, 1)
