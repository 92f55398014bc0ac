"""Canvas: archives of an assignment, and the gradebook.

Names of files are those of `lib/content_zipper.rb` of instructure/canvas-lms: the squeezed name,
LATE, the user's number and the attachment's. Students' own words stand on both sides.

What its upload of feedback takes is `infer_comment_context_from_filename` in
`app/models/abstract_assignment.rb`: the first two parts between underscores that are numbers, of a
user and of an attachment of theirs. The gradebook is `lib/gradebook_exporter.rb`; its import
(`lib/gradebook_importer.rb`) takes no comments.
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
_ANONYMOUS_FILE = re.compile(r"anon_(?P<user>[A-Za-z0-9]+)(?:_LATE)?_(?P<file>\d+)_")
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
    feedback_from = "archive"
    feedback_upload = (
        "the assignment → Upload Submissions (or Gradebook → the assignment → Re-Upload "
        "Submissions); each page becomes a comment “See attached file”, and Canvas shows it under "
        "the name of the file that was handed in"
    )
    comments_elsewhere = (
        "Canvas' gradebook takes marks alone: `grader feedback canvas` makes the zip that its "
        "upload of submissions turns into comments."
    )
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

    def feedback_beside(self, path: str, who: Identity) -> str:
        """The numbers alone: in a name Canvas could read other ones."""
        top = path.partition("/")[0]
        if anonymous := _ANONYMOUS_FILE.match(top):
            return f"anon_{anonymous['user']}_{anonymous['file']}"
        readings = [m for m in _USER.finditer(top) if m.start() > 0 and m["user"] == who.canvas]
        if len(readings) != 1:
            return ""
        attachment = re.match(r"(\d+)_", top[readings[0].end() :])
        return f"{readings[0]['user']}_{attachment[1]}" if attachment else ""

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
