"""Mark written answers, one after the other, without names."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from grader.api.answer_marking import AnswerMarking, Given, Marks, turn
from grader.course.spec import Question
from grader.desk.headers import STUDENT_CSP
from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit, whole_number
from grader.desk.views.course import of_assignment
from grader.desk.views.mark_places import (
    MARK,
    QUESTION,
    address,
    answer_of,
    answers_for,
    comment_said,
    leads,
    look_at,
    marking_of,
    marks_of,
    of_question,
    own_section,
    pile_for,
    place_in,
    question_of,
    second_looks,
    shuffled_for,
    whose_answer,
)
from grader.errors import UsageError
from grader.gradebook.answer_list import AnswerRef, PiledAnswer
from grader.gradebook.hand_marks import ChangedMeanwhileError
from grader.gradebook.rubric_items import Rubric
from grader.gradebook.second_looks import SecondLookOutcome, decide
from grader.report.markdown import markdown_html

_FEW, _MANY = 20, 500
"""Answers that are looked at at once on the way to the next one, at first and at most."""


def show_questions(visit: Visit) -> Response:
    """Show the questions that people mark, and how far they are."""
    marking = marking_of(visit)
    seconds = second_looks(marking)
    progress = marking.progress()
    rows = []
    for question in marking.questions():
        marked, total = progress.get(question.id, (0, 0))
        if visit.me.section:
            own = answers_for(visit, marking, question)
            marked, total = sum(a.points is not None for a in own), len(own)
        rows.append(
            {
                "question": question,
                "answers": total,
                "marked": marked,
                "seconds": len(seconds.waiting(question, visit.me.person)),
            }
        )
    return page(
        visit,
        "mark_questions",
        spec=marking.assignment.spec,
        rows=rows,
        tested=marking.tested_questions(),
        share=marking.table.shares().get(visit.me.person) if marking.split else None,
        leads=leads(visit),
        assignment=visit.named("assignment"),
    )


def show_next(visit: Visit) -> Response:
    """Lead to the next answer that nobody has marked, nor has open: one's own share first."""
    marking, question = question_of(visit)
    said = visit.request.query_params
    after, others = said.get("after", ""), bool(said.get("others"))
    following = _following(visit, marking, question, after=after, others=others)
    if following:
        return go(address(visit, question, following))
    left = _left(visit, marking, question)
    return page(
        visit,
        "mark_done",
        question=question,
        saved_at_once=_saved_at_once(visit, marking, question),
        spec=marking.assignment.spec,
        others=left.free,
        open_elsewhere=left.open_elsewhere,
        total=left.total,
        assignment=visit.named("assignment"),
    )


def _following(
    visit: Visit, marking: AnswerMarking, question: Question, *, after: str, others: bool
) -> str:
    """The name of the next answer that nobody has marked, nor has open; empty: there is none.

    One's own share and nobody's come first; `others`' shares only where that is asked for. Most
    often it is one of the next few: a few are read at a time, not the whole pile.
    """
    me = visit.me.person
    order = shuffled_for(visit, marking, question)
    shares = marking.table.shared(question.id)
    start = order.index(after) + 1 if after in order else 0
    ways = sorted((*order[start:], *order[:start]), key=lambda ref: turn(shares.get(ref, ""), me))
    if not others:
        ways = [ref for ref in ways if shares.get(ref, "") in ("", me)]
    leases = _leases(visit, marking, question)
    at, count = 0, _FEW
    while at < len(ways):
        some = ways[at : at + count]
        unmarked = {a.ref: a.student for a in marking.table.unmarked(question.id, among=some)}
        for ref in some:
            if ref in unmarked and leases.get(unmarked[ref], me) == me:
                return ref
        at, count = at + count, min(_MANY, count * 4)
    return ""


class _Left(NamedTuple):
    """How many answers nobody has marked: `free` for this marker, `open_elsewhere` with others.

    `total` is how many there are, marked or not.
    """

    free: int
    open_elsewhere: int
    total: int


def _left(visit: Visit, marking: AnswerMarking, question: Question) -> _Left:
    order = shuffled_for(visit, marking, question)
    own = set(order)
    unmarked = [a for a in marking.table.unmarked(question.id) if a.ref in own]
    leases, me = _leases(visit, marking, question), visit.me.person
    free = sum(leases.get(a.student, me) == me for a in unmarked)
    return _Left(free=free, open_elsewhere=len(unmarked) - free, total=len(order))


def show_answer(visit: Visit) -> Response:
    """Show an answer beside the form for its points; it is then this marker's for a while."""
    marking, question, answer = answer_of(visit)
    me = visit.me.person
    look = look_at(visit, marking, question, answer)
    if look is not None and look.waits and look.who == me:
        return go(address(visit, question, "second", answer.ref))  # without the first marks
    other = _leases(visit, marking, question).get(answer.student, me)
    if other == me:
        marking.items.lease(marking.assignment.name, question.id, answer.student, me, now=visit.now)
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    given = marking.given(answer, question, rubric)
    return _form(visit, marking, question, answer, rubric, given, other=other)


def show_work(visit: Visit) -> Response:
    """Show what the student wrote: in a frame, where nothing of it runs."""
    marking, question, answer = answer_of(visit)
    place = place_in(pile_for(visit, marking, question), answer)
    html = marking.page(answer, question, f"Answer {place + 1}")
    return HTMLResponse(html, headers={"content-security-policy": STUDENT_CSP})


def save(visit: Visit) -> Response:
    """Save an answer's points, then lead on."""
    marking, question, answer = answer_of(visit)
    marks = marks_of(visit)
    answers = [answer]
    if visit.said("same"):
        same = {one.ref for one in _same(visit, marking, question, answer)}
        answers += [one for one in answers_for(visit, marking, question) if one.ref in same]
    look = look_at(visit, marking, question, answer)
    if look is not None and look.waits and look.who == visit.me.person:
        raise UsageError("you are asked for a second look at this answer: give it there")
    settles = look if look is not None and look.differs and leads(visit) else None

    def beside(session: Session) -> None:
        visit.note(
            "mark",
            thing=f"{marking.assignment.name} {question.id} {answer.student}",
            detail=f"{len(answers)} alike" if len(answers) > 1 else "",
            session=session,
        )
        if settles is not None:
            outcome = SecondLookOutcome.ANEW
            decide(session, settles.id, outcome, visit.me.person, now=visit.now)

    try:
        marking.save(
            question,
            answers,
            marks,
            who=visit.me.person,
            seen=whole_number(visit.said("seen", 12)) or 0,
            now=visit.now,
            beside=beside,
        )
    except ChangedMeanwhileError:
        return _conflict(visit, marks)
    saved = f"saved={answer.ref}" if len(answers) > 1 else ""
    if visit.said("then") == "stay":
        return go(address(visit, question, answer.ref) + (f"?{saved}" if saved else ""))
    others = answer.share not in ("", visit.me.person)
    # Led there at once, a marker waits for one request less.
    following = _following(visit, marking, question, after=answer.ref, others=others)
    if following:
        return go(address(visit, question, following) + (f"?{saved}" if saved else ""))
    more = f"{'&others=1' if others else ''}{f'&{saved}' if saved else ''}"
    return go(f"{address(visit, question)}?after={answer.ref}{more}")


def _saved_at_once(visit: Visit, marking: AnswerMarking, question: Question) -> int:
    """How many answers the save that led here gave the same marks; 0: one alone."""
    ref = visit.request.query_params.get("saved", "")
    answer = marking.answer(question, ref) if ref else None
    if answer is None or answer.mark is None or answer.mark.who != visit.me.person:
        return 0
    count = marking.table.marked_with(question.id, answer)
    return count if count > 1 else 0


def show_preview(visit: Visit) -> Response:
    """Show a comment as the student will read it."""
    _, question = question_of(visit)
    return preview(visit, question)


def preview(visit: Visit, question: Question) -> Response:
    """Return the page of a comment that was not saved yet."""
    html = markdown_html(comment_said(visit))
    return page(visit, "mark_preview", question=question, html=html)


def _conflict(visit: Visit, marks: Marks) -> Response:
    """Show what somebody else has saved meanwhile, and what this marker was about to."""
    visit.kept.clear()  # what was read of it is not so any more
    marking, question, answer = answer_of(visit)
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    live = {item.id for item in rubric.live}
    own = Given(
        items=tuple(item for item in marks.items if item in live),
        adjustment=marks.adjustment,
        comment=marks.comment,
    )
    theirs = marking.given(answer, question, rubric)
    return _form(visit, marking, question, answer, rubric, own, theirs=theirs, status=409)


def _form(
    visit: Visit,
    marking: AnswerMarking,
    question: Question,
    answer: AnswerRef,
    rubric: Rubric,
    given: Given,
    *,
    other: str = "",
    theirs: Given | None = None,
    status: int = 200,
) -> Response:
    order = pile_for(visit, marking, question)
    at = place_in(order, answer)
    return page(
        visit,
        "mark",
        status,
        spec=marking.assignment.spec,
        answer=answer,
        place=at + 1,
        total=len(order),
        before=order[at - 1] if at else "",
        after=order[at + 1] if at + 1 < len(order) else "",
        alike=len(_same(visit, marking, question, answer)),
        saved_at_once=_saved_at_once(visit, marking, question),
        other=other if other != visit.me.person else "",
        theirs=theirs,
        difference=leads(visit) and _differs(visit, marking, question, answer),
        **form_parts(visit, marking, question, rubric, given),
    )


def form_parts(
    visit: Visit, marking: AnswerMarking, question: Question, rubric: Rubric, given: Given
) -> dict[str, Any]:
    """Return what the form of an answer needs, with which it begins."""
    return {
        "question": question,
        "rubric": rubric,
        "given": given,
        "gives": rubric.points(given.items, given.adjustment, question.manual),
        "comments": marking.comments(question),
        "leads": leads(visit),
        "assignment": visit.named("assignment"),
    }


def _differs(visit: Visit, marking: AnswerMarking, question: Question, answer: AnswerRef) -> bool:
    look = look_at(visit, marking, question, answer)
    return look is not None and look.differs


def _same(
    visit: Visit, marking: AnswerMarking, question: Question, answer: AnswerRef
) -> list[PiledAnswer]:
    """The other answers that are the same to the letter, and not marked yet."""
    return own_section(visit, marking, marking.table.unmarked(question.id, like=answer))


def _leases(visit: Visit, marking: AnswerMarking, question: Question) -> dict[str, str]:
    return dict(marking.items.leases(marking.assignment.name, question.id, now=visit.now))


_ANSWER = f"{QUESTION}/{{ref}}"
PAGES = [
    Page(method="GET", path=MARK, view=show_questions, action=Action.MARK, thing=of_assignment),
    Page(method="GET", path=QUESTION, view=show_next, action=Action.MARK, thing=of_question),
    Page(
        method="POST",
        path=f"{QUESTION}/preview",
        view=show_preview,
        action=Action.MARK,
        thing=of_question,
    ),
    Page(method="GET", path=_ANSWER, view=show_answer, action=Action.MARK, thing=whose_answer),
    Page(method="POST", path=_ANSWER, view=save, action=Action.MARK, thing=whose_answer),
    Page(
        method="GET",
        path=f"{_ANSWER}/work",
        view=show_work,
        action=Action.MARK,
        thing=whose_answer,
    ),
]
