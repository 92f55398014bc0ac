"""What the gradebook keeps, and which verdict counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.errors import GradebookError
from grader.gradebook.reuse import Reusable
from grader.gradebook.store import Counts, Gradebook
from grader.grading.verdict import Outcome, Verdict
from tests.helpers.verdicts import broken, graded, invalid, spoilt

ASSIGNMENT = "mlp-backprop"


@pytest.fixture
def gradebook(url: str) -> Iterator[Gradebook]:
    with Gradebook(url) as book:
        yield book


@pytest.fixture
def batch(gradebook: Gradebook) -> str:
    return gradebook.start_batch(ASSIGNMENT, seed=7, settings={"slots": 2})


def find(gradebook: Gradebook, verdict: Verdict, **changed: str) -> Verdict | None:
    assert verdict.provenance
    made_of = {
        "bundle_sha256": verdict.provenance.bundle_sha256,
        "image": verdict.provenance.image,
    }
    sha256 = changed.pop("submission_sha256", verdict.submission.sha256)
    reusable = Reusable(gradebook.current_entries(ASSIGNMENT), **(made_of | changed))
    found = reusable.find(verdict.student, verdict.submission.attempt, sha256)
    return None if found is None else found.verdict


def test_a_verdict_comes_back_as_it_was(gradebook: Gradebook, batch: str, url: str) -> None:
    verdict = graded("Ömer <b>", ability=0.6, points=Decimal("31.33"))
    gradebook.record(verdict, b'{"cells": []}', batch=batch)
    with Gradebook(url) as reopened:
        assert reopened.current(ASSIGNMENT) == [verdict]
        assert reopened.executed_notebook(verdict) == b'{"cells": []}'


def test_a_verdict_without_a_notebook_has_none(gradebook: Gradebook, batch: str) -> None:
    gradebook.record(invalid("Ada"), None, batch=batch)
    assert gradebook.executed_notebook(invalid("Ada")) is None


def test_a_regrade_adds_a_row_and_the_newest_holds(gradebook: Gradebook, batch: str) -> None:
    old, new = graded("Ada", points=Decimal(10)), graded("Ada", points=Decimal(20))
    gradebook.record(old, b"old", batch=batch)
    again = gradebook.start_batch(ASSIGNMENT, seed=8)
    gradebook.record(new, b"new", batch=again)
    history = gradebook.history(ASSIGNMENT, "Ada")
    assert [(e.verdict.points, e.holds, e.batch) for e in history] == [
        (Decimal(10), False, batch),
        (Decimal(20), True, again),
    ]
    assert gradebook.current(ASSIGNMENT) == [new]
    assert gradebook.entry_names(ASSIGNMENT) == {("Ada", 1): history[1].name}


def test_last_and_best_attempt_may_differ(gradebook: Gradebook, batch: str) -> None:
    for attempt, points in ((1, "40"), (2, "52"), (3, "45.5")):
        verdict = graded("Ada", attempt=attempt, points=Decimal(points))
        gradebook.record(verdict, None, batch=batch)
    attempts = {
        counts: gradebook.current(ASSIGNMENT, counts=counts)[0].submission.attempt  # type: ignore[arg-type]
        for counts in ("last", "best")
    }
    assert attempts == {"last": 3, "best": 2}
    [best] = gradebook.current(ASSIGNMENT, counts="best")
    assert best.points == Decimal(52)


def test_of_equally_good_attempts_the_earliest_counts(gradebook: Gradebook, batch: str) -> None:
    for attempt in (2, 1):
        gradebook.record(graded("Ada", attempt=attempt), None, batch=batch)
    assert gradebook.current(ASSIGNMENT, counts="best")[0].submission.attempt == 1


def test_an_infrastructure_error_is_kept_but_never_counts(gradebook: Gradebook, batch: str) -> None:
    mark = graded("Ada")
    gradebook.record(mark, b"nb", batch=batch)
    gradebook.record(broken("Ada"), None, batch=batch)
    gradebook.record(broken("Emmy"), None, batch=batch)
    assert gradebook.current(ASSIGNMENT) == [mark]
    outcomes = [e.verdict.outcome for e in gradebook.history(ASSIGNMENT)]
    assert outcomes.count(Outcome.INFRASTRUCTURE_ERROR) == 2
    assert find(gradebook, broken("Emmy")) is None
    assert find(gradebook, mark) == mark


@pytest.mark.parametrize("make", [broken, spoilt])
def test_what_has_no_mark_is_open_where_it_may_be_the_one_that_counts(
    gradebook: Gradebook, batch: str, make: Callable[[str], Verdict]
) -> None:
    def current(counts: Counts, **options: bool) -> dict[str, Outcome]:
        found = gradebook.current(ASSIGNMENT, counts=counts, **options)
        return {v.student: v.outcome for v in found}

    def attempt(verdict: Verdict, number: int) -> Verdict:
        record = msgspec.structs.replace(verdict.submission, attempt=number)
        return msgspec.structs.replace(verdict, submission=record)

    gradebook.record(graded("Ada"), None, batch=batch)
    gradebook.record(make("Ada"), None, batch=batch)  # of the same attempt: its mark holds
    gradebook.record(attempt(make("Bob"), 1), None, batch=batch)
    gradebook.record(graded("Bob", attempt=2), None, batch=batch)
    gradebook.record(make("Emmy"), None, batch=batch)
    marked, lost = Outcome.GRADED, make("Emmy").outcome
    assert current("last") == {"Ada": marked, "Bob": marked}
    assert current("last", unmarked=True) == {"Ada": marked, "Bob": marked, "Emmy": lost}
    assert current("best", unmarked=True) == {"Ada": marked, "Bob": lost, "Emmy": lost}
    assert [e.verdict.student for e in gradebook.unmarked(ASSIGNMENT)] == ["Bob", "Emmy"]


def test_assignments_are_kept_apart(gradebook: Gradebook, batch: str) -> None:
    gradebook.record(graded("Ada"), None, batch=batch)
    assert gradebook.current("cnn") == []


def test_the_same_three_hashes_are_reused(gradebook: Gradebook, batch: str) -> None:
    verdict = graded("Ada")
    gradebook.record(verdict, None, batch=batch)
    assert find(gradebook, verdict) == verdict


@pytest.mark.parametrize("name", ["submission_sha256", "bundle_sha256", "image"])
def test_another_hash_is_graded_anew(gradebook: Gradebook, batch: str, name: str) -> None:
    verdict = graded("Ada")
    gradebook.record(verdict, None, batch=batch)
    assert find(gradebook, verdict, **{name: "f" * 64}) is None


def test_a_file_handed_in_again_after_another_is_not_taken_for_the_first_attempt(
    gradebook: Gradebook, batch: str
) -> None:
    first, second = graded("Ada", attempt=1), graded("Ada", attempt=2)
    gradebook.record(first, None, batch=batch)
    gradebook.record(second, None, batch=batch)
    assert find(gradebook, first) == first
    assert find(gradebook, graded("Ada", attempt=3)) is None


def test_a_verdict_that_was_replaced_is_not_reused(gradebook: Gradebook, batch: str) -> None:
    old, new = graded("Ada", seed=1), graded("Ada", seed=2)
    gradebook.record(old, None, batch=batch)
    gradebook.record(new, None, batch=batch)
    assert find(gradebook, old) is None


def test_batches_tell_whether_they_ended(gradebook: Gradebook, batch: str) -> None:
    (open_batch,) = gradebook.batches(ASSIGNMENT)
    assert (open_batch.finished_at, open_batch.seed) == (None, 7)
    assert open_batch.settings == {"slots": 2}
    gradebook.finish_batch(batch)
    (done,) = gradebook.batches(ASSIGNMENT)
    assert done.finished_at is not None and done.finished_at >= done.started_at


def test_an_unknown_batch_is_refused_and_nothing_recorded(gradebook: Gradebook) -> None:
    with pytest.raises(GradebookError, match="no batch 'other'"):
        gradebook.record(graded("Ada"), None, batch="other")
    assert gradebook.history(ASSIGNMENT) == []


def test_the_last_batch_is_that_of_the_newest_verdict_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        first = book.start_batch("mlp-backprop", seed=1)
        book.record(graded("Ada"), None, batch=first)
        book.finish_batch(first)

        class Earlier(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
                return dt.datetime.now(tz) - dt.timedelta(days=1)

        class Clock:
            datetime, UTC = Earlier, dt.UTC

        monkeypatch.setattr("grader.gradebook.store.dt", Clock)
        second = book.start_batch("mlp-backprop", seed=2)
        book.start_batch("mlp-backprop", seed=3)
        book.record(graded("Emmy"), None, batch=second)
        last = book.last_batch("mlp-backprop")
        assert last is not None
        assert (last.id, last.seed, last.finished_at) == (second, 2, None)
        assert book.last_batch("cnn") is None
