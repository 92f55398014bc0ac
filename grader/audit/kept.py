"""What an audit found before, found again by the content of all that it came from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from grader.storage import write_atomically

T = TypeVar("T")

_WRITE_EVERY = 10
"""An audit takes minutes, or hours: one that is stopped loses no more than so many."""


class Kept(Generic[T]):
    """A file of findings of one type; what is damaged or of another version is as if not there."""

    def __init__(self, path: Path, type_: type[T]) -> None:
        self._path = path
        self._found = _read(path, type_)
        self._used: set[str] = set()
        self._unwritten = 0

    def get(self, key: str) -> T | None:
        """The finding of before, if there is one."""
        self._used.add(key)
        return self._found.get(key)

    def add(self, key: str, finding: T) -> None:
        """Keep a finding."""
        self._used.add(key)
        self._found[key] = finding
        self._unwritten += 1
        if self._unwritten >= _WRITE_EVERY:
            self.write()

    def forget_unused(self) -> None:
        """Let go of what nobody has asked for: it is of code that is no more."""
        unused = self._found.keys() - self._used
        for key in unused:
            del self._found[key]
        self._unwritten += len(unused)

    def write(self) -> None:
        """Write what is new, or gone."""
        if self._unwritten:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, msgspec.json.encode(self._found))
            self._unwritten = 0


def key_of(*parts: object) -> str:
    """Hash what a finding came from."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _read(path: Path, type_: type[T]) -> dict[str, T]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, type_])  # type: ignore[valid-type]
    except (OSError, msgspec.MsgspecError):
        return {}
