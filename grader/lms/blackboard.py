"""Blackboard Learn: archives of an assignment, and the Grade Center.

No source is public. Columns and formats are those of Blackboard's help, "Work offline with grade
data" (help.blackboard.com, Learn 9.1 and SaaS): what stands behind `|` is a column's number,
without which an upload makes a new column. Names of files are taken apart as third-party readers
of such archives do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar

from grader.course.roster import Identity
from grader.lms.clock import local_time
from grader.lms.lms_table import LmsLine, LmsTable
from grader.lms.system import (
    AmbiguousError,
    Columns,
    Context,
    ExportMetadata,
    FileOwner,
    MarkColumn,
    Sidecar,
    System,
    joined,
    number,
)

_ATTEMPT = re.compile(
    r"(?P<head>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.DOTALL
)
_NAME = re.compile(r"Name:\s*(?P<name>.*)\s\((?P<login>[^()]+)\)\s*")
_COLUMN = re.compile(
    r"^(?P<title>.*?)\s*\[Total Pts:\s*(?:up to\s*)?(?P<points>[\d.,]+)?[^\]]*\]\s*(?P<id>\|.*)?$",
    re.IGNORECASE,
)


class Blackboard(System):
    """Anthology's, Original and Ultra."""

    name = "blackboard"
    title = "Blackboard"
    by_paths = 40
    columns: ClassVar[Columns] = {"login": ("username",), "number": ("student id",)}
    comment_columns = ("feedback to learner",)
    comments_elsewhere = (
        "Download one column with its comments (Work Offline → Download → Selected Column)."
    )
    times_elsewhere = "The names in its archive of the assignment tell them: collect that."
    download = "Grade Center → Work Offline → Download"

    def made(self, paths: Collection[str]) -> bool:
        return all(_ATTEMPT.fullmatch(path.partition("/")[0]) for path in paths)

    def is_sidecar(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return bool(_head(name) and name.endswith(".txt"))

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        """Read Blackboard's own words on an attempt, which are beside its files."""
        told = ExportMetadata(context.roster, context.zone)
        for file in files:
            head = _head(file.path)
            if not head or file.path != f"{head}.txt" or file.size is None:
                continue
            if who := _named(file.text(4096), head):
                told.entries[head] = ((who,), None)
        return told

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        top, _, rest = path.partition("/")
        match = _ATTEMPT.fullmatch(top)
        if match is None:
            return None
        people, _ = told.entries.get(_head(top), ((), None))
        who = people[0] if people else Identity()
        if not who.login:
            parts = match["head"].split("_")
            ends = ["_".join(parts[i:]) for i in range(1, len(parts))] or [match["head"]]
            known = [e for e in ends if told.roster.match(Identity(login=e)).student]
            if len(known) > 1:
                raise AmbiguousError("its name can be read as that of several students")
            who = Identity(login=known[0] if known else ends[-1])
        at = local_time(match["time"], "%Y-%m-%d-%H-%M-%S", told.zone)
        who = replace(who, other=match["head"])
        return FileOwner(who, joined(match["file"] or "", rest), at=at)

    def exported(self, columns: frozenset[str]) -> bool:
        return {"username", "last name"} <= columns

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        found = [(i, name, _COLUMN.match(name)) for i, name in enumerate(table.columns)]
        return [
            MarkColumn(i, name, number(match["points"] or ""), match["title"])
            for i, name, match in found
            if match and match["id"]
        ]

    def set_comment(self, table: LmsTable, line: LmsLine, lines: Sequence[str]) -> str:
        form = table.column("feedback format")
        if form is not None:
            table.set(line, form, "PLAIN_TEXT")
        return super().set_comment(table, line, lines)


def _head(path: str) -> str:
    """Return what the paths of one attempt share; empty for what is none."""
    match = _ATTEMPT.fullmatch(path.partition("/")[0])
    return f"{match['head']}_attempt_{match['time']}" if match else ""


def _named(text: str, head: str) -> Identity | None:
    """Read who handed in from the first line that Blackboard wrote, if the path agrees."""
    match = _NAME.fullmatch(text.lstrip("\ufeff").partition("\n")[0].rstrip("\r"))
    user = head.rpartition("_attempt_")[0]
    if match is None or not user.endswith(f"_{match['login']}"):
        return None
    return Identity(login=match["login"], name=" ".join(match["name"].split()))
