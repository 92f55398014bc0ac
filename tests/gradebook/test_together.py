"""One transaction of what several functions write, each of which would be one of its own."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from grader.errors import GradebookError
from grader.gradebook.database import is_together, together, writing
from grader.gradebook.desk_tables import AuditRow
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTry

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def receive(book: Gradebook, key: str) -> tuple[DeskTry, bool]:
    said = {"assignment": "hw", "student": "ada", "file": "f", "received_from": "ada"}
    return book.tries.receive(key, **said, seed=1, now=NOW)


def line(book: Gradebook, action: str) -> None:
    with writing(book.engine) as session:
        row = {"at": NOW, "who": "ada", "course": "c", "action": action, "thing": "", "detail": ""}
        session.add(AuditRow(**row))


def keys(book: Gradebook) -> set[str]:
    return {key for key in ("a", "b") if book.tries.by_key(key) is not None}


def test_all_of_it_is_there_or_nothing(url: str) -> None:
    with Gradebook(url) as book, Gradebook(url) as other:
        with pytest.raises(GradebookError, match="killed"), together(book.engine):
            receive(book, "a")
            line(book, "hand in")
            assert keys(book) == {"a"}  # it is seen inside, and nowhere else
            assert keys(other) == set()
            raise GradebookError("killed")
        assert keys(book) == keys(other) == set()
        with together(book.engine), together(book.engine):
            receive(book, "a")
            receive(book, "b")
            assert keys(other) == set()
        assert keys(other) == {"a", "b"}
        assert not is_together(book.engine)


def test_what_fails_inside_and_is_caught_is_undone_alone(url: str) -> None:
    with Gradebook(url) as book, Gradebook(url) as other:
        first, _ = receive(book, "a")
        with together(book.engine):
            line(book, "before")
            again, new = receive(book, "a")  # the key is taken: that one insert fails
            assert (again.id, new) == (first.id, False)
            receive(book, "b")
        assert keys(other) == {"a", "b"}


def test_it_is_of_one_thread(url: str) -> None:
    with Gradebook(url) as book:
        seen: list[object] = []

        def look() -> None:
            seen.extend((is_together(book.engine), keys(book)))

        with together(book.engine):
            receive(book, "a")
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        assert seen == [False, set()]
