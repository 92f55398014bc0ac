"""One student, as staff see them: all their assignments, and longer time and excuses for each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.class_list import ClassLine
from grader.api.marking import excuse, extend, item_of
from grader.course.roster import Person
from grader.course.scheme import load_scheme
from grader.desk.letters import News
from grader.desk.may import Action, Thing
from grader.desk.notices import tell
from grader.desk.rendering import go, page
from grader.desk.routing import NotFound, Page, Visit
from grader.desk.views.class_list import record_of
from grader.desk.views.course import facts_of
from grader.errors import GraderError, UsageError
from grader.gradebook.hand_history import words
from grader.gradebook.hand_marks import Fact, HandMark, Kind
from grader.gradebook.mark_cells import deadline_from
from grader.gradebook.tries import DeskTry

_GRANTS = (Kind.EXTENSION, Kind.EXCUSED)


@dataclass(frozen=True, kw_only=True)
class StudentItem:
    """One thing that is marked, and how the student stands.

    Attributes:
        item: of the course file; empty where it has none, and nothing can be granted.
        line: None for what no assignment stands behind.
        granted: what was granted or taken back last, in words.
    """

    item: str
    title: str
    assignment: str = ""
    line: ClassLine | None = None
    newest: DeskTry | None = None
    due: dt.datetime | None = None
    extended: bool = False
    excused: bool = False


def show_student(visit: Visit) -> Response:
    """Show a student's assignments, with what was granted and forms to grant more."""
    student = visit.named("student")
    history = [
        mark
        for mark in visit.course.gradebook.hand_marks.history(student)
        if mark.fact.kind in _GRANTS
    ]
    user = next((u for u in visit.course.people.all() if u.person == student), None)
    items = _items(visit, student, history)
    return page(
        visit,
        "student",
        student=_person(visit, student),
        user_of=user,
        items=items,
        titles={one.item: one.title for one in items if one.item},
        history=[(mark, words(mark, None, visit.course.zone)) for mark in reversed(history)],
        zone=visit.course.zone,
        has_file=visit.course.course.course_file.is_file(),
    )


def extend_student(visit: Visit) -> Response:
    """Give a student longer for an item, or take that back."""
    student, item = visit.named("student"), visit.said("item", 200)
    until = None
    if not visit.said("undo"):
        until = deadline_from(visit.said("until", 40), visit.course.zone, where="until")
        due = item_of(load_scheme(visit.course.course), item).due
        if until is None:
            raise UsageError("until when?", hint="Choose a date and a time.")
        if due is not None and until <= due:
            raise UsageError(
                "that is not longer than the class has",
                hint=f"The class has until {due.astimezone(visit.course.zone):%Y-%m-%d %H:%M}.",
            )

    def tell_student(session: Session) -> None:
        said = until.astimezone(visit.course.zone).strftime("%Y-%m-%d %H:%M") if until else "as all"
        visit.note("extend", thing=f"{item} {student}", detail=said, session=session)
        news = News.LONGER if until else News.NOT_LONGER
        told = "You have longer" if until else "You have no longer than the class any more"
        _tell(session, visit, item, told, news)

    extend(
        visit.course.course,
        student,
        item,
        until=until,
        who=visit.me.person,
        why=_reason(visit),
        beside=tell_student,
    )
    return go(_address(visit, student))


def excuse_student(visit: Visit) -> Response:
    """Excuse a student from an item, or take that back."""
    student, item = visit.named("student"), visit.said("item", 200)
    excused = not visit.said("undo")

    def tell_student(session: Session) -> None:
        said = "excused" if excused else "no longer excused"
        visit.note("excuse", thing=f"{item} {student}", detail=said, session=session)
        news = News.EXCUSED if excused else News.NOT_EXCUSED
        _tell(session, visit, item, f"You are {said}", news)

    excuse(
        visit.course.course,
        student,
        item,
        excused=excused,
        who=visit.me.person,
        why=_reason(visit),
        beside=tell_student,
    )
    return go(_address(visit, student))


def _tell(session: Session, visit: Visit, item: str, told: str, news: News) -> None:
    """Tell the student of the page, who is in the course, what was allowed them."""
    one, student = item_of(load_scheme(visit.course.course), item), visit.named("student")
    here = f"/c/{visit.course.slug}"
    tell(
        session,
        visit,
        [user.person for user in visit.course.people.all() if user.person == student],
        f"{told}: {one.title}",
        f"{here}/a/{one.assignment}" if one.assignment else f"{here}/marks",
        news=news,
        about=f"{item} {visit.now.isoformat()}",
        assignment=one.title,
    )


def of_student(visit: Visit) -> Thing:
    """A student of the course: on its roster, or one of whom the record knows."""
    student = visit.named("student")
    if student not in visit.course.roster.people and not _is_known(visit, student):
        raise NotFound
    return Thing(student=student, section=visit.course.section_of(student))


def _is_known(visit: Visit, student: str) -> bool:
    gradebook = visit.course.gradebook
    return bool(gradebook.tries.of(student)) or any(
        student in gradebook.students(name) for name in visit.course.course.names()
    )


def _items(visit: Visit, student: str, history: list[HandMark]) -> list[StudentItem]:
    """What the student is marked for: all assignments, then what else the course file names."""
    changes = visit.course.gradebook.changes()
    newest: dict[str, DeskTry] = {}
    for one in visit.course.gradebook.tries.of(student):
        newest.setdefault(one.assignment, one)
    found = []
    for name in visit.course.course.names():
        try:
            record = record_of(visit, visit.course.course.assignment(name), changes)
        except GraderError:  # the list of assignments says what is wrong with it
            continue
        line = record.of(student)
        found.append(
            StudentItem(
                item=record.item or "",
                title=record.spec.title,
                assignment=name,
                line=line,
                newest=newest.get(name),
                due=line.standing.due if line else record.spec.dates.due,
                extended=bool(line and line.standing.extended),
                excused=bool(line and line.standing.excused),
            )
        )
    return [*found, *_others(visit, student, history)]


def _others(visit: Visit, student: str, history: list[HandMark]) -> list[StudentItem]:
    facts = facts_of(visit)
    said = {mark.fact: mark.says for mark in history}
    others = []
    for item in facts.items if facts else ():
        if item.assignment is not None:
            continue
        excused = said.get(Fact(student=student, item=item.id, kind=Kind.EXCUSED))
        longer = said.get(Fact(student=student, item=item.id, kind=Kind.EXTENSION))
        moment = longer.moment if longer else None
        others.append(
            StudentItem(
                item=item.id,
                title=item.title,
                due=moment or item.due,
                extended=moment is not None,
                excused=bool(excused and excused.excused),
            )
        )
    return others


def _person(visit: Visit, student: str) -> Person:
    return visit.course.roster.people.get(student) or Person(id=student)


def _reason(visit: Visit) -> str:
    why = visit.said("why", 500)
    if not why:
        raise UsageError("say why", hint="The reason is in the history of the mark.")
    return why


def _address(visit: Visit, student: str) -> str:
    return f"/c/{visit.course.slug}/s/{quote(student, safe='')}"


_STUDENT = "/c/{course}/s/{student}"
PAGES = [
    Page(method="GET", path=_STUDENT, view=show_student, action=Action.SEE_CLASS, thing=of_student),
    Page(
        method="POST",
        path=f"{_STUDENT}/extend",
        view=extend_student,
        action=Action.GRANT,
        thing=of_student,
    ),
    Page(
        method="POST",
        path=f"{_STUDENT}/excuse",
        view=excuse_student,
        action=Action.GRANT,
        thing=of_student,
    ),
]
