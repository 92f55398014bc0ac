"""Take in what a student hands in through the desk: look at it, keep it, put it into the queue."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from grader.api.handing_in import class_due, intake_config
from grader.course.directory import Assignment, Course
from grader.errors import InfrastructureError, SubmissionError, UsageError
from grader.gradebook.database import together
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTries, DeskTry, TryState, locked_row
from grader.grading.fresh_seed import fresh_seed
from grader.intake.accepted_files import beside_of
from grader.intake.advice import advice
from grader.intake.collect import collect
from grader.intake.notebook_in import notebook_in
from grader.intake.stored import (
    assignment_folder,
    attempts_in,
    read_record,
    record_of,
    tries_used,
    write_attempt,
)
from grader.intake.submission import Submission
from grader.suite.lookahead import look_ahead


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What can be said of files before they are handed in, without running them.

    Attributes:
        submission: as it would be handed in.
        problem: why it can't be; empty where it can.
        warnings: what will not run where it is graded, and what is not taken.
    """

    submission: Submission
    problem: str
    warnings: tuple[str, ...]


def look_at(course: Course, assignment: Assignment, student: str, folder: Path) -> Looked:
    """Look at uploaded files.

    Args:
        course, assignment: of these.
        student: whose they are.
        folder: holds one folder or archive with the student's name, and nothing else.

    Raises:
        UsageError: there is nothing in it that can be read as a hand-in.
    """
    config = intake_config(course, system="folder", beside=beside_of(assignment))
    collected = collect([folder], assignment=assignment.name, config=config)
    own = [s for s in collected.submissions if s.student == student]
    if len(own) != 1:
        why = "; ".join(r.reason for r in collected.refused) or "no notebook is among the files"
        raise UsageError(why, hint="Hand in the notebook itself, the .ipynb file.")
    submission = own[0]
    if submission.problem:
        return Looked(submission=submission, problem=submission.problem, warnings=submission.notes)
    return Looked(
        submission=submission,
        problem="",
        warnings=(*_advice(submission, assignment), *submission.notes),
    )


def _advice(submission: Submission, assignment: Assignment) -> tuple[str, ...]:
    beside = [*(name for name, _ in submission.files), *submission.unused]
    said: list[str] = []
    for name, content in submission.notebooks().items():
        file = f"{name}.ipynb" if name else submission.file
        try:
            notebook = notebook_in(content, name=file)
        except SubmissionError:  # its problem, or a note, says so
            continue
        own = [
            *advice(
                notebook, file=file, size=content.size, assignment=assignment.name, called=name
            ),
            *look_ahead(notebook.sources, assignment.spec, beside=beside),
        ]
        said += [f"{file}: {sentence}" for sentence in own] if name else own
    return tuple(said)


def hand_in(
    course: Course,
    gradebook: Gradebook,
    assignment: Assignment,
    looked: Looked,
    *,
    key: str,
    by: str,
    now: dt.datetime,
    team: Collection[str] = (),
    beside: Callable[[DeskTry], None] | None = None,
) -> DeskTry:
    """Keep a hand-in and put it into the queue; when this returns, it can't be lost.

    A `key` that was used before is the same form sent twice: the try that came of it is returned.
    The tries of the `team` with whom the student hands in count towards the limit, too.
    `beside` writes more, in the transaction that puts a new one into the queue.

    Raises:
        UsageError: all attempts are used, or there is a problem with the file.
        InfrastructureError: the disk refuses; nothing was acknowledged.
    """
    if looked.problem:
        raise UsageError(looked.problem)
    submission = looked.submission
    tries = gradebook.tries
    receive = partial(
        tries.receive,
        key,
        assignment=assignment.name,
        student=submission.student,
        file=submission.file[:1000],
        received_from=by,
        seed=fresh_seed(),
        now=now,
    )
    found, new = receive()
    if not new:
        return _stored_by_another(tries, found, key)
    due = class_due(course, assignment)
    with _forgotten_on_failure(gradebook, found.id):
        limit = assignment.spec.attempts.limit
        others = _used(course, gradebook, assignment, team) if limit else 0
        if limit and others >= limit:
            raise UsageError(
                f"all {limit} attempts at {assignment.name} were used by the group",
                hint="The assignment allows no more; ask the course staff.",
            )
        timed = _timed(submission, now)
        folder, record = write_attempt(
            assignment_folder(course.submissions_dir, assignment.name),
            record_of(timed, assignment.name),
            timed.read(),
            files=timed.read_files(),
            limit=limit and limit - others,
            costless=_costless(tries, assignment, submission.student),
        )
    return _into_queue(
        gradebook,
        found.id,
        beside,
        again=receive,
        attempt=record.attempt,
        sha256=record.sha256_of_all,
        folder=str(folder.relative_to(course.submissions_dir)),
        # What came in time is run, too: of later ones none may be accepted.
        supersedes=assignment.spec.attempts.counts == "last"
        and not (due is not None and now > due),
    )


def _into_queue(
    gradebook: Gradebook,
    number: int,
    beside: Callable[[DeskTry], None] | None,
    *,
    again: Callable[[], tuple[DeskTry, bool]] | None = None,
    **stored: Any,
) -> DeskTry:
    """Put a stored try into the queue, and what is told of it beside it, once.

    Where storing took so long that it was taken for broken off, its row is gone: `again` makes one.
    """
    with together(gradebook.engine) as session:
        if again is not None and gradebook.tries.get(number) is None:
            number = again()[0].id
        new = locked_row(session, number).state == TryState.RECEIVING
        one = gradebook.tries.stored(number, **stored)
        if new and beside is not None:
            beside(one)
    return one


def _stored_by_another(tries: DeskTries, found: DeskTry, key: str) -> DeskTry:
    """The try of a form that was sent before, once it is acknowledged: another may be storing it.

    Raises:
        InfrastructureError: that failed, or was broken off.
    """
    until = time.monotonic() + _SAME_FORM_S
    now: DeskTry | None = found
    while now is not None and now.state is TryState.RECEIVING:
        if time.monotonic() > until:
            raise InfrastructureError(
                "the same files are being stored, or that was broken off",
                hint="Look at your tries in a few minutes: what was received whole is there then.",
            )
        time.sleep(0.05)
        now = tries.by_key(key)
    if now is None:
        raise InfrastructureError("the files could not be stored", hint="Hand in again.")
    return now


def _timed(submission: Submission, now: dt.datetime) -> Submission:
    return replace(submission, submitted_at=now)


@contextmanager
def _forgotten_on_failure(gradebook: Gradebook, number: int) -> Iterator[None]:
    try:
        yield
    except (UsageError, InfrastructureError):
        gradebook.tries.forget(number)
        raise


BROKEN_OFF = dt.timedelta(minutes=2)
"""To store a hand-in takes less; one that is older was broken off."""
_SAME_FORM_S = 10.0


def settle_broken_off(
    course: Course,
    gradebook: Gradebook,
    *,
    older_than: dt.timedelta,
    beside: Callable[[DeskTry], None],
) -> int:
    """Look after hand-ins whose taking in was broken off; return how many were kept.

    What is whole on disk goes into the queue, with what `beside` writes; of the rest nothing was
    acknowledged. Younger ones may still be on their way: storing takes less than `older_than`.
    """
    kept = 0
    before = dt.datetime.now(dt.UTC) - older_than
    for one in gradebook.tries.receiving():
        if one.received_at > before:
            continue
        found = _stored_at(course, one)
        if found is None:
            gradebook.tries.forget(one.id)
            continue
        number, folder, sha256 = found
        _into_queue(gradebook, one.id, beside, attempt=number, sha256=sha256, folder=folder)
        kept += 1
    return kept


def _stored_at(course: Course, one: DeskTry) -> tuple[int, str, str] | None:
    """The attempt that was stored for a try: the one with its time to which no other try leads."""
    student = course.submissions_dir / one.assignment / one.student
    if not student.is_dir():
        return None
    for number, path in sorted(attempts_in(student).items(), reverse=True):
        record = read_record(path)
        if record.submitted_at == one.received_at and record.file == one.file:
            folder = str(path.relative_to(course.submissions_dir))
            return number, folder, record.sha256_of_all
    return None


def tries_left(
    assignment: Assignment,
    course: Course,
    gradebook: Gradebook,
    student: str,
    team: Collection[str] = (),
) -> int | None:
    """Return how many attempts a student has left; None: any number.

    A group has as many as one student: those of the `team` with whom they hand in count, too.
    """
    limit = assignment.spec.attempts.limit
    if not limit:
        return None
    return max(limit - _used(course, gradebook, assignment, {student, *team}), 0)


def _used(
    course: Course, gradebook: Gradebook, assignment: Assignment, students: Collection[str]
) -> int:
    folder, tries = course.submissions_dir / assignment.name, gradebook.tries
    return sum(tries_used(folder / s, _costless(tries, assignment, s)) for s in students)


def _costless(tries: DeskTries, assignment: Assignment, student: str) -> set[int]:
    return {number for _, number in tries.costless(assignment.name, student)}
