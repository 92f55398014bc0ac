"""Appeals: for which questions there is still time, whose mark it is, and an answer's new mark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from grader.api.own_work import OwnWork
from grader.course.directory import Assignment
from grader.course.policy import AppealRules
from grader.course.spec import Question
from grader.errors import UsageError
from grader.gradebook.adjustments import adjustment_fact
from grader.gradebook.appeals import AppealChange
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.hand_marks import (
    Change,
    Fact,
    HandMark,
    Kind,
    Newest,
    lock_marks,
    newest_marks,
    put_marks,
)
from grader.gradebook.publications import Publication, first_shown
from grader.gradebook.rubric_items import Marking, markings_of, put_markings, rubric_of
from grader.grading.verdict import Verdict
from grader.points import show


@dataclass(frozen=True, kw_only=True)
class AppealedPart:
    """One part of a question's points, as a marker may change it.

    Attributes:
        kind: of the written answer, or beside the tests.
        points: that hold now; None while nobody has marked it.
        most: the highest.
        seen: the line of the record that says so; 0: none.
        who: gave them; empty: the tests, or nobody.
    """

    kind: Kind
    points: Decimal | None
    most: Decimal
    seen: int
    who: str = ""


def answer_fact(assignment: str, student: str, question: str) -> Fact:
    """Return what the record calls the mark of a written answer."""
    return Fact(student=student, item=assignment, kind=Kind.ANSWER, part=question)


def open_until(
    work: OwnWork,
    *,
    rules: AppealRules,
    history: Sequence[Publication],
    shown: Newest,
    now: dt.datetime,
) -> dict[str, dt.datetime]:
    """Return until when each question can be appealed about; those for which there is time.

    Args:
        work: the student's.
        rules: of the course.
        history: the publications of the assignment, oldest first.
        shown: what students may see of what people said of it.
        now: when.
    """
    counted, found = work.counted, {}
    if counted is None or work.sheet is None or not history or not history[-1].published:
        return {}
    for question in work.sheet.questions:
        if question.waits and not question.max_points:
            continue  # nobody has marked it yet
        facts = (
            answer_fact(work.assignment, counted.student, question.id),
            adjustment_fact(counted.student, work.assignment, question.id),
        )
        line = max((shown[fact].id for fact in facts if fact in shown), default=0)
        since = first_shown(history, line)
        if since is not None and now <= since + dt.timedelta(days=rules.days):
            found[question.id] = since + dt.timedelta(days=rules.days)
    return found


def marker_of(newest: Newest, assignment: str, student: str, question: str) -> str:
    """Return who marked a question last; empty where the machine alone did."""
    facts = (
        answer_fact(assignment, student, question),
        adjustment_fact(student, assignment, question),
    )
    marks = [newest[f] for f in facts if f in newest and newest[f].says.points is not None]
    return max(marks, key=lambda mark: mark.id).who if marks else ""


def parts_of(verdict: Verdict, question: Question, newest: Newest) -> list[AppealedPart]:
    """Return what of a question's points a person may change.

    Args:
        verdict: the one that counts, with what people have added to it.
        question: of the assignment.
        newest: what people said of it.
    """
    mark = next((q for q in verdict.questions if q.id == question.id), None)
    if mark is None:
        return []
    found = []
    if question.manual:
        fact = answer_fact(verdict.assignment, verdict.student, question.id)
        said = newest.get(fact)
        this = said is not None and said.says.answer_sha256 == answer_sha256(verdict, question.id)
        found.append(
            AppealedPart(
                kind=Kind.ANSWER,
                points=said.says.points if said and this else None,
                most=question.manual,
                seen=said.id if said else 0,
                who=said.who if said and this else "",
            )
        )
    if mark.max_points:
        said = newest.get(adjustment_fact(verdict.student, verdict.assignment, question.id))
        found.append(
            AppealedPart(
                kind=Kind.ADJUSTMENT,
                points=mark.points,
                most=mark.max_points,
                seen=said.id if said else 0,
                who=said.who if said and mark.by_hand else "",
            )
        )
    return found


def change_marks(
    session: Session,
    assignment: Assignment,
    verdict: Verdict,
    question: Question,
    wanted: Mapping[Kind, tuple[Decimal, int]],
    *,
    published: Newest,
    who: str,
    why: str,
    now: dt.datetime,
) -> list[AppealChange]:
    """Change the marks of a question, and return what changed: the record keeps what was.

    Args:
        session: in which the answer to the appeal is kept, too.
        assignment: of this one.
        verdict: the one that counts, with what people have added to it.
        question: of the assignment.
        wanted: by part, the new points, and the line of the record that the person saw.
        published: what the student sees.
        who, why: for the record.
        now: when.

    Raises:
        UsageError: more points than there are.
        ChangedMeanwhileError: somebody else changed one of them.
    """
    lock_marks(session)
    newest = newest_marks(session, student=verdict.student, item=assignment.name)
    parts = {part.kind: part for part in parts_of(verdict, question, newest)}
    for kind, (points, _) in wanted.items():
        if kind not in parts or not 0 <= points <= parts[kind].most:
            most = show(parts[kind].most) if kind in parts else "0"
            raise UsageError(f"{show(points)} points are not between 0 and {most}")
    changes = [
        _change(assignment, verdict, question, kind, points, newest)
        for kind, (points, _) in wanted.items()
        if points != parts[kind].points
    ]
    seen = {change.fact: wanted[change.fact.kind][1] for change in changes}
    added = put_marks(session, changes, who=who, why=why, seen=seen)
    markings = _markings(session, assignment, verdict, question, changes, who)
    put_markings(session, assignment.name, question.id, markings, now=now)
    return [_changed(mark, parts, published) for mark in added]


def _change(
    assignment: Assignment,
    verdict: Verdict,
    question: Question,
    kind: Kind,
    points: Decimal,
    newest: Newest,
) -> Change:
    if kind is Kind.ANSWER:
        fact = answer_fact(assignment.name, verdict.student, question.id)
        return Change(
            fact=fact,
            points=points,
            max_points=question.manual,
            comment=newest[fact].says.comment if fact in newest else "",
            answer_sha256=answer_sha256(verdict, question.id),
        )
    mark = next(q for q in verdict.questions if q.id == question.id)
    machine = mark.points - mark.by_hand
    return Change(
        fact=adjustment_fact(verdict.student, assignment.name, question.id),
        points=points - machine,
        max_points=machine,
        comment=mark.comment,
        answer_sha256=verdict.submission.sha256,
    )


def _markings(
    session: Session,
    assignment: Assignment,
    verdict: Verdict,
    question: Question,
    changes: Sequence[Change],
    who: str,
) -> list[Marking]:
    """The rubric's items of the answer stay; what is given beside them makes up the new points."""
    rubric = rubric_of(session, assignment.name, question.id)
    old = markings_of(session, assignment.name, question.id).get(verdict.student)
    found = []
    for change in changes:
        if change.fact.kind is not Kind.ANSWER or change.points is None:
            continue
        same = old is not None and old.answer_sha256 == change.answer_sha256
        live = {item.id for item in rubric.live}
        chosen = tuple(i for i in old.items if i in live) if old and same else ()
        found.append(
            Marking(
                student=verdict.student,
                answer_sha256=change.answer_sha256,
                items=chosen,
                adjustment=change.points - rubric.points(chosen, Decimal(0), question.manual),
                who=who,
            )
        )
    return found


def _changed(mark: HandMark, parts: Mapping[Kind, AppealedPart], published: Newest) -> AppealChange:
    says, kind = mark.says, mark.fact.kind
    shown = published.get(mark.fact)
    was = parts[kind].points or Decimal(0)
    if kind is Kind.ANSWER and shown is not None:
        was = shown.says.points or Decimal(0)
    becomes = says.points or Decimal(0)
    if kind is Kind.ADJUSTMENT:  # beside what the tests gave
        becomes += says.max_points or Decimal(0)
    return AppealChange(mark=mark.id, kind=kind, was=was, becomes=becomes)
