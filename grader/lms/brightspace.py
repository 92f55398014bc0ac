"""D2L Brightspace: downloads of an assignment's submissions, and exported grades.

Folders are "ID-ID - First Last - Oct 11, 2015 803 PM", as public readers of them take them apart
(cgmb/d2lmf, `parse_submission_dirname`; older sites write 8:03); an index.html lies beside. Columns
of grades are "Title Points Grade <Numeric MaxPoints:10 …>", ids have a "#" before them, the last
column is "End-of-Line Indicator" (D2L's help, "Import grades from a CSV").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import ClassVar

from grader.course.roster import Identity
from grader.lms.clock import local_time
from grader.lms.lms_table import LmsLine, LmsTable
from grader.lms.system import (
    AmbiguousError,
    Columns,
    ExportMetadata,
    FileOwner,
    MarkColumn,
    System,
    joined,
    number,
)

_TIME = r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:?\d\d [AP]M"
_FOLDER = re.compile(
    rf"(?P<ids>\d+(?:-\d+)?) - (?P<name>.+?) - (?P<time>{_TIME})(?: - (?P<file>.+))?", re.DOTALL
)
_TIMES = re.compile(rf" - {_TIME}(?= - |$)")
_COLUMN = re.compile(
    r"(?P<title>.+?) Points Grade(?:\s*<Numeric MaxPoints:(?P<points>[0-9.,]+)[^>]*>)?",
    re.IGNORECASE,
)


class Brightspace(System):
    """D2L's."""

    name = "brightspace"
    title = "Brightspace"
    by_paths = 45
    columns: ClassVar[Columns] = {"email": ("email",)}
    own_files = ("index.html",)
    times_elsewhere = "The folders in its archive of the assignment tell them: collect that."
    download = "Grades → Enter Grades → Export, with points and user details"

    def made(self, paths: Collection[str]) -> bool:
        tops = {path.partition("/")[0] for path in paths} - set(self.own_files)
        return bool(tops) and all(_FOLDER.fullmatch(top) for top in tops)

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        top, _, rest = path.partition("/")
        match = _FOLDER.fullmatch(top)
        if match is None:
            return None
        if len(_TIMES.findall(top)) > 1:  # of a name, or of a file, that a student chose
            raise AmbiguousError("its name can be read in two ways")
        clock = re.sub(r":?(\d\d) ([AP]M)$", r":\1 \2", match["time"])
        at = local_time(clock, "%b %d, %Y %I:%M %p", told.zone)
        who = Identity(name=" ".join(match["name"].split()), other=match["ids"])
        return FileOwner(who, joined(match["file"] or "", rest) or "nothing", at=at)

    def exported(self, columns: frozenset[str]) -> bool:
        return bool(columns & {"orgdefinedid", "end-of-line indicator"})

    def more_of(self, table: LmsTable, line: LmsLine) -> Mapping[str, str]:
        pieces = {"number": "orgdefinedid", "login": "username"}
        return {
            piece: line.cell(table.column(title)).removeprefix("#")
            for piece, title in pieces.items()
        }

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        found = [(i, name, _COLUMN.fullmatch(name)) for i, name in enumerate(table.columns)]
        return [
            MarkColumn(i, name, number(match["points"] or ""), match["title"])
            for i, name, match in found
            if match
        ]

    def over_maximum(self) -> str:
        return "; Brightspace takes it only where the item can exceed its maximum"
