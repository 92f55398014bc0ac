"""Who judges which try, in each database: nothing is claimed twice, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from grader.errors import GradebookError
from grader.gradebook.claims import ClaimLostError
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import TryState
from tests.gradebook.waiting_tries import LEASE, NOW, claimed, received, waiting
from tests.helpers.verdicts import graded


def test_an_assignment_may_be_left_for_later(book: Gradebook) -> None:
    waiting(book, "ada")
    assert not book.claims.any_free(now=NOW, without=["hw1"])
    assert book.claims.take("e1", limit=9, now=NOW, lease=LEASE, without=["hw1"]) == []
    assert book.claims.any_free(now=NOW, without=["hw2"])
    assert len(book.claims.take("e1", limit=9, now=NOW, lease=LEASE, without=["hw2"])) == 1


def test_a_try_goes_from_receiving_to_its_verdict(book: Gradebook) -> None:
    one = received(book, "ada")
    assert one.state is TryState.RECEIVING
    assert claimed(book) == []
    assert book.tries.of("ada") == []
    one = waiting(book, "ada")
    (one,) = book.claims.take("e1", limit=5, now=NOW, lease=LEASE)
    assert (one.state, one.starts, one.lease_until) == (TryState.RUNNING, 1, NOW + LEASE)
    batch = book.start_batch("hw1", seed=1)
    number = book.record(graded("ada", assignment="hw1"), None, batch=batch, desk_try=one.id)
    found = book.tries.get(one.id)
    assert found is not None
    assert (found.state, found.verdict) == (TryState.JUDGED, number)
    entry = book.entry(number)
    assert entry is not None and entry.verdict.student == "ada"


def test_a_verdict_and_its_trys_end_are_recorded_together_or_not_at_all(book: Gradebook) -> None:
    batch = book.start_batch("hw1", seed=1)
    with pytest.raises(GradebookError):
        book.record(graded("ada", assignment="hw1"), None, batch=batch, desk_try=99)
    assert book.history("hw1") == []


def test_several_engines_claim_each_try_once(book: Gradebook) -> None:
    for i in range(60):
        waiting(book, f"s{i:02}")
    found: list[str] = []
    lock = threading.Lock()

    def work(engine: str) -> None:
        while got := claimed(book, engine, limit=3):
            with lock:
                found.extend(got)

    threads = [threading.Thread(target=work, args=(f"e{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"s{i:02}" for i in range(60)]


def test_what_a_dead_engine_had_is_claimed_again_when_its_lease_is_over(book: Gradebook) -> None:
    dead = waiting(book, "ada")
    assert claimed(book, "dead") == ["ada"]
    assert claimed(book, "other", later_s=89) == []
    book.claims.renew("dead", [dead.id], now=NOW + dt.timedelta(seconds=60), lease=LEASE)
    assert claimed(book, "other", later_s=149) == []
    assert claimed(book, "other", later_s=151) == ["ada"]
    assert book.tries.of("ada")[0].starts == 2


def test_an_engine_that_comes_again_takes_back_what_it_had(book: Gradebook) -> None:
    waiting(book, "ada")
    claimed(book, "e1")
    book.claims.release("e2")
    assert claimed(book, "e1") == []
    book.claims.release("e1")
    assert claimed(book, "e1") == ["ada"]


def test_what_is_given_back_was_no_start(book: Gradebook) -> None:
    one = waiting(book, "ada")
    claimed(book)
    book.claims.give_back("e2", [one.id])
    assert claimed(book) == []
    book.claims.give_back("e1", [one.id])
    assert claimed(book) == ["ada"]
    assert book.tries.of("ada")[0].starts == 1


def test_an_engine_whose_lease_ran_out_records_nothing(book: Gradebook) -> None:
    one = waiting(book, "ada")
    claimed(book, "slow")
    assert claimed(book, "other", later_s=91) == ["ada"]
    batch = book.start_batch("hw1", seed=1)
    verdict = graded("ada", assignment="hw1")
    with pytest.raises(ClaimLostError):
        book.record(verdict, None, batch=batch, desk_try=one.id, engine="slow")
    with pytest.raises(ClaimLostError):
        book.claims.fail(one.id, "ours", now=NOW, engine="slow")
    assert book.history("hw1") == []
    book.record(verdict, None, batch=batch, desk_try=one.id, engine="other")
    with pytest.raises(ClaimLostError):  # the answer to a commit was lost: it is done once
        book.record(verdict, None, batch=batch, desk_try=one.id, engine="other")
    assert len(book.history("hw1")) == 1


def test_a_verdict_that_is_no_mark_and_its_problem_are_recorded_together(book: Gradebook) -> None:
    one = waiting(book, "ada")
    claimed(book)
    batch = book.start_batch("hw1", seed=1)
    verdict = graded("ada", assignment="hw1")
    book.record(verdict, None, batch=batch, desk_try=one.id, engine="e1", problem="ours")
    (found,) = book.tries.some([one.id])
    assert (found.state, found.problem, found.verdict) == (TryState.FAILED, "ours", None)
    assert len(book.history("hw1")) == 1


def test_what_an_engine_does_not_know_of_is_not_renewed(book: Gradebook) -> None:
    known, lost = waiting(book, "ada"), waiting(book, "ben")
    claimed(book)
    book.claims.renew("e1", [known.id], now=NOW + dt.timedelta(seconds=60), lease=LEASE)
    book.claims.renew("e2", [lost.id], now=NOW + dt.timedelta(seconds=60), lease=LEASE)
    assert claimed(book, "e2", later_s=91) == ["ben"]


def test_whether_there_is_work_is_seen_without_taking_it(book: Gradebook) -> None:
    assert not book.claims.any_free(now=NOW)
    waiting(book, "ada")
    assert book.claims.any_free(now=NOW)
    claimed(book)
    assert not book.claims.any_free(now=NOW)
    assert book.claims.any_free(now=NOW + dt.timedelta(seconds=91))
