"""Which system a table of a class is from, and who is in each of its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from grader.course.roster import Identity, is_test_student
from grader.errors import UsageError
from grader.intake.lms.moodle_words import COLUMNS, column_of
from grader.intake.lms.table import Line, Table


class System(StrEnum):
    """Where a file is from."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    BLACKBOARD = "blackboard"
    GRADESCOPE = "gradescope"
    NBGRADER = "nbgrader"
    CSV = "csv"


# By system, by piece: the columns that hold it, in lower case; the first that is there counts.
_COLUMNS: dict[System, dict[str, tuple[str, ...]]] = {
    System.CANVAS: {
        "name": ("student",),
        "canvas": ("id",),
        "number": ("sis user id",),
        "login": ("sis login id",),
        "section": ("section",),
    },
    System.MOODLE: {
        "name": COLUMNS["name"],
        "number": COLUMNS["number"],
        "email": COLUMNS["email"],
        "login": ("username",),
        "section": ("group", "groups"),
    },
    System.BLACKBOARD: {"login": ("username",), "number": ("student id",)},
    System.GRADESCOPE: {
        "name": ("name",),
        "number": ("sid", "student id"),
        "email": ("email",),
        "section": ("sections", "section"),
    },
    System.NBGRADER: {"login": ("student_id", "id"), "email": ("email",)},
    System.CSV: {
        "id": ("id", "student"),
        "name": ("name", "full name"),
        "email": ("email", "e-mail", "email address"),
        "section": ("section", "group"),
        "login": ("login", "username"),
        "number": ("number", "student number", "student id", "sid"),
        "canvas": ("canvas",),
    },
}
# The word before it is in the language of the site.
_PARTICIPANT = re.compile(r"(\d+)\s*$")
_FIRST = ("first name", "firstname", "first_name")
_LAST = ("last name", "lastname", "last_name", "surname")


def system_of(table: Table, *, where: Path | None = None) -> System:
    """Tell which system exported a table, by its columns.

    Raises:
        UsageError: none that is known.
    """
    columns = {column.casefold() for column in table.columns}
    if "section" in columns and "id" in columns and columns & {"student", "lastname"}:
        return System.CANVAS
    if "email address" in columns and columns & {"full name", "identifier", *_FIRST}:
        return System.MOODLE
    if "identifier" in columns and "grade" in columns:  # marked without names
        return System.MOODLE
    if columns & set(COLUMNS["handed_in"]) and columns & set(COLUMNS["graded"]):
        return System.MOODLE
    if {"username", "last name"} <= columns:
        return System.BLACKBOARD
    if columns & {"sid", "total score"} and "email" in columns:
        return System.GRADESCOPE
    if columns & {"student_id"} or {"id", "first_name", "last_name"} <= columns:
        return System.NBGRADER
    if columns & {"id", "student", "email", "name"}:
        return System.CSV
    raise UsageError(
        f"no known system writes these columns: {', '.join(table.columns)[:300]}",
        where=where,
        hint="Say which with --from, or give it the columns of roster.csv: id, name, email…",
    )


def people_in(table: Table, system: System) -> Iterator[tuple[Line, Identity, str, str]]:
    """Yield the lines that are of a person: (line, who, the id it gives, section).

    Canvas' lines of maximal points and posting rules, its test student, and empty lines, are none.
    """
    places = {piece: table.column(*names) for piece, names in _COLUMNS[system].items()}
    number = column_of(table, "identifier") if system is System.MOODLE else None
    first, last = table.column(*_FIRST), table.column(*_LAST)
    for line in table.lines:
        cells = {piece: line.cell(place) for piece, place in places.items()}
        if not cells.get("name"):
            cells["name"] = " ".join(f"{line.cell(first)} {line.cell(last)}".split())
        if system is System.CANVAS and not cells["canvas"].isdigit():
            continue
        section, identifier = cells.pop("section", ""), cells.pop("id", "")
        if participant := _PARTICIPANT.search(line.cell(number)):
            cells["other"] = f"Participant {participant[1]}"
        who = Identity(**{piece: _told(text) for piece, text in cells.items()})
        if (who.key or identifier) and not is_test_student(who):
            yield line, who, identifier, section


def _told(text: str) -> str:
    """Take off what systems put round a value so that spreadsheets leave it alone."""
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return " ".join(text.split())
