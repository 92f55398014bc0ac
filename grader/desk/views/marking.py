"""Mark written answers, one after the other, without names."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from starlette.responses import HTMLResponse, Response

from grader.api.answer_marking import AnswerMarking, AnswerRef
from grader.course.spec import Question
from grader.desk.headers import STUDENT_CSP
from grader.desk.may import Action, Thing
from grader.desk.rendering import go, page
from grader.desk.routing import NotFound, Page, Visit, whole_number
from grader.desk.views.course import assignment_of, of_assignment
from grader.errors import UsageError
from grader.gradebook.hand_marks import ChangedMeanwhileError
from grader.gradebook.rubric_items import Marking, RubricItem
from grader.points import to_points

_MOST_POINTS = 10_000


def show_questions(visit: Visit) -> Response:
    """Show the questions that people mark, and how far they are."""
    marking = _marking(visit)
    rows = []
    for question in marking.questions():
        answers = _mine(visit, _answers(visit, marking, question))
        rows.append(
            {
                "question": question,
                "answers": len(answers),
                "marked": sum(a.points is not None for a in answers),
                "by": marking.by_marker(question).most_common(),
            }
        )
    return page(
        visit,
        "mark_questions",
        spec=marking.assignment.spec,
        rows=rows,
        assignment=visit.named("assignment"),
    )


def show_next(visit: Visit) -> Response:
    """Lead to the next answer that nobody has marked, nor has open."""
    marking, question = _question(visit)
    answers = _mine(visit, _answers(visit, marking, question))
    leases = _leases(visit, question)
    after = visit.request.query_params.get("after", "")
    order = [a.ref for a in answers]
    start = order.index(after) + 1 if after in order else 0
    rest = [a for a in (*answers[start:], *answers[:start]) if a.points is None]
    free = [a for a in rest if leases.get(a.student, visit.me.person) == visit.me.person]
    if not free:
        return page(
            visit,
            "mark_done",
            question=question,
            spec=marking.assignment.spec,
            open_elsewhere=len(rest),
            total=len(answers),
            assignment=visit.named("assignment"),
        )
    return go(_address(visit, question, free[0].ref))


def show_answer(visit: Visit) -> Response:
    """Show an answer beside the form for its points; it is then this marker's for a while."""
    marking, question, answer = _answer(visit)
    other = _leases(visit, question).get(answer.student, visit.me.person)
    if other == visit.me.person:
        marking.items.lease(
            marking.assignment.name, question.id, answer.student, visit.me.person, now=visit.now
        )
    return _form(visit, marking, question, answer, other if other != visit.me.person else "")


def show_work(visit: Visit) -> Response:
    """Show what the student wrote: in a frame, where nothing of it runs."""
    marking, question, answer = _answer(visit)
    html = marking.page(answer, question, f"Answer {_place(visit, marking, question, answer)}")
    return HTMLResponse(html, headers={"content-security-policy": STUDENT_CSP})


def save(visit: Visit) -> Response:
    """Save an answer's points, then lead on."""
    marking, question, answer = _answer(visit)
    answers = [answer]
    if visit.said("same"):
        answers += _same(visit, marking, question, answer)
    try:
        marking.save(
            question,
            answers,
            items=_chosen(visit),
            adjustment=_points(visit.said("adjustment", 20) or "0"),
            comment=visit.said("comment", 5000),
            who=visit.me.person,
            seen=whole_number(visit.said("seen", 12)) or 0,
            now=visit.now,
        )
    except ChangedMeanwhileError:
        visit.kept.clear()  # what was read of it is not so any more
        marking, question, answer = _answer(visit)
        return _form(visit, marking, question, answer, "", conflict=True, status=409)
    visit.note(
        "mark",
        thing=f"{marking.assignment.name} {question.id} {answer.student}",
        detail=f"{len(answers)} alike" if len(answers) > 1 else "",
    )
    if visit.said("then") == "stay":
        return go(_address(visit, question, answer.ref))
    return go(f"{_address(visit, question)}?after={answer.ref}")


def add_item(visit: Visit) -> Response:
    """Add an item to the question's rubric."""
    marking, question = _question(visit)
    marking.items.add(
        marking.assignment.name,
        question.id,
        visit.said("says", 500),
        _points(visit.said("points", 20)),
    )
    back = visit.said("back", 40)
    return go(_address(visit, question, back) if back.isalnum() else _address(visit, question))


def show_item(visit: Visit) -> Response:
    """Show who has an item, and what changing it would change."""
    marking, question, item = _item(visit)
    having = _mine(visit, marking.having(question, item.id, marker=visit.me.person))
    return page(
        visit,
        "mark_item",
        question=question,
        spec=marking.assignment.spec,
        item=item,
        having=having,
        changed=None,
        new=item,
        assignment=visit.named("assignment"),
    )


def change_item(visit: Visit) -> Response:
    """Change an item: first it is said whose points that changes, then it is done."""
    marking, question, item = _item(visit)
    new = RubricItem(
        id=item.id,
        says=visit.said("says", 500),
        points=_points(visit.said("points", 20)),
        retired=bool(visit.said("retired")),
    )
    changed = marking.rescored(question, new, marker=visit.me.person)
    if changed and not visit.said("sure"):
        return page(
            visit,
            "mark_item",
            question=question,
            spec=marking.assignment.spec,
            item=item,
            having=marking.having(question, item.id, marker=visit.me.person),
            changed=changed,
            new=new,
            assignment=visit.named("assignment"),
        )
    marking.change_item(question, new, who=visit.me.person)
    visit.note(
        "change a rubric item",
        thing=f"{marking.assignment.name} {question.id}: {item.says}"[:500],
        detail=f"{item.points} to {new.points}, {len(changed)} marks",
    )
    return go(f"{_address(visit, question)}/items/{item.id}")


def _form(
    visit: Visit,
    marking: AnswerMarking,
    question: Question,
    answer: AnswerRef,
    other: str,
    *,
    conflict: bool = False,
    status: int = 200,
) -> Response:
    items = marking.items.of(marking.assignment.name, question.id)
    own = marking.items.markings(marking.assignment.name, question.id).get(answer.student)
    if own is None or own.answer_sha256 != answer.sha256 or answer.points is None:
        own = Marking(
            student="", answer_sha256="", items=(), adjustment=Decimal(0), who=visit.me.person
        )
    order = [a.ref for a in _mine(visit, _answers(visit, marking, question))]
    at = order.index(answer.ref)
    return page(
        visit,
        "mark",
        status,
        question=question,
        spec=marking.assignment.spec,
        answer=answer,
        items=[item for item in items if not item.retired],
        own=own,
        comments=_comments(visit, marking, question),
        place=at + 1,
        total=len(order),
        before=order[at - 1] if at else "",
        after=order[at + 1] if at + 1 < len(order) else "",
        alike=len(_same(visit, marking, question, answer)),
        other=other,
        conflict=conflict,
        takes_off=bool(items) and all(i.points <= 0 for i in items if not i.retired),
        assignment=visit.named("assignment"),
    )


def _comments(visit: Visit, marking: AnswerMarking, question: Question) -> list[str]:
    """What was said of this question before, the most frequent first: to be said again."""
    counted: dict[str, int] = {}
    for one in _answers(visit, marking, question):
        if one.mark and one.points is not None and one.mark.says.comment:
            said = one.mark.says.comment
            counted[said] = counted.get(said, 0) + 1
    return sorted(counted, key=lambda said: (-counted[said], said))[:30]


def _same(
    visit: Visit, marking: AnswerMarking, question: Question, answer: AnswerRef
) -> list[AnswerRef]:
    """The other answers that are the same to the letter, and not marked yet."""
    return [
        other
        for other in _mine(visit, _answers(visit, marking, question))
        if other.sha256 == answer.sha256 and other.ref != answer.ref and other.points is None
    ]


def _answers(visit: Visit, marking: AnswerMarking, question: Question) -> list[AnswerRef]:
    """Everybody's answers, in this marker's order: read once for a page that asks several times."""
    found: list[AnswerRef] | None = visit.kept.get(question.id)
    if found is None:
        found = marking.answers(question, marker=visit.me.person)
        visit.kept[question.id] = found
    return found


def _mine(visit: Visit, answers: list[AnswerRef]) -> list[AnswerRef]:
    """Those that this marker may see: a section's, where the marker has one."""
    section = visit.me.section
    if not section:
        return answers
    return [a for a in answers if visit.course.section_of(a.student) == section]


def _place(visit: Visit, marking: AnswerMarking, question: Question, answer: AnswerRef) -> int:
    order = [a.ref for a in _mine(visit, _answers(visit, marking, question))]
    return order.index(answer.ref) + 1 if answer.ref in order else 0


def _marking(visit: Visit) -> AnswerMarking:
    return visit.course.marking(assignment_of(visit))


def _question(visit: Visit) -> tuple[AnswerMarking, Question]:
    marking = _marking(visit)
    question = marking.question(visit.named("question"))
    if question is None:
        raise NotFound
    return marking, question


def _answer(visit: Visit) -> tuple[AnswerMarking, Question, AnswerRef]:
    marking, question = _question(visit)
    ref = visit.named("ref")
    for answer in _answers(visit, marking, question):
        if answer.ref == ref:
            return marking, question, answer
    raise NotFound


def _item(visit: Visit) -> tuple[AnswerMarking, Question, RubricItem]:
    marking, question = _question(visit)
    for item in marking.items.of(marking.assignment.name, question.id):
        if str(item.id) == visit.named("item"):
            return marking, question, item
    raise NotFound


def of_question(visit: Visit) -> Thing:
    """A question that is there."""
    _question(visit)
    return Thing()


def of_item(visit: Visit) -> Thing:
    """A rubric item that is there."""
    _item(visit)
    return Thing()


def whose_answer(visit: Visit) -> Thing:
    """The answer is its student's, whom the page does not name."""
    _, _, answer = _answer(visit)
    return Thing(student=answer.student, section=visit.course.section_of(answer.student))


def _leases(visit: Visit, question: Question) -> dict[str, str]:
    marking = _marking(visit)
    return dict(marking.items.leases(marking.assignment.name, question.id, now=visit.now))


def _chosen(visit: Visit) -> list[int]:
    given = [whole_number(i) for i in visit.form.getlist("item") if isinstance(i, str)]
    return [number for number in given if number is not None]


def _points(text: str) -> Decimal:
    try:
        points = Decimal(text.replace(",", ".").strip() or "0")
        if points.is_finite() and abs(points) <= _MOST_POINTS and points == to_points(points):
            return to_points(points)
    except InvalidOperation:
        pass
    said = f"{text!r} is no number of points"
    raise UsageError(said, hint="Such as 1, 0.5 or -2: up to two places after the point.")


def _address(visit: Visit, question: Question, ref: str = "") -> str:
    name = visit.named("assignment")
    return f"/c/{visit.course.slug}/a/{name}/mark/{question.id}" + (f"/{ref}" if ref else "")


_MARK = "/c/{course}/a/{assignment}/mark"
_QUESTION = f"{_MARK}/{{question}}"
_ITEM = f"{_QUESTION}/items/{{item}}"
PAGES = [
    Page(method="GET", path=_MARK, view=show_questions, action=Action.MARK, thing=of_assignment),
    Page(method="GET", path=_QUESTION, view=show_next, action=Action.MARK, thing=of_question),
    Page(
        method="POST",
        path=f"{_QUESTION}/items",
        view=add_item,
        action=Action.MARK,
        thing=of_question,
    ),
    Page(method="GET", path=_ITEM, view=show_item, action=Action.MARK, thing=of_item),
    Page(method="POST", path=_ITEM, view=change_item, action=Action.CHANGE_RUBRIC, thing=of_item),
    Page(
        method="GET",
        path=f"{_QUESTION}/{{ref}}",
        view=show_answer,
        action=Action.MARK,
        thing=whose_answer,
    ),
    Page(
        method="POST",
        path=f"{_QUESTION}/{{ref}}",
        view=save,
        action=Action.MARK,
        thing=whose_answer,
    ),
    Page(
        method="GET",
        path=f"{_QUESTION}/{{ref}}/work",
        view=show_work,
        action=Action.MARK,
        thing=whose_answer,
    ),
]
