"""The queue of the desk, in each database: nothing is claimed twice, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest

from grader.errors import GradebookError
from grader.gradebook.database import writing
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import (
    REGRADES,
    STUDENTS,
    ClaimLostError,
    DeskTry,
    TryState,
    finish,
)
from tests.helpers.verdicts import graded

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=90)


@pytest.fixture
def book(url: str) -> Iterator[Gradebook]:
    with Gradebook(url) as found:
        yield found


def received(book: Gradebook, student: str, key: str = "") -> DeskTry:
    one, _ = book.tries.receive(
        key or f"{student}-{NOW}",
        assignment="hw1",
        student=student,
        file="hw1.ipynb",
        received_from=student,
        seed=7,
        now=NOW,
    )
    return one


def waiting(book: Gradebook, student: str, key: str = "", attempt: int = 1) -> DeskTry:
    one = received(book, student, key)
    folder = f"hw1/{student}/{attempt:03}"
    return book.tries.stored(one.id, attempt=attempt, sha256="a" * 64, folder=folder)


def claimed(book: Gradebook, engine: str = "e1", limit: int = 10, later_s: float = 0) -> list[str]:
    now = NOW + dt.timedelta(seconds=later_s)
    return [t.student for t in book.tries.claim(engine, limit=limit, now=now, lease=LEASE)]


def test_an_assignment_may_be_left_for_later(book: Gradebook) -> None:
    waiting(book, "ada")
    assert not book.tries.any_free(now=NOW, without=["hw1"])
    assert book.tries.claim("e1", limit=9, now=NOW, lease=LEASE, without=["hw1"]) == []
    assert book.tries.any_free(now=NOW, without=["hw2"])
    assert len(book.tries.claim("e1", limit=9, now=NOW, lease=LEASE, without=["hw2"])) == 1


def test_a_try_goes_from_receiving_to_its_verdict(book: Gradebook) -> None:
    one = received(book, "ada")
    assert one.state is TryState.RECEIVING
    assert claimed(book) == []
    assert book.tries.of("ada") == []
    one = waiting(book, "ada")
    (one,) = book.tries.claim("e1", limit=5, now=NOW, lease=LEASE)
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


def test_a_form_that_comes_twice_leads_to_the_same_try(book: Gradebook) -> None:
    first = received(book, "ada", "form-1")
    again, new = book.tries.receive(
        "form-1", assignment="hw1", student="ada", file="x", received_from="ada", seed=8, now=NOW
    )
    assert (again.id, new) == (first.id, False)


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


def test_who_waits_goes_before_what_can_wait_and_each_in_order(book: Gradebook) -> None:
    regrade = waiting(book, "ada")
    claimed(book)
    book.tries.fail(regrade.id, "ours", now=NOW)
    book.tries.again([regrade.id], priority=REGRADES)
    second, third = waiting(book, "ben"), waiting(book, "cem")
    again = book.tries.get(regrade.id)
    assert again is not None
    assert [book.tries.ahead_of(t) for t in (second, third, again)] == [0, 1, 2]
    assert book.tries.positions() == {second.id: 0, third.id: 1, regrade.id: 2}
    assert claimed(book, limit=2) == ["ben", "cem"]
    assert claimed(book) == ["ada"]
    assert STUDENTS < REGRADES


def judged_at(book: Gradebook, student: str, began_s: float, ended_s: float) -> None:
    one = waiting(book, student)
    began, ended = (NOW + dt.timedelta(seconds=s) for s in (began_s, ended_s))
    assert [t.id for t in book.tries.claim("e1", limit=1, now=began, lease=LEASE)] == [one.id]
    with writing(book.engine) as session:
        finish(session, one.id, None, now=ended)


def test_the_pace_is_that_of_a_queue_which_is_not_empty(book: Gradebook) -> None:
    now = NOW + dt.timedelta(hours=3)
    assert book.tries.pace_s(now=now) is None
    judged_at(book, "ada", 0, 2)
    judged_at(book, "ben", 3600, 3602)  # an hour in which nobody handed in
    assert book.tries.pace_s(now=now) == 2.0
    for student, ended_s in (("cem", 7210), ("dan", 7220), ("eve", 7230), ("fay", 7240)):
        judged_at(book, student, 7200, ended_s)  # all claimed at once, judged one by one
    assert book.tries.pace_s(now=now) == (2 + 2 + 4 * 10) / 6
    waiting(book, "gus"), waiting(book, "hal")
    assert book.tries.queue(now=now).seconds_left == 2 * (2 + 2 + 4 * 10) / 6
    assert book.tries.pace_s(now=now + dt.timedelta(days=1)) is None


def test_what_a_dead_engine_had_is_claimed_again_when_its_lease_is_over(book: Gradebook) -> None:
    dead = waiting(book, "ada")
    assert claimed(book, "dead") == ["ada"]
    assert claimed(book, "other", later_s=89) == []
    book.tries.renew("dead", [dead.id], now=NOW + dt.timedelta(seconds=60), lease=LEASE)
    assert claimed(book, "other", later_s=149) == []
    assert claimed(book, "other", later_s=151) == ["ada"]
    assert book.tries.of("ada")[0].starts == 2


def test_an_engine_that_comes_again_takes_back_what_it_had(book: Gradebook) -> None:
    waiting(book, "ada")
    claimed(book, "e1")
    book.tries.release("e2")
    assert claimed(book, "e1") == []
    book.tries.release("e1")
    assert claimed(book, "e1") == ["ada"]


def test_what_is_given_back_was_no_start(book: Gradebook) -> None:
    one = waiting(book, "ada")
    claimed(book)
    book.tries.give_back("e2", [one.id])
    assert claimed(book) == []
    book.tries.give_back("e1", [one.id])
    assert claimed(book) == ["ada"]
    assert book.tries.of("ada")[0].starts == 1


def test_a_newer_try_replaces_those_that_wait_and_no_other(book: Gradebook) -> None:
    running = waiting(book, "ada", "1", 1)
    claimed(book)
    old, other = waiting(book, "ada", "2", 2), waiting(book, "ben", "3")
    newest = received(book, "ada", "4")
    book.tries.stored(newest.id, attempt=3, sha256="b" * 64, folder="f", supersedes=True)
    states = {t.id: t.state for t in book.tries.some([running.id, old.id, other.id, newest.id])}
    assert states == {
        running.id: TryState.RUNNING,
        old.id: TryState.SUPERSEDED,
        other.id: TryState.WAITING,
        newest.id: TryState.WAITING,
    }


def test_the_queue_says_how_long_it_is_and_since_when(book: Gradebook) -> None:
    waiting(book, "ada"), waiting(book, "ben")
    claimed(book, limit=1)
    queue = book.tries.queue(now=NOW)
    assert (queue.waiting, queue.running, queue.failed, queue.oldest) == (1, 1, 0, NOW)


def test_only_what_was_never_acknowledged_is_forgotten(book: Gradebook) -> None:
    kept, gone = waiting(book, "ada"), received(book, "ben")
    book.tries.forget(kept.id)
    book.tries.forget(gone.id)
    assert book.tries.get(kept.id) is not None
    assert book.tries.get(gone.id) is None


def test_an_engine_whose_lease_ran_out_records_nothing(book: Gradebook) -> None:
    one = waiting(book, "ada")
    claimed(book, "slow")
    assert claimed(book, "other", later_s=91) == ["ada"]
    batch = book.start_batch("hw1", seed=1)
    verdict = graded("ada", assignment="hw1")
    with pytest.raises(ClaimLostError):
        book.record(verdict, None, batch=batch, desk_try=one.id, engine="slow")
    with pytest.raises(ClaimLostError):
        book.tries.fail(one.id, "ours", now=NOW, engine="slow")
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
    book.tries.renew("e1", [known.id], now=NOW + dt.timedelta(seconds=60), lease=LEASE)
    book.tries.renew("e2", [lost.id], now=NOW + dt.timedelta(seconds=60), lease=LEASE)
    assert claimed(book, "e2", later_s=91) == ["ben"]


def test_whether_there_is_work_is_seen_without_taking_it(book: Gradebook) -> None:
    assert not book.tries.any_free(now=NOW)
    waiting(book, "ada")
    assert book.tries.any_free(now=NOW)
    claimed(book)
    assert not book.tries.any_free(now=NOW)
    assert book.tries.any_free(now=NOW + dt.timedelta(seconds=91))
