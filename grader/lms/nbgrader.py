"""nbgrader: `submitted/STUDENT/ASSIGNMENT/`, the exchange's `inbound/`, and its list of students.

A folder of the exchange is `user+assignment+2024-03-05 20:59:00.123456 UTC`, with a random ending
after another + since version 0.8 (`nbgrader/exchange/default/submit.py`; `collect.py` splits it
from the right, since users may hold a +); timestamp.txt and submission_secret.txt are nbgrader's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import ClassVar

from grader.course.roster import Identity
from grader.errors import UsageError
from grader.lms.clock import iso_time
from grader.lms.lms_table import LmsTable
from grader.lms.system import (
    Columns,
    Context,
    ExportMetadata,
    FileOwner,
    PersonLine,
    Sidecar,
    System,
)

_TIMESTAMP = "timestamp.txt"
_OWN = (_TIMESTAMP, "submission_secret.txt")
_INBOUND = re.compile(
    r"(?P<user>[^/]+)\+(?P<assignment>[^+/]+)"
    r"\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Za-z0-9:+-]+?)"
    r"(?:\+[A-Za-z0-9_=-]{12})?"
)


class Nbgrader(System):
    """Jupyter's.

    `nbgrader export` writes grades.csv, with a line for each student and assignment; its
    timestamps are in UTC and say so nowhere (`nbgrader/plugins/export.py`, `nbgrader/utils.py`:
    `parse_utc` takes the zone off).
    """

    name = "nbgrader"
    title = "nbgrader"
    by_paths = 20
    columns: ClassVar[Columns] = {"login": ("student_id", "id"), "email": ("email",)}

    time_columns = ("timestamp",)
    times_zone = dt.UTC

    def made(self, paths: Collection[str]) -> bool:
        tops = {path.partition("/")[0] for path in paths}
        stamped = {p.split("/")[0] for p in paths if re.fullmatch(rf"[^/]+/[^/]+/{_TIMESTAMP}", p)}
        if all(_INBOUND.fullmatch(top) for top in tops):
            return True
        seconds = {p.split("/")[1] for p in paths if p.endswith(f"/{_TIMESTAMP}")}
        if len(tops) == 1 and all(s.endswith(")") or _INBOUND.fullmatch(s) for s in seconds):
            return False  # Sakai's `Assignment/Last, First(eid)/`, or a folder round all
        # Who was put there by hand has no timestamp; one that a student made tells of no class.
        others = [path.split("/") for path in paths if path.partition("/")[0] not in stamped]
        return len(stamped) * 2 > len(tops) and all(
            len(parts) > 2 and parts[1] in seconds for parts in others
        )

    def is_sidecar(self, path: str) -> bool:
        return path.rpartition("/")[2] == _TIMESTAMP

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        told = ExportMetadata(context.roster, context.zone, folder=_folder(files, context))
        for file in files:
            student, _, rest = file.path.partition("/")
            if rest != f"{told.folder}/{_TIMESTAMP}" or file.size is None:
                continue
            if time := iso_time(file.text(200), context.zone):
                told.entries[student] = ((), time)
        return told

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        parts = path.split("/")
        if match := _INBOUND.fullmatch(parts[0]):
            if match["assignment"] != told.folder:
                return None
            file = "/".join(parts[1:])
            own = "" if file in _OWN else file
            return FileOwner(Identity(login=match["user"]), own, at=iso_time(match["time"], dt.UTC))
        if len(parts) < 3 or parts[1] != told.folder:
            return None
        file = "/".join(parts[2:])
        own = "" if file in _OWN else file
        return FileOwner(
            Identity(login=parts[0]), own, at=told.entries.get(parts[0], ((), None))[1]
        )

    def exported(self, columns: frozenset[str]) -> bool:
        return "student_id" in columns or {"id", "first_name", "last_name"} <= columns

    def of_assignment(
        self, table: LmsTable, lines: Iterable[PersonLine], is_named: Callable[[str], bool]
    ) -> Iterator[PersonLine]:
        place = table.column("assignment")
        if place is None:
            yield from lines
            return
        there = {line.cell(place) for line in table.lines}
        named = sorted(name for name in there if is_named(name))
        if len(named) != 1:
            raise UsageError(
                f"{'several names' if named else 'no line'} of the file could be the assignment's",
                hint=f"There are: {', '.join(named or sorted(there))[:300]}.",
            )
        yield from (person for person in lines if person[0].cell(place) == named[0])


def _folder(files: Iterable[Sidecar], context: Context) -> str:
    folders = {
        match["assignment"] if (match := _INBOUND.fullmatch(parts[0])) else parts[1]
        for parts in (f.path.split("/") for f in files)
        if len(parts) >= 3 or _INBOUND.fullmatch(parts[0])
    }
    named = sorted(f for f in folders if context.is_named(f))
    found = named or sorted(folders)
    if len(found) != 1:
        raise UsageError(
            f"no folder of nbgrader's is named {context.assignment}",
            hint=f"There are: {', '.join(found[:10]) or 'none'}. Give the folder of one assignment "
            "that name.",
        )
    return found[0]
