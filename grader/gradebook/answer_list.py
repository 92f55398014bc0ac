"""What is asked of the answers of an assignment and of their marks: SQL over narrow rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, distinct, func, or_, select
from sqlalchemy.orm import Session, aliased

from grader.gradebook.database import reading
from grader.gradebook.hand_marks import Kind
from grader.gradebook.marking_tables import AnswerRow
from grader.gradebook.tables import HandMarkRow


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenMark:
    """What holds for an answer: a line of the record, without its words."""

    id: int
    who: str
    points: Decimal | None
    max_points: Decimal | None
    answer_sha256: str
    change: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRef:
    """One answer. `ref` names it in addresses, so that no student's name is in one.

    `points` are None before it is marked; `mark` is what was said last, also of an answer that
    another try has replaced. `share` is the marker whose it is, empty: anybody's.
    """

    ref: str
    student: str
    attempt: int
    entry: int
    sha256: str
    is_empty: bool
    worth: Decimal
    machine: Decimal
    machine_max: Decimal
    submission_sha256: str
    share: str
    mark: GivenMark | None = None

    @property
    def points(self) -> Decimal | None:
        """What this very answer was given, if it was marked."""
        mark = self.mark
        if mark is None or mark.answer_sha256 != self.sha256 or mark.max_points != self.worth:
            return None
        return mark.points


class PiledAnswer(NamedTuple):
    """One answer as far as the way through a pile needs it: its marks are not read."""

    ref: str
    student: str
    share: str


class MarkerSums(NamedTuple):
    """What one marker gave for one question: for how many answers, and how many points.

    `times` is how often: answers that are the same to the letter may have been marked at once.
    """

    who: str
    question: str
    answers: int
    times: int
    points: Decimal


class AnswerList:
    """The answers of one assignment, as `AnswerRows` has read them.

    Args:
        engine: of the gradebook's database.
        assignment: its name.
    """

    def __init__(self, engine: Engine, assignment: str) -> None:
        self._engine = engine
        self._assignment = assignment

    def of(self, question: str, ref: str = "") -> list[AnswerRef]:
        """Return a question's answers with what was given for them, or the one of that name."""
        with reading(self._engine) as session:
            return self._found(session, question, Kind.ANSWER, ref)

    def of_in(self, session: Session, question: str) -> list[AnswerRef]:
        """Return them as they are in a transaction."""
        return self._found(session, question, Kind.ANSWER)

    def pile(self, question: str) -> list[PiledAnswer]:
        """Return a question's answers, narrower than `of`."""
        query = select(*_OF_PILE).where(*self._own(question), AnswerRow.worth > 0)
        with reading(self._engine) as session:
            return [PiledAnswer(*row) for row in session.execute(query)]

    def shared(self, question: str) -> dict[str, str]:
        """Return by name whose share the answers are that are somebody's."""
        query = select(AnswerRow.ref, AnswerRow.share).where(
            *self._own(question), AnswerRow.worth > 0, AnswerRow.share != ""
        )
        with reading(self._engine) as session:
            return {ref: share for ref, share in session.execute(query)}  # noqa: C416 - rows

    def unmarked(
        self,
        question: str,
        *,
        like: AnswerRef | None = None,
        among: Sequence[str] | None = None,
    ) -> list[PiledAnswer]:
        """Return those that nobody has marked.

        Args:
            question: that they answer.
            like: the others that are the same as this one.
            among: those of these names.
        """
        newest = _newest()
        query = (
            select(*_OF_PILE)
            .outerjoin(newest, _holds(newest, Kind.ANSWER))
            .where(*self._own(question), AnswerRow.worth > 0)
            .where(or_(newest.id.is_(None), ~_is_marked(newest)))
        )
        if like is not None:
            query = query.where(AnswerRow.sha256 == like.sha256, AnswerRow.ref != like.ref)
        if among is not None:
            query = query.where(AnswerRow.ref.in_(among))
        with reading(self._engine) as session:
            return [PiledAnswer(*row) for row in session.execute(query)]

    def beside(self, question: str, ref: str = "") -> list[AnswerRef]:
        """Return them with what was given beside the tests instead."""
        with reading(self._engine) as session:
            return self._found(session, question, Kind.ADJUSTMENT, ref)

    def comments(self, question: str, *, limit: int) -> list[str]:
        """Return what was said of a question's answers, the most frequent first."""
        newest = _newest()
        query = (
            select(newest.comment)
            .select_from(AnswerRow)
            .join(newest, _holds(newest, Kind.ANSWER))
            .where(*self._own(question), newest.comment != "", newest.points.is_not(None))
            .group_by(newest.comment)
            .order_by(func.count().desc(), newest.comment)
            .limit(limit)
        )
        with reading(self._engine) as session:
            return list(session.scalars(query))

    def progress(self) -> dict[str, tuple[int, int]]:
        """Return by question how many answers are marked, of how many that are to be."""
        return {question: (marked, total) for question, marked, total in self._counted("question")}

    def shares(self) -> dict[str, tuple[int, int]]:
        """Return by marker how many of their share are marked, of how many; "" is nobody's."""
        return {share: (marked, total) for share, marked, total in self._counted("share")}

    def given(self) -> list[MarkerSums]:
        """Return by marker and question what they gave, where that holds."""
        newest = _newest()
        times = func.count(distinct(newest.change + AnswerRow.sha256))
        query = (
            select(newest.who, AnswerRow.question, func.count(), times, func.sum(newest.points))
            .select_from(AnswerRow)
            .join(newest, _holds(newest, Kind.ANSWER))
            .where(AnswerRow.assignment == self._assignment, _is_marked(newest))
            .group_by(newest.who, AnswerRow.question)
        )
        with reading(self._engine) as session:
            return [
                MarkerSums(who, question, count, often, points or Decimal(0))
                for who, question, count, often, points in session.execute(query)
            ]

    def marked_with(self, question: str, answer: AnswerRef) -> int:
        """Return how many answers the same to the letter got this one's mark in the same save."""
        if answer.mark is None:
            return 0
        query = select(func.count()).where(
            HandMarkRow.change == answer.mark.change,
            HandMarkRow.item == self._assignment,
            HandMarkRow.part == question,
            HandMarkRow.kind == Kind.ANSWER.value,
            HandMarkRow.answer_sha256 == answer.sha256,
        )
        with reading(self._engine) as session:
            return session.scalar(query) or 0

    def saves(self) -> list[tuple[str, dt.datetime]]:
        """Return who saved marks of answers, and when, oldest first; answers alike are one save."""
        query = (
            select(HandMarkRow.who, func.min(HandMarkRow.made_at))
            .where(HandMarkRow.item == self._assignment, HandMarkRow.kind == Kind.ANSWER.value)
            .group_by(HandMarkRow.change, HandMarkRow.who)
            .order_by(func.min(HandMarkRow.id))
        )
        with reading(self._engine) as session:
            return [(who, at) for who, at in session.execute(query)]

    def _found(self, session: Session, question: str, kind: Kind, ref: str = "") -> list[AnswerRef]:
        newest = _newest()
        wanted = self._own(question)
        wanted.append(AnswerRow.worth > 0 if kind is Kind.ANSWER else AnswerRow.machine_max > 0)
        if ref:
            wanted.append(AnswerRow.ref == ref)
        query = (
            select(
                *(getattr(AnswerRow, name) for name in _OF_ANSWER),
                *(getattr(newest, name) for name in _OF_MARK),
            )
            .outerjoin(newest, _holds(newest, kind))
            .where(*wanted)
        )
        return [_ref(tuple(row)) for row in session.execute(query)]

    def _counted(self, by: str) -> Sequence[Any]:
        newest, column = _newest(), getattr(AnswerRow, by)
        query = (
            select(column, func.count().filter(_is_marked(newest)), func.count())
            .outerjoin(newest, _holds(newest, Kind.ANSWER))
            .where(AnswerRow.assignment == self._assignment, AnswerRow.worth > 0)
            .group_by(column)
        )
        with reading(self._engine) as session:
            return session.execute(query).all()

    def _own(self, question: str) -> list[ColumnElement[bool]]:
        return [AnswerRow.assignment == self._assignment, AnswerRow.question == question]


_OF_PILE = tuple(getattr(AnswerRow, name) for name in PiledAnswer._fields)
_OF_ANSWER = tuple(name for name in AnswerRef.__dataclass_fields__ if name != "mark")
_OF_MARK = tuple(GivenMark.__dataclass_fields__)


def _newest() -> type[HandMarkRow]:
    return aliased(HandMarkRow)


def _holds(newest: type[HandMarkRow], kind: Kind) -> ColumnElement[bool]:
    """Joins to an answer the line of the record that holds."""
    held = (
        select(func.max(HandMarkRow.id))
        .where(
            HandMarkRow.item == AnswerRow.assignment,
            HandMarkRow.part == AnswerRow.question,
            HandMarkRow.student == AnswerRow.student,
            HandMarkRow.kind == kind.value,
        )
        .correlate(AnswerRow)
        .scalar_subquery()
    )
    return newest.id == held


def _is_marked(newest: type[HandMarkRow]) -> ColumnElement[bool]:
    """Says in SQL what `AnswerRef.points` says: this very answer was marked."""
    return and_(
        newest.points.is_not(None),
        newest.answer_sha256 == AnswerRow.sha256,
        newest.max_points == AnswerRow.worth,
    )


def _ref(row: Sequence[Any]) -> AnswerRef:
    answer = dict(zip(_OF_ANSWER, row, strict=False))
    mark = dict(zip(_OF_MARK, row[len(_OF_ANSWER) :], strict=True))
    return AnswerRef(**answer, mark=GivenMark(**mark) if mark["id"] is not None else None)
