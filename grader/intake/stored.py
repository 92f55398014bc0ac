"""How submissions lie on disk, in an inbox and in a course's `submissions/` folder alike.

    ASSIGNMENT/.grader-intake
    ASSIGNMENT/STUDENT/002-20241030T120000Z-1a2b3c4d/notebook.ipynb
                                                     submission.json
                                                     handed-in-001-5e6f7a8b.json

An attempt's folder is made under a hidden name, filled, flushed to disk and then renamed: what
has a final name is whole. Nothing that has a final name is ever written to again: a time that is
learnt later (`handed-in-…`) is a file of its own, of which the newest holds over the record.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from grader.errors import InfrastructureError, UsageError
from grader.intake.accepted_files import Files, Taken, hash_with
from grader.intake.content import RefusedFileError, on_disk, read_regular_file
from grader.intake.names import (
    MAX_NAME,
    UnsafeNameError,
    checked_assignment_name,
    safe_member_path,
    student_id,
)
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.submission import Submission, read_submission, unread_submission
from grader.storage import write_atomically

LAYOUT_MARK = ".grader-intake"
NOTEBOOK_FILE = "notebook.ipynb"
RECORD_FILE = "submission.json"
FILES_FOLDER = "files"

_ATTEMPT_FOLDER = re.compile(r"(\d{3,9})-(?:\d{8}T\d{6}Z|undated)-([0-9a-f]{8})")
_HAND_IN = re.compile(r"handed-in-(\d{3,9})-[0-9a-f]{8}\.json")
_CLAIM = re.compile(r"\.(\d{3,9})")
_MAX_RECORD_BYTES = 2**20

Text = Annotated[str, msgspec.Meta(max_length=5000)]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`submission.json`: what is known of one attempt."""

    format: Literal["grader-submission 1"] = "grader-submission 1"
    assignment: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    student: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    display_name: Text
    file: Text
    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    attempt: Annotated[int, msgspec.Meta(ge=1)]
    submitted_at: Annotated[dt.datetime, msgspec.Meta(tz=True)] | None
    source_attempt: Annotated[int, msgspec.Meta(ge=1)]
    problem: Text = ""
    repairs: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    files: dict[str, str] = {}
    unused: tuple[Text, ...] = ()
    notebook: Annotated[str, msgspec.Meta(max_length=MAX_NAME)] | msgspec.UnsetType = msgspec.UNSET

    @property
    def sha256_of_all(self) -> str:
        """Of the notebook and of `files`, which lie beside it (path: SHA-256)."""
        return hash_with(self.sha256, self.files.items(), notebook=self.notebook or "")

    @property
    def folder_name(self) -> str:
        """The name of the attempt's folder: number, time in UTC, start of the hash."""
        at = self.submitted_at
        when = f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}" if at else "undated"
        return f"{self.attempt:03}-{when}-{self.sha256[:8]}"


class KeptTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`handed-in-….json`: when an attempt was handed in, as it was learnt after it was stored."""

    format: Literal["grader-hand-in 1"] = "grader-hand-in 1"
    submitted_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    told_by: Text = ""
    learnt_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]


def record_of(submission: Submission, assignment: str) -> Record:
    """Return what is recorded of a submission."""
    return Record(
        assignment=assignment,
        student=submission.student,
        display_name=submission.display_name[:1000],
        file=submission.file[:1000],
        size=submission.content.size,
        sha256=submission.content.sha256,
        attempt=submission.attempt,
        submitted_at=submission.submitted_at,
        source_attempt=submission.attempt,
        problem=submission.problem[:5000],
        repairs=submission.repairs[:100],
        notes=tuple(note[:5000] for note in submission.notes[:100]),
        files={name: content.sha256 for name, content in submission.files},
        unused=tuple(name[:1000] for name in submission.unused[:100]),
        notebook=submission.notebook or msgspec.UNSET,
    )


def assignment_folder(root: Path, assignment: str) -> Path:
    """Return the marked folder of an assignment, made if it is not there.

    The mark tells this layout from a folder that merely looks like it, which a student could
    hand in to invent times and attempts.
    """
    folder = root / checked_assignment_name(assignment)
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LAYOUT_MARK).touch()
    return folder


def has_layout(folder: Path) -> bool:
    """Say whether a folder is an assignment's, as written here."""
    return (folder / LAYOUT_MARK).is_file()


def tries_used(student: Path, costless: Collection[int] = (), *, claim: int = 0) -> int:
    """Return how many of the tries that are allowed a student has used, however they came in.

    Args:
        student: the folder of their attempts.
        costless: numbers of attempts that cost none.
        claim: an attempt that is being written: those that are too, and came before it, count.
    """
    if not student.is_dir() or student.is_symlink():
        return 0
    written = set(attempts_in(student))
    before = {number for number in _numbers(student) if number < claim}
    return len((written | before) - set(costless) - {claim})


def write_attempt(
    folder: Path,
    record: Record,
    data: bytes | None,
    *,
    number: int | None = None,
    limit: int = 0,
    costless: Collection[int] = (),
    files: Mapping[str, bytes] | None = None,
) -> tuple[Path, Record]:
    """Write one attempt and return its folder and its record with the number it got.

    Two processes at once get different numbers: a number is claimed by making a hidden folder,
    which only one of them can, and which then becomes the attempt.

    Args:
        folder: the assignment's.
        record: its `attempt` is replaced by the number.
        data: the notebook; None where there is none.
        files: what lies beside it, by its path there; their names are safe.
        number: the number wanted; the next one if it is taken, or not given.
        limit: so many attempts are allowed; 0 for any number.
        costless: numbers of the student's attempts that are none of those.

    Raises:
        UsageError: the limit is reached.
        InfrastructureError: the disk refuses.
    """
    student = folder / record.student
    with _disk(student):
        if student.is_symlink():
            raise InfrastructureError("a student's folder must not be a link", where=student)
        student.mkdir(exist_ok=True)
        claimed, claim = _claim(student, number)
        try:
            if limit and tries_used(student, costless, claim=claimed) >= limit:
                raise UsageError(
                    f"all {limit} attempts at {record.assignment} were used",
                    where=record.student,
                    hint="The assignment allows no more; ask the course staff.",
                )
            final = msgspec.structs.replace(record, attempt=claimed)
            if data is not None:
                _write(claim / NOTEBOOK_FILE, data)
            for name, content in (files or {}).items():
                _write_beside(claim / FILES_FOLDER, name, content)
            text = msgspec.json.format(msgspec.json.encode(final), indent=2) + b"\n"
            _write(claim / RECORD_FILE, text)
            _flush_folder(claim)
            attempt = student / final.folder_name
            claim.rename(attempt)
        except BaseException:
            shutil.rmtree(claim, ignore_errors=True)
            raise
        _flush_folder(student)
    return attempt, final


def write_time(attempt: Path, at: dt.datetime, *, told_by: str, now: dt.datetime) -> None:
    """Keep another hand-in time of a stored attempt, beside what was known.

    Raises:
        InfrastructureError: the disk refuses.
    """
    told = KeptTime(submitted_at=at, told_by=told_by[:1000], learnt_at=now)
    data = msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
    number = 1 + max(_times(attempt), default=(0, attempt))[0]
    name = f"handed-in-{number:03}-{hashlib.sha256(data).hexdigest()[:8]}.json"
    with _disk(attempt):
        write_atomically(attempt / name, data, flush=True)
        _flush_folder(attempt)


def time_of(attempt: Path, record: Record) -> tuple[dt.datetime | None, str]:
    """Return when a stored attempt was handed in, and what told it, if that was learnt later.

    Raises:
        RefusedFileError: a file is damaged.
    """
    newest = max(_times(attempt), default=None)
    if newest is None:
        return record.submitted_at, ""
    text = read_regular_file(newest[1], limit=_MAX_RECORD_BYTES)
    try:
        told = msgspec.json.decode(text, type=KeptTime)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RefusedFileError("its time is damaged") from error
    return told.submitted_at, told.told_by


def _times(attempt: Path) -> list[tuple[int, Path]]:
    found = ((_HAND_IN.fullmatch(entry.name), entry) for entry in attempt.iterdir())
    return [(int(match[1]), entry) for match, entry in found if match]


def attempts_in(student: Path) -> dict[int, Path]:
    """Return the finished attempts of a student by number."""
    found = {}
    for entry in sorted(student.iterdir()):
        match = _ATTEMPT_FOLDER.fullmatch(entry.name)
        if match and entry.is_dir() and not entry.is_symlink():
            found[int(match[1])] = entry
    return found


def load_stored(folder: Path) -> tuple[list[Submission], list[tuple[str, str]]]:
    """Read an assignment's folder back: every attempt, and (name, reason) of what is none.

    Each attempt's notebook is compared with its recorded hash; one that was changed afterwards,
    or whose record is damaged, becomes a submission with a problem.
    """
    submissions: list[Submission] = []
    refused: list[tuple[str, str]] = []
    for student in sorted(folder.iterdir()):
        if student.name.startswith("."):
            continue
        if student.is_symlink() or not student.is_dir():
            refused.append((student.name, "it is no student's folder"))
            continue
        attempts = attempts_in(student)
        submissions += [load_attempt(path, number) for number, path in sorted(attempts.items())]
        refused += [
            (f"{student.name}/{other.name}", "it is no attempt")
            for other in sorted(student.iterdir())
            if other not in attempts.values() and not other.name.startswith(".")
        ]
    return submissions, refused


def load_attempt(path: Path, number: int) -> Submission:
    """Read one attempt back; what is wrong with it becomes its problem."""
    student = student_id(path.parent.name)
    try:
        record = read_record(path)
        if (record.student, record.attempt) != (path.parent.name, number):
            raise RefusedFileError("its record is that of another attempt")
        submitted_at, time_from = time_of(path, record)
        if not (path / NOTEBOOK_FILE).exists() and record.problem:
            return unread_submission(
                record.problem,
                student=student,
                file=record.file,
                submitted_at=submitted_at,
                attempt=number,
                display_name=record.display_name,
            )
        submission = read_submission(
            on_disk(path / NOTEBOOK_FILE, limit=MAX_FILE_BYTES),
            student=student,
            file=record.file,
            submitted_at=submitted_at,
            attempt=number,
            display_name=record.display_name,
            notes=record.notes,
            beside=Taken(_files(path, record), unused=record.unused),
            notebook=record.notebook or "",
        )
        if submission.content.sha256 != record.sha256:
            raise RefusedFileError("the notebook is not the one that was recorded")
    except RefusedFileError as error:
        problem = f"The stored submission {path.name} was damaged or changed: {error}."
        return unread_submission(problem, student=student, attempt=number)
    return replace(submission, time_from=time_from)


def _files(path: Path, record: Record) -> Files:
    found = []
    for name, sha256 in record.files.items():
        try:
            content = on_disk(path / FILES_FOLDER / safe_member_path(name), limit=MAX_FILE_BYTES)
        except UnsafeNameError as error:
            raise RefusedFileError("its record names a file elsewhere") from error
        if content.sha256 != sha256:
            raise RefusedFileError(f"{name} is not the one that was recorded")
        found.append((name, content))
    return tuple(found)


def read_record(path: Path) -> Record:
    """Read an attempt's record. Raises RefusedFileError: it is damaged."""
    text = read_regular_file(path / RECORD_FILE, limit=_MAX_RECORD_BYTES)
    try:
        return msgspec.json.decode(text, type=Record)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RefusedFileError("its record is damaged") from error


def _claim(student: Path, wanted: int | None) -> tuple[int, Path]:
    """Make the hidden folder of a number that nobody has, and return both."""
    number = wanted or 1 + max(_numbers(student), default=0)
    while True:
        claim = student / f".{number:03}"
        try:
            claim.mkdir()
        except FileExistsError:
            number = 1 + max([number, *_numbers(student)])
            continue
        # Between the look and the mkdir the other process may have finished with this number.
        if number not in attempts_in(student):
            return number, claim
        claim.rmdir()
        number = 1 + max(_numbers(student))


def _numbers(student: Path) -> list[int]:
    names = [entry.name for entry in student.iterdir()]
    matches = [_ATTEMPT_FOLDER.fullmatch(n) or _CLAIM.fullmatch(n) for n in names]
    return [int(match[1]) for match in matches if match]


def _write_beside(folder: Path, name: str, data: bytes) -> None:
    path = folder / safe_member_path(name)  # `intake.accepted_files` takes no other
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, data)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make names durable, where the system can flush a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InfrastructureError(
            f"the submission could not be stored ({error.strerror})",
            where=where,
            hint="Nothing was kept. See whether the disk is full or the folder read-only.",
        ) from error
