"""Who could not be matched with the roster: `matches.csv`, a list for a person to fill in."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.course.directory import Course
from grader.course.roster import (
    Identity,
    Match,
    Roster,
    load_roster,
    plain_id,
    read_rows,
)
from grader.errors import SpecError, UsageError
from grader.storage import write_atomically
from grader.table_cells import safe_cell

MATCHES_NAME = "matches.csv"
COLUMNS = ("system", "key", "name", "email", "perhaps", "why", "student")
NOBODY = "-"


@dataclass
class Matcher:
    """Says which student is meant, by what a person wrote, then by the roster.

    `open` holds what neither could tell; `save` adds it to the list.
    """

    roster: Roster
    path: Path
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    open: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def match(self, system: str, who: Identity) -> Match:
        """Say who is meant; what is doubtful or unknown is kept for the list."""
        if answer := self.answer(system, who):
            return Match(None if answer == NOBODY else answer, why="not in the course")
        match = self.roster.match(who)
        if match.student is None and self.roster:
            self.doubt(system, who, match.candidates, match.why)
        return match

    def answer(self, system: str, who: Identity) -> str | None:
        """Return what a person wrote about somebody, under whichever piece."""
        found = (self.answers.get((system, plain_id(key))) for key in who.keys)
        return next((answer for answer in found if answer), None)

    def doubt(self, system: str, who: Identity, candidates: tuple[str, ...], why: str) -> None:
        """Keep somebody for the list, with those who may be meant."""
        self.open[system, plain_id(who.key)] = {
            "system": system,
            "key": who.key,
            "name": who.name,
            "email": who.email,
            "perhaps": " | ".join(candidates),
            "why": why,
            "student": "",
        }

    def save(self) -> int:
        """Add what is open to the list, below what is there; returns how many lines are new."""
        if not self.open:
            return 0
        rows = [row for _, row in read_matches(self.path)]
        known = {(row["system"], plain_id(row["key"])) for row in rows}
        new = [row for key, row in self.open.items() if key not in known]
        if new:
            _write(self.path, rows + new)
        return len(new)


def load_matcher(course: Course, roster: Roster | None = None) -> Matcher:
    """Read the roster and what a person wrote into the list.

    Raises:
        SpecError: the list names a student who is not on the roster.
    """
    known = roster if roster is not None else load_roster(course)
    path = course.root / MATCHES_NAME
    answers = {}
    for number, row in read_matches(path):
        student = row["student"]
        if student and student != NOBODY and student not in known.people:
            raise SpecError(
                f"there is no student {student!r} on the roster",
                where=f"{path}:{number}",
                hint=f"Write an id from the roster, {NOBODY} for nobody, or leave it empty.",
            )
        if student:
            answers[row["system"], plain_id(row["key"])] = student
    return Matcher(known, path, answers)


def decide(course: Course, system: str, key: str, student: str) -> None:
    """Write who somebody on the list is: a student of the roster, or `NOBODY` of the course.

    Raises:
        UsageError: nobody is on the list so, or there is no such student.
    """
    path = course.root / MATCHES_NAME
    if student != NOBODY and student not in load_roster(course).people:
        raise UsageError(f"there is no student {student!r} on the roster")
    rows = [row for _, row in read_matches(path)]
    chosen = [r for r in rows if (r["system"], plain_id(r["key"])) == (system, plain_id(key))]
    if not chosen:
        raise UsageError("nobody is on the list so", hint="Load the page again.")
    for row in chosen:
        row["student"] = student
    _write(path, rows)


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({c: safe_cell(" ".join(row.get(c, "").split())) for c in COLUMNS})
    write_atomically(path, out.getvalue().encode("utf-8", "replace"))


def read_matches(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Read the list: (line, cells by column); none where there is no file."""
    if not path.is_file():
        return []
    rows = read_rows(path, needed=("system", "key", "student"), known=COLUMNS)
    return [(number, {c: row.get(c, "") for c in COLUMNS}) for number, row in rows]
