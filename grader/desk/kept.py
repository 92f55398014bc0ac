"""What was made of the record and of a course's files, kept until one of them changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")


class Kept:
    """Values by name, each with the stamp of what it was made of.

    Several requests that want the same wait for the one that makes it. Of more than `most` values
    those that were made first are forgotten.
    """

    def __init__(self, *, most: int = 10_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._found: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(
        self,
        name: Hashable,
        stamp: Hashable,
        make: Callable[[], Made],
        *,
        holds: Callable[[Made], bool] = lambda value: True,
    ) -> Made:
        """Return the value of this stamp; made where another, none or one not valid is kept."""
        with self._lock:
            own = self._locks.setdefault(name, threading.Lock())
        with own:
            kept = self._found.get(name)
            if kept is None or kept[0] != stamp or not holds(kept[1]):
                kept = stamp, make()
                self._keep(name, kept)
            value: Made = kept[1]
            return value

    def _keep(self, name: Hashable, kept: tuple[Hashable, Any]) -> None:
        with self._lock:
            self._found.pop(name, None)
            self._found[name] = kept
            while len(self._found) > self._most:
                first = next(iter(self._found))
                del self._found[first], self._locks[first]

    def last(self, name: Hashable) -> Any:
        """Return what is kept under a name, whatever it was made of; None: nothing."""
        kept = self._found.get(name)
        return kept[1] if kept is not None else None


def file_stamp(*paths: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """Return what changes when a file does; None for each that is not there."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
