"""Canvas: archives of an assignment, and the gradebook.

Names of files are those of `lib/content_zipper.rb` of instructure/canvas-lms: the squeezed name,
LATE, the user's number and the attachment's. Students' own words stand on both sides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import ClassVar

from grader.course.roster import Identity, Person, plain_id
from grader.lms.lms_table import LmsTable
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

_USER = re.compile(r"(?P<late>_LATE)?_(?P<user>\d+)_(?=(?:\d+_.|(?:text|link)\.html?$))")
_ANONYMOUS = re.compile(
    r"anon_(?P<user>[A-Za-z0-9]+)(?P<late>_LATE)?_(?:\d+_)?(?P<file>.+)", re.DOTALL
)
_COLUMN_ID = re.compile(r"\s*\((\d+)\)\s*$")


class Canvas(System):
    """Instructure's."""

    name = "canvas"
    title = "Canvas"
    by_paths = 90
    columns: ClassVar[Columns] = {
        "name": ("student",),
        "canvas": ("id",),
        "number": ("sis user id",),
        "login": ("sis login id",),
        "section": ("section",),
    }
    download = "Grades → Export → Export Entire Gradebook"
    excused = "EX"
    times_elsewhere = "Its gradebook has no times, and its archives say LATE and not when."

    def made(self, paths: Collection[str]) -> bool:
        tops = {path.partition("/")[0] for path in paths}
        return all(_USER.search(top) or _ANONYMOUS.fullmatch(top) for top in tops)

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        top, _, rest = path.partition("/")
        if match := _ANONYMOUS.fullmatch(top):
            who = Identity(name=f"anon_{match['user']}")
            return FileOwner(who, joined(match["file"], rest), late=bool(match["late"]))
        readings = list(_USER.finditer(top))
        readings = [m for m in readings if m.start() > 0]
        if len(readings) > 1:
            known = {plain_id(person.canvas) for person in told.roster.people.values()}
            there = [m for m in readings if m["user"] in known]
            if len(there) != 1:
                raise AmbiguousError("its name can be read as that of several students")
            readings = there
        if not readings:
            return None
        (match,) = readings
        file = re.sub(r"^\d+_", "", top[match.end() :])
        who = Identity(canvas=match["user"], name=top[: match.start()])
        return FileOwner(who, joined(file, rest), late=bool(match["late"]))

    def may_be(self, who: Identity, person: Person) -> bool:
        """Compare the squeezed name, of which Canvas takes out different letters.

        A student who renames themselves "x_900_1" would otherwise hand in for user 900.
        """
        if not person.name:
            return True
        whole = unicodedata.normalize("NFC", person.name).casefold()
        apart = unicodedata.normalize("NFKD", whole)
        ways = (
            re.sub(r"[\W_]", "", whole),
            re.sub(r"[^a-z0-9]", "", whole),
            re.sub(r"[^a-z0-9]", "", apart),
        )
        given = re.sub(r"[\W_]", "", unicodedata.normalize("NFC", who.name).casefold())
        return sorted(given) in [sorted(way) for way in ways]

    def exported(self, columns: frozenset[str]) -> bool:
        return {"section", "id"} <= columns and bool(columns & {"student", "lastname"})

    def is_person(self, cells: Mapping[str, str]) -> bool:
        """Its lines of maximal points and posting rules are of none."""
        return cells["canvas"].isdigit()

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        points = next(
            (line for line in table.lines if line.cell(0).casefold() == "points possible"), None
        )
        return [
            MarkColumn(
                i, name, number(points.cell(i)) if points else None, _COLUMN_ID.sub("", name)
            )
            for i, name in enumerate(table.columns)
            if _COLUMN_ID.search(name) and "(read only)" not in (points.cell(i) if points else "")
        ]
