"""Narrow rows beside the verdicts: what marks are made of, and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest

from grader.gradebook.briefs import brief
from grader.gradebook.hand_ins import HandInTime
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Outcome
from tests.helpers.verdicts import graded

ASSIGNMENT = "mlp-backprop"


@pytest.fixture
def gradebook(url: str) -> Iterator[Gradebook]:
    """An empty gradebook, in SQLite and in PostgreSQL."""
    with Gradebook(url) as opened:
        yield opened


def test_briefs_are_the_verdicts_that_hold_without_tests_and_notes(gradebook: Gradebook) -> None:
    batch = gradebook.start_batch(ASSIGNMENT, seed=1)
    broken = graded("Cem", outcome=Outcome.INFRASTRUCTURE_ERROR, points=Decimal(0))
    for verdict in (
        graded("Ada", points=Decimal(3)),
        graded("Ada", points=Decimal(4)),  # the same try, graded again
        graded("Ada", attempt=2, points=Decimal(5)),
        graded("Ben", points=Decimal(6)),
        graded("Ben", outcome=Outcome.SUITE_ERROR),  # a regrade that is no mark
        broken,
    ):
        gradebook.record(verdict, None, batch=batch)
    whole = gradebook.tried(ASSIGNMENT)
    assert list(gradebook.briefs(ASSIGNMENT)) == sorted(e.id for e in whole)
    assert gradebook.briefs(ASSIGNMENT) == {e.id: brief(e.verdict) for e in whole}
    assert [v.points for v in gradebook.briefs(ASSIGNMENT).values()] == [4, 5, 6, 0]


def test_a_time_that_was_learnt_later_is_in_a_brief_too(gradebook: Gradebook) -> None:
    batch = gradebook.start_batch(ASSIGNMENT, seed=1)
    ada = graded("Ada")
    gradebook.record(ada, None, batch=batch)
    late = dt.datetime(2024, 11, 3, 12, tzinfo=dt.UTC)
    told = HandInTime(student="Ada", attempt=1, sha256=ada.submission.sha256, at=late)
    gradebook.hand_ins.learn(ASSIGNMENT, [told], {told.key: ada.submission.submitted_at})
    (found,) = gradebook.briefs(ASSIGNMENT).values()
    assert found.submission.submitted_at == late


def test_changes_tell_of_which_assignment_something_is_new(gradebook: Gradebook) -> None:
    before = gradebook.changes()
    batch = gradebook.start_batch(ASSIGNMENT, seed=1)
    gradebook.record(graded("Ada"), None, batch=batch)
    after = gradebook.changes()
    assert after.of(ASSIGNMENT) != before.of(ASSIGNMENT)
    assert after.of("cnn") == before.of("cnn")
    assert after.whole != before.whole
