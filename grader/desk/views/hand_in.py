"""Hand in: look at the files first, then let the student say that they count."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.responses import Response

from grader.api.receiving import Looked, hand_in, look_at
from grader.course.directory import Assignment
from grader.desk.forms import form_key
from grader.desk.letters import News, notify
from grader.desk.may import Action, Thing
from grader.desk.people import Role
from grader.desk.rendering import go, json_answer, page, wants_json
from grader.desk.routing import Page, Visit
from grader.desk.uploads import Upload, UploadRecord, find_upload, forget_old, keep_upload
from grader.desk.views.course import assignment_of, tries_left_of
from grader.desk.views.tries import try_json
from grader.errors import GraderError, UsageError
from grader.gradebook.tries import DeskTry, TryState


def upload(visit: Visit) -> Response:
    """Take files, and say what there is to say before they count.

    Where there is nothing to say, they are handed in at once; so too where the form says that the
    student is sure, as a program's does.
    """
    assignment = assignment_of(visit)
    student = _student(visit)
    done = _sent_before(visit, student, _key(visit))
    if done is not None:
        return _acknowledge(visit, done, before=True)
    _refuse_used_up(visit, assignment, student)
    forget_old(visit.desk.uploads)
    kept = keep_upload(
        visit.desk.uploads,
        UploadRecord(
            account=visit.me.account,
            course=visit.course.slug,
            assignment=assignment.name,
            student=student,
            key=_key(visit),
            at=visit.now,
        ),
        _files(visit),
        max_bytes=visit.desk.max_upload_mb << 20,
    )
    try:
        looked = look_at(visit.course.course, assignment, student, kept.files)
    except UsageError:
        kept.forget()
        raise
    if looked.problem:
        kept.forget()
        raise UsageError(
            looked.problem, hint="Nothing was handed in. Mend the file, then hand it in again."
        )
    if looked.warnings and not visit.said("sure"):
        if wants_json(visit):
            asked = {"warnings": looked.warnings, "upload": kept.name, "key": kept.record.key}
            return json_answer(asked)
        # Led to a page of its own, nobody sends the files anew by reloading it or going back to it.
        return go(f"{_address(visit)}/confirm?upload={kept.name}")
    try:
        return _hand_in(visit, assignment, kept, looked)
    except GraderError:
        kept.forget()
        raise


def ask(visit: Visit) -> Response:
    """Say what there is to say of files that were uploaded, before they count."""
    assignment = assignment_of(visit)
    kept = _kept(visit)
    if kept is None:
        raise UsageError(
            "these files do not wait here any more",
            hint="They were handed in, or an hour has passed. The assignment's page lists what "
            "was handed in.",
        )
    looked = look_at(visit.course.course, assignment, kept.record.student, kept.files)
    return page(visit, "confirm", looked=looked, upload=kept, assignment=assignment)


def confirm(visit: Visit) -> Response:
    """Hand in files that were looked at."""
    assignment = assignment_of(visit)
    kept = _kept(visit)
    if kept is None:
        done = _sent_before(visit, _student(visit), visit.said("key", 64))
        if done is not None:
            return _acknowledge(visit, done, before=True)
        raise UsageError("the files are not here any more", hint="Choose them again.")
    looked = look_at(visit.course.course, assignment, kept.record.student, kept.files)
    return _hand_in(visit, assignment, kept, looked)


def _hand_in(visit: Visit, assignment: Assignment, kept: Upload, looked: Looked) -> Response:
    one = hand_in(
        visit.course.course,
        visit.course.gradebook,
        assignment,
        looked,
        key=kept.record.key,
        by=visit.me.person,
        now=visit.now,
        team=visit.course.team(assignment.name, looked.submission.student),
        beside=lambda one: _tell(visit, assignment, one),
    )
    kept.forget()
    return _acknowledge(visit, one)


def _kept(visit: Visit) -> Upload | None:
    """Return files of the visitor's own for this assignment that wait to be handed in, or None."""
    kept = find_upload(visit.desk.uploads, visit.asked("upload", 60), account=visit.me.account)
    if kept is None or (kept.record.course, kept.record.assignment) != (
        visit.course.slug,
        visit.named("assignment"),
    ):
        return None
    return kept


def _sent_before(visit: Visit, student: str, key: str) -> DeskTry | None:
    """What came of the same form, sent before: a double click counts once, also as the last try."""
    done = visit.course.gradebook.tries.by_key(key)
    if done is None or (done.student, done.assignment) != (student, visit.named("assignment")):
        return None
    return None if done.state is TryState.RECEIVING else done


def _acknowledge(visit: Visit, one: DeskTry, *, before: bool = False) -> Response:
    if wants_json(visit):
        return json_answer({**try_json(visit, one), "sent_before": before}, 200 if before else 201)
    return go(f"/c/{visit.course.slug}/t/{one.id}")


def _tell(visit: Visit, assignment: Assignment, one: DeskTry) -> None:
    """Write the line, and the receipt into the outbox, where mail is to have one."""
    visit.course.audit.hand_in(one, course=visit.course.slug, now=visit.now)
    mail = visit.desk.settings.file.mail
    if mail is None or not mail.receipts:
        return
    notify(
        visit.course,
        News.RECEIPT,
        [one.student],
        about=str(one.id),
        page=f"/c/{visit.course.slug}/t/{one.id}",
        now=visit.now,
        assignment=assignment.spec.title,
        attempt=str(one.attempt),
        file=one.file,
        received=f"{one.received_at.astimezone(visit.course.zone):%-d %B %Y, %H:%M:%S %z}",
        sha256=one.sha256,
    )


def _student(visit: Visit) -> str:
    """Whose it is: one's own; staff may hand in for a student who can't."""
    named = visit.said("student", 200)
    if visit.me.role is Role.STUDENT or not named:
        return visit.me.person
    if named not in visit.course.roster.people:
        raise UsageError(f"there is no student {named!r} on the roster")
    return named


def _for_student(visit: Visit) -> Thing:
    """The work of the one it is handed in for."""
    assignment_of(visit)
    student = _student(visit)
    return Thing(student=student, section=visit.course.section_of(student))


def _address(visit: Visit) -> str:
    return f"/c/{visit.course.slug}/a/{visit.named('assignment')}"


def _refuse_used_up(visit: Visit, assignment: Assignment, student: str) -> None:
    if tries_left_of(visit, assignment, student) == 0:
        limit = assignment.spec.attempts.limit
        raise UsageError(
            f"all {limit} tries are used" if limit != 1 else "the one try is used",
            hint="The assignment allows no more; ask the course staff.",
        )


def _key(visit: Visit) -> str:
    return form_key(visit.said("key", 64), visit.me.account, visit.named("assignment"))


def _files(visit: Visit) -> list[tuple[str, BinaryIO]]:
    found = [f for f in visit.form.getlist("files") if isinstance(f, UploadFile)]
    return [(Path(f.filename or "").name, f.file) for f in found]


PAGES = [
    Page(
        method="POST",
        path="/c/{course}/a/{assignment}/hand-in",
        view=upload,
        action=Action.HAND_IN,
        thing=_for_student,
    ),
    Page(
        method="GET",
        path="/c/{course}/a/{assignment}/confirm",
        view=ask,
        action=Action.HAND_IN,
        thing=_for_student,
    ),
    Page(
        method="POST",
        path="/c/{course}/a/{assignment}/confirm",
        view=confirm,
        action=Action.HAND_IN,
        thing=_for_student,
    ),
]
