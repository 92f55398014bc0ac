"""Appeals: a student asks about one question; whoever marked it answers, and may change marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.appealing import marker_of
from grader.api.own_work import OwnWork
from grader.course.directory import Assignment
from grader.course.spec import Question
from grader.desk.appealing import (
    answer_address,
    appealable,
    appeals_of,
    change,
    judged,
    own_appeals,
    parts,
    rules_of,
    shown_of,
    students_seen,
    typed_points,
    who_answers,
)
from grader.desk.forms import form_key
from grader.desk.letters import News
from grader.desk.may import Action, Thing, may
from grader.desk.notices import tell
from grader.desk.people import Role
from grader.desk.reading import reader
from grader.desk.rendering import go, page
from grader.desk.routing import NotFound, Page, Visit, whole_number
from grader.desk.views.course import assignment_of, number_in
from grader.errors import UsageError
from grader.gradebook.appeals import (
    MOST_CHARACTERS,
    Appeal,
    AppealChange,
    AppealMessage,
    AppealState,
    Speaker,
    SpokenMeanwhileError,
)
from grader.gradebook.hand_marks import ChangedMeanwhileError, Kind
from grader.points import show
from grader.report.marks import QuestionSheet

STEP = 50


def show_appeals(visit: Visit) -> Response:
    """List appeals: one's own to a student, those that may be answered to staff."""
    appeals = appeals_of(visit)
    if not visit.me.role.is_staff:
        own = appeals.of_student(visit.me.person)
        return page(visit, "appeals", rows=_rows(visit, own), shown="", more=0)
    shown = visit.request.query_params.get("show", "open")
    states = {"open": [AppealState.OPEN], "all": list(AppealState)}.get(shown, [AppealState.OPEN])
    found = appeals.listed(
        states,
        students=students_seen(visit),
        before=number_in(visit, "before"),
        limit=STEP,
    )
    more = found[-1].id if len(found) == STEP else 0
    return page(visit, "appeals", rows=_rows(visit, found), shown=shown, more=more)


def show_new(visit: Visit) -> Response:
    """Show the form in which a student says what is wrong with a mark."""
    asked = _asked(visit)
    known = _known(visit, asked)
    if known is not None:
        return go(_address(visit, known))
    return page(
        visit,
        "appeal_new",
        assignment=asked.assignment.name,
        spec=asked.assignment.spec,
        question=asked.question,
        until=_until(visit, asked),
        sheet=asked.sheet,
        comment=asked.work.given.get(asked.question.id, (None, ""))[1],
        most=MOST_CHARACTERS,
    )


def make(visit: Visit) -> Response:
    """Make an appeal, and tell whoever marked the question."""
    asked = _asked(visit)
    known = _known(visit, asked)
    if known is not None:
        return go(_address(visit, known))
    _until(visit, asked)
    rules = rules_of(visit)
    name, question = asked.assignment.name, asked.question.id
    marker = marker_of(shown_of(visit, asked.assignment), name, visit.me.person, question)
    staff = who_answers(visit, visit.me.person, marker)

    def tell_staff(session: Session, number: int) -> None:
        about = _About(name, question, number)
        _tell(session, visit, staff, "An appeal", about, News.APPEAL_OPENED, str(number))
        thing = f"{name} {question} {visit.me.person}"
        visit.note("appeal", thing=thing, detail=str(number), session=session)

    appeal = appeals_of(visit).open(
        assignment=name,
        question=question,
        student=visit.me.person,
        marker=marker,
        says=visit.said("says", MOST_CHARACTERS + 1),
        key=_key(visit),
        most=rules.most_per_assignment,
        now=visit.now,
        along=tell_staff,
    )
    return go(_address(visit, appeal))


def show_appeal(visit: Visit) -> Response:
    """Show a thread: to its student, and to whoever may answer."""
    return _show(visit, _appeal(visit))


def reply(visit: Visit) -> Response:
    """Let the student say something more."""
    appeal = _appeal(visit)
    if not visit.course.publications.is_published(appeal.assignment):
        raise UsageError("the marks were taken back", hint="Wait until they are published again.")
    staff = who_answers(visit, appeal.student, appeal.marker)

    def tell_staff(session: Session, message: int) -> None:
        about = _About(appeal.assignment, appeal.question, appeal.id)
        news = News.APPEAL_REPLIED
        _tell(session, visit, staff, "More in an appeal", about, news, f"{appeal.id} {message}")
        visit.note(
            "speak in an appeal", thing=_thing(appeal), detail=str(appeal.id), session=session
        )

    appeals_of(visit).reply(
        appeal.id,
        who=visit.me.person,
        says=visit.said("says", MOST_CHARACTERS + 1),
        key=_key(visit),
        now=visit.now,
        along=tell_staff,
    )
    return go(_address(visit, appeal))


def answer(visit: Visit) -> Response:
    """Answer an appeal, with new points or without, and tell the student."""
    appeal, appeals = _appeal(visit), appeals_of(visit)
    says, key = visit.said("says", MOST_CHARACTERS + 1), _key(visit)
    seen = whole_number(visit.said("seen", 12)) or 0

    def settle(session: Session, message: int, changes: Sequence[AppealChange]) -> None:
        about = _About(appeal.assignment, appeal.question, appeal.id)
        what, news = "An answer to your appeal", News.APPEAL_ANSWERED
        _tell(session, visit, [appeal.student], what, about, news, f"{appeal.id} {message}")
        moved = ", ".join(f"{show(one.was)} to {show(one.becomes)}" for one in changes)
        visit.note(
            "answer an appeal", thing=_thing(appeal), detail=moved or "no change", session=session
        )

    try:
        appeals.answer(
            appeal.id,
            who=visit.me.person,
            speaks=Speaker.MARKER if visit.me.role is Role.MARKER else Speaker.HEAD_MARKER,
            says=says,
            key=key,
            closes=visit.said("then", 10) == "close",
            seen=seen,
            change=change(visit, appeal),
            now=visit.now,
            along=settle,
        )
    except (SpokenMeanwhileError, ChangedMeanwhileError):
        return _show(visit, _appeal(visit), unsaved=says, status=409)
    except UsageError as error:  # what was written is worth more than a page that says no
        return _show(visit, _appeal(visit), unsaved=says, status=422, problem=error.what)
    return go(_address(visit, appeal))


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a student asks about: their own work of one question."""

    assignment: Assignment
    question: Question
    work: OwnWork
    sheet: QuestionSheet


def _asked(visit: Visit) -> _Asked:
    assignment = assignment_of(visit)
    question = assignment.spec.question(visit.named("question"))
    found: OwnWork | None = visit.kept.get("own work")
    if found is None:
        found = visit.kept["own work"] = reader(visit, assignment).own(visit.me.person)
    sheets = {q.id: q for q in found.sheet.questions} if found.sheet else {}
    if question is None or question.id not in sheets:
        raise NotFound
    return _Asked(assignment=assignment, question=question, work=found, sheet=sheets[question.id])


def _until(visit: Visit, asked: _Asked) -> dt.datetime:
    """Until when there is time.

    Raises:
        UsageError: there is none, and why.
    """
    open_ = appealable(visit, asked.assignment, asked.work)
    if asked.question.id in open_:
        return open_[asked.question.id]
    rules = rules_of(visit)
    if not visit.course.publications.is_published(asked.assignment.name):
        raise UsageError("the marks are not published yet", hint="You can appeal once they are.")
    days = f"{rules.days} {'day' if rules.days == 1 else 'days'}"
    raise UsageError(
        "the time for appeals about this question is over, or it is not marked yet",
        hint=f"It can be made within {days} after the mark is published.",
    )


def _show(
    visit: Visit, appeal: Appeal, *, unsaved: str = "", status: int = 200, problem: str = ""
) -> Response:
    assignment = visit.course.course.assignment(appeal.assignment)
    staff = visit.me.role.is_staff and visit.me.person != appeal.student
    messages = appeals_of(visit).messages(appeal.id)
    out = visit.course.publications.is_published(appeal.assignment)
    if not staff and not out:  # an answer tells of marks
        messages = [one for one in messages if one.speaks is Speaker.STUDENT]
    return page(
        visit,
        "appeal",
        status,
        appeal=appeal,
        spec=assignment.spec,
        question=assignment.spec.question(appeal.question),
        thread=[(one, _name(visit, one, staff=staff)) for one in messages],
        staff=staff,
        out=out,
        may_answer=staff and may(visit.me, Action.ANSWER_APPEAL, whose_appeal(visit)),
        parts=parts(visit, appeal) if staff else [],
        work=answer_address(visit, appeal) if staff else "",
        report=_report(visit, appeal),
        seen=messages[-1].id if messages else 0,
        unsaved=unsaved,
        typed=typed_points(visit),
        problem=problem[:1].upper() + problem[1:],
        most=MOST_CHARACTERS,
        Kind=Kind,
    )


def _name(visit: Visit, message: AppealMessage, *, staff: bool) -> str:
    """Who spoke: students hear no marker's name, unless the course says so, nor markers theirs."""
    if message.who == visit.me.person:
        return "You"
    if message.speaks is Speaker.STUDENT:
        return "Student"
    scheme = visit.course.scheme()
    named = staff or bool(scheme and scheme.appeals and scheme.appeals.marker_names)
    role = message.speaks.value.capitalize()
    return f"{_people(visit).get(message.who, message.who)}, {role.lower()}" if named else role


def _people(visit: Visit) -> dict[str, str]:
    return {user.person: user.name for user in visit.course.people.all()}


def _report(visit: Visit, appeal: Appeal) -> int | None:
    """The number of the try that counts, where it came through the desk."""
    found = judged(visit, appeal)
    counted = found[1].counted if found else None
    tries = visit.course.gradebook.tries.of(appeal.student, appeal.assignment)
    return next(
        (t.id for t in tries if counted and t.verdict and t.attempt == counted.submission.attempt),
        None,
    )


class _About(NamedTuple):
    """What people are told of."""

    assignment: str
    question: str
    appeal: int


def _tell(
    session: Session,
    visit: Visit,
    people: list[str],
    what: str,
    about: _About,
    news: News,
    once: str,
) -> None:
    spec = visit.course.course.assignment(about.assignment).spec
    question = spec.question(about.question)
    title = question.title if question else about.question
    tell(
        session,
        visit,
        people,
        f"{what}: {spec.title}, {title}",
        f"/c/{visit.course.slug}/appeals/{about.appeal}",
        news=news,
        about=once,
        assignment=spec.title,
        question=title,
    )


def _rows(visit: Visit, appeals: list[Appeal]) -> list[dict[str, object]]:
    course = visit.course.course
    specs = {name: course.assignment(name).spec for name in {a.assignment for a in appeals}}
    return [
        {
            "appeal": appeal,
            "title": specs[appeal.assignment].title,
            "question": specs[appeal.assignment].question(appeal.question),
            "mine": appeal.marker == visit.me.person,
        }
        for appeal in appeals
    ]


def _known(visit: Visit, asked: _Asked) -> Appeal | None:
    return own_appeals(visit, asked.assignment).get(asked.question.id)


def _appeal(visit: Visit) -> Appeal:
    number = whole_number(visit.named("appeal"))
    appeal = appeals_of(visit).get(number) if number is not None else None
    if appeal is None or appeal.assignment not in visit.course.course.names():
        raise NotFound
    return appeal


def whose_appeal(visit: Visit) -> Thing:
    """The appeal is its student's."""
    appeal = _appeal(visit)
    return Thing(student=appeal.student, section=visit.course.section_of(appeal.student))


def of_own_question(visit: Visit) -> Thing:
    """The student's own work of a question that they may see."""
    _asked(visit)
    return Thing(student=visit.me.person)


def _address(visit: Visit, appeal: Appeal) -> str:
    return f"/c/{visit.course.slug}/appeals/{appeal.id}"


def _thing(appeal: Appeal) -> str:
    return f"{appeal.assignment} {appeal.question} {appeal.student}"


def _key(visit: Visit) -> str:
    return form_key(visit.said("key", 64), visit.me.account, visit.request.url.path)


_NEW = "/c/{course}/a/{assignment}/appeal/{question}"
_ONE = "/c/{course}/appeals/{appeal}"
PAGES = [
    Page(method="GET", path="/c/{course}/appeals", view=show_appeals, action=Action.SEE_COURSE),
    Page(method="GET", path=_NEW, view=show_new, action=Action.APPEAL, thing=of_own_question),
    Page(method="POST", path=_NEW, view=make, action=Action.APPEAL, thing=of_own_question),
    Page(method="GET", path=_ONE, view=show_appeal, action=Action.SEE_WORK, thing=whose_appeal),
    Page(
        method="POST",
        path=f"{_ONE}/reply",
        view=reply,
        action=Action.APPEAL,
        thing=whose_appeal,
    ),
    Page(
        method="POST",
        path=f"{_ONE}/answer",
        view=answer,
        action=Action.ANSWER_APPEAL,
        thing=whose_appeal,
    ),
]
