"""What a visitor may do about appeals: ask while there is time, answer, change the marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from grader.api.appealing import AppealedPart, change_marks, open_until, parts_of
from grader.api.own_work import OwnWork
from grader.course.directory import Assignment
from grader.course.policy import AppealRules
from grader.course.spec import Question
from grader.desk.forms import points_in
from grader.desk.may import Action, Thing, may
from grader.desk.people import Role, User
from grader.desk.reading import published_marks, reader
from grader.desk.routing import Visit, whole_number
from grader.errors import UsageError
from grader.gradebook.appeals import Appeal, AppealChange, Appeals
from grader.gradebook.hand_marks import Fact, HandMark, Kind


def appeals_of(visit: Visit) -> Appeals:
    """Return the appeals of the course."""
    return Appeals(visit.course.gradebook.engine)


def students_seen(visit: Visit) -> list[str] | None:
    """Return whose appeals a visitor of the staff may answer: a section's; None: everybody's."""
    if not visit.me.section:
        return None
    people = visit.course.roster.people.values()
    return [person.id for person in people if person.section == visit.me.section]


def rules_of(visit: Visit) -> AppealRules:
    """Return the course's rules.

    Raises:
        UsageError: it has none, and takes no appeals.
    """
    scheme = visit.course.scheme()
    if scheme is None or scheme.appeals is None:
        raise UsageError(
            "this course takes no appeals at the desk", hint="Speak with the course staff."
        )
    return scheme.appeals


def appealable(visit: Visit, assignment: Assignment, work: OwnWork) -> dict[str, dt.datetime]:
    """Return until when each question of one's own can be appealed about."""
    scheme = visit.course.scheme()
    if scheme is None or scheme.appeals is None or visit.me.role is not Role.STUDENT:
        return {}
    return open_until(
        work,
        rules=scheme.appeals,
        history=visit.course.publications.history(assignment.name),
        shown=shown_of(visit, assignment),
        now=visit.now,
    )


def own_appeals(visit: Visit, assignment: Assignment) -> dict[str, Appeal]:
    """Return one's own appeals about an assignment, by question."""
    found = appeals_of(visit).of_student(visit.me.person, assignment.name)
    return {appeal.question: appeal for appeal in found}


def shown_of(visit: Visit, assignment: Assignment) -> dict[Fact, HandMark]:
    """Return what the visitor may see of what people said of their work."""
    return published_marks(visit).newest(student=visit.me.person, item=assignment.name)


def judged(visit: Visit, appeal: Appeal) -> tuple[Question, OwnWork] | None:
    """Return what an appeal is about, as it is now; None: it is not there any more."""
    assignment = visit.course.course.assignment(appeal.assignment)
    question = assignment.spec.question(appeal.question)
    own = reader(visit, assignment).own(appeal.student)
    return (question, own) if question is not None and own.counted is not None else None


def parts(visit: Visit, appeal: Appeal) -> list[AppealedPart]:
    """Return what the visitor may change: a marker what people give, a head the tests' too."""
    found = judged(visit, appeal)
    if found is None or found[1].counted is None:
        return []
    newest = visit.course.gradebook.hand_marks.newest(
        student=appeal.student, item=appeal.assignment
    )
    of_question = parts_of(found[1].counted, found[0], newest)
    if visit.me.role is Role.MARKER:
        return [part for part in of_question if part.kind is Kind.ANSWER]
    return of_question


def change(visit: Visit, appeal: Appeal) -> Callable[[Session], list[AppealChange]]:
    """Return what changes the marks as the form says, in a transaction; an empty field stays.

    It raises ChangedMeanwhileError where somebody else changed one of them, and UsageError where
    there are not so many points.

    Raises:
        UsageError: what the form says is no number.
    """
    wanted = {
        part.kind: (points_in(text), whole_number(visit.said(f"seen_{part.kind.value}", 12)) or 0)
        for part in parts(visit, appeal)
        if (text := visit.said(f"points_{part.kind.value}", 20))
    }
    found = judged(visit, appeal)
    if not wanted or found is None or found[1].counted is None:
        return lambda session: []
    return partial(
        change_marks,
        assignment=visit.course.course.assignment(appeal.assignment),
        verdict=found[1].counted,
        question=found[0],
        wanted=wanted,
        published=published_marks(visit).newest(student=appeal.student, item=appeal.assignment),
        who=visit.me.person,
        why=f"appeal {appeal.id}",
        now=visit.now,
    )


def typed_points(visit: Visit) -> dict[Kind, str]:
    """Return what the form says of points, as it was typed."""
    kinds = (Kind.ANSWER, Kind.ADJUSTMENT)
    return {kind: visit.said(f"points_{kind.value}", 20) for kind in kinds}


def answer_address(visit: Visit, appeal: Appeal) -> str:
    """Return where the answer is shown without a name; empty where the question has none."""
    marking = visit.course.marking(visit.course.course.assignment(appeal.assignment))
    question = marking.question(appeal.question)
    if question is None:
        return ""
    answers = marking.answers(question, marker=visit.me.person)
    ref = next((a.ref for a in answers if a.student == appeal.student), "")
    base = f"/c/{visit.course.slug}/a/{appeal.assignment}/mark/{appeal.question}"
    return f"{base}/{ref}" if ref else ""


def who_answers(visit: Visit, student: str, marker: str) -> list[str]:
    """Return whoever marked it, if they may still; else the heads of the course."""
    thing = Thing(student=student, section=visit.course.section_of(student))
    staff = [u for u in visit.course.people.all() if may(u, Action.ANSWER_APPEAL, thing)]
    own = [user.person for user in staff if user.person == marker]
    return own or [user.person for user in staff if _is_head(user)]


def _is_head(user: User) -> bool:
    return user.role in (Role.HEAD_MARKER, Role.INSTRUCTOR)
