"""Commits that do not wait for the disk: a test whose machine loses power is run again.

What a killed process has committed is kept all the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.pool import Pool


def _hurry(connection: object, *_: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def quick_commits() -> Iterator[None]:
    """Let every SQLite file of this process be written so."""
    event.listen(Pool, "checkout", _hurry)
    try:
        yield
    finally:
        event.remove(Pool, "checkout", _hurry)


@contextmanager
def usual_commits() -> Iterator[None]:
    """Within `quick_commits`, let files be written as the product does."""
    event.remove(Pool, "checkout", _hurry)
    try:
        yield
    finally:
        event.listen(Pool, "checkout", _hurry)
