"""The one number of a submission: what the machine and people gave, and what still waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from grader.grading.verdict import Outcome, Verdict
from grader.points import show

Given = Mapping[str, tuple[Decimal, str]]
"""By question: the points and the comment of a person."""


@dataclass(frozen=True, kw_only=True)
class WholeMark:
    """Points of machine and people together.

    Attributes:
        points: what is given so far.
        max_points: of everything that is counted, what waits among it.
        waits: points that a person has yet to give or refuse.
        waiting: the questions that they belong to.
        by_hand: a person gave points for the whole, which hold over everything else.
    """

    points: Decimal
    max_points: Decimal
    waits: Decimal = Decimal(0)
    waiting: tuple[str, ...] = ()
    by_hand: bool = False

    @property
    def words(self) -> str:
        """In words, such as "23 of 30, 4 wait"."""
        told = f"{show(self.points)} of {show(self.max_points)}"
        return f"{told}, {show(self.waits)} {self.verb}" if self.waits else told

    @property
    def verb(self) -> str:
        """What the waiting points do: 1 waits, 4 wait."""
        return "waits" if self.waits == 1 else "wait"


def whole_mark(
    verdict: Verdict,
    given: Given,
    *,
    machine: tuple[Decimal, Decimal] | None = None,
    by_hand: tuple[Decimal, Decimal] | None = None,
) -> WholeMark | None:
    """Return the number that every page, list and file shows; None where there is no mark.

    Args:
        verdict: on the try that counts.
        given: what people gave for its questions.
        machine: the machine's points, and of how many, where the reader may not see all of them.
        by_hand: points, and of how many, that a person gave for the whole.
    """
    if by_hand is not None:
        return mark_by_hand(by_hand)
    if not verdict.outcome.is_mark:
        return None
    points, max_points = machine or (verdict.points, verdict.max_points)
    manual = {q.id: q.manual_points for q in verdict.questions if q.manual_points}
    open_ = {q: worth for q, worth in manual.items() if q not in given}
    waits = sum(open_.values(), Decimal(0)) if manual else verdict.manual_points
    if verdict.outcome is not Outcome.GRADED:  # what can't be read holds no written answers either
        waits, open_ = Decimal(0), {}
    return WholeMark(
        points=sum((one for one, _ in given.values()), points),
        max_points=max_points + verdict.manual_points,
        waits=waits,
        waiting=tuple(open_),
    )


def mark_by_hand(by_hand: tuple[Decimal, Decimal]) -> WholeMark:
    """Return the number where a person gave points, and of how many, for the whole."""
    return WholeMark(points=by_hand[0], max_points=by_hand[1], by_hand=True)
