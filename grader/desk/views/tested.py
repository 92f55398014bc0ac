"""Points beside the machine's: a line mended by hand, and what is then right."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from grader.api.tested_marking import TestedMarking
from grader.desk.headers import STUDENT_CSP
from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit, whole_number
from grader.desk.views.lists import paged
from grader.desk.views.mark_places import (
    MARK,
    address,
    comment_said,
    of_tested_question,
    own_section,
    points_said,
    tested_answer_of,
    tested_question_of,
    whose_tested_answer,
)
from grader.desk.views.marking import preview
from grader.gradebook.hand_marks import ChangedMeanwhileError
from grader.points import signed

_ROWS = 50


def show_list(visit: Visit) -> Response:
    """List the work on a question with tests: what misses points first."""
    marking, question = tested_question_of(visit)
    answers = own_section(visit, marking, marking.tested(question, marker=visit.me.person))
    answers.sort(key=lambda a: a.machine >= a.machine_max)  # stays in the marker's order
    return page(
        visit,
        "mark_tests_list",
        question=question,
        spec=marking.assignment.spec,
        list=paged(visit, answers, step=_ROWS),
        assignment=visit.named("assignment"),
    )


def show_tested(visit: Visit) -> Response:
    """Show a question's part of the notebook beside the form for more or fewer points."""
    return _form(visit)


def show_work(visit: Visit) -> Response:
    """Show that part of the notebook: in a frame, where nothing of it runs."""
    marking, question, answer = tested_answer_of(visit)
    html = TestedMarking(marking).page(answer, question, question.title)
    return HTMLResponse(html, headers={"content-security-policy": STUDENT_CSP})


def save(visit: Visit) -> Response:
    """Give or take points beside the tests', or take back what was given."""
    marking, question, answer = tested_answer_of(visit)
    given = visit.said("adjustment", 20)

    def note(session: Session) -> None:
        visit.note(
            "points beside the tests",
            thing=f"{marking.assignment.name} {question.id} {answer.student}",
            detail="taken back" if visit.said("undo") else given,
            session=session,
        )

    try:
        TestedMarking(marking).save(
            question,
            answer,
            None if not given or visit.said("undo") else points_said(visit, "adjustment"),
            comment=comment_said(visit),
            who=visit.me.person,
            seen=whole_number(visit.said("seen", 12)) or 0,
            beside=note,
        )
    except ChangedMeanwhileError:
        return _form(visit, typed=True, status=409)
    return go(address(visit, question, "tests"))


def show_preview(visit: Visit) -> Response:
    """Show a comment as the student will read it."""
    _, question = tested_question_of(visit)
    return preview(visit, question)


def _form(visit: Visit, *, typed: bool = False, status: int = 200) -> Response:
    """The form; with what was `typed` beside what somebody else has given meanwhile."""
    marking, question, answer = tested_answer_of(visit)
    tested = TestedMarking(marking)
    mark = tested.mark(answer, question)
    offered = None if mark or typed else tested.offered(answer, question)
    begins = mark or offered
    points = begins.says.points if begins else None
    shown = "" if points is None else signed(points)
    return page(
        visit,
        "mark_tests",
        status,
        question=question,
        spec=marking.assignment.spec,
        answer=answer,
        mark=mark,
        offered=offered,
        points=points,
        adjustment=visit.said("adjustment", 20) if typed else shown,
        comment=comment_said(visit) if typed else begins.says.comment if begins else "",
        seen=answer.mark.id if answer.mark else 0,
        conflict=typed,
        assignment=visit.named("assignment"),
    )


_LIST = f"{MARK}/{{tested}}/tests"
_ONE = f"{_LIST}/{{work}}"
PAGES = [
    Page(method="GET", path=_LIST, view=show_list, action=Action.MARK, thing=of_tested_question),
    Page(
        method="POST",
        path=f"{_LIST}/preview",
        view=show_preview,
        action=Action.MARK,
        thing=of_tested_question,
    ),
    Page(method="GET", path=_ONE, view=show_tested, action=Action.MARK, thing=whose_tested_answer),
    Page(method="POST", path=_ONE, view=save, action=Action.MARK, thing=whose_tested_answer),
    Page(
        method="GET",
        path=f"{_ONE}/work",
        view=show_work,
        action=Action.MARK,
        thing=whose_tested_answer,
    ),
]
