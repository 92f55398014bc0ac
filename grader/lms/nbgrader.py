"""nbgrader: `submitted/STUDENT/ASSIGNMENT/`, and its list of students."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

from grader.course.roster import Identity
from grader.errors import UsageError
from grader.lms.clock import iso_time
from grader.lms.system import Columns, Context, Place, Sidecar, System, Told

_TIMESTAMP = "timestamp.txt"


class Nbgrader(System):
    """Jupyter's."""

    name = "nbgrader"
    title = "nbgrader"
    by_paths = 20
    columns: ClassVar[Columns] = {"login": ("student_id", "id"), "email": ("email",)}

    def made(self, paths: Collection[str]) -> bool:
        tops = {path.partition("/")[0] for path in paths}
        stamped = {p.split("/")[0] for p in paths if re.fullmatch(rf"[^/]+/[^/]+/{_TIMESTAMP}", p)}
        return tops == stamped

    def is_sidecar(self, path: str) -> bool:
        return path.rpartition("/")[2] == _TIMESTAMP

    def told_by(self, files: Sequence[Sidecar], context: Context) -> Told:
        told = Told(context.roster, context.zone, folder=_folder(files, context))
        for file in files:
            student, _, rest = file.path.partition("/")
            if rest != f"{told.folder}/{_TIMESTAMP}" or file.size is None:
                continue
            if time := iso_time(file.text(200), context.zone):
                told.entries[student] = ((), time)
        return told

    def place_of(self, path: str, told: Told) -> Place | None:
        parts = path.split("/")
        if len(parts) < 3 or parts[1] != told.folder:
            return None
        file = "/".join(parts[2:])
        own = "" if file == _TIMESTAMP else file
        return Place(Identity(login=parts[0]), own, at=told.entries.get(parts[0], ((), None))[1])

    def exported(self, columns: frozenset[str]) -> bool:
        return "student_id" in columns or {"id", "first_name", "last_name"} <= columns


def _folder(files: Iterable[Sidecar], context: Context) -> str:
    folders = {f.path.split("/")[1] for f in files if f.path.count("/") >= 2}
    named = sorted(f for f in folders if context.is_named(f))
    found = named or sorted(folders)
    if len(found) != 1:
        raise UsageError(
            f"no folder of nbgrader's is named {context.assignment}",
            hint=f"There are: {', '.join(found[:10]) or 'none'}. Give the folder of one assignment "
            "that name.",
        )
    return found[0]
