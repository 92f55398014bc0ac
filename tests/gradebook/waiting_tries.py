"""Tries at each stage of their way through the queue."""

from __future__ import annotations

import datetime as dt

from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTry

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
LEASE = dt.timedelta(seconds=90)


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
    return [t.student for t in book.claims.take(engine, limit=limit, now=now, lease=LEASE)]
