"""Where submissions are kept: each attempt once, with the hand-in time that is known of it."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.intake.collected import Collected, RefusedHandIn
from grader.intake.content import RefusedFileError
from grader.intake.hand_in_times import learnt_time
from grader.intake.stored import (
    Record,
    assignment_folder,
    attempts_in,
    read_record,
    record_of,
    time_of,
    tries_used,
    write_attempt,
    write_time,
)
from grader.intake.submission import Submission


@dataclass(frozen=True)
class Stored:
    """Where submissions lie, in their order.

    `submissions` have the hand-in times that are known by now; `times` are sentences on those
    that were learnt of attempts that had been stored before. `refused` are tries over the limit.
    """

    folders: tuple[Path, ...]
    submissions: tuple[Submission, ...]
    times: tuple[str, ...] = ()
    refused: tuple[RefusedHandIn, ...] = ()


def store(
    collected: Collected,
    destination: Path,
    *,
    zone: dt.tzinfo = dt.UTC,
    limit: int = 0,
    costless: Collection[tuple[str, int]] = (),
) -> Stored:
    """Write submissions to ``destination/ASSIGNMENT/STUDENT/…``.

    Done twice, it changes nothing. A file that differs from the one stored under the same attempt
    (as when a folder was updated) is stored as a further attempt; nothing is overwritten. A copy
    of what is stored is no further attempt; if it tells another time, that is kept as a new fact,
    and said in the time of `zone`.

    Of each student no more than `limit` attempts are stored, whichever way they came in, beside
    those that are `costless` (student and attempt); 0 for any number. The rest is refused.

    Raises:
        InfrastructureError: the disk refuses.
    """
    folder = assignment_folder(destination, collected.assignment)
    folders: list[Path] = []
    submissions: list[Submission] = []
    times: list[str] = []
    refused: list[RefusedHandIn] = []
    for submission in collected.submissions:
        stored = _stored(submission, folder)
        held = _held(submission, stored)
        if held is None:
            free = {number for student, number in costless if student == submission.student}
            if limit and tries_used(folder / submission.student, free) >= limit:
                source = f"{submission.student}: {submission.file}"
                refused.append(RefusedHandIn(source, f"all {limit} tries were used before"))
                continue
            folders.append(_write(submission, folder, collected.assignment, stored))
            submissions.append(submission)
            continue
        folders.append(held.path)
        submissions.append(replace(submission, submitted_at=submission.submitted_at or held.at))
        if said := _learn_time(submission, held, zone):
            times.append(said)
    return Stored(tuple(folders), tuple(submissions), tuple(times), tuple(refused))


def with_known_time(submission: Submission, folder: Path) -> Submission:
    """Return a submission with the time that is kept beside it where it is stored."""
    try:
        at, told_by = time_of(folder, read_record(folder))
    except RefusedFileError:
        return submission
    return replace(submission, submitted_at=at, time_from=told_by or submission.time_from)


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
