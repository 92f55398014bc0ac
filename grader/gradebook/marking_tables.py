"""The tables of those who mark at the desk: answers, rubrics, who marks what, second looks.

The marks themselves are hand marks, with their history. What is here leads to them, or is read from
verdicts and can be read again.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import JSON, Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from grader.gradebook.tables import Hundredths, Table, UtcTime

_ANSWER = ("assignment", "question", "student")


class AnswerRow(Table):
    """What the try that counts has for one question, read from its verdict.

    `ref` names it in addresses, `entry` is the verdict, `worth` what a person gives at most, and
    `machine` what the tests gave of `machine_max`. `share` is the marker whose it is to mark.
    """

    __tablename__ = "desk_answers"
    __table_args__ = (
        Index("desk_answers_of_a_student", *_ANSWER, unique=True),
        Index("desk_answers_by_ref", "assignment", "question", "ref"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    ref: Mapped[str] = mapped_column(String(16))
    entry: Mapped[int] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    is_empty: Mapped[bool] = mapped_column(Boolean)
    worth: Mapped[Decimal] = mapped_column(Hundredths)
    machine: Mapped[Decimal] = mapped_column(Hundredths)
    machine_max: Mapped[Decimal] = mapped_column(Hundredths)
    submission_sha256: Mapped[str] = mapped_column(String(64))
    share: Mapped[str] = mapped_column(Text)


class AnswersReadRow(Table):
    """Up to where an assignment's verdicts were read for `desk_answers`, and by which rule."""

    __tablename__ = "desk_answers_read"

    assignment: Mapped[str] = mapped_column(String(200), primary_key=True)
    newest: Mapped[int] = mapped_column(Integer)
    verdicts: Mapped[int] = mapped_column(Integer)
    counts: Mapped[str] = mapped_column(String(10))


class RubricRow(Table):
    """Whether an answer to a question begins with all of its points."""

    __tablename__ = "desk_rubrics"
    __table_args__ = (Index("desk_rubrics_of_a_question", "assignment", "question", unique=True),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    begins_with_all: Mapped[bool] = mapped_column(Boolean)


class RubricItemRow(Table):
    """One item of a question's rubric at the desk: points that it adds or, below 0, takes off.

    With `cap` an answer that has it gets no more than that.
    """

    __tablename__ = "desk_rubric_items"
    __table_args__ = (Index("desk_rubric_items_of_a_question", "assignment", "question"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    says: Mapped[str] = mapped_column(Text)
    points: Mapped[Decimal] = mapped_column(Hundredths)
    cap: Mapped[Decimal | None] = mapped_column(Hundredths)
    retired: Mapped[bool] = mapped_column(Boolean)


class MarkingRow(Table):
    """How the points of one answer came about: which items it has, and what was added by hand.

    The points themselves are a hand mark, with its history; this is the newest way to them.
    """

    __tablename__ = "desk_markings"
    __table_args__ = (Index("desk_markings_of_an_answer", *_ANSWER, unique=True),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    answer_sha256: Mapped[str] = mapped_column(String(64))
    items: Mapped[list[int]] = mapped_column(JSON)
    adjustment: Mapped[Decimal] = mapped_column(Hundredths)
    who: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class MarkLeaseRow(Table):
    """Who has an answer open, and until when others are led past it."""

    __tablename__ = "desk_mark_leases"
    __table_args__ = (Index("desk_mark_leases_of_an_answer", *_ANSWER, unique=True),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(Text)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)


class SplitRow(Table):
    """How the answers of an assignment are divided: by "question", "section" or at "random".

    `groups` has the markers of each question or section; of all answers under the empty name.
    `limits` has the section of each marker who sees that one alone.
    """

    __tablename__ = "desk_splits"

    assignment: Mapped[str] = mapped_column(String(200), primary_key=True)
    how: Mapped[str] = mapped_column(String(10))
    groups: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    limits: Mapped[dict[str, str]] = mapped_column(JSON)
    who: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class SecondLookRow(Table):
    """An answer that another marker marks again, without seeing the first marks.

    `first_…` is what held when the second marks came; `points` are None before that. `outcome` says
    what became of a difference: "" as long as nobody has decided.
    """

    __tablename__ = "desk_second_looks"
    __table_args__ = (
        Index("desk_second_looks_of_an_answer", *_ANSWER, "answer_sha256", unique=True),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    answer_sha256: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    who: Mapped[str] = mapped_column(Text)
    first_who: Mapped[str] = mapped_column(Text)
    first_points: Mapped[Decimal] = mapped_column(Hundredths)
    first_items: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    points: Mapped[Decimal | None] = mapped_column(Hundredths)
    items: Mapped[list[int]] = mapped_column(JSON)
    adjustment: Mapped[Decimal] = mapped_column(Hundredths)
    comment: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str] = mapped_column(String(10))
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
