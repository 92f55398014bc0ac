"""Findings on mutants of before, found again by the content of all that they came from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from grader.audit.findings import MutantFinding
from grader.storage import write_atomically

_WRITE_EVERY = 10
"""An audit takes minutes: one that is stopped loses no more findings than so many."""


class _Kept(msgspec.Struct, kw_only=True):
    findings: dict[str, MutantFinding] = {}
    sound: list[str] = []


class KeptFindings:
    """A file of findings; what is damaged or of another version is as if it were not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _read(path)
        self._used: set[str] = set()
        self._unwritten = 0

    def finding(self, key: str) -> MutantFinding | None:
        """The finding of before, if there is one."""
        self._used.add(key)
        return self._kept.findings.get(key)

    def is_sound(self, key: str) -> bool:
        """Whether the reference, cut in this way, has passed before."""
        self._used.add(key)
        return key in self._kept.sound

    def add(self, key: str, finding: MutantFinding) -> None:
        """Keep a finding."""
        self._used.add(key)
        self._kept.findings[key] = finding
        self._added()

    def add_sound(self, key: str) -> None:
        """Keep that the reference, cut in this way, passes."""
        self._used.add(key)
        self._kept.sound.append(key)
        self._added()

    def _added(self) -> None:
        self._unwritten += 1
        if self._unwritten >= _WRITE_EVERY:
            self._write(self._kept)  # whole: what is asked for later is not known yet

    def write(self) -> None:
        """Write what was asked for since; the rest is of code that is no more."""
        kept = _Kept(
            findings={k: f for k, f in self._kept.findings.items() if k in self._used},
            sound=[k for k in self._kept.sound if k in self._used],
        )
        self._write(kept)

    def _write(self, kept: _Kept) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, msgspec.json.encode(kept))
        self._unwritten = 0


def key_of(*parts: object) -> str:
    """Hash what a finding came from."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _read(path: Path) -> _Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return _Kept()
