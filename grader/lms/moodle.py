"""Moodle: archives of an assignment, its grading worksheet, lists of participants.

Names of folders are those of `mod/assign/locallib.php` (`download_submissions`), columns those of
`mod/assign/gradingtable.php`; see `moodle_words` for their languages. What its import takes, and
what it skips: `mod/assign/feedback/offline/importgradeslib.php` and `locallib.php` beside it.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import ClassVar

from grader.course.roster import Identity, Roster
from grader.errors import UsageError
from grader.lms.lms_table import LmsLine, LmsTable
from grader.lms.moodle_words import COLUMNS, check_worksheet, column_of
from grader.lms.system import (
    FIRST,
    LAST,
    Columns,
    Context,
    ExportMetadata,
    FileOwner,
    MarkColumn,
    Sidecar,
    System,
    joined,
    only_target,
)

_FOLDER = re.compile(
    r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?", re.DOTALL
)
# The word before it is in the language of the site.
_PARTICIPANT = re.compile(r"(\d+)\s*$")
# The word for "Participant" (assign:hiddenuser), which stands for a name that is not told.
_BLIND = frozenset(
    {
        "participant", "participante", "partecipante", "teilnehmer/in", "teilnehmerin",
        "teilnehmer", "deelnemer", "deltagare",
        "uczestnik", "účastník", "участник", "katılımcı", "参与者", "參與者", "参加者", "참가자",
    }
)  # fmt: skip
_COMMENTS = ("feedback comments", "feedback als kommentar", "comentarios de retroalimentación")
_STALE_AFTER = dt.timedelta(hours=24)


class Moodle(System):
    """The assignment activity's."""

    name = "moodle"
    title = "Moodle"
    by_paths = 30
    columns: ClassVar[Columns] = {
        "name": COLUMNS["name"],
        "number": COLUMNS["number"],
        "email": COLUMNS["email"],
        "login": ("username",),
        "section": ("group", "groups"),
    }
    time_columns = COLUMNS["handed_in"]
    download = "the assignment → Submissions → Download grading worksheet"
    one_item = True
    feedback_from = "table"
    feedback_upload = (
        "the assignment → Submissions → Upload multiple feedback files in a zip; feedback files "
        "must be switched on for it"
    )
    comments_elsewhere = (
        "Switch feedback comments on for the assignment and download its grading worksheet again."
    )

    def made(self, paths: Collection[str]) -> bool:
        return all(_FOLDER.fullmatch(path.partition("/")[0]) for path in paths)

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        """The worksheet tells who the participants are."""
        told = ExportMetadata(context.roster, context.zone)
        told.entries.update({who.other: ((who,), at) for who, at in context.times if who.other})
        return told

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        top, _, rest = path.partition("/")
        match = _FOLDER.fullmatch(top)
        if match is None:
            return None
        number_ = f"Participant {match['id']}"
        people, at = told.entries.get(number_, ((), None))
        blind = match["name"].casefold() in _BLIND
        name = "" if blind else _without_group(match["name"], told.roster)
        who = people[0] if people else Identity(name=name, other=number_)
        return FileOwner(who, joined(match["file"] or "", rest) or "nothing", at=at)

    def exported(self, columns: frozenset[str]) -> bool:
        if "email address" in columns and columns & {"full name", "identifier", *FIRST}:
            return True
        if {"identifier", "grade"} <= columns:  # marked without names
            return True
        beside = {*COLUMNS["graded"], *COLUMNS["identifier"]}
        return bool(columns & set(COLUMNS["handed_in"]) and columns & beside)

    def more_of(self, table: LmsTable, line: LmsLine) -> Mapping[str, str]:
        participant = _PARTICIPANT.search(line.cell(column_of(table, "identifier")))
        return {"other": f"Participant {participant[1]}"} if participant else {}

    def time_column(self, table: LmsTable) -> int | None:
        check_worksheet(table)
        return column_of(table, "handed_in")

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        for piece in ("identifier", "grade", "graded"):
            if table.column(*COLUMNS[piece]) is None:  # by its title: Moodle looks for no other
                needed = COLUMNS[piece][0].capitalize()
                raise UsageError(
                    f"Moodle's import needs the column {needed!r}, and the file has none that is "
                    "known",
                    hint="Take the grading worksheet of the assignment (Download grading "
                    "worksheet), not the course's gradebook.",
                )
        return [only_target(table, COLUMNS["grade"], COLUMNS["maximum"])]

    def over_maximum(self) -> str:
        return "; Moodle's import silently skips the line"

    def skipped(
        self, table: LmsTable, line: LmsLine, target: MarkColumn, text: str
    ) -> Iterator[str]:
        if not re.search(r"\d+\s*$", line.cell(column_of(table, "identifier"))):
            yield "without an Identifier Moodle's import silently skips the line"
        changeable = line.cell(column_of(table, "changeable"))
        if changeable.casefold() in {"no", "false", "0"}:
            yield "the file says that the grade can't be changed; Moodle's import skips the line"
        modified = line.cell(column_of(table, "graded"))
        if line.cell(target.place) not in {"", "-"} and modified in {"", "-"}:
            yield (
                "it has a grade and no time of it (Last modified (grade)); Moodle's import "
                "considers the line stale and silently skips it"
            )

    def feedback_place(self, table: LmsTable, line: LmsLine) -> str:
        """As `mod/assign/feedback/file/importziplib.php` takes it apart, at underscores."""
        participant = _PARTICIPANT.search(line.cell(column_of(table, "identifier")))
        if participant is None:
            return ""
        # A name is the student's own choice: it may lead nowhere, nor stand for another's number.
        name = "".join(c if c.isalnum() or c in " .'-" else " " for c in _name_of(table, line))
        name = " ".join(name.split()).strip(". ")[:100] or "Participant"
        return f"{name}_{participant[1]}_assignsubmission_file_"

    def set_comment(self, table: LmsTable, line: LmsLine, lines: Sequence[str]) -> str:
        place = _comments_in(table)
        if place is None:
            return super().set_comment(table, line, lines)
        text = self.comment(lines)
        table.set(line, place, text)
        return text

    def comment(self, lines: Sequence[str]) -> str:
        """As HTML: the import keeps it so (`assign/feedback/comments`, `set_editor_text`)."""
        return "".join(f"<p>{html.escape(line)}</p>" for line in lines)

    def aged(self, age: dt.timedelta) -> list[str]:
        """Moodle takes no grade for a line that changed after the file was downloaded."""
        if age < _STALE_AFTER:
            return []
        return [
            f"the file is {age.days} days old; Moodle silently skips what was graded there "
            "since: download it again, or allow the import to update such records"
        ]


def _comments_in(table: LmsTable) -> int | None:
    """Return the column of the plugin for comments (`assignfeedback_comments:pluginname`).

    Plugins' columns are the last, behind the time of the grade: in a language that isn't known it
    is the only one there.
    """
    known = table.column(*_COMMENTS)
    graded = column_of(table, "graded")
    if known is not None or graded is None:
        return known
    behind = range(graded + 1, len(table.columns))
    return behind[0] if len(behind) == 1 else None


def _name_of(table: LmsTable, line: LmsLine) -> str:
    whole = line.cell(table.column(*COLUMNS["name"]))
    parts = (line.cell(table.column(*FIRST)), line.cell(table.column(*LAST)))
    return unicodedata.normalize("NFC", whole or " ".join(parts))


def _without_group(name: str, roster: Roster) -> str:
    """Take off the group that Moodle puts before a name ("Group 1-Ada Lovelace").

    Only where the roster knows the rest, and not the whole: names have dashes of their own.
    """
    if roster.match(Identity(name=name)).student:
        return name
    rests = [name[i + 1 :] for i, letter in enumerate(name) if letter == "-"]
    known = [rest for rest in rests if roster.match(Identity(name=rest)).student]
    return known[0] if len(known) == 1 else name
