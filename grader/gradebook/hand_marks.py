"""What people marked: append-only, with who, when and why."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Engine, Row, and_, func, select, text, true
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.database import reading, writing
from grader.gradebook.marks import Source
from grader.gradebook.tables import HandMarkRow

MOST_NAMED = 500
"""Students that are named in one question to the database; of more, all rows are read."""


class Kind(StrEnum):
    """What a person said about a student and an item.

    `points` of the whole item or, with a part, of a criterion; of an `answer` and an `adjustment`
    (points more or less than the machine's), the item is the assignment and the part the question.
    """

    POINTS = "points"
    ANSWER = "answer"
    ADJUSTMENT = "adjustment"
    HANDED_IN = "handed_in"
    EXCUSED = "excused"
    EXTENSION = "extension"


class Fact(NamedTuple):
    """What a person can say one thing about; the newest that was said holds."""

    student: str
    item: str
    kind: Kind
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that a person says.

    Attributes:
        points: None takes points back that were given before. Of an adjustment they are more or
            less than the machine's, which then were `max_points`.
        moment: when it was handed in, or until when it is extended; None takes that back.
        comment: for the student.
        answer_sha256: of the written answer that was read (of an adjustment, of the submission),
            so that another one is not taken for marked.
    """

    fact: Fact
    points: Decimal | None = None
    max_points: Decimal | None = None
    moment: dt.datetime | None = None
    excused: bool = False
    comment: str = ""
    answer_sha256: str = ""

    @property
    def said(self) -> tuple[object, ...]:
        """All that can differ between two changes of one fact."""
        return (
            self.points,
            self.max_points if self.points is not None else None,
            self.moment,
            self.excused,
            self.comment,
            self.answer_sha256,
        )


@dataclass(frozen=True, kw_only=True)
class HandMark:
    """One line of the record. `change` is shared by what was recorded together."""

    id: int
    change: str
    made_at: dt.datetime
    who: str
    why: str
    source: Source
    says: Change

    @property
    def fact(self) -> Fact:
        """What it is about."""
        return self.says.fact


Newest = Mapping[Fact, HandMark]


class MarkReader(Protocol):
    """Reads what holds: all that was recorded (`HandMarks`), or what students may see of it."""

    def newest(
        self, *, student: str | None = None, item: str | None = None
    ) -> dict[Fact, HandMark]:
        """Return what holds, by fact; of everybody and everything, or of one student or item."""


class ChangedMeanwhileError(GradebookError):
    """Somebody else has changed a mark since it was looked at; nothing was recorded."""


class HandMarks:
    """The record of one gradebook, made by `Gradebook.hand_marks`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(
        self,
        changes: Sequence[Change],
        *,
        who: str,
        why: str,
        source: Source = Source.HAND,
        seen: Mapping[Fact, int] | None = None,
        beside: Callable[[Session], None] | None = None,
    ) -> list[HandMark]:
        """Commit changes together, or none of them; what holds already is not said again.

        Args:
            changes: at most one of each fact.
            who: the person.
            why: shown in the history.
            source: how it came.
            seen: for each fact the id of the line that the person saw (0: none). Where another
                one holds by now, nothing is recorded.
            beside: writes, in the same transaction, how they came about.

        Returns:
            the lines that were added.

        Raises:
            ChangedMeanwhileError: somebody else changed one of them.
        """
        with recording(self._engine) as session:
            added = put_marks(session, changes, who=who, why=why, source=source, seen=seen)
            if beside is not None:
                beside(session)
            return added

    def newest(
        self,
        *,
        student: str | None = None,
        item: str | None = None,
        among: ColumnElement[bool] | None = None,
    ) -> dict[Fact, HandMark]:
        """Return what holds, by fact; of everybody and everything, or of one student or item.

        With `among`, the newest of these lines alone.
        """
        wanted = [] if among is None else [among]
        if student is not None:
            wanted.append(HandMarkRow.student == student)
        if item is not None:
            wanted.append(HandMarkRow.item == item)
        with reading(self._engine) as session:
            return _newest(session, and_(true(), *wanted))

    def last(self) -> int:
        """Return the number of the newest line; 0 where there is none."""
        with reading(self._engine) as session:
            return session.scalar(select(func.max(HandMarkRow.id))) or 0

    def students(self) -> set[str]:
        """Return the students of whom people have said anything."""
        with reading(self._engine) as session:
            return set(session.scalars(select(HandMarkRow.student).distinct()))

    def history(self, student: str | None = None) -> list[HandMark]:
        """Return everything that was ever recorded, or what was of one student; oldest first."""
        query = select(HandMarkRow).order_by(HandMarkRow.id)
        if student is not None:
            query = query.where(HandMarkRow.student == student)
        with reading(self._engine) as session:
            rows = session.scalars(query).all()
        return [_mark(row) for row in rows]


@contextmanager
def recording(engine: Engine) -> Iterator[Session]:
    """A transaction in which marks that are read still hold when others are committed.

    Whoever makes marks of marks, or of rubrics, reads and writes in one of these.
    """
    with writing(engine) as session:
        lock_marks(session)
        yield session


def lock_marks(session: Session) -> None:
    """Let nobody else record marks until the end of a transaction that writes."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(text("LOCK TABLE hand_marks IN SHARE ROW EXCLUSIVE MODE"))


def put_marks(
    session: Session,
    changes: Sequence[Change],
    *,
    who: str,
    why: str,
    source: Source = Source.HAND,
    seen: Mapping[Fact, int] | None = None,
) -> list[HandMark]:
    """Record changes in a transaction of `recording`; all else is as in `HandMarks.record`."""
    _refuse_doubles(changes)
    change, now = str(uuid.uuid4()), dt.datetime.now(dt.UTC)
    newest = _newest(session, _of_facts(changes))
    _refuse_conflicts(changes, newest, seen or {})
    rows = [
        _row(c, change=change, who=who, why=why, source=source.value, made_at=now)
        for c in changes
        if _is_news(c, newest.get(c.fact))
    ]
    session.add_all(rows)
    session.flush()
    return [_mark(row) for row in rows]


def newest_marks(
    session: Session, *, item: str, student: str | None = None
) -> dict[Fact, HandMark]:
    """Return what holds of an item, in a transaction of `recording`; of all, or of one student."""
    wanted = [HandMarkRow.item == item]
    if student is not None:
        wanted.append(HandMarkRow.student == student)
    return _newest(session, and_(true(), *wanted))


def _newest(session: Session, wanted: ColumnElement[bool]) -> dict[Fact, HandMark]:
    ids = (
        select(func.max(HandMarkRow.id))
        .where(wanted)
        .group_by(HandMarkRow.student, HandMarkRow.item, HandMarkRow.kind, HandMarkRow.part)
    )
    # Plain rows: a class has thousands, and nobody changes one.
    rows = session.execute(select(HandMarkRow.__table__).where(HandMarkRow.id.in_(ids)))
    return {mark.fact: mark for mark in map(_mark, rows)}


def _of_facts(changes: Sequence[Change]) -> ColumnElement[bool]:
    """The rows that changes may concern: few for one mark, whose writer holds up all others."""
    students = {change.fact.student for change in changes}
    if len(students) > MOST_NAMED:
        return true()
    items = {change.fact.item for change in changes}
    return and_(HandMarkRow.item.in_(items), HandMarkRow.student.in_(students))


def _is_news(change: Change, before: HandMark | None) -> bool:
    if before is None:
        return change.said != Change(fact=change.fact).said
    return before.says.said != change.said


def _refuse_doubles(changes: Sequence[Change]) -> None:
    given: set[Fact] = set()
    for change in changes:
        if change.fact in given:
            raise GradebookError(
                "the same mark is given twice at once",
                where=_where(change.fact),
                hint="Give it once. Nothing was recorded.",
            )
        given.add(change.fact)


def _refuse_conflicts(changes: Sequence[Change], newest: Newest, seen: Mapping[Fact, int]) -> None:
    for change in changes:
        holds = newest.get(change.fact)
        if change.fact not in seen or seen[change.fact] == (holds.id if holds else 0):
            continue
        if holds is not None and not _is_news(change, holds):
            continue
        by = f" by {holds.who or 'somebody'} at {holds.made_at:%Y-%m-%d %H:%M} UTC" if holds else ""
        raise ChangedMeanwhileError(
            f"the mark was changed meanwhile{by}",
            where=_where(change.fact),
            hint="Nothing was recorded. Look at it with `grader history`, export the sheet "
            "again, and put in what you changed.",
        )


def _where(fact: Fact) -> str:
    return ", ".join(name for name in (fact.student, fact.item, fact.part) if name)


_COPIED = tuple(f.name for f in fields(Change) if f.name != "fact")


def _row(says: Change, **of_all: Any) -> HandMarkRow:
    return HandMarkRow(
        **{name: getattr(says, name) for name in _COPIED},
        student=says.fact.student,
        item=says.fact.item,
        kind=says.fact.kind.value,
        part=says.fact.part,
        **of_all,
    )


def _mark(row: HandMarkRow | Row[Any]) -> HandMark:
    fact = Fact(student=row.student, item=row.item, kind=Kind(row.kind), part=row.part)
    return HandMark(
        id=row.id,
        change=row.change,
        made_at=row.made_at,
        who=row.who,
        why=row.why,
        source=Source(row.source),
        says=Change(fact=fact, **{name: getattr(row, name) for name in _COPIED}),
    )
