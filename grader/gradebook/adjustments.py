"""Points that a person gives or takes beside the machine's, for one question of one submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from grader.gradebook.hand_marks import Fact, HandMark, Kind, Newest
from grader.grading.verdict import QuestionMark, Verdict
from grader.points import show, signed


def adjustment_fact(student: str, assignment: str, question: str) -> Fact:
    """Return what the record calls an adjustment of a question."""
    return Fact(student=student, item=assignment, kind=Kind.ADJUSTMENT, part=question)


def adjusted(verdict: Verdict, newest: Newest) -> Verdict:
    """Return a verdict with what people have added to its questions, within 0 and their points.

    An adjustment is about what somebody read: it holds for that submission's bytes, however often
    they are graded, and for no other submission.
    """
    if not verdict.outcome.is_mark:
        return verdict
    questions = tuple(_with(q, _mark_of(verdict, q, newest)) for q in verdict.questions)
    if questions == verdict.questions:
        return verdict
    more = sum((q.by_hand for q in questions), Decimal(0))
    return msgspec.structs.replace(verdict, questions=questions, points=verdict.points + more)


def all_adjusted(verdicts: Iterable[Verdict], newest: Newest) -> list[Verdict]:
    """Return verdicts with what people have added; mostly that is nothing to any of them."""
    if not any(fact.kind is Kind.ADJUSTMENT for fact in newest):
        return list(verdicts)
    return [adjusted(verdict, newest) for verdict in verdicts]


def bounded(machine: Decimal, asked: Decimal, highest: Decimal) -> Decimal:
    """Return how much of an adjustment counts: the question never leaves 0 and its points."""
    return min(max(machine + asked, Decimal(0)), max(highest, machine)) - machine


def adjustment_notes(verdict: Verdict, newest: Newest) -> Iterator[str]:
    """Say which adjustments no longer fit the verdict that counts, adjusted or not."""
    for question in verdict.questions:
        machine = question.points - question.by_hand
        mark = newest.get(adjustment_fact(verdict.student, verdict.assignment, question.id))
        if mark is None or not mark.says.points:
            continue
        what = f"{verdict.student}: {question.id}: {signed(mark.says.points)} by {mark.who}"
        if mark.says.answer_sha256 != verdict.submission.sha256:
            yield f"{what} was given to another submission than the one that counts now"
        elif mark.says.max_points != machine:
            then = show(mark.says.max_points or Decimal(0))
            counts = bounded(machine, mark.says.points, question.max_points)
            yield (
                f"{what} was added to {then} from the tests, which now give "
                f"{show(machine)}; {signed(counts)} of it counts"
            )


def _mark_of(verdict: Verdict, question: QuestionMark, newest: Newest) -> HandMark | None:
    mark = newest.get(adjustment_fact(verdict.student, verdict.assignment, question.id))
    if mark is None or mark.says.points is None:
        return None
    return mark if mark.says.answer_sha256 == verdict.submission.sha256 else None


def _with(question: QuestionMark, mark: HandMark | None) -> QuestionMark:
    if mark is None or mark.says.points is None:
        return question
    more = bounded(question.points, mark.says.points, question.max_points)
    return msgspec.structs.replace(
        question, points=question.points + more, by_hand=more, comment=mark.says.comment
    )
