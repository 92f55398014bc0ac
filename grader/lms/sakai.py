"""Sakai: "Download All" of an assignment, and its grades.csv.

`Last, First(eid)/Submission attachment(s)/…`, timestamp.txt, comments.txt, feedbackText.html and
`…_submissionText.html`, beside grades.csv; as `zipSubmissions` of sakaiproject/sakai
(assignment/impl/…/AssignmentServiceImpl.java) writes them. All times are in UTC, whatever the zone
of the site: timestamp.txt was `Time.toString()`, yyyyMMddHHmmssSSS (kernel-impl's MyTime.java: "our
format, GMT values"), and is `Instant.toString()`, as is "Submission date" in grades.csv. The first
line of grades.csv is the assignment's, the header the third.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import ClassVar

from grader.course.roster import Identity
from grader.lms.clock import iso_time, local_time
from grader.lms.lms_table import LmsTable
from grader.lms.system import (
    Columns,
    Context,
    ExportMetadata,
    FileOwner,
    MarkColumn,
    Sidecar,
    System,
    only_target,
)

_FOLDER = re.compile(r"(?P<name>[^/]+?)\s*\((?P<login>[^()/]+)\)")
_HANDED_IN = "Submission attachment(s)/"
_TIMESTAMP = "timestamp.txt"
_HEADER_WITHIN = 5


class Sakai(System):
    """Apereo's."""

    name = "sakai"
    title = "Sakai"
    by_paths = 60
    columns: ClassVar[Columns] = {"login": ("id",), "number": ("display id",)}
    time_columns = ("submission date",)
    own_files = ("grades.csv", "grades.xls", "grades.xlsx")
    download = "the assignment → Download All → grades.csv"
    one_item = True

    def made(self, paths: Collection[str]) -> bool:
        inner = [path.partition("/") for path in paths if path.casefold() not in self.own_files]
        handed_in = {top for top, _, rest in inner if rest.startswith((_HANDED_IN, _TIMESTAMP))}
        return bool(handed_in) and all(_FOLDER.fullmatch(top) for top, _, _ in inner)

    def is_sidecar(self, path: str) -> bool:
        return path.rpartition("/")[2] == _TIMESTAMP

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        told = ExportMetadata(context.roster, context.zone)
        for file in files:
            top, _, rest = file.path.partition("/")
            if rest == _TIMESTAMP and file.size is not None:
                told.entries[top] = ((), _stamp(file.text(100).strip()))
        return told

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        top, _, rest = path.partition("/")
        match = _FOLDER.fullmatch(top)
        if match is None:
            return None
        who = Identity(login=match["login"], name=" ".join(match["name"].split()))
        file = rest.removeprefix(_HANDED_IN) if rest.startswith(_HANDED_IN) else ""
        return FileOwner(who, file, at=told.entries.get(top, ((), None))[1])

    def prepare(self, table: LmsTable) -> None:
        """The header comes after the assignment's own line."""
        for line in table.lines[:_HEADER_WITHIN]:
            if line.cell(0).casefold() == "display id":
                table.start_at(line)
                return

    def exported(self, columns: frozenset[str]) -> bool:
        return {"display id", "id", "last name"} <= columns

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        return [only_target(table, ("grade",), ())]


def _stamp(text: str) -> dt.datetime | None:
    if re.fullmatch(r"[0-9]{14,17}", text):
        return local_time(text[:14], "%Y%m%d%H%M%S", dt.UTC)
    return iso_time(text, dt.UTC)
