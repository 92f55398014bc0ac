"""Hand-ins through the desk, in each database: nothing acknowledged is lost."""

from __future__ import annotations

from grader.gradebook.store import Gradebook
from grader.gradebook.tries import TryState
from tests.gradebook.waiting_tries import NOW, claimed, received, waiting


def test_a_form_that_comes_twice_leads_to_the_same_try(book: Gradebook) -> None:
    first = received(book, "ada", "form-1")
    again, new = book.tries.receive(
        "form-1", assignment="hw1", student="ada", file="x", received_from="ada", seed=8, now=NOW
    )
    assert (again.id, new) == (first.id, False)


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


def test_a_try_that_is_stored_twice_is_judged_once(book: Gradebook) -> None:
    one = received(book, "ada", "1")
    for state in (TryState.WAITING, TryState.RUNNING):
        found = book.tries.stored(one.id, attempt=1, sha256="a" * 64, folder="f")
        assert found.state is state
        claimed(book)
    assert book.tries.get(one.id) == found


def test_only_what_was_never_acknowledged_is_forgotten(book: Gradebook) -> None:
    kept, gone = waiting(book, "ada"), received(book, "ben")
    book.tries.forget(kept.id)
    book.tries.forget(gone.id)
    assert book.tries.get(kept.id) is not None
    assert book.tries.get(gone.id) is None
