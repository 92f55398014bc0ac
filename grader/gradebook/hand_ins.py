"""When submissions were handed in: facts that may be learnt, or put right, after the verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
from grader.gradebook.tables import HandInRow
from grader.grading.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class HandInTime:
    """One attempt and when it was handed in; `told_by` names the file that says so."""

    student: str
    attempt: int
    sha256: str
    at: dt.datetime | None
    told_by: str = ""

    @property
    def key(self) -> Key:
        """Which attempt it is about: another file under its number is another one."""
        return self.student, self.attempt, self.sha256


@dataclass(frozen=True, kw_only=True)
class LearntTime:
    """A line of the record: what was known before (None: nothing), and what is known now."""

    id: int
    student: str
    attempt: int
    before: dt.datetime | None
    at: dt.datetime
    told_by: str
    made_at: dt.datetime


Key = tuple[str, int, str]
Times = Mapping[Key, tuple[int, dt.datetime]]


class HandIns:
    """The record of one gradebook, made by `Gradebook.hand_ins`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def learn(
        self, assignment: str, told: Iterable[HandInTime], known: Mapping[Key, dt.datetime | None]
    ) -> list[LearntTime]:
        """Record the times that differ from what is known, together; a missing time changes none.

        Args:
            assignment: its name.
            told: of attempts that have a verdict; others are passed over, since their verdict
                will hold the time.
            known: by attempt, what holds now.

        Returns:
            the lines that were added.
        """
        now = dt.datetime.now(dt.UTC)
        news = [h for h in told if h.at is not None and h.key in known and h.at != known[h.key]]
        if not news:
            return []
        with writing(self._engine) as session:
            rows = [
                HandInRow(
                    assignment=assignment,
                    student=one.student,
                    attempt=one.attempt,
                    submission_sha256=one.sha256,
                    handed_in=one.at,
                    before=known[one.key],
                    told_by=one.told_by,
                    made_at=now,
                )
                for one in news
            ]
            session.add_all(rows)
            session.flush()
            return [_learnt(row) for row in rows]

    def history(self, assignment: str) -> list[LearntTime]:
        """Return everything that was learnt of an assignment, oldest first."""
        query = select(HandInRow).where(HandInRow.assignment == assignment).order_by(HandInRow.id)
        with reading(self._engine) as session:
            return [_learnt(row) for row in session.scalars(query)]


def hand_in_of(verdict: Verdict) -> HandInTime:
    """Return what a verdict says of its submission."""
    record = verdict.submission
    return HandInTime(
        student=verdict.student,
        attempt=record.attempt,
        sha256=record.sha256,
        at=record.submitted_at,
    )


def times_of(session: Session, assignment: str) -> Times:
    """Return what holds, by attempt: the number of the line, and the time."""
    newest = (
        select(func.max(HandInRow.id))
        .where(HandInRow.assignment == assignment)
        .group_by(HandInRow.student, HandInRow.attempt, HandInRow.submission_sha256)
    )
    rows = session.scalars(select(HandInRow).where(HandInRow.id.in_(newest)))
    return {_key(row): (row.id, row.handed_in) for row in rows}


def timed(verdict: Verdict, times: Times) -> Verdict:
    """Return a verdict with the hand-in time that holds."""
    submission = verdict.submission
    found = times.get((verdict.student, submission.attempt, submission.sha256))
    if found is None or found[1] == submission.submitted_at:
        return verdict
    return msgspec.structs.replace(
        verdict, submission=msgspec.structs.replace(submission, submitted_at=found[1])
    )


def _key(row: HandInRow) -> Key:
    return row.student, row.attempt, row.submission_sha256


def _learnt(row: HandInRow) -> LearntTime:
    return LearntTime(
        id=row.id,
        student=row.student,
        attempt=row.attempt,
        before=row.before,
        at=row.handed_in,
        told_by=row.told_by,
        made_at=row.made_at,
    )
