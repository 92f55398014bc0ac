"""From a system's archive of an assignment to one submission per student and attempt."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from grader.course.matches import Matcher
from grader.course.roster import Identity, Roster, is_test_student
from grader.intake.accepted_files import AcceptedFiles
from grader.intake.choice import is_named_as
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name, student_id
from grader.intake.students import Handed, Students, submission_of
from grader.intake.submission import Submission
from grader.lms.lms_table import LmsTable
from grader.lms.moodle_words import DateOrder
from grader.lms.registry import system_of_worksheet
from grader.lms.registry import system_that_made as system_with_paths
from grader.lms.system import AmbiguousError, Context, ExportMetadata, FileOwner, Sidecar, System
from grader.lms.times import hand_in_times

Members = Sequence[Member | RefusedMember]
_ROUND_A_CLASS = 3
_CLASS_FOLDERS = ("submitted/", "submissions/")
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass
class CollectConfig:
    """What the course knows, for reading archives.

    Attributes:
        system: which made them; None: tell by the paths; "folder": none, whatever they look like.
        matcher: tells students; without a roster they get the names that are in the paths.
        zone: of times without one.
        worksheet: a table of the system's that made them, which may tell participants and times.
        worksheet_name: the name of its file.
        dates: whether day or month comes first in it, where its dates don't tell.
        assignments: of the course; a folder of another one is no student's.
        beside: what may be handed in beside the notebook.
    """

    system: System | Literal["folder"] | None = None
    matcher: Matcher = field(default_factory=lambda: Matcher(Roster({}), Path("matches.csv")))
    zone: dt.tzinfo = dt.UTC
    worksheet: LmsTable | None = None
    worksheet_name: str = ""
    dates: DateOrder | None = None
    assignments: tuple[str, ...] = ()
    beside: AcceptedFiles = field(default_factory=AcceptedFiles)


@dataclass
class _Attempt:
    handed: Handed = field(default_factory=Handed)
    at: dt.datetime | None = None
    late: bool = False
    others: tuple[Identity, ...] = ()


def system_that_made(members: Members) -> tuple[System, str] | None:
    """Tell which system made an archive, and the folder round its class; None for no system's."""
    for outer, paths in _below_folders(members):
        if found := system_with_paths(paths):
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
    members: Members, system: System, *, outer: str, assignment: str, config: CollectConfig
) -> Students:
    """Sort the files of an archive to students and attempts.

    Raises:
        UsageError: a file that tells whose they are is missing or damaged.
    """
    inner = [m for m in members if m.path and m.path.startswith(outer) and m.path != outer]
    inner = [replace(m, path=(m.path or "")[len(outer) :]) for m in inner]
    files = [m for m in inner if isinstance(m, Member)]
    context = _context(system, assignment, config)
    told = system.told_by([_sidecar(m) for m in files], context)
    refused = [(m.name, m.reason) for m in members if isinstance(m, RefusedMember)]
    groups: dict[Identity, dict[dt.datetime | None, _Attempt]] = {}
    for member in inner:
        place = _placed(system, member, told, refused)
        if place is not None and is_test_student(place.who):
            if isinstance(member, Member) and not member.is_folder:
                refused.append((display_name(member.path), f"it is {system.title}' test student's"))
        elif place is not None:
            attempt = groups.setdefault(place.who, {}).setdefault(place.at, _Attempt())
            _take(attempt, member, place)
    names, warnings = _named(groups.keys(), system, config.matcher)
    submissions: list[Submission] = []
    for who, attempts in groups.items():
        student = names[who]
        ordered = sorted(
            attempts.values(), key=lambda a: (a.at is not None, a.at or dt.datetime.min)
        )
        for number, attempt in enumerate(ordered, start=1):
            submissions.append(
                submission_of(
                    student,
                    attempt.handed,
                    assignment,
                    submitted_at=attempt.at,
                    attempt=number,
                    beside=config.beside,
                )
            )
        warnings += _remarks(student, ordered, system)
    from_worksheet = {at for _, at in context.times if at}
    submissions = [
        replace(s, time_from=config.worksheet_name) if s.submitted_at in from_worksheet else s
        for s in submissions
    ]
    submissions.sort(key=lambda s: (s.student, s.attempt))
    return Students(tuple(submissions), tuple(refused), tuple(warnings))


def owners_in(
    members: Members, system: System, *, outer: str, assignment: str, config: CollectConfig
) -> tuple[list[tuple[str, FileOwner, str]], list[str]]:
    """Say whose the files of an archive are, as `submissions_of` does.

    Returns (path, place, student) of each, and sentences on who is doubtful.
    """
    paths = [m.path[len(outer) :] for m in members if isinstance(m, Member) and not m.is_folder]
    files = [m for m in members if isinstance(m, Member) and m.path.startswith(outer)]
    inner = [_sidecar(replace(m, path=m.path[len(outer) :])) for m in files]
    told = system.told_by(inner, _context(system, assignment, config))
    owned = []
    for path in paths:
        try:
            place = system.place_of(path, told)
        except AmbiguousError:
            continue
        if place is not None and not is_test_student(place.who):
            owned.append((path, place))
    names, warnings = _named({place.who for _, place in owned}, system, config.matcher)
    return [(path, place, names[place.who]) for path, place in owned], warnings


def _sidecar(member: Member) -> Sidecar:
    content = member.content
    if content is None:
        return Sidecar(member.path, None, bytes)
    return Sidecar(member.path, content.size, partial(content.read, member.path))


def _context(system: System, assignment: str, config: CollectConfig) -> Context:
    times: list[tuple[Identity, dt.datetime | None]] = []
    is_named = partial(is_named_as, assignment=assignment)
    if config.worksheet is not None and system_of_worksheet(config.worksheet, system) is system:
        told = hand_in_times(config.worksheet, system, config.zone, config.dates, is_named)
        times = [(one.who, one.at) for one in told]
    return Context(assignment, config.matcher.roster, config.zone, is_named=is_named, times=times)


def _placed(
    system: System,
    member: Member | RefusedMember,
    told: ExportMetadata,
    refused: list[tuple[str, str]],
) -> FileOwner | None:
    path = member.path or ""
    try:
        place = system.place_of(path, told)
    except AmbiguousError as error:
        if isinstance(member, Member) and not member.is_folder:
            refused.append((display_name(path), str(error)))
        return None
    if path.casefold() in system.own_files:
        return None
    if place is None and isinstance(member, Member) and not member.is_folder and "/" not in path:
        refused.append((display_name(path), "it is no student's"))
    return place


def _take(attempt: _Attempt, member: Member | RefusedMember, place: FileOwner) -> None:
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
    for who in everybody:
        student, why = _on_roster(who, system, matcher)
        if student is not None:
            names[who] = student
        elif matcher.roster:
            warnings.append(f"{who.name or who.key}: {why}; see `grader roster match`.")
    for student, several in _shared(names).items():
        if all(matcher.answer(system.name, who) for who in several):
            continue
        # Whoever takes another's name must not hand in for them.
        why = f"several in the archive would be {student}"
        for who in several:
            del names[who]
            matcher.doubt(system.name, who, (student,), why)
            warnings.append(f"{who.name or who.key}: {why}; see `grader roster match`.")
    strangers = [who for who in everybody if who not in names]
    return names | _strangers(strangers, system, matcher), warnings


def _shared(names: Mapping[Identity, str]) -> dict[str, list[Identity]]:
    """Return the students whom several users of the system would be, with these."""
    users: dict[str, list[Identity]] = {}
    for who, student in names.items():
        users.setdefault(student, []).append(who)
    return {s: found for s, found in users.items() if len({_user(who) for who in found}) > 1}


def _strangers(
    strangers: Collection[Identity], system: System, matcher: Matcher
) -> dict[Identity, str]:
    """Return ids that are no student's, one for each user of the system."""
    wanted = {who: student_id(_raw(who)) for who in strangers}
    claims = Counter(student.casefold() for student in matcher.roster.people)
    claims.update(i.casefold() for _, i in {(_user(who), i) for who, i in wanted.items()})
    named = {}
    for who, identifier in wanted.items():
        apart = f"{_raw(who)} ({system.name} {_user(who)})"
        # With a character that can't stay, the id gets a piece of the hash: none can be chosen.
        full = student_id(apart if claims[student_id(apart).casefold()] == 0 else f"{apart}/")
        named[who] = identifier if claims[identifier.casefold()] == 1 else full
    return named


def _user(who: Identity) -> str:
    """What tells users of one system apart in one archive."""
    return who.canvas or who.other or who.key


def _raw(who: Identity) -> str:
    return who.login or who.name or who.number or who.email or who.key


def _on_roster(who: Identity, system: System, matcher: Matcher) -> tuple[str | None, str]:
    match = matcher.match(system.name, who)
    if match.student is None or matcher.answer(system.name, who):
        return match.student, match.why
    if not system.may_be(who, matcher.roster.people[match.student]):
        why = f"the file is {match.student}'s by its number, and not by its name"
        matcher.doubt(system.name, who, (match.student,), why)
        return None, why
    return match.student, ""


def _remarks(student: str, attempts: Sequence[_Attempt], system: System) -> list[str]:
    remarks = []
    if any(a.late and a.at is None for a in attempts):
        remarks.append(
            f"{student} handed in late, says {system.title}, and not when; "
            "set it with `grader import-marks` if it counts."
        )
    others = {who.name or who.key for a in attempts for who in a.others}
    if others:
        remarks.append(f"{student} handed in for {', '.join(sorted(others))} too (groups.csv).")
    return remarks
