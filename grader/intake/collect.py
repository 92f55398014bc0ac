"""From what came in, in whatever shape, to clean submissions: nothing lost, nothing trusted."""

from __future__ import annotations

import contextlib
import datetime as dt
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from grader.errors import UsageError
from grader.intake.accepted_files import AcceptedFiles
from grader.intake.archive import is_opened_archive, read_archive
from grader.intake.choice import is_notebook_name
from grader.intake.class_archives import (
    CollectConfig,
    folder_round_the_class,
    submissions_of,
    system_that_made,
)
from grader.intake.content import RefusedFileError, Shelf, on_disk
from grader.intake.folder import folder_members
from grader.intake.hand_in_times import learnt_time
from grader.intake.inbox import is_inbox
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name, look_alikes
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.on_roster import known_student, on_roster
from grader.intake.stored import (
    Record,
    assignment_folder,
    attempts_in,
    has_layout,
    load_stored,
    read_record,
    record_of,
    time_of,
    write_attempt,
    write_time,
)
from grader.intake.students import Students, students_of
from grader.intake.submission import Submission
from grader.intake.tries import read_tries
from grader.intake.zip_names import Naming, words_of
from grader.lms.registry import is_sidecar

__all__ = [
    "Collected",
    "RefusedHandIn",
    "Stored",
    "collect",
    "load_stored",
    "store",
    "with_known_time",
    "without_time",
]

_NAMED = 5
_OLD_KEY = ".receipt-key"  # an inbox of version 0.1, in which whoever could hand in could sign
_OLD_INBOX = (
    "This inbox was made by an earlier version. Whoever could write there could change times and "
    "names, so the times are left out, and nobody is late; look at the names. Make a new one with "
    "`grader inbox make`."
)
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class RefusedHandIn:
    """A file, a member or an attempt that was not taken."""

    source: str
    reason: str


@dataclass(frozen=True)
class Collected:
    """What was collected for an assignment.

    `submissions` are sorted by student and attempt: one per student where the last counts, all
    of them where the best does. `warnings` are sentences for the course staff, such as of two
    students whose names look alike.
    """

    submissions: tuple[Submission, ...]
    refused: tuple[RefusedHandIn, ...] = ()
    warnings: tuple[str, ...] = ()
    assignment: str = ""


@dataclass(frozen=True)
class Stored:
    """Where submissions lie, in their order.

    `submissions` have the hand-in times that are known by now; `times` are sentences on those
    that were learnt of attempts that had been stored before.
    """

    folders: tuple[Path, ...]
    submissions: tuple[Submission, ...]
    times: tuple[str, ...] = ()


def collect(
    sources: Iterable[Path],
    *,
    assignment: str,
    counts: Literal["last", "best"] = "last",
    limit: int = 0,
    config: CollectConfig | None = None,
) -> Collected:
    """Collect the submissions of an assignment.

    A source is a folder, a zip or tar of ``STUDENT.ipynb`` or ``STUDENT/…`` (any depth; see
    `choice.choose_notebook` for several notebooks), the archive or folder of a system
    (`lms.archives`), an inbox, a folder that `store` wrote, or one notebook. Of a student who is
    in several sources, each is an attempt, in the order of time where times are known, else in
    the order of the sources.

    Args:
        sources: what came in.
        assignment: its name.
        counts: "last": one submission per student, the last by time and attempt, with the number
            of earlier ones; "best": all of them, for the marks to decide.
        limit: attempts beyond this number are refused; 0 for none.
        setting: what the course knows of students and times; which system the sources are from.

    Raises:
        UsageError: a source is not there, or there is no submission in any of them.
    """
    attempts: dict[str, list[Submission]] = {}
    refused: list[RefusedHandIn] = []
    warnings: list[str] = []
    looked_at = []
    for source in sources:
        looked_at.append(str(source))
        found = _from_source(source, assignment, config or CollectConfig())
        refused += found.refused
        warnings += found.warnings
        for submission in found.submissions:
            attempts.setdefault(submission.student, []).append(submission)
    if not attempts:
        raise _nothing(looked_at, refused)
    taken: list[Submission] = []
    for student in sorted(attempts):
        numbered, over = _number(attempts[student], limit)
        refused += over
        taken += numbered if counts == "best" else numbered[-1:]
    warnings += [
        f"{' and '.join(group)} look alike; they are treated as different students."
        for group in look_alikes(attempts)
    ]
    warnings += [f"{s.student}: {note}" for s in taken for note in s.notes]
    return Collected(tuple(taken), tuple(refused), tuple(warnings), assignment)


def _with_source(submission: Submission, source: Path) -> Submission:
    known = submission.time_from or submission.submitted_at is None
    return submission if known else replace(submission, time_from=source.name)


def store(collected: Collected, destination: Path, *, zone: dt.tzinfo = dt.UTC) -> Stored:
    """Write submissions to ``destination/ASSIGNMENT/STUDENT/…``.

    Done twice, it changes nothing. A file that differs from the one stored under the same attempt
    (as when a folder was updated) is stored as a further attempt; nothing is overwritten. A copy
    of what is stored is no further attempt; if it tells another time, that is kept as a new fact,
    and said in the time of `zone`.

    Raises:
        InfrastructureError: the disk refuses.
    """
    folder = assignment_folder(destination, collected.assignment)
    folders: list[Path] = []
    submissions: list[Submission] = []
    times: list[str] = []
    for submission in collected.submissions:
        stored = _stored(submission, folder)
        held = _held(submission, stored)
        if held is None:
            folders.append(_write(submission, folder, collected.assignment, stored))
            submissions.append(submission)
            continue
        folders.append(held.path)
        submissions.append(replace(submission, submitted_at=submission.submitted_at or held.at))
        if said := _learn_time(submission, held, zone):
            times.append(said)
    return Stored(tuple(folders), tuple(submissions), tuple(times))


def with_known_time(submission: Submission, folder: Path) -> Submission:
    """Return a submission with the time that is kept beside it where it is stored."""
    try:
        at, told_by = time_of(folder, read_record(folder))
    except RefusedFileError:
        return submission
    return replace(submission, submitted_at=at, time_from=told_by or submission.time_from)


def without_time(submissions: Sequence[Submission]) -> str:
    """Say how many submissions have no hand-in time; empty where all have one."""
    missing = [s.student for s in submissions if s.submitted_at is None]
    if not missing:
        return ""
    named = f": {', '.join(missing[:_NAMED])}{'…' if missing[_NAMED:] else ''}"
    return (
        f"{len(missing)} of {len(submissions)} have no hand-in time, and are never late"
        f"{named if len(missing) < len(submissions) else ''}."
    )


def _stored(submission: Submission, folder: Path) -> list[_Held]:
    student = folder / submission.student
    if not student.is_dir() or student.is_symlink():
        return []
    return [_Held(*found) for found in sorted(attempts_in(student).items())]


def _write(submission: Submission, folder: Path, assignment: str, stored: Sequence[_Held]) -> Path:
    data = submission.read() if submission.content.size or not submission.problem else None
    taken = {held.number for held in stored}
    number = None if submission.attempt in taken else submission.attempt
    record = record_of(submission, assignment)
    return write_attempt(folder, record, data, number=number, files=submission.read_files())[0]


class _Held:
    """A stored attempt; one that is damaged is like no other."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.path = path
        self.record: Record | None = None
        self.at: dt.datetime | None = None
        with contextlib.suppress(RefusedFileError):
            self.record = read_record(path)
            self.at, _ = time_of(path, self.record)


def _held(submission: Submission, stored: Sequence[_Held]) -> _Held | None:
    """Return the stored attempt that a submission is, or is a copy of."""
    same = [h for h in stored if h.record and h.record.source_attempt == submission.attempt]
    copies = [h for h in stored if h.record and h.record.sha256_of_all == submission.sha256]
    if same and same[-1] in copies:
        return same[-1]
    at = submission.submitted_at
    return next(
        (h for h in reversed(copies) if h is stored[-1] or (at is not None and h.at == at)), None
    )


def _learn_time(submission: Submission, held: _Held, zone: dt.tzinfo) -> str:
    at, before = submission.submitted_at, held.at
    if at is None or at == before:
        return ""
    assert held.record is not None  # noqa: S101 - for the type checker
    if held.record.source_attempt != submission.attempt and before is not None and before < at:
        return ""  # a later copy, which is no later hand-in
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    write_time(held.path, at, told_by=submission.time_from, now=now)
    return learnt_time(submission.student, at, before, submission.time_from, zone)


def _from_source(source: Path, assignment: str, config: CollectConfig) -> Collected:
    """Return every submission that one source holds."""
    if is_inbox(source):
        tries = read_tries(
            source,
            assignment=assignment,
            matcher=config.matcher,
            known=config.assignments,
            beside=config.beside,
        )
        return _collected(tries.students, source)
    wanted = partial(_is_wanted, beside=config.beside)
    people = config.matcher.roster.people.values()
    naming = Naming({word for person in people for word in words_of(person.name)})
    if source.is_dir():
        found = _from_folder(source, assignment, config, naming)
    elif not source.is_file():
        raise UsageError(
            "there is no such file or folder",
            where=source,
            hint="A source is a folder, a zip or tar archive, an inbox, or a notebook.",
        )
    elif _is_archive(source):
        members = list(read_archive(source, wanted=wanted, shelf=Shelf(), naming=naming))
        found = _grouped(members, source, assignment, config)
    else:
        alone = students_of([_single_file(source)], assignment=assignment)
        found = _on_roster(_collected(alone, source.parent), config)
    return replace(found, warnings=(*naming.remarks, *found.warnings))


def _from_folder(source: Path, assignment: str, config: CollectConfig, naming: Naming) -> Collected:
    wanted = partial(_is_wanted, beside=config.beside)
    folder = source / assignment if (source / assignment).is_dir() else source
    warnings = _foreign_folders(source, assignment, config)
    if has_layout(folder):
        stored, others = load_stored(folder)
        submissions = [_asked_for(s, config.beside) for s in stored]
        refused = tuple(RefusedHandIn(f"{folder}/{display_name(n)}", why) for n, why in others)
        if (source / _OLD_KEY).exists():
            submissions = [replace(s, submitted_at=None) for s in submissions]
            warnings.append(_OLD_INBOX)
        return _on_roster(Collected(tuple(submissions), refused, tuple(warnings)), config)
    if warnings:
        raise UsageError(
            f"it holds the folders of assignments, and none is {assignment}",
            where=source,
            hint=" ".join(warnings),
        )
    members = list(folder_members(folder, wanted=wanted, shelf=Shelf(), naming=naming))
    return _grouped(members, folder, assignment, config)


def _on_roster(found: Collected, config: CollectConfig) -> Collected:
    submissions, warnings = on_roster(found.submissions, config.matcher)
    return replace(found, submissions=tuple(submissions), warnings=(*found.warnings, *warnings))


def _asked_for(submission: Submission, beside: AcceptedFiles) -> Submission:
    """Leave out what lies beside a stored notebook and is not asked for (any more)."""
    if not submission.files:
        return submission
    taken = beside.of(dict(submission.files), {})
    return replace(
        submission,
        files=taken.files,
        notes=(*submission.notes, *taken.notes),
        unused=(*submission.unused, *taken.unused),
    )


def _foreign_folders(source: Path, assignment: str, config: CollectConfig) -> list[str]:
    """Name what an assignment's folder is and is not asked for: it is no student's."""
    named = []
    for folder in sorted(source.iterdir()):
        if folder.name == assignment or not folder.is_dir() or not has_layout(folder):
            continue
        shown = display_name(folder.name)
        if config.assignments and folder.name not in config.assignments:
            named.append(f"{shown}/ was handed in as an assignment that the course does not have.")
        elif not (source / assignment).is_dir():
            named.append(f"{shown}/ is another assignment's.")
    return named


def _single_file(source: Path) -> Member | RefusedMember:
    try:
        content = on_disk(source.resolve(), limit=MAX_FILE_BYTES)
    except RefusedFileError as error:
        return RefusedMember(display_name(source.name), str(error), path=source.name)
    return Member(source.name, content)


def _is_archive(source: Path) -> bool:
    """By its name, or a zip under a name that is no notebook's (one of those is explained)."""
    if is_opened_archive(source.name) or is_notebook_name(source.name):
        return is_opened_archive(source.name)
    return zipfile.is_zipfile(source)


def _is_wanted(path: str, beside: AcceptedFiles) -> bool:
    return is_notebook_name(path) or is_sidecar(path) or beside.wanted(path)


def _grouped(
    members: Iterable[Member | RefusedMember], source: Path, assignment: str, config: CollectConfig
) -> Collected:
    """Sort what a folder or an archive holds, as the system does that made it."""
    refused: list[RefusedHandIn] = []
    found = _without_other_assignments(members, source, assignment, config, refused)
    grouped = _by_system(found, source, assignment, config)
    return replace(grouped, refused=(*refused, *grouped.refused))


def _without_other_assignments(
    members: Iterable[Member | RefusedMember],
    source: Path,
    assignment: str,
    config: CollectConfig,
    refused: list[RefusedHandIn],
) -> list[Member | RefusedMember]:
    """Leave out folders that are called as another assignment of the course: no student is."""
    others = set(config.assignments) - {assignment} - set(config.matcher.roster.people)
    kept: list[Member | RefusedMember] = []
    left_out = set()
    for member in members:
        top, below, _ = (member.path or "").partition("/")
        if top in others and (below or (isinstance(member, Member) and member.is_folder)):
            left_out.add(top)
        else:
            kept.append(member)
    refused += [
        RefusedHandIn(f"{source}/{t}", "it is another assignment's") for t in sorted(left_out)
    ]
    return kept


def _by_system(
    found: list[Member | RefusedMember], source: Path, assignment: str, config: CollectConfig
) -> Collected:
    made = None if config.system == "folder" else system_that_made(found)
    if made is None and config.system in (None, "folder"):
        plain = students_of(
            found,
            assignment=assignment,
            beside=config.beside,
            is_student=lambda name: known_student(name, config.matcher) is not None,
        )
        return _on_roster(_collected(plain, source), config)
    system, outer = made or (config.system, folder_round_the_class(found))
    if system is None or system == "folder" or config.system not in {None, system}:
        shown = [s if isinstance(s, str) else s.title for s in (system, config.system) if s]
        raise UsageError(
            f"it is made as {' does, not '.join(shown)}",
            where=source,
            hint="Leave --from out, and the names of the files tell.",
        )
    students = submissions_of(found, system, outer=outer, assignment=assignment, config=config)
    return _collected(students, source)


def _collected(students: Students, source: Path) -> Collected:
    refused = tuple(RefusedHandIn(f"{source}/{name}", reason) for name, reason in students.refused)
    submissions = tuple(_with_source(s, source) for s in students.submissions)
    return Collected(submissions, refused, students.warnings)


def _number(
    attempts: Sequence[Submission], limit: int
) -> tuple[list[Submission], list[RefusedHandIn]]:
    """Put a student's attempts in order, number them, and refuse those over the limit."""
    ordered = sorted(attempts, key=lambda s: (s.submitted_at or _EARLIEST, s.attempt))
    numbered: list[Submission] = []
    refused: list[RefusedHandIn] = []
    last = 0
    for submission in _without_copies(ordered):
        last = max(last + 1, submission.attempt)
        if limit and len(numbered) >= limit:
            reason = f"attempt {last} of a limit of {limit}"
            refused.append(RefusedHandIn(f"{submission.student}: {submission.file}", reason))
            continue
        numbered.append(replace(submission, attempt=last))
    return numbered, refused


def _without_copies(ordered: Sequence[Submission]) -> list[Submission]:
    """Leave out what is a copy of the try before it: nothing new was handed in.

    The first keeps its number and its time; where it has no time, it gets the copy's.
    """
    tries: list[Submission] = []
    for submission in ordered:
        if not tries or tries[-1].sha256 != submission.sha256 or submission.problem:
            tries.append(submission)
        elif tries[-1].submitted_at is None:
            at, source = submission.submitted_at, submission.time_from
            tries[-1] = replace(tries[-1], submitted_at=at, time_from=source)
    return tries


def _nothing(sources: Sequence[str], refused: Sequence[RefusedHandIn]) -> UsageError:
    reasons = "; ".join(f"{r.source}: {r.reason}" for r in refused[:3])
    return UsageError(
        "no submission was found",
        where=", ".join(sources) or None,
        hint=reasons or "A source holds STUDENT.ipynb files or STUDENT/ folders with a notebook.",
    )
