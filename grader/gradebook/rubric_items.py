"""Rubrics of questions, which answers have their items, and who has an answer open."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.database import reading, writing
from grader.gradebook.hand_marks import recording
from grader.gradebook.marking_tables import MarkingRow, MarkLeaseRow, RubricItemRow, RubricRow
from grader.points import show

LEASE = dt.timedelta(minutes=10)
"""So long is an answer somebody's who opened it and does nothing more."""


@dataclass(frozen=True, kw_only=True)
class RubricItem:
    """One item; below 0 its points are taken off. With a cap an answer gets no more than that."""

    id: int
    says: str
    points: Decimal
    cap: Decimal | None = None
    retired: bool = False

    @property
    def version(self) -> str:
        """Another one for each thing that it may say: a form carries it, to know it again."""
        cap = "" if self.cap is None else show(self.cap)
        said = "\0".join((self.says, show(self.points), cap, str(self.retired)))
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """The items of a question, retired ones too, and whether an answer begins with all points."""

    items: tuple[RubricItem, ...] = ()
    begins_with_all: bool = False

    @property
    def live(self) -> tuple[RubricItem, ...]:
        """The items that can be given."""
        return tuple(item for item in self.items if not item.retired)

    def item(self, identifier: int) -> RubricItem | None:
        """Return one item, or None."""
        return next((item for item in self.items if item.id == identifier), None)

    def with_item(self, item: RubricItem) -> Rubric:
        """Return the rubric with an item changed."""
        items = tuple(item if one.id == item.id else one for one in self.items)
        return replace(self, items=items)

    def points(self, chosen: Collection[int], adjustment: Decimal, most: Decimal) -> Decimal:
        """Return the points of an answer, between 0 and `most`.

        The items together give no less than 0, no more than `most`, and no more than the lowest cap
        among them; what the marker gives or takes beside them comes after that.

        Args:
            chosen: ids of the items that the answer has; a retired one counts no more.
            adjustment: what the marker adds, or takes off, beside the items.
            most: what the question is worth by hand.
        """
        own = [item for item in self.live if item.id in chosen]
        begins = most if self.begins_with_all else Decimal(0)
        found = begins + sum((item.points for item in own), Decimal(0))
        caps = [item.cap for item in own if item.cap is not None]
        return _within(min([_within(found, most), *caps]) + adjustment, most)


@dataclass(frozen=True, kw_only=True)
class Marking:
    """How an answer's points came about."""

    student: str
    answer_sha256: str
    items: tuple[int, ...]
    adjustment: Decimal
    who: str


class RubricItems:
    """The rubrics of a course's questions, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def rubric(self, assignment: str, question: str) -> Rubric:
        """Return a question's rubric, its items in the order in which they were made."""
        with reading(self._engine) as session:
            return rubric_of(session, assignment, question)

    def add(
        self,
        assignment: str,
        question: str,
        says: str,
        points: Decimal,
        *,
        cap: Decimal | None = None,
        beside: Callable[[Session], None] | None = None,
    ) -> RubricItem:
        """Make an item. By the first that has points it is settled with what an answer begins.

        Where there is the very same one already, as of a form that was sent twice, that is
        returned and nothing is made. `beside` writes more with a new one, in the same transaction.

        Raises:
            UsageError: it says nothing.
        """
        _require_words(says)
        row = RubricItemRow(
            assignment=assignment,
            question=question,
            says=says,
            points=points,
            cap=cap,
            retired=False,
        )
        with recording(self._engine) as session:  # two forms at once, too, make one
            known = rubric_of(session, assignment, question)
            for item in known.live:
                if (item.says, item.points, item.cap) == (says, points, cap):
                    return item
            if points and _begins(session, assignment, question) is None:
                all_points = known.begins_with_all or (not known.live and points < 0)
                put_beginning(session, assignment, question, all_points=all_points)
            session.add(row)
            session.flush()
            if beside is not None:
                beside(session)
            return _item(row)

    def markings(self, assignment: str, question: str) -> dict[str, Marking]:
        """Return how each answer's points came about, by student."""
        with reading(self._engine) as session:
            return markings_of(session, assignment, question)

    def marking(self, assignment: str, question: str, student: str) -> Marking | None:
        """Return how one answer's points came about."""
        query = select(MarkingRow).where(
            MarkingRow.assignment == assignment,
            MarkingRow.question == question,
            MarkingRow.student == student,
        )
        with reading(self._engine) as session:
            row = session.scalars(query).first()
            return _marking(row) if row is not None else None

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


def rubric_of(session: Session, assignment: str, question: str) -> Rubric:
    """Return a question's rubric as it is in a transaction."""
    query = (
        select(RubricItemRow)
        .where(RubricItemRow.assignment == assignment, RubricItemRow.question == question)
        .order_by(RubricItemRow.id)
    )
    items = tuple(_item(row) for row in session.scalars(query))
    begins = _begins(session, assignment, question)
    if begins is None:  # of a gradebook in which nobody has said so: items that only take off
        worth = [item.points for item in items if not item.retired and item.cap is None]
        begins = bool(worth) and all(points <= 0 for points in worth)
    return Rubric(items=items, begins_with_all=begins)


def markings_of(session: Session, assignment: str, question: str) -> dict[str, Marking]:
    """Return how each answer's points came about, by student, as it is in a transaction."""
    query = select(MarkingRow).where(
        MarkingRow.assignment == assignment, MarkingRow.question == question
    )
    return {row.student: _marking(row) for row in session.scalars(query)}


def put_item(session: Session, item: RubricItem) -> None:
    """Change what an item says and is worth, in the transaction that scores its marks anew.

    Raises:
        UsageError: it says nothing.
    """
    _require_words(item.says)
    row = session.get_one(RubricItemRow, item.id)
    row.says, row.points, row.cap, row.retired = item.says, item.points, item.cap, item.retired
    session.flush()


def put_beginning(session: Session, assignment: str, question: str, *, all_points: bool) -> None:
    """Say with what answers begin, in the transaction that scores their marks anew."""
    row = _rubric_row(session, assignment, question)
    if row is None:
        row = RubricRow(assignment=assignment, question=question)
        session.add(row)
    row.begins_with_all = all_points
    session.flush()


def put_markings(
    session: Session,
    assignment: str,
    question: str,
    markings: Iterable[Marking],
    *,
    now: dt.datetime,
) -> None:
    """Keep, in the transaction that records marks, how they came about; the newest replaces."""
    own = list(markings)
    session.execute(
        delete(MarkingRow).where(
            MarkingRow.assignment == assignment,
            MarkingRow.question == question,
            MarkingRow.student.in_([one.student for one in own]),
        )
    )
    session.add_all(
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
        for one in own
    )


def _within(points: Decimal, most: Decimal) -> Decimal:
    return min(max(points, Decimal(0)), most)


def _begins(session: Session, assignment: str, question: str) -> bool | None:
    row = _rubric_row(session, assignment, question)
    return None if row is None else row.begins_with_all


def _rubric_row(session: Session, assignment: str, question: str) -> RubricRow | None:
    query = select(RubricRow).where(
        RubricRow.assignment == assignment, RubricRow.question == question
    )
    return session.scalars(query).first()


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
    return RubricItem(id=row.id, says=row.says, points=row.points, cap=row.cap, retired=row.retired)


def _marking(row: MarkingRow) -> Marking:
    return Marking(
        student=row.student,
        answer_sha256=row.answer_sha256,
        items=tuple(row.items),
        adjustment=row.adjustment,
        who=row.who,
    )
