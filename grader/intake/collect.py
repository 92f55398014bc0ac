"""From what came in, in whatever shape, to clean submissions: nothing lost, nothing trusted."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from grader.errors import UsageError
from grader.intake.archive import is_opened_archive, read_archive
from grader.intake.choice import is_notebook_name
from grader.intake.content import RefusedFileError, Shelf, on_disk
from grader.intake.folder import folder_members
from grader.intake.lms.archives import (
    Setting,
    folder_round_the_class,
    submissions_of,
    system_that_made,
)
from grader.intake.lms.sidecars import is_sidecar
from grader.intake.members import Member, RefusedMember
from grader.intake.names import display_name, look_alikes
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.stored import (
    assignment_folder,
    attempts_in,
    has_layout,
    load_stored,
    read_record,
    record_of,
    write_attempt,
)
from grader.intake.students import Students, students_of
from grader.intake.submission import Submission

__all__ = ["Collected", "Refused", "collect", "load_stored", "store"]

_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Refused:
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
    refused: tuple[Refused, ...] = ()
    warnings: tuple[str, ...] = ()
    assignment: str = ""


def collect(
    sources: Iterable[Path],
    *,
    assignment: str,
    counts: Literal["last", "best"] = "last",
    limit: int = 0,
    setting: Setting | None = None,
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
    refused: list[Refused] = []
    warnings: list[str] = []
    looked_at = []
    for source in sources:
        looked_at.append(str(source))
        found = _from_source(source, assignment, setting or Setting())
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


def store(collected: Collected, destination: Path) -> tuple[Path, ...]:
    """Write submissions to ``destination/ASSIGNMENT/STUDENT/…`` and return their folders.

    Done twice, it changes nothing. A file that differs from the one stored under the same attempt
    (as when a folder was updated) is stored as a further attempt; nothing is overwritten.

    Raises:
        InfrastructureError: the disk refuses.
    """
    folder = assignment_folder(destination, collected.assignment)
    return tuple(_store(submission, folder, collected) for submission in collected.submissions)


def _store(submission: Submission, folder: Path, collected: Collected) -> Path:
    record = record_of(submission, collected.assignment)
    student = folder / submission.student
    stored = attempts_in(student) if student.is_dir() and not student.is_symlink() else {}
    same = [p for p in stored.values() if _source_attempt(p) == submission.attempt]
    if same and read_record(same[-1]).sha256 == submission.sha256:
        return same[-1]
    data = submission.read() if submission.content.size or not submission.problem else None
    number = None if submission.attempt in stored else submission.attempt
    return write_attempt(folder, record, data, number=number)[0]


def _source_attempt(path: Path) -> int | None:
    try:
        return read_record(path).source_attempt
    except RefusedFileError:
        return None


def _from_source(source: Path, assignment: str, setting: Setting) -> Collected:
    """Return every submission that one source holds."""
    if source.is_dir():
        folder = source / assignment if (source / assignment).is_dir() else source
        if has_layout(folder):
            submissions, others = load_stored(folder)
            refused = tuple(Refused(f"{folder}/{display_name(n)}", why) for n, why in others)
            return Collected(tuple(submissions), refused)
        members = folder_members(folder, wanted=_is_wanted, shelf=Shelf())
        return _grouped(members, folder, assignment, setting)
    if not source.is_file():
        raise UsageError(
            "there is no such file or folder",
            where=source,
            hint="A source is a folder, a zip or tar archive, an inbox, or a notebook.",
        )
    if _is_archive(source):
        members = read_archive(source, wanted=_is_wanted, shelf=Shelf())
        return _grouped(members, source, assignment, setting)
    alone = students_of([_single_file(source)], assignment=assignment)
    return _collected(alone, source.parent)


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


def _is_wanted(path: str) -> bool:
    return is_notebook_name(path) or is_sidecar(path)


def _grouped(
    members: Iterable[Member | RefusedMember], source: Path, assignment: str, setting: Setting
) -> Collected:
    """Sort what a folder or an archive holds, as the system does that made it."""
    found = list(members)
    if setting.system == "folder":
        return _collected(students_of(found, assignment=assignment), source)
    made = system_that_made(found)
    if made is None and setting.system is None:
        return _collected(students_of(found, assignment=assignment), source)
    system, outer = made or (setting.system, folder_round_the_class(found))
    if system is None or setting.system not in {None, system}:
        named = str(setting.system).capitalize()
        raise UsageError(
            f"it is made as {str(system).capitalize()} does, not {named}",
            where=source,
            hint="Leave --from out, and the names of the files tell.",
        )
    students = submissions_of(found, system, outer=outer, assignment=assignment, setting=setting)
    return _collected(students, source)


def _collected(students: Students, source: Path) -> Collected:
    refused = tuple(Refused(f"{source}/{name}", reason) for name, reason in students.refused)
    return Collected(students.submissions, refused, students.warnings)


def _number(attempts: Sequence[Submission], limit: int) -> tuple[list[Submission], list[Refused]]:
    """Put a student's attempts in order, number them, and refuse those over the limit."""
    ordered = sorted(attempts, key=lambda s: (s.submitted_at or _EARLIEST, s.attempt))
    numbered: list[Submission] = []
    refused: list[Refused] = []
    last = 0
    for submission in ordered:
        last = max(last + 1, submission.attempt)
        if limit and len(numbered) >= limit:
            reason = f"attempt {last} of a limit of {limit}"
            refused.append(Refused(f"{submission.student}: {submission.file}", reason))
            continue
        numbered.append(replace(submission, attempt=last, earlier_attempts=len(numbered)))
    return numbered, refused


def _nothing(sources: Sequence[str], refused: Sequence[Refused]) -> UsageError:
    reasons = "; ".join(f"{r.source}: {r.reason}" for r in refused[:3])
    return UsageError(
        "no submission was found",
        where=", ".join(sources) or None,
        hint=reasons or "A source holds STUDENT.ipynb files or STUDENT/ folders with a notebook.",
    )
