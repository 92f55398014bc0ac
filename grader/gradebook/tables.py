"""The tables of the gradebook, and the column types that keep points and times exact."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from grader.points import HUNDREDTH, to_points


class Hundredths(TypeDecorator[Decimal]):
    """Points as a whole number of hundredths: exact and comparable in every database."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Points to hundredths."""
        return None if value is None else int(to_points(value) / HUNDREDTH)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Hundredths to points."""
        return None if value is None else value * HUNDREDTH


class UtcTime(TypeDecorator[dt.datetime]):
    """A moment, kept in UTC: SQLite has no time zones of its own."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """An aware time to a naive one in UTC."""
        return None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """A naive time in UTC to an aware one."""
        return None if value is None else value.replace(tzinfo=dt.UTC)


class Table(DeclarativeBase):
    """Base of the tables."""


class BatchRow(Table):
    """One run over a class."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200), index=True)
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    seed: Mapped[int] = mapped_column(BigInteger)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class VerdictRow(Table):
    """One verdict. Rows are only ever added: the newest of an attempt is the one that holds."""

    __tablename__ = "verdicts"
    __table_args__ = (
        Index("verdicts_of_a_student", "assignment", "student", "attempt"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    batch: Mapped[str] = mapped_column(ForeignKey("batches.id"), index=True)
    assignment: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    submission_sha256: Mapped[str] = mapped_column(String(64))
    bundle_sha256: Mapped[str] = mapped_column(String(64))
    image: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(30))
    points: Mapped[Decimal] = mapped_column(Hundredths)
    max_points: Mapped[Decimal] = mapped_column(Hundredths)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    verdict_json: Mapped[str] = mapped_column(Text)
    notebook_zlib: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class BriefRow(Table):
    """What marks are made of, of one verdict: what a class's list reads, and no more."""

    __tablename__ = "verdict_briefs"
    __table_args__ = (Index("verdict_briefs_of_a_student", "assignment", "student", "attempt"),)

    verdict: Mapped[int] = mapped_column(
        ForeignKey("verdicts.id"), primary_key=True, autoincrement=False
    )
    assignment: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    is_mark: Mapped[bool] = mapped_column(Boolean)
    body: Mapped[str] = mapped_column(Text)


class HandMarkRow(Table):
    """One change that a person made. Rows are only ever added: the newest of a fact holds.

    A fact is one (student, item, kind, part). `item` is the course file's id; of an `answer` it
    is the assignment's name, so that answers can be marked where there is no course file.
    """

    __tablename__ = "hand_marks"
    __table_args__ = (
        Index("hand_marks_of_an_item", "item", "student"),
        Index("hand_marks_of_a_part", "item", "part", "student"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    change: Mapped[str] = mapped_column(String(36), index=True)
    student: Mapped[str] = mapped_column(Text)
    item: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    part: Mapped[str] = mapped_column(String(200))
    points: Mapped[Decimal | None] = mapped_column(Hundredths)
    max_points: Mapped[Decimal | None] = mapped_column(Hundredths)
    moment: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    excused: Mapped[bool] = mapped_column(Boolean)
    comment: Mapped[str] = mapped_column(Text)
    answer_sha256: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(20))
    who: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class HandInRow(Table):
    """When an attempt was handed in, as it was learnt after its verdict.

    Rows are only ever added: the newest of an attempt's bytes holds, over the time in the verdict.
    """

    __tablename__ = "hand_ins"
    __table_args__ = (
        Index("hand_ins_of_a_student", "assignment", "student", "attempt"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    submission_sha256: Mapped[str] = mapped_column(String(64))
    handed_in: Mapped[dt.datetime] = mapped_column(UtcTime)
    before: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    told_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
