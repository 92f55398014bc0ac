"""The rubric of a question: its items, who has them, and what a change changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy.orm import Session
from starlette.responses import Response

from grader.api.answer_marking import AnswerMarking
from grader.api.rubric_changes import RubricChangedError, RubricChanges
from grader.course.spec import Question
from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit
from grader.desk.views.lists import paged
from grader.desk.views.mark_places import (
    QUESTION,
    address,
    item_of,
    leads,
    of_item,
    of_question,
    own_section,
    points_said,
    question_of,
    second_looks,
)
from grader.errors import UsageError
from grader.gradebook.answer_list import AnswerRef
from grader.gradebook.rubric_items import Rubric, RubricItem
from grader.points import show


def show_rubric(visit: Visit) -> Response:
    """Show a question's items with how many answers have each."""
    marking, question = question_of(visit)
    return _page(visit, marking, question)


def change_beginning(visit: Visit) -> Response:
    """Have answers begin with all points or none; first it is said how many marks that changes."""
    marking, question = question_of(visit)
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    new = replace(rubric, begins_with_all=visit.said("begins") == "all")
    if new == rubric:
        return go(address(visit, question, "rubric"))
    if visit.said("seen") != _begins(rubric):
        return _page(visit, marking, question, new=new, conflict=True, status=409)
    changed = RubricChanges(marking, question).rescored(new)
    if changed and not visit.said("sure"):
        return _page(visit, marking, question, new=new, changed=len(changed))

    def note(session: Session, count: int) -> None:
        visit.note(
            "change a rubric",
            thing=f"{marking.assignment.name} {question.id}",
            detail=f"begins with {_begins(new)}, {count} marks",
            session=session,
        )

    try:
        RubricChanges(marking, question).begin_with(
            all_points=new.begins_with_all,
            was=rubric.begins_with_all,
            who=visit.me.person,
            beside=note,
        )
    except RubricChangedError:
        return _page(visit, marking, question, new=new, conflict=True, status=409)
    return go(address(visit, question, "rubric"))


def add_item(visit: Visit) -> Response:
    """Add an item to the question's rubric."""
    marking, question = question_of(visit)
    points, cap = _worth(visit)
    says, name = visit.said("says", 500), marking.assignment.name

    def note(session: Session) -> None:
        visit.note(
            "add a rubric item",
            thing=f"{name} {question.id}: {says}"[:500],
            detail=show(points) if cap is None else f"at most {show(cap)}",
            session=session,
        )

    marking.items.add(name, question.id, says, points, cap=cap, beside=note)
    back = visit.said("back", 40)
    if back == "rubric" or not back.isalnum():
        return go(address(visit, question, "rubric"))
    where = "second" if visit.said("second") else ""
    return go(address(visit, question, *filter(None, (where, back))))


def show_item(visit: Visit) -> Response:
    """Show who has an item."""
    marking, question, item = item_of(visit)
    return _item_page(visit, marking, question, item, item)


def change_item(visit: Visit) -> Response:
    """Change an item: first it is said whose points that changes, then it is done."""
    marking, question, item = item_of(visit)
    points, cap = _worth(visit)
    new = RubricItem(
        id=item.id,
        says=visit.said("says", 500),
        points=points,
        cap=cap,
        retired=bool(visit.said("retired")),
    )
    if new != item and visit.said("seen") != item.version:
        return _item_page(visit, marking, question, item, new, conflict=True, status=409)
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    changed = RubricChanges(marking, question).rescored(rubric.with_item(new))
    if changed and not visit.said("sure"):
        return _item_page(visit, marking, question, item, new, changed=changed)

    def note(session: Session, count: int) -> None:
        visit.note(
            "change a rubric item",
            thing=f"{marking.assignment.name} {question.id}: {item.says}"[:500],
            detail=f"{_said(item)} to {_said(new)}, {count} marks",
            session=session,
        )

    try:
        RubricChanges(marking, question).change_item(
            new, was=item, who=visit.me.person, beside=note
        )
    except RubricChangedError:
        marking, question, item = item_of(visit)  # as it is now
        return _item_page(visit, marking, question, item, new, conflict=True, status=409)
    return go(address(visit, question, "items", str(item.id)))


def _said(item: RubricItem) -> str:
    worth = f"at most {show(item.cap)}" if item.cap is not None else show(item.points)
    return f"{worth}, retired" if item.retired else worth


def _begins(rubric: Rubric) -> str:
    return "all" if rubric.begins_with_all else "none"


def _worth(visit: Visit) -> tuple[Decimal, Decimal | None]:
    """What an item adds or takes off; or, of one that caps, what an answer then has at most."""
    points = points_said(visit, "points")
    if visit.said("kind") != "cap":
        return points, None
    if points < 0:
        raise UsageError("a cap is no less than 0", hint="Such as 1: no more than one point.")
    return Decimal(0), points


def _page(
    visit: Visit,
    marking: AnswerMarking,
    question: Question,
    *,
    new: Rubric | None = None,
    changed: int = 0,
    conflict: bool = False,
    status: int = 200,
) -> Response:
    rubric = marking.items.rubric(marking.assignment.name, question.id)
    counts: dict[int, int] = {}
    sha256 = {
        a.student: a.sha256 for a in marking.answers(question, marker="") if a.points is not None
    }
    for one in marking.items.markings(marking.assignment.name, question.id).values():
        if sha256.get(one.student) == one.answer_sha256:
            for item in one.items:
                counts[item] = counts.get(item, 0) + 1
    return page(
        visit,
        "mark_rubric",
        status,
        question=question,
        spec=marking.assignment.spec,
        rubric=rubric,
        counts=counts,
        marked=len(sha256),
        new=new,
        changed=changed,
        conflict=conflict,
        leads=leads(visit),
        assignment=visit.named("assignment"),
    )


def _item_page(
    visit: Visit,
    marking: AnswerMarking,
    question: Question,
    item: RubricItem,
    new: RubricItem,
    *,
    changed: Sequence[tuple[AnswerRef, Decimal]] | None = None,
    conflict: bool = False,
    status: int = 200,
) -> Response:
    having = RubricChanges(marking, question).having(item.id, marker=visit.me.person)
    unseen = {a.ref for a in second_looks(marking).waiting(question, visit.me.person)}
    having = [a for a in own_section(visit, marking, having) if a.ref not in unseen]
    return page(
        visit,
        "mark_item",
        status,
        question=question,
        spec=marking.assignment.spec,
        item=item,
        having=paged(visit, having),
        changed=None if changed is None else len(changed),
        moves=Counter((a.points, points) for a, points in changed or ()).most_common(),
        new=new,
        conflict=conflict,
        leads=leads(visit),
        assignment=visit.named("assignment"),
    )


_RUBRIC, _ITEM = f"{QUESTION}/rubric", f"{QUESTION}/items/{{item}}"
PAGES = [
    Page(method="GET", path=_RUBRIC, view=show_rubric, action=Action.MARK, thing=of_question),
    Page(
        method="POST",
        path=_RUBRIC,
        view=change_beginning,
        action=Action.CHANGE_RUBRIC,
        thing=of_question,
    ),
    Page(
        method="POST",
        path=f"{QUESTION}/items",
        view=add_item,
        action=Action.MARK,
        thing=of_question,
    ),
    Page(method="GET", path=_ITEM, view=show_item, action=Action.MARK, thing=of_item),
    Page(method="POST", path=_ITEM, view=change_item, action=Action.CHANGE_RUBRIC, thing=of_item),
]
