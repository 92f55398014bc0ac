"""Who takes the course: `roster.csv` in the course directory, and strict matching with it."""

from __future__ import annotations

import csv
import io
import stat
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from grader.course.directory import Course
from grader.errors import SpecError
from grader.table_cells import plain_cell, safe_cell

ROSTER_NAME = "roster.csv"
COLUMNS = ("id", "name", "email", "section", "login", "number", "canvas")
_MAX_BYTES = 4 << 20
# What `grader.intake.names.student_id` leaves as it is, so that the id is also a folder's name.
_MAX_ID = 100
_PUNCTUATION = frozenset(" ._-@+'(),")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What some system says of a student; each piece may be empty.

    Attributes:
        login: the name with which they log in (Canvas' SIS Login ID, Blackboard's Username).
        number: the university's (SIS User ID, ID number, Student ID, SID).
        canvas: Canvas' own number of the user, which is in the names of its files.
        other: what tells two of one name apart and nothing else: Moodle's "Participant 12", which
            is another one in each assignment.
    """

    name: str = ""
    email: str = ""
    login: str = ""
    number: str = ""
    canvas: str = ""
    other: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The pieces that are known, those first that tell a student from others best."""
        pieces = (self.canvas, self.login, self.number, self.email, self.other, self.name)
        return tuple(piece for piece in pieces if piece)

    @property
    def key(self) -> str:
        """The piece that tells this student from others of that system best."""
        return self.keys[0] if self.keys else ""


@dataclass(frozen=True, kw_only=True)
class Person(Identity):
    """One line of the roster; `id` is the student's name in folders, marks and pages."""

    id: str
    section: str = ""


@dataclass(frozen=True)
class Match:
    """Who is meant: one student; or nobody for certain, with those who may be, and why."""

    student: str | None
    candidates: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Roster:
    """The students of a course, by id."""

    people: Mapping[str, Person]

    def __bool__(self) -> bool:
        return bool(self.people)

    def own_id(self, text: str) -> str:
        """Return the id as the roster writes it, whatever case a list of the course has it in.

        One that nobody has stays as it is.
        """
        if text in self.people:
            return text
        found = self._index["id"].get(plain_id(text), ())
        return found[0] if len(found) == 1 else text

    def match(self, who: Identity) -> Match:
        """Say which student is meant, strictly: ids first, then e-mail, then the whole name.

        Nothing is guessed: pieces that point to two students, an id that says otherwise, a name
        that two students share or that is only nearly one, are doubtful.
        """
        hits = {p for field in ("canvas", "login", "number", "email") for p in self._by(field, who)}
        if len(hits) > 1:
            return Match(None, tuple(sorted(hits)), "its ids are those of different students")
        if hits:
            (one,) = hits
            other = self._contradiction(self.people[one], who, ("canvas", "login", "number"))
            return Match(None, (one,), other) if other else Match(one)
        named = self._names.get(plain_name(who.name), ())
        if len(named) > 1:
            return Match(None, tuple(sorted(named)), "several students have this name")
        if named:
            fields_ = ("canvas", "login", "number", "email")
            other = self._contradiction(self.people[named[0]], who, fields_)
            return Match(None, named, other) if other else Match(named[0])
        near = tuple(sorted(self._near.get(_loose_name(who.name), ())))
        return Match(None, near, "the name is only nearly theirs" if near else "not on the roster")

    def _by(self, field: str, who: Identity) -> tuple[str, ...]:
        value = plain_id(getattr(who, field))
        if not value:
            return ()
        found = self._index[field].get(value, ())
        # The id itself is one of these, whichever the course took for it.
        return found or (self._index["id"].get(value, ()) if field != "canvas" else ())

    def _contradiction(self, person: Person, who: Identity, among: Iterable[str]) -> str:
        for field in among:
            theirs, given = plain_id(getattr(person, field)), plain_id(getattr(who, field))
            if theirs and given and theirs != given:
                return f"{person.id} has another {field}"
        return ""

    @cached_property
    def _index(self) -> dict[str, dict[str, tuple[str, ...]]]:
        index: dict[str, dict[str, tuple[str, ...]]] = {c: {} for c in COLUMNS}
        for person in self.people.values():
            for field in COLUMNS:
                if value := plain_id(getattr(person, field)):
                    index[field][value] = (*index[field].get(value, ()), person.id)
        return index

    @cached_property
    def _names(self) -> dict[str, tuple[str, ...]]:
        return self._grouped(plain_name)

    @cached_property
    def _near(self) -> dict[str, tuple[str, ...]]:
        return self._grouped(_loose_name)

    def _grouped(self, key: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
        groups: dict[str, tuple[str, ...]] = {}
        for person in self.people.values():
            if name := key(person.name):
                groups[name] = (*groups.get(name, ()), person.id)
        return groups


def is_test_student(who: Identity) -> bool:
    """Say whether somebody is the "Test Student" that Canvas gives a course to try it with.

    In its gradebook "Student, Test", in the names of files "studenttest"; nobody takes the course.
    """
    return bool(who.canvas) and plain_name(who.name) in {"test student", "studenttest"}


def load_roster(course: Course) -> Roster:
    """Read `roster.csv`; without the file the roster is empty.

    A server asks with every page: what was read is kept until the file is another.

    Raises:
        SpecError: names the line and what was expected.
    """
    path = course.root / ROSTER_NAME
    try:
        found = path.stat()
    except OSError:
        return Roster({})
    if not stat.S_ISREG(found.st_mode):
        return Roster({})
    return _kept(path, (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size))


@lru_cache(maxsize=16)
def _kept(path: Path, version: tuple[int, ...]) -> Roster:
    return roster_from(path)


def roster_from(path: Path) -> Roster:
    """Read a roster: one line for each student, with `id` and what else is known.

    Raises:
        SpecError: names the line and what was expected.
    """
    rows = read_rows(path, needed=("id",), known=COLUMNS)
    people: dict[str, Person] = {}
    seen: dict[tuple[str, str], int] = {}
    for number, row in rows:
        where = f"{path}:{number}"
        person = Person(**{c: row.get(c, "") for c in COLUMNS})
        if not is_plain_id(person.id):
            raise SpecError(
                f"this can't be a student's id: {person.id[:60]!r}",
                where=where,
                hint="Letters, digits, spaces and . _ - @ + ' ( ) , are taken; at most 100.",
            )
        for field in ("id", "email", "login", "number", "canvas"):
            value = plain_id(getattr(person, field))
            first = seen.setdefault((field, value), number) if value else number
            if first != number:
                raise SpecError(f"the {field} {value!r} is in line {first} too", where=where)
        if not is_test_student(person):
            people[person.id] = person
    return Roster(people)


def roster_text(roster: Roster) -> str:
    """Return the roster as the text of `roster.csv`, in which no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, person in sorted(roster.people.items()):
        writer.writerow([safe_cell(getattr(person, column)) for column in COLUMNS])
    return out.getvalue()


def read_rows(
    path: Path, *, needed: Iterable[str], known: Iterable[str]
) -> list[tuple[int, dict[str, str]]]:
    """Read one of the course's own small tables strictly: (line, cells by column).

    Raises:
        SpecError: it is no CSV, or a column is missing or unknown.
    """
    return rows_in(table_text(path), path, needed=needed, known=known)


def table_text(path: Path) -> str:
    """Return the text of one of the course's own small tables.

    Raises:
        SpecError: it is too large, or no text.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SpecError("the file is too large for such a table", where=path)
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read the file: {error}", where=path) from error


def rows_in(
    text: str, path: Path, *, needed: Iterable[str], known: Iterable[str]
) -> list[tuple[int, dict[str, str]]]:
    """Read the text of such a table as `read_rows` does; `path` is where it lies, or would.

    Raises:
        SpecError: it is no CSV, or a column is missing or unknown.
    """
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = [name.strip().casefold() for name in next(reader, [])]
        if set(header) - set(known) or set(needed) - set(header) or len(set(header)) < len(header):
            raise SpecError(
                f"expected the columns {', '.join(known)}, got {', '.join(header) or 'none'}",
                where=f"{path}:1",
                hint=f"Of these {', '.join(needed)} must be there.",
            )
        for cells in reader:
            if len(cells) > len(header):
                raise SpecError("more cells than columns", where=f"{path}:{reader.line_num}")
            if any(cell.strip() for cell in cells):
                row = dict(zip(header, map(_told, cells), strict=False))
                rows.append((reader.line_num, row))
    except csv.Error as error:
        raise SpecError(f"not a CSV file: {error}", where=f"{path}:{reader.line_num}") from error
    return rows


def is_plain_id(text: str) -> bool:
    """Say whether a text can be a student's id, and so the name of a folder."""
    kinds = [unicodedata.category(c)[0] for c in text]
    return (
        0 < len(text) <= _MAX_ID
        and kinds[0] in "LN"
        and text[-1] not in ". "
        and unicodedata.is_normalized("NFC", text)
        and all(k in "LMN" or c in _PUNCTUATION for c, k in zip(text, kinds, strict=True))
    )


def _told(cell: str) -> str:
    return plain_cell(unicodedata.normalize("NFC", " ".join(cell.split())))


def plain_id(text: str) -> str:
    """Return an id or e-mail as it is compared: normalised, without case and needless spaces."""
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


def plain_name(name: str) -> str:
    """Return a name as it is compared: normalised, "Last, First" turned round, without case."""
    text = unicodedata.normalize("NFC", name).replace("\u2019", "'")
    last, comma, first = text.partition(",")
    if comma and "," not in first:
        text = f"{first} {last}"
    return " ".join(text.split()).casefold()


def _loose_name(name: str) -> str:
    """Return what near names share: no accents, no order, only letters and digits."""
    lowered = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(c if c.isalnum() else " " for c in lowered if not unicodedata.combining(c))
    return "".join(sorted(kept.replace(" ", "")))
