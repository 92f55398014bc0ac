"""Answers that another marker marks again, without seeing the first marks."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, and_, func, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.database import reading, writing
from grader.gradebook.marking_tables import AnswerRow, SecondLookRow


class SecondLookOutcome(StrEnum):
    """What became of the two marks: nothing yet, they are the same, or which one holds."""

    OPEN = ""
    SAME = "same"
    FIRST = "first"
    SECOND = "second"
    ANEW = "anew"


@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """One answer's second look; `points` are None as long as `who` has not marked it."""

    id: int
    assignment: str
    question: str
    student: str
    answer_sha256: str
    asked_by: str
    asked_at: dt.datetime
    who: str
    first_who: str
    first_points: Decimal
    first_items: Sequence[int] | None
    points: Decimal | None
    items: Sequence[int]
    adjustment: Decimal
    comment: str
    outcome: SecondLookOutcome
    decided_by: str
    decided_at: dt.datetime | None

    @property
    def waits(self) -> bool:
        """Whether it waits for the second marker."""
        return self.points is None

    @property
    def differs(self) -> bool:
        """Whether it waits for somebody to decide."""
        return self.points is not None and self.outcome is SecondLookOutcome.OPEN


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A second look that is asked for."""

    student: str
    answer_sha256: str
    who: str
    first_who: str
    first_points: Decimal


class SecondLooks:
    """The second looks of a course, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, assignment: str, question: str = "", *, who: str = "") -> list[SecondLook]:
        """Return an assignment's second looks in the order in which they were asked for.

        Args:
            assignment: its name.
            question: of this one alone.
            who: of this second marker alone.
        """
        query = select(SecondLookRow).where(SecondLookRow.assignment == assignment)
        if question:
            query = query.where(SecondLookRow.question == question)
        if who:
            query = query.where(SecondLookRow.who == who)
        with reading(self._engine) as session:
            return [_look(row) for row in session.scalars(query.order_by(SecondLookRow.id))]

    def at(self, assignment: str, question: str, student: str, sha256: str) -> SecondLook | None:
        """Return the second look at one answer, or None."""
        query = select(SecondLookRow).where(
            SecondLookRow.assignment == assignment,
            SecondLookRow.question == question,
            SecondLookRow.student == student,
            SecondLookRow.answer_sha256 == sha256,
        )
        with reading(self._engine) as session:
            row = session.scalars(query).first()
            return _look(row) if row is not None else None

    def due(self, who: str) -> Counter[tuple[str, str]]:
        """Return by assignment and question how many wait for this second marker."""
        return self._counted(SecondLookRow.who == who, SecondLookRow.points.is_(None))

    def differing(self) -> Counter[tuple[str, str]]:
        """Return by assignment and question of how many somebody is to say which marks hold."""
        return self._counted(
            SecondLookRow.points.is_not(None), SecondLookRow.outcome == SecondLookOutcome.OPEN
        )

    def _counted(self, *wanted: ColumnElement[bool]) -> Counter[tuple[str, str]]:
        """Count looks at answers that no other try has replaced."""
        still = and_(
            AnswerRow.assignment == SecondLookRow.assignment,
            AnswerRow.question == SecondLookRow.question,
            AnswerRow.student == SecondLookRow.student,
            AnswerRow.sha256 == SecondLookRow.answer_sha256,
        )
        of = (SecondLookRow.assignment, SecondLookRow.question)
        query = select(*of, func.count()).join(AnswerRow, still).where(*wanted).group_by(*of)
        with reading(self._engine) as session:
            found = session.execute(query.order_by(*of))
            return Counter({(name, question): count for name, question, count in found})

    def ask(
        self,
        assignment: str,
        question: str,
        asked: Iterable[Asked],
        *,
        asked_by: str,
        now: dt.datetime,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Ask for second looks at answers of which there is none yet.

        `beside` writes more, in the same transaction.
        """
        with writing(self._engine) as session:
            session.add_all(
                SecondLookRow(
                    assignment=assignment,
                    question=question,
                    student=one.student,
                    answer_sha256=one.answer_sha256,
                    asked_by=asked_by,
                    asked_at=now,
                    who=one.who,
                    first_who=one.first_who,
                    first_points=one.first_points,
                    items=[],
                    adjustment=Decimal(0),
                    comment="",
                    outcome=SecondLookOutcome.OPEN,
                    decided_by="",
                )
                for one in asked
            )
            if beside is not None:
                beside(session)

    def mark(
        self,
        look: SecondLook,
        *,
        first: tuple[str, Decimal, Sequence[int] | None],
        points: Decimal,
        items: Sequence[int],
        adjustment: Decimal,
        comment: str,
        now: dt.datetime,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Keep the second marks, beside the first ones that hold now (who, points, items).

        `beside` writes more, in the same transaction.

        Raises:
            UsageError: they were given already: what is compared is not changed.
        """
        with writing(self._engine) as session:
            row = session.get_one(SecondLookRow, look.id, with_for_update=True)
            if row.points is not None:
                raise UsageError("this second look was marked already")
            row.first_who, row.first_points = first[0], first[1]
            row.first_items = None if first[2] is None else list(first[2])
            row.points, row.items, row.adjustment = points, list(items), adjustment
            row.comment, row.made_at = comment, now
            if points == first[1]:
                row.outcome = SecondLookOutcome.SAME
            if beside is not None:
                beside(session)


def decide(
    session: Session, look: int, outcome: SecondLookOutcome, who: str, *, now: dt.datetime
) -> None:
    """Say which marks hold, in the transaction that records them.

    Raises:
        UsageError: somebody has decided already.
    """
    row = session.get_one(SecondLookRow, look, with_for_update=True)
    if row.outcome != SecondLookOutcome.OPEN or row.points is None:
        raise UsageError("this difference was decided already", hint="Load the page again.")
    row.outcome, row.decided_by, row.decided_at = outcome, who, now


def _look(row: SecondLookRow) -> SecondLook:
    values = {name: getattr(row, name) for name in SecondLook.__dataclass_fields__}
    return SecondLook(**{**values, "outcome": SecondLookOutcome(row.outcome)})
