"""Hand-ins through the desk: each that is acknowledged is a row, and stays one.

A row without a verdict is work: `queue` has its order, and `claims` has who is at it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.database import ConflictError, reading, writing
from grader.gradebook.desk_tables import TryRow
from grader.gradebook.notices import WORK, notify

AT_ONCE = 500
"""So many numbers stand in one statement at most."""
STUDENTS, AGAIN, REGRADES = 0, 5, 10
"""Priorities: the lower goes first. Whoever hands in goes before single tries that are judged
again, and those before an assignment of which everything is.

Between the first two are the tries of a student of whom others wait already: everybody's first goes
before anybody's second. A student who hands in hundreds, of which the best counts, would else have
the class wait for all of them."""


class TryState(StrEnum):
    """What became of a hand-in.

    RECEIVING: its bytes are being stored; nothing was acknowledged yet. FAILED: for a reason of
    ours. SUPERSEDED: a newer try came before it was run, and the newest counts.
    """

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    JUDGED = "judged"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self in (TryState.JUDGED, TryState.FAILED, TryState.SUPERSEDED)


@dataclass(frozen=True, kw_only=True)
class DeskTry:
    """One hand-in. `folder` is its own below `submissions/`, `verdict` an entry of the gradebook.

    `starts` counts how often an engine began with it, `problem` says why there is no verdict.
    """

    id: int
    assignment: str
    student: str
    attempt: int
    sha256: str
    file: str
    folder: str
    received_at: dt.datetime
    received_from: str
    state: TryState
    priority: int
    seed: int
    starts: int
    claimed_by: str
    lease_until: dt.datetime | None
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    verdict: int | None
    problem: str


class DeskTries:
    """The tries of a course, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def receive(
        self,
        key: str,
        *,
        assignment: str,
        student: str,
        file: str,
        received_from: str,
        seed: int,
        now: dt.datetime,
    ) -> tuple[DeskTry, bool]:
        """Begin to take in a try; of a form that was sent before, return what came of that.

        Returns the try, and whether it is new.
        """
        row = TryRow(
            key=key,
            assignment=assignment,
            student=student,
            attempt=0,
            sha256="",
            file=file,
            folder="",
            received_at=now,
            received_from=received_from,
            state=TryState.RECEIVING,
            priority=STUDENTS,
            seed=seed,
            starts=0,
            claimed_by="",
            problem="",
        )
        try:
            with writing(self._engine) as session:
                session.add(row)
                session.flush()
                return as_try(row), True
        except ConflictError:
            with reading(self._engine) as session:
                found = session.scalars(select(TryRow).where(TryRow.key == key)).one()
                return as_try(found), False

    def stored(
        self, number: int, *, attempt: int, sha256: str, folder: str, supersedes: bool = False
    ) -> DeskTry:
        """Put a try into the queue, now that its bytes are on disk.

        One that is there already stays as it is: where the disk is slow, somebody else may have
        found the bytes whole and said so first, and an engine may have it by now.

        Args:
            number: of the try.
            attempt: the student's attempt at the assignment, from 1.
            sha256: of all that was handed in.
            folder: below `submissions/`.
            supersedes: the student's earlier tries that still wait need not be run.
        """
        with writing(self._engine) as session:
            row = locked_row(session, number)
            if row.state != TryState.RECEIVING:
                return as_try(row)
            row.attempt, row.sha256, row.folder = attempt, sha256, folder
            row.state = TryState.WAITING
            if supersedes:
                session.execute(
                    update(TryRow)
                    .where(
                        TryRow.assignment == row.assignment,
                        TryRow.student == row.student,
                        TryRow.id < row.id,
                        TryRow.state == TryState.WAITING,
                    )
                    .values(state=TryState.SUPERSEDED, ended_at=row.received_at)
                )
            session.flush()
            own = [TryRow.student == row.student, TryRow.id != row.id]
            query = select(func.count()).where(TryRow.state == TryState.WAITING, *own)
            row.priority = min(STUDENTS + (session.scalar(query) or 0), AGAIN - 1)
            session.flush()
            notify(session, WORK)
            return as_try(row)

    def forget(self, number: int) -> None:
        """Take a try back of which nothing was stored, nor acknowledged."""
        with writing(self._engine) as session:
            session.execute(
                delete(TryRow).where(TryRow.id == number, TryRow.state == TryState.RECEIVING)
            )

    def receiving(self) -> list[DeskTry]:
        """Return the tries whose bytes were being stored, oldest first."""
        return self._all(TryRow.state == TryState.RECEIVING)

    def get(self, number: int) -> DeskTry | None:
        """Return one try, or None."""
        with reading(self._engine) as session:
            row = session.get(TryRow, number)
            return as_try(row) if row is not None else None

    def by_key(self, key: str) -> DeskTry | None:
        """Return the try that a form's key led to, or None."""
        with reading(self._engine) as session:
            row = session.scalars(select(TryRow).where(TryRow.key == key)).first()
            return as_try(row) if row is not None else None

    def some(self, numbers: Sequence[int]) -> list[DeskTry]:
        """Return several tries at once."""
        found: list[DeskTry] = []
        for at in range(0, len(numbers), AT_ONCE):
            found += self._all(TryRow.id.in_(numbers[at : at + AT_ONCE]))
        return found

    def of(self, student: str, assignment: str | None = None) -> list[DeskTry]:
        """Return a student's tries that were acknowledged, newest first."""
        wanted = [TryRow.student == student, TryRow.state != TryState.RECEIVING]
        if assignment is not None:
            wanted.append(TryRow.assignment == assignment)
        return self._all(*wanted)[::-1]

    def newest_of(self, assignment: str) -> dict[str, DeskTry]:
        """Return every student's newest try at an assignment."""
        newest = (
            select(func.max(TryRow.id))
            .where(TryRow.assignment == assignment, TryRow.state != TryState.RECEIVING)
            .group_by(TryRow.student)
        )
        return {one.student: one for one in self._all(TryRow.id.in_(newest))}

    def costless(self, assignment: str, student: str = "") -> set[tuple[str, int]]:
        """Return the tries that cost none of those allowed: student and attempt.

        They have ended without a verdict: for a reason of ours, or since they were not run yet when
        a newer one came. One that is judged after all costs one again.

        Args:
            assignment: its name.
            student: of this one alone; empty: of everybody.
        """
        query = select(TryRow.student, TryRow.attempt).where(
            TryRow.assignment == assignment,
            TryRow.state.in_([TryState.FAILED, TryState.SUPERSEDED]),
            TryRow.verdict.is_(None),
        )
        if student:
            query = query.where(TryRow.student == student)
        with reading(self._engine) as session:
            return {(who, attempt) for who, attempt in session.execute(query)}

    def counts(self) -> dict[str, dict[TryState, int]]:
        """Return how many tries of each assignment are in each state."""
        query = select(TryRow.assignment, TryRow.state, func.count()).group_by(
            TryRow.assignment, TryRow.state
        )
        found: dict[str, dict[TryState, int]] = {}
        with reading(self._engine) as session:
            for assignment, state, count in session.execute(query):
                found.setdefault(assignment, {})[TryState(state)] = count
        return found

    def unjudged(self, assignment: str) -> set[str]:
        """Return whose try at an assignment is on its way, or was not judged."""
        states = [TryState.WAITING, TryState.RUNNING, TryState.FAILED]
        query = select(TryRow.student).where(
            TryRow.assignment == assignment, TryRow.state.in_(states)
        )
        with reading(self._engine) as session:
            return set(session.scalars(query.distinct()))

    def without_verdict(self, assignment: str) -> dict[str, DeskTry]:
        """Return the newest try without a verdict of each student who has such a one.

        It waits, runs, or could not be judged for a reason of ours: it was handed in all the same.
        """
        states = [TryState.WAITING, TryState.RUNNING, TryState.FAILED]
        open_ = self._all(
            TryRow.assignment == assignment, TryRow.state.in_(states), TryRow.verdict.is_(None)
        )
        return {one.student: one for one in open_}

    def failed(self, *, limit: int) -> list[DeskTry]:
        """Return what has no verdict for a reason of ours, oldest first."""
        query = (
            select(TryRow).where(TryRow.state == TryState.FAILED).order_by(TryRow.id).limit(limit)
        )
        with reading(self._engine) as session:
            return [as_try(row) for row in session.scalars(query)]

    def _all(self, *wanted: Any) -> list[DeskTry]:
        query = select(TryRow).where(*wanted).order_by(TryRow.id)
        with reading(self._engine) as session:
            return [as_try(row) for row in session.scalars(query)]


def locked_row(session: Session, number: int) -> TryRow:
    """Return a try's row, which nobody else changes until the transaction ends.

    Raises:
        GradebookError: there is none.
    """
    row = session.get(TryRow, number, with_for_update=True)
    if row is None:
        raise GradebookError(f"there is no try {number} in the gradebook")
    return row


def as_try(row: TryRow) -> DeskTry:
    """Return what a row says."""
    values = {name: getattr(row, name) for name in DeskTry.__dataclass_fields__}
    return DeskTry(**{**values, "state": TryState(row.state)})
