"""The machine's marks, as marks for items of the course."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from grader.course.components import Criterion, Item
from grader.gradebook.marks import ItemMark, Source
from grader.grading.verdict import Outcome, Verdict
from grader.points import to_points

if TYPE_CHECKING:  # the desk's tables take as long to declare as all others
    from grader.gradebook.tries import DeskTry

WAITS = "A part is marked by a person"
NOT_JUDGED = "Handed in, not judged yet"
_OPEN = {
    Outcome.INFRASTRUCTURE_ERROR: "Not graded yet, through no fault of the student",
    Outcome.SUITE_ERROR: "Not graded yet: a check of the assignment is broken",
}


def item_mark(item: Item, verdict: Verdict) -> ItemMark:
    """Turn one verdict into a mark for an item."""
    if not verdict.outcome.is_mark:
        return _open(item, verdict)
    criterion = item.machine_criterion
    # What can't be read holds no written answers either.
    unread = verdict.outcome is Outcome.INVALID_SUBMISSION
    extra = (q.manual_points for q in verdict.questions if q.extra_credit)
    by_hand = verdict.manual_points or any(extra)
    whole = criterion is None and (unread or not by_hand)
    if criterion is not None:
        criteria = {criterion.id: _scaled(verdict, criterion)}
        max_points = item.max_points
    else:
        criteria = {question.id: question.points for question in verdict.questions}
        # Of the assignment as it was when it was graded: totals refuse it if that has changed.
        max_points = verdict.max_points + verdict.manual_points
    return ItemMark(
        student=verdict.student,
        item=item.id,
        points=verdict.points if whole else None,
        max_points=max_points,
        handed_in=verdict.submission.submitted_at,
        source=Source.MACHINE,
        criteria=criteria,
        extra_points=_extra(verdict) if criterion is None else Decimal(0),
        waits_for="" if whole else WAITS,
        attempt=verdict.submission.attempt,
    )


def _open(item: Item, verdict: Verdict) -> ItemMark:
    """Handed in, and not marked through no fault of the student."""
    return ItemMark(
        student=verdict.student,
        item=item.id,
        points=None,
        max_points=item.max_points,
        handed_in=verdict.submission.submitted_at,
        source=Source.MACHINE,
        waits_for=_OPEN[verdict.outcome],
        attempt=verdict.submission.attempt,
    )


def unjudged_mark(item: Item, one: DeskTry) -> ItemMark:
    """Return the mark of who handed in through the desk and has no verdict at all."""
    return ItemMark(
        student=one.student,
        item=item.id,
        points=None,
        max_points=item.max_points,
        handed_in=one.received_at,
        source=Source.MACHINE,
        waits_for=_OPEN[Outcome.INFRASTRUCTURE_ERROR] if one.state.ended else NOT_JUDGED,
        attempt=one.attempt,
    )


def _extra(verdict: Verdict) -> Decimal:
    extra = (q.max_points + q.manual_points for q in verdict.questions if q.extra_credit)
    return sum(extra, Decimal(0))


def _scaled(verdict: Verdict, criterion: Criterion) -> Decimal:
    """The suite's share of its points, as points of the rubric: at most all of them."""
    if not verdict.max_points:
        return Decimal(0)
    share = min(verdict.points / verdict.max_points, Decimal(1))
    return to_points(share * criterion.points)
