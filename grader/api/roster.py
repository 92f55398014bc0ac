"""The course's roster: filled from the lists that learning management systems export."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.course.directory import Course
from grader.course.matches import Matcher, load_matcher
from grader.course.roster import (
    ROSTER_NAME,
    Identity,
    Person,
    Roster,
    is_plain_id,
    load_roster,
    plain_id,
    plain_name,
    roster_text,
)
from grader.errors import UsageError
from grader.lms.lms_table import read_table
from grader.lms.registry import named, system_of
from grader.report.files import write_pages

_PIECES = ("name", "email", "login", "number", "canvas")


@dataclass
class ImportedRoster:
    """What a list came to.

    Attributes:
        added, filled_in: ids of the students that are new, and of those of whom more is known.
        doubtful: sentences on lines that were not taken.
        absent: students of the roster whom the list doesn't have; they stay.
    """

    system: str
    added: list[str] = field(default_factory=list)
    filled_in: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class RosterPlan:
    """What a list would change, before it counts.

    Attributes:
        before, after: everybody by id.
        imported: the same in ids and sentences.
    """

    before: Mapping[str, Person]
    after: Mapping[str, Person]
    imported: ImportedRoster
    matcher: Matcher

    @property
    def changed(self) -> list[tuple[Person, Person]]:
        """Of whom more is known, or something else: as it was, and as it would be."""
        return [(self.before[s], self.after[s]) for s in self.imported.filled_in]

    def text(self, without: Collection[str] = ()) -> str:
        """Return `roster.csv` as it would be, without some who are not in the list."""
        return roster_text(Roster({s: p for s, p in self.after.items() if s not in without}))


def import_roster(
    course: Course, path: Path, *, system: str | None = None, id_from: str | None = None
) -> ImportedRoster:
    """Add a system's list of students to `roster.csv`: what `plan_roster` says, at once."""
    plan = plan_roster(course, path, system=system, id_from=id_from)
    take_plan(course, plan)
    return plan.imported


def plan_roster(
    course: Course, path: Path, *, system: str | None = None, id_from: str | None = None
) -> RosterPlan:
    """Say what a system's list of students would change.

    A line that is certainly of a student on the roster fills in what is not known yet; one that
    may be of one of them is put on `matches.csv` for a person; any other is a new student.

    Args:
        course: whose roster.
        path: a gradebook or a list of participants, as the system exports it.
        system: which exported it, by name; by default its columns tell.
        id_from: what becomes the id of a new student: "login", "number" or "email"; by default
            the first of these that the line has.

    Raises:
        UsageError: the file can't be read, or is of no known system.
    """
    table = read_table(path)
    chosen = named(system) if system else system_of(table, where=path)
    matcher = load_matcher(course)
    people = dict(matcher.roster.people)
    imported = ImportedRoster(chosen.name)
    met: set[str] = set()
    for line, who, identifier, section in chosen.people(table):
        where = f"line {line.number}"
        student = _known(matcher, chosen.name, who, identifier)
        if student is None and _may_be_known(matcher, chosen.name, who):
            row = matcher.open.get((chosen.name, plain_id(who.key)))
            why = f"{row['why']}: {row['perhaps']}" if row else "left out, as matches.csv says"
            imported.doubtful.append(f"{where}: {who.name or who.key}: {why}")
            continue
        new = student is None
        student = student or _new_id(who, identifier, id_from)
        if not is_plain_id(student) or (new and (student in people or student in met)):
            fault = "its id is taken" if student in people else "it gives no id that can be one"
            imported.doubtful.append(f"{where}: {who.name or who.key}: {fault}")
            continue
        before = people.get(student) or Person(id=student)
        people[student] = _joined(before, who, section)
        met.add(student)
        if new:
            imported.added.append(student)
        elif people[student] != before:
            imported.filled_in.append(student)
    if not met and not imported.doubtful:
        raise UsageError("there is no student in this file", where=path)
    imported.absent = sorted(matcher.roster.people.keys() - met)
    if clashes := _clashes(people):
        raise UsageError(f"nothing was imported: {'; '.join(clashes)}", where=path)
    return RosterPlan(
        before=matcher.roster.people, after=people, imported=imported, matcher=matcher
    )


def take_plan(course: Course, plan: RosterPlan, *, without: Collection[str] = ()) -> None:
    """Write the roster as a plan has it, without some of those who are not in the list.

    Raises:
        UsageError: somebody who is in the list, or nobody, would be left out.
    """
    if not set(without) <= set(plan.imported.absent):
        raise UsageError("only who is not in the list can be left out with it")
    write_pages(course.root, {ROSTER_NAME: plan.text(without)})
    plan.matcher.save()


def put_person(course: Course, person: Person) -> bool:
    """Put one student on the roster, or change what it says of them; return whether they are new.

    Raises:
        UsageError: the id can't be one, or a piece is another student's.
    """
    if not is_plain_id(person.id):
        raise UsageError(
            f"this can't be a student's id: {person.id[:60]!r}",
            hint="Letters, digits, spaces and . _ - @ + ' ( ) , are taken; at most 100.",
        )
    people = dict(load_roster(course).people)
    same = {plain_id(known): known for known in people}.get(plain_id(person.id), person.id)
    if same != person.id:
        raise UsageError(f"{same!r} is on the roster already", hint="Ids differ by more than case.")
    new = person.id not in people
    people[person.id] = person
    if clashes := _clashes(people):
        raise UsageError(f"nothing was changed: {'; '.join(clashes)}")
    write_pages(course.root, {ROSTER_NAME: roster_text(Roster(people))})
    return new


def drop_person(course: Course, student: str) -> None:
    """Take a student off the roster; what they handed in, and their marks, stay in the record.

    Raises:
        UsageError: they are not on it.
    """
    people = dict(load_roster(course).people)
    if people.pop(student, None) is None:
        raise UsageError(f"there is no student {student!r} on the roster")
    write_pages(course.root, {ROSTER_NAME: roster_text(Roster(people))})


def show_roster(course: Course) -> Roster:
    """Read the roster.

    Raises:
        UsageError: there is none yet.
    """
    roster = load_roster(course)
    if not roster:
        raise UsageError(
            "the course has no roster yet",
            where=course.root / ROSTER_NAME,
            hint="Run `grader roster import FILE` with a list that your system exports.",
        )
    return roster


def _known(matcher: Matcher, system: str, who: Identity, identifier: str) -> str | None:
    if identifier and identifier in matcher.roster.people:
        return identifier
    return matcher.match(system, who).student


def _may_be_known(matcher: Matcher, system: str, who: Identity) -> bool:
    """Say whether a person has to decide; who is nowhere near anybody is simply new."""
    key = (system, plain_id(who.key))
    if matcher.answer(system, who):
        return True
    row = matcher.open.get(key)
    if row is not None and not row["perhaps"]:
        del matcher.open[key]
        return False
    return row is not None


def _new_id(who: Identity, identifier: str, id_from: str | None) -> str:
    if identifier or id_from:
        return identifier or getattr(who, id_from or "")
    return who.login or who.number or who.email


def _joined(person: Person, who: Identity, section: str) -> Person:
    """Fill in what is not known; names and sections follow the newest list."""
    told = {p: getattr(who, p) for p in _PIECES if getattr(who, p)}
    kept = {p: v for p in _PIECES if (v := getattr(person, p))}
    if "name" in told and plain_name(told["name"]) != plain_name(kept.get("name", "")):
        kept.pop("name", None)
    merged = told | kept
    if "," in merged.get("name", ""):
        last, _, first = merged["name"].partition(",")
        merged["name"] = " ".join(f"{first} {last}".split())
    return replace(person, **merged, section=section or person.section)


def _clashes(people: dict[str, Person]) -> list[str]:
    seen: dict[tuple[str, str], str] = {}
    clashes = []
    for person in people.values():
        for piece in ("email", "login", "number", "canvas"):
            value = plain_id(getattr(person, piece))
            if value and (first := seen.setdefault((piece, value), person.id)) != person.id:
                clashes.append(f"{first} and {person.id} would have the same {piece}, {value}")
    return clashes
