"""From a system's archive of an assignment to one submission per student and attempt."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from grader.course.matches import Matcher
from grader.course.roster import Identity, Person, Roster, plain_id
from grader.intake.lms.people import System
from grader.intake.lms.places import AmbiguousError, Place, Told, looks_like, place_of
from grader.intake.lms.sidecars import told_by
from grader.intake.lms.table import Table
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name, student_id
from grader.intake.students import Handed, Students, submission_of
from grader.intake.submission import Submission

Members = Sequence[Member | RefusedMember]
_ROUND_A_CLASS = 3
_CLASS_FOLDERS = ("submitted/", "submissions/")
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass
class Setting:
    """What the course knows, for reading archives.

    Attributes:
        system: which made them; None: tell by the paths; "folder": none, whatever they look like.
        matcher: tells students; without a roster they get the names that are in the paths.
        zone: of times without one.
        worksheet: Moodle's, which tells participants and times.
    """

    system: System | Literal["folder"] | None = None
    matcher: Matcher = field(default_factory=lambda: Matcher(Roster({}), Path("matches.csv")))
    zone: dt.tzinfo = dt.UTC
    worksheet: Table | None = None


@dataclass
class _Attempt:
    handed: Handed = field(default_factory=Handed)
    at: dt.datetime | None = None
    late: bool = False
    others: tuple[Identity, ...] = ()


def system_that_made(members: Members) -> tuple[System, str] | None:
    """Tell which system made an archive, and the folder round its class; None for no system's."""
    for outer, paths in _below_folders(members):
        if found := looks_like(paths):
            return found, outer
    return None


def folder_round_the_class(members: Members) -> str:
    """Return the folder that holds the class by its name, for a system that was named."""
    named = [o for o, _ in _below_folders(members) if o.casefold().endswith(_CLASS_FOLDERS)]
    return named[-1] if named else ""


def _below_folders(members: Members) -> Iterator[tuple[str, list[str]]]:
    """Yield the lonely folders that are round everything, and the paths below each."""
    outer = ""
    for _ in range(_ROUND_A_CLASS):
        paths = [m.path for m in members if m.path and m.path.startswith(outer)]
        folders = {m.path for m in members if isinstance(m, Member) and m.is_folder}
        below = [path[len(outer) :] for path in paths if path not in folders and path != outer]
        yield outer, below
        tops = {path.partition("/")[0] for path in below}
        if len(tops) != 1 or not any("/" in path for path in below):
            return
        outer += f"{tops.pop()}/"


def submissions_of(
    members: Members, system: System, *, outer: str, assignment: str, setting: Setting
) -> Students:
    """Sort the files of an archive to students and attempts.

    Raises:
        UsageError: a file that tells whose they are is missing or damaged.
    """
    inner = [m for m in members if m.path and m.path.startswith(outer) and m.path != outer]
    inner = [replace(m, path=(m.path or "")[len(outer) :]) for m in inner]
    files = [m for m in inner if isinstance(m, Member)]
    told = told_by(
        system,
        files,
        assignment=assignment,
        roster=setting.matcher.roster,
        zone=setting.zone,
        worksheet=setting.worksheet,
    )
    refused = [(m.name, m.reason) for m in members if isinstance(m, RefusedMember)]
    groups: dict[Identity, dict[dt.datetime | None, _Attempt]] = {}
    for member in inner:
        place = _placed(system, member, told, refused)
        if place is not None:
            attempt = groups.setdefault(place.who, {}).setdefault(place.at, _Attempt())
            _take(attempt, member, place)
    names, warnings = _named(groups.keys(), system, setting.matcher)
    submissions: list[Submission] = []
    for who, attempts in groups.items():
        student = names[who]
        ordered = sorted(
            attempts.values(), key=lambda a: (a.at is not None, a.at or dt.datetime.min)
        )
        for number, attempt in enumerate(ordered, start=1):
            submissions.append(
                submission_of(
                    student, attempt.handed, assignment, submitted_at=attempt.at, attempt=number
                )
            )
        warnings += _remarks(student, ordered, system)
    submissions.sort(key=lambda s: (s.student, s.attempt))
    return Students(tuple(submissions), tuple(refused), tuple(warnings))


def _placed(
    system: System, member: Member | RefusedMember, told: Told, refused: list[tuple[str, str]]
) -> Place | None:
    path = member.path or ""
    try:
        place = place_of(system, path, told)
    except AmbiguousError as error:
        if isinstance(member, Member) and not member.is_folder:
            refused.append((display_name(path), str(error)))
        return None
    if place is None and isinstance(member, Member) and not member.is_folder and "/" not in path:
        refused.append((display_name(path), "it is no student's"))
    return place


def _take(attempt: _Attempt, member: Member | RefusedMember, place: Place) -> None:
    attempt.handed.raw_names.add(place.who.name or place.who.key)
    attempt.at, attempt.others = place.at, place.others
    attempt.late |= place.late
    if isinstance(member, RefusedMember):
        attempt.handed.refused.append(member)
    elif place.file and not member.is_folder:
        attempt.handed.files.append(replace(member, path=place.file))


def _named(
    everybody: Collection[Identity], system: System, matcher: Matcher
) -> tuple[dict[Identity, str], list[str]]:
    """Return each one's id: that of the roster, else one made of what the system says."""
    names: dict[Identity, str] = {}
    warnings: list[str] = []
    strangers: list[Identity] = []
    for who in everybody:
        student, why = _on_roster(who, system, matcher)
        if student is not None:
            names[who] = student
            continue
        strangers.append(who)
        if matcher.roster:
            warnings.append(f"{who.name or who.key}: {why}; see `grader roster match`.")
    taken = {s.casefold() for s in matcher.roster.people}
    wanted = [student_id(_raw(who)).casefold() for who in strangers]
    for who in strangers:
        identifier = student_id(_raw(who))
        # A stranger must not get a student's name, nor two of them one.
        if identifier.casefold() in taken or wanted.count(identifier.casefold()) > 1:
            identifier = student_id(f"{_raw(who)} ({system} {who.key})")
        names[who] = identifier
    return names, warnings


def _raw(who: Identity) -> str:
    return who.login or who.name or who.number or who.email or who.canvas


def _on_roster(who: Identity, system: System, matcher: Matcher) -> tuple[str | None, str]:
    match = matcher.match(system.value, who)
    if match.student is None or system is not System.CANVAS:
        return match.student, match.why
    key = (system.value, plain_id(who.key))
    if key not in matcher.answers and not _same_letters(who, matcher.roster.people[match.student]):
        why = f"the file is {match.student}'s by its number, and not by its name"
        matcher.doubt(system.value, who, (match.student,), why)
        return None, why
    return match.student, ""


def _same_letters(who: Identity, person: Person) -> bool:
    """Say whether Canvas' squeezed name can be this person's; it takes out different letters.

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


def _remarks(student: str, attempts: Sequence[_Attempt], system: System) -> list[str]:
    remarks = []
    if any(a.late and a.at is None for a in attempts):
        remarks.append(
            f"{student} handed in late, says {system.capitalize()}, and not when; "
            "set it with `grader marks import` if it counts."
        )
    others = {who.name or who.key for a in attempts for who in a.others}
    if others:
        remarks.append(f"{student} handed in for {', '.join(sorted(others))} too (groups.csv).")
    return remarks
