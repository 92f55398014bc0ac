"""Second looks: an answer is marked again by another, who does not see the first marks."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.answer_marking import Given
from grader.desk.letters import News
from grader.desk.may import Action
from grader.desk.notices import tell
from grader.desk.rendering import go, page, sending
from grader.desk.routing import Page, Visit, whole_number
from grader.desk.views.lists import paged
from grader.desk.views.mark_places import (
    QUESTION,
    address,
    answer_of,
    marks_of,
    of_question,
    question_of,
    second_looks,
    whose_answer,
)
from grader.desk.views.marking import form_parts
from grader.errors import UsageError
from grader.gradebook.second_looks import SecondLook, SecondLookOutcome
from grader.report.agreement import by_markers

_STEP = 10
"""Differences on one page: each is a frame with an answer in it."""
_LEAD = "/c/{course}/a/{assignment}/marking"


def show_next(visit: Visit) -> Response:
    """Lead to the next answer at which this marker is to look again."""
    marking, question = question_of(visit)
    waiting = second_looks(marking).waiting(question, visit.me.person)
    if waiting:
        return go(address(visit, question, "second", waiting[0].ref))
    return page(
        visit,
        "mark_second_done",
        question=question,
        spec=marking.assignment.spec,
        assignment=visit.named("assignment"),
    )


def show_second(visit: Visit) -> Response:
    """Show an answer as if nobody had marked it."""
    marking, question, answer = answer_of(visit)
    look = second_looks(marking).at(question, answer)
    if look is None or look.who != visit.me.person or not look.waits:
        raise UsageError("no second look at this answer is asked of you")
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    return page(
        visit,
        "mark_second",
        spec=marking.assignment.spec,
        answer=answer,
        left=len(second_looks(marking).waiting(question, visit.me.person)),
        **form_parts(visit, marking, question, rubric, Given()),
    )


def save(visit: Visit) -> Response:
    """Keep the second marks; the answer's own stay as they are."""
    marking, question, answer = answer_of(visit)
    marks = marks_of(visit)
    thing = f"{marking.assignment.name} {question.id} {answer.student}"
    with sending(visit) as first:
        if first:
            second_looks(marking).save(
                question,
                answer,
                marks,
                who=visit.me.person,
                now=visit.now,
                beside=lambda session: visit.note("second look", thing=thing, session=session),
            )
    return go(address(visit, question, "second"))


def draw(visit: Visit) -> Response:
    """Draw a sample of the marked answers, for others to look at."""
    marking, question = question_of(visit)
    staff = {user.person: user.section for user in visit.course.people.all() if user.role.is_staff}
    chosen = [name for name in visit.form.getlist("marker") if isinstance(name, str)]
    percent = whole_number(visit.said("percent", 3)) or 0
    spec = marking.assignment.spec

    def tell_them(session: Session, asked: Counter[str]) -> None:
        visit.note(
            "draw second looks",
            thing=f"{marking.assignment.name} {question.id}",
            detail=f"{asked.total()} answers",
            session=session,
        )
        tell(
            session,
            visit,
            asked,
            f"You are asked for second looks: {spec.title}, {question.title}",
            f"/c/{visit.course.slug}/a/{visit.named('assignment')}/mark",
            news=News.SECOND_LOOKS,
            about=f"{marking.assignment.name} {question.id} {visit.now.isoformat()}",
            assignment=spec.title,
            question=question.title,
        )

    drawn = second_looks(marking).draw(
        question,
        percent,
        {name: staff[name] for name in chosen if name in staff},
        who=visit.me.person,
        now=visit.now,
        beside=tell_them,
    )
    if not drawn:
        raise UsageError(
            f"second looks at {percent} % of the marked answers are asked for already",
            hint="Say a larger share to ask for more.",
        )
    return go(_address(visit))


def show_differences(visit: Visit) -> Response:
    """Show the answers whose two marks differ, both beside each other."""
    marking, question = question_of(visit)
    seconds = second_looks(marking)
    rubric = marking.items.rubric(marking.assignment.name, question.id)

    differences = paged(visit, seconds.differences(question), step=_STEP)

    def beside(look: SecondLook) -> Decimal:
        """What the first marker gave beside the items; none where no items are known."""
        if look.first_items is None:
            return Decimal(0)
        return look.first_points - rubric.points(look.first_items, Decimal(0), question.manual)

    return page(
        visit,
        "marking_differences",
        question=question,
        spec=marking.assignment.spec,
        rubric=rubric,
        list=differences,
        differences=[
            {
                "look": one.look,
                "answer": one.answer,
                "mark": marking.mark(one.answer, question),
                "beside": beside(one.look),
            }
            for one in differences.lines
        ],
        agreement=seconds.agreement(question),
        decided=paged(visit, seconds.decided(question), name="decided"),
        pairs=by_markers(seconds.marked_twice(question)),
        assignment=visit.named("assignment"),
    )


def decide(visit: Visit) -> Response:
    """Say which of two marks holds."""
    marking, question, answer = answer_of(visit)
    said = visit.said("holds", 10)
    start = whole_number(visit.request.query_params.get("from", ""))  # where the list was
    back = f"{_address(visit)}/{question.id}" + (f"?from={start}" if start else "")
    if said not in (SecondLookOutcome.FIRST, SecondLookOutcome.SECOND):
        raise UsageError("say whose marks hold", hint="Load the page again.")

    def note(session: Session) -> None:
        visit.note(
            "decide a second look",
            thing=f"{marking.assignment.name} {question.id} {answer.student}",
            detail=f"the {said} marks hold",
            session=session,
        )

    with sending(visit) as first:
        if first:
            second_looks(marking).decide(
                question,
                answer,
                SecondLookOutcome(said),
                who=visit.me.person,
                now=visit.now,
                beside=note,
            )
    return go(back)


def _address(visit: Visit) -> str:
    return f"/c/{visit.course.slug}/a/{visit.named('assignment')}/marking"


_SECOND = f"{QUESTION}/second"
_ONE = f"{_SECOND}/{{ref}}"
PAGES = [
    Page(method="GET", path=_SECOND, view=show_next, action=Action.MARK, thing=of_question),
    Page(method="GET", path=_ONE, view=show_second, action=Action.MARK, thing=whose_answer),
    Page(method="POST", path=_ONE, view=save, action=Action.MARK, thing=whose_answer),
    Page(
        method="POST",
        path=f"{_LEAD}/{{question}}/sample",
        view=draw,
        action=Action.LEAD_MARKING,
        thing=of_question,
    ),
    Page(
        method="GET",
        path=f"{_LEAD}/{{question}}",
        view=show_differences,
        action=Action.LEAD_MARKING,
        thing=of_question,
    ),
    Page(
        method="POST",
        path=f"{_LEAD}/{{question}}/{{ref}}",
        view=decide,
        action=Action.LEAD_MARKING,
        thing=whose_answer,
    ),
]
