"""Rubric items of questions, which answers have them, and who has an answer open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import MarkingRow, MarkLeaseRow, RubricItemRow

LEASE = dt.timedelta(minutes=10)
"""So long is an answer somebody's who opened it and does nothing more."""


@dataclass(frozen=True, kw_only=True)
class RubricItem:
    """One item; below 0 its points are taken off."""

    id: int
    says: str
    points: Decimal
    retired: bool = False


@dataclass(frozen=True, kw_only=True)
class Marking:
    """How an answer's points came about."""

    student: str
    answer_sha256: str
    items: tuple[int, ...]
    adjustment: Decimal
    who: str


def points_of(
    items: Sequence[RubricItem], chosen: Collection[int], adjustment: Decimal, most: Decimal
) -> Decimal:
    """Return the points of an answer, between 0 and `most`.

    Where no item of the question adds points, an answer begins with all of them; else with none.

    Args:
        items: of the question.
        chosen: ids of those that the answer has.
        adjustment: what the marker adds, or takes off, beside the items.
        most: what the question is worth by hand.
    """
    takes_off = bool(items) and all(item.points <= 0 for item in items)
    begins = most if takes_off else Decimal(0)
    found = begins + sum((i.points for i in items if i.id in chosen), Decimal(0)) + adjustment
    return min(max(found, Decimal(0)), most)


class RubricItems:
    """The rubric items of a course's questions, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, assignment: str, question: str) -> list[RubricItem]:
        """Return a question's items in the order in which they were made; retired ones too."""
        query = (
            select(RubricItemRow)
            .where(RubricItemRow.assignment == assignment, RubricItemRow.question == question)
            .order_by(RubricItemRow.id)
        )
        with reading(self._engine) as session:
            return [_item(row) for row in session.scalars(query)]

    def add(self, assignment: str, question: str, says: str, points: Decimal) -> RubricItem:
        """Make an item.

        Raises:
            UsageError: it says nothing.
        """
        _require_words(says)
        row = RubricItemRow(
            assignment=assignment, question=question, says=says, points=points, retired=False
        )
        with writing(self._engine) as session:
            session.add(row)
            session.flush()
            return _item(row)

    def change(self, item: int, *, says: str, points: Decimal, retired: bool) -> None:
        """Change what an item says and is worth; the marks that it is in are the caller's."""
        _require_words(says)
        with writing(self._engine) as session:
            row = session.get_one(RubricItemRow, item)
            row.says, row.points, row.retired = says, points, retired

    def markings(self, assignment: str, question: str) -> dict[str, Marking]:
        """Return how each answer's points came about, by student."""
        query = select(MarkingRow).where(
            MarkingRow.assignment == assignment, MarkingRow.question == question
        )
        with reading(self._engine) as session:
            return {row.student: _marking(row) for row in session.scalars(query)}

    def put_markings(
        self, assignment: str, question: str, markings: Iterable[Marking], *, now: dt.datetime
    ) -> None:
        """Keep how answers' points came about; what was known before is replaced."""
        with writing(self._engine) as session:
            for one in markings:
                session.execute(
                    delete(MarkingRow).where(
                        MarkingRow.assignment == assignment,
                        MarkingRow.question == question,
                        MarkingRow.student == one.student,
                    )
                )
                session.add(
                    MarkingRow(
                        assignment=assignment,
                        question=question,
                        student=one.student,
                        answer_sha256=one.answer_sha256,
                        items=list(one.items),
                        adjustment=one.adjustment,
                        who=one.who,
                        made_at=now,
                    )
                )

    # -- who has an answer open -------------------------------------------------------------

    def leases(self, assignment: str, question: str, *, now: dt.datetime) -> Mapping[str, str]:
        """Return who has an answer open, by student."""
        query = select(MarkLeaseRow.student, MarkLeaseRow.who).where(
            MarkLeaseRow.assignment == assignment,
            MarkLeaseRow.question == question,
            MarkLeaseRow.until > now,
        )
        with reading(self._engine) as session:
            return {student: who for student, who in session.execute(query).all()}  # noqa: C416

    def lease(
        self, assignment: str, question: str, student: str, who: str, *, now: dt.datetime
    ) -> None:
        """Open an answer: who had it open before has it no more, and keeps what was saved."""
        with writing(self._engine) as session:
            _end_leases(session, assignment, question, student, who)
            session.add(
                MarkLeaseRow(
                    assignment=assignment,
                    question=question,
                    student=student,
                    who=who,
                    until=now + LEASE,
                )
            )


def _end_leases(session: Session, assignment: str, question: str, student: str, who: str) -> None:
    """A person has one answer of a question open, and an answer one person."""
    session.execute(
        delete(MarkLeaseRow).where(
            MarkLeaseRow.assignment == assignment,
            MarkLeaseRow.question == question,
            (MarkLeaseRow.student == student) | (MarkLeaseRow.who == who),
        )
    )


def _require_words(says: str) -> None:
    if not says.strip():
        raise UsageError("the item says nothing", hint="Say what an answer has that gets it.")


def _item(row: RubricItemRow) -> RubricItem:
    return RubricItem(id=row.id, says=row.says, points=row.points, retired=row.retired)


def _marking(row: MarkingRow) -> Marking:
    return Marking(
        student=row.student,
        answer_sha256=row.answer_sha256,
        items=tuple(row.items),
        adjustment=row.adjustment,
        who=row.who,
    )
