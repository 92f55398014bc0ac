"""The newest stored try of each student, which is what a list of a class tells a time of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from grader.intake.content import RefusedFileError
from grader.intake.stored import attempts_in, has_layout, read_record, time_of


@dataclass(frozen=True)
class NewestTry:
    """A stored try, and when it was handed in as far as is known."""

    student: str
    shown: str
    number: int
    sha256: str
    at: dt.datetime | None
    path: Path


def newest_tries(folder: Path, without: Collection[tuple[str, int]] = ()) -> dict[str, NewestTry]:
    """Return the newest try of each student in an assignment's folder.

    One that is damaged has no time and takes none.

    Args:
        folder: the assignment's.
        without: tries that are none of those, by student and attempt.
    """
    if not has_layout(folder):
        return {}
    found = {}
    for student in sorted(folder.iterdir()):
        if student.name.startswith(".") or student.is_symlink() or not student.is_dir():
            continue
        attempts = {
            number: path
            for number, path in attempts_in(student).items()
            if (student.name, number) not in without
        }
        if attempts and (one := _read(max(attempts), attempts[max(attempts)])):
            found[one.student] = one
    return found


def _read(number: int, path: Path) -> NewestTry | None:
    try:
        record = read_record(path)
        at, _ = time_of(path, record)
    except RefusedFileError:
        return None
    return NewestTry(
        student=path.parent.name,
        shown=record.display_name,
        number=number,
        sha256=record.sha256_of_all,
        at=at,
        path=path,
    )
