"""Hand-ins through the desk, and the queue of those that have no verdict yet.

A try that is acknowledged is a row; a row without a verdict is work for the engine. Engines claim
rows, so that two of them never judge one, and hold them by a lease, so that what a dead one had is
claimed again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import TryRow
from grader.gradebook.notices import WORK, notify

_AT_ONCE = 500
_PACE_OF = 50
_PACE_SINCE = dt.timedelta(days=1)
STUDENTS, AGAIN, REGRADES = 0, 5, 10
"""Priorities: the lower goes first. Whoever hands in goes before single tries that are judged
again, and those before an assignment of which everything is."""


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


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """The queue as a whole.

    Attributes:
        counts: how many tries are in which state.
        oldest: since when the oldest waits.
        regrades: of those that wait, how many do so behind people.
        stuck: runs whose engine has not been heard of since their lease ended.
        pace_s: see `DeskTries.pace_s`.
    """

    counts: dict[TryState, int]
    oldest: dt.datetime | None
    judged_last_hour: int
    regrades: int = 0
    stuck: int = 0
    pace_s: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long what waits and runs takes at this pace; None where it is not known."""
        return None if self.pace_s is None else (self.waiting + self.running) * self.pace_s

    @property
    def waiting(self) -> int:
        """How many wait for an engine."""
        return self.counts.get(TryState.WAITING, 0)

    @property
    def running(self) -> int:
        """How many an engine has."""
        return self.counts.get(TryState.RUNNING, 0)

    @property
    def failed(self) -> int:
        """How many have no verdict for a reason of ours."""
        return self.counts.get(TryState.FAILED, 0)


class DeskTries:
    """The tries of a course, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- taking in --------------------------------------------------------------------------

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
                return _try(row), True
        except GradebookError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
        with reading(self._engine) as session:
            return _try(session.scalars(select(TryRow).where(TryRow.key == key)).one()), False

    def stored(
        self, number: int, *, attempt: int, sha256: str, folder: str, supersedes: bool = False
    ) -> DeskTry:
        """Put a try into the queue, now that its bytes are on disk.

        Args:
            number: of the try.
            attempt: the student's attempt at the assignment, from 1.
            sha256: of all that was handed in.
            folder: below `submissions/`.
            supersedes: the student's earlier tries that still wait need not be run.
        """
        with writing(self._engine) as session:
            row = _row(session, number)
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
            notify(session, WORK)
            return _try(row)

    def forget(self, number: int) -> None:
        """Take a try back of which nothing was stored, nor acknowledged."""
        with writing(self._engine) as session:
            session.execute(
                delete(TryRow).where(TryRow.id == number, TryRow.state == TryState.RECEIVING)
            )

    def receiving(self) -> list[DeskTry]:
        """Return the tries whose bytes were being stored, oldest first."""
        return self._all(TryRow.state == TryState.RECEIVING)

    # -- judging ----------------------------------------------------------------------------

    def claim(
        self,
        engine: str,
        *,
        limit: int,
        now: dt.datetime,
        lease: dt.timedelta,
        without: Collection[str] = (),
    ) -> list[DeskTry]:
        """Take the next tries that nobody has: those that wait, and those whose engine is gone.

        Args:
            engine: who takes them.
            limit: so many at most.
            now: when.
            lease: how long they stay the engine's own.
            without: assignments whose tries are left for later.
        """
        query = select(TryRow).where(_free(now, without)).order_by(TryRow.priority, TryRow.id)
        query = query.limit(limit)
        with writing(self._engine) as session:
            # SQLite locks the whole file for a writer; elsewhere others skip what is locked here.
            rows = session.scalars(query.with_for_update(skip_locked=True)).all()
            for row in rows:
                row.state, row.claimed_by = TryState.RUNNING, engine
                row.lease_until, row.began_at = now + lease, now
                row.starts += 1
            session.flush()
            return [_try(row) for row in rows]

    def any_free(self, *, now: dt.datetime, without: Collection[str] = ()) -> bool:
        """Say whether there is something to claim; it locks nothing, and can be asked often."""
        query = select(TryRow.id).where(_free(now, without)).limit(1)
        with reading(self._engine) as session:
            return session.scalar(query) is not None

    def renew(
        self, engine: str, numbers: Collection[int], *, now: dt.datetime, lease: dt.timedelta
    ) -> None:
        """Say that an engine is at work on these: they stay its own.

        Not all that it has claimed: where the answer to a claim was lost, the engine does not know
        of it, and the lease has to run out.
        """
        with writing(self._engine) as session:
            session.execute(
                update(TryRow).where(_claim(engine, numbers)).values(lease_until=now + lease)
            )

    def release(self, engine: str) -> None:
        """Let go of what an engine of this name had when it was killed."""
        with writing(self._engine) as session:
            session.execute(
                update(TryRow)
                .where(TryRow.claimed_by == engine, TryRow.state == TryState.RUNNING)
                .values(state=TryState.WAITING, claimed_by="", lease_until=None)
            )

    def give_back(self, engine: str, numbers: Collection[int]) -> None:
        """Let others have tries that this engine did not come to; it was no start."""
        with writing(self._engine) as session:
            session.execute(
                update(TryRow)
                .where(_claim(engine, numbers))
                .values(
                    state=TryState.WAITING,
                    claimed_by="",
                    lease_until=None,
                    starts=TryRow.starts - 1,
                )
            )
            notify(session, WORK)

    def fail(self, number: int, problem: str, *, now: dt.datetime, engine: str = "") -> None:
        """Record that there is no verdict for a reason of ours.

        Raises:
            ClaimLostError: it is not `engine` any more that has the try.
        """
        with writing(self._engine) as session:
            finish(session, number, None, now=now, problem=problem, engine=engine)

    def again(self, numbers: Collection[int], *, priority: int = AGAIN) -> int:
        """Put tries that have ended back into the queue, behind people; return how many."""
        with writing(self._engine) as session:
            found = session.execute(
                update(TryRow)
                .where(
                    TryRow.id.in_(numbers),
                    TryRow.state.in_([s for s in TryState if s.ended]),
                )
                .values(
                    state=TryState.WAITING,
                    priority=priority,
                    starts=0,
                    claimed_by="",
                    lease_until=None,
                    ended_at=None,
                    problem="",
                )
            )
            notify(session, WORK)
            return int(found.rowcount)  # type: ignore[attr-defined]

    # -- reading ----------------------------------------------------------------------------

    def get(self, number: int) -> DeskTry | None:
        """Return one try, or None."""
        with reading(self._engine) as session:
            row = session.get(TryRow, number)
            return _try(row) if row is not None else None

    def by_key(self, key: str) -> DeskTry | None:
        """Return the try that a form's key led to, or None."""
        with reading(self._engine) as session:
            row = session.scalars(select(TryRow).where(TryRow.key == key)).first()
            return _try(row) if row is not None else None

    def newest_of(self, assignment: str) -> dict[str, DeskTry]:
        """Return every student's newest try at an assignment."""
        newest = (
            select(func.max(TryRow.id))
            .where(TryRow.assignment == assignment, TryRow.state != TryState.RECEIVING)
            .group_by(TryRow.student)
        )
        return {one.student: one for one in self._all(TryRow.id.in_(newest))}

    def some(self, numbers: Sequence[int]) -> list[DeskTry]:
        """Return several tries at once."""
        found: list[DeskTry] = []
        for at in range(0, len(numbers), _AT_ONCE):
            found += self._all(TryRow.id.in_(numbers[at : at + _AT_ONCE]))
        return found

    def of(self, student: str, assignment: str | None = None) -> list[DeskTry]:
        """Return a student's tries that were acknowledged, newest first."""
        wanted = [TryRow.student == student, TryRow.state != TryState.RECEIVING]
        if assignment is not None:
            wanted.append(TryRow.assignment == assignment)
        return self._all(*wanted)[::-1]

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

    def ahead_of(self, one: DeskTry) -> int:
        """Return how many tries are run before one that waits."""
        before = or_(
            TryRow.priority < one.priority,
            (TryRow.priority == one.priority) & (TryRow.id < one.id),
        )
        query = select(func.count()).where(TryRow.state == TryState.WAITING, before)
        with reading(self._engine) as session:
            return int(session.scalar(query) or 0)

    def running_count(self) -> int:
        """Return how many tries an engine has."""
        query = select(func.count()).where(TryRow.state == TryState.RUNNING)
        with reading(self._engine) as session:
            return int(session.scalar(query) or 0)

    def pace_s(self, *, now: dt.datetime) -> float | None:
        """Return the seconds from verdict to verdict while there is work; None: there were none.

        Of the newest tries that were judged in the last day. The time in which nothing waited is
        left out: on a desk that is seldom used a verdict comes soon all the same.
        """
        query = (
            select(TryRow.began_at, TryRow.ended_at)
            .where(TryRow.state == TryState.JUDGED)
            .order_by(TryRow.id.desc())
            .limit(_PACE_OF)
        )
        with reading(self._engine) as session:
            found = [(began, ended) for began, ended in session.execute(query) if began and ended]
        taken: list[float] = []
        last: dt.datetime | None = None
        for began, ended in sorted(found, key=lambda times: times[1]):
            if ended > now - _PACE_SINCE:
                taken.append((ended - max(began, last or began)).total_seconds())
            last = ended
        return max(sum(taken), 0.0) / len(taken) if taken else None

    def positions(self) -> dict[int, int]:
        """Return of every try that waits how many are run before it."""
        query = (
            select(TryRow.id)
            .where(TryRow.state == TryState.WAITING)
            .order_by(TryRow.priority, TryRow.id)
        )
        with reading(self._engine) as session:
            return {number: at for at, number in enumerate(session.scalars(query))}

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

    def next_up(self, *, limit: int = 50) -> list[DeskTry]:
        """Return what runs and what waits, in the order in which it is run."""
        query = (
            select(TryRow)
            .where(TryRow.state.in_([TryState.RUNNING, TryState.WAITING]))
            .order_by(TryRow.state != TryState.RUNNING, TryRow.priority, TryRow.id)
            .limit(limit)
        )
        with reading(self._engine) as session:
            return [_try(row) for row in session.scalars(query)]

    def regrade(self, assignment: str, *, best: bool) -> int:
        """Have what counts of an assignment judged again, after all people; return how many.

        The mark that is there counts until another one is. Who handed in without the desk has no
        try here.

        Args:
            assignment: its name.
            best: the best try counts, which may be any; else each student's newest.
        """
        ended = [TryRow.assignment == assignment, TryRow.verdict.is_not(None)]
        numbers = select(TryRow.id).where(*ended)
        if not best:
            numbers = select(func.max(TryRow.id)).where(*ended).group_by(TryRow.student)
        with reading(self._engine) as session:
            chosen = list(session.scalars(numbers))
        pieces = (chosen[at : at + _AT_ONCE] for at in range(0, len(chosen), _AT_ONCE))
        return sum(self.again(piece, priority=REGRADES) for piece in pieces)

    def listed(
        self, states: Sequence[TryState], *, limit: int = 50, after: int = 0
    ) -> list[DeskTry]:
        """Return tries in some states, oldest first, a page at a time."""
        query = (
            select(TryRow)
            .where(TryRow.state.in_(states), TryRow.id > after)
            .order_by(TryRow.id)
            .limit(limit)
        )
        with reading(self._engine) as session:
            return [_try(row) for row in session.scalars(query)]

    def queue(self, *, now: dt.datetime) -> QueueState:
        """Return how long the queue is."""
        counts = select(TryRow.state, func.count()).group_by(TryRow.state)
        oldest = select(func.min(TryRow.received_at)).where(TryRow.state == TryState.WAITING)
        done = select(func.count()).where(
            TryRow.state == TryState.JUDGED, TryRow.ended_at > now - dt.timedelta(hours=1)
        )
        regrades = select(func.count()).where(
            TryRow.state == TryState.WAITING, TryRow.priority >= AGAIN
        )
        stuck = select(func.count()).where(
            TryRow.state == TryState.RUNNING, TryRow.lease_until < now
        )
        with reading(self._engine) as session:
            return QueueState(
                counts={TryState(state): count for state, count in session.execute(counts)},
                oldest=session.scalar(oldest),
                judged_last_hour=int(session.scalar(done) or 0),
                regrades=int(session.scalar(regrades) or 0),
                stuck=int(session.scalar(stuck) or 0),
                pace_s=self.pace_s(now=now),
            )

    def _all(self, *wanted: Any) -> list[DeskTry]:
        query = select(TryRow).where(*wanted).order_by(TryRow.id)
        with reading(self._engine) as session:
            return [_try(row) for row in session.scalars(query)]


class ClaimLostError(GradebookError):
    """A try is not the engine's any more: its lease ran out, and somebody else has it or is done.

    Whatever the engine found is not recorded, so that nothing has two verdicts.
    """


def finish(
    session: Session,
    number: int,
    verdict: int | None,
    *,
    now: dt.datetime,
    problem: str = "",
    engine: str = "",
) -> None:
    """Record, in the transaction that records a verdict, what became of a try.

    Args:
        session: the transaction.
        number: of the try.
        verdict: the entry of the gradebook.
        now: when.
        problem: why there is no mark; empty: there is one.
        engine: who has claimed it; empty: whoever has.

    Raises:
        ClaimLostError: it is not `engine` any more that has the try.
    """
    row = _row(session, number)
    if engine and (row.state, row.claimed_by) != (TryState.RUNNING, engine):
        raise ClaimLostError(f"try {number} is not {engine}'s any more")
    row.state = TryState.FAILED if problem else TryState.JUDGED
    row.ended_at, row.problem = now, problem
    if not problem:
        row.verdict = verdict


def _free(now: dt.datetime, without: Collection[str]) -> Any:
    """What nobody has: it waits, or its engine is gone."""
    return and_(
        or_(
            TryRow.state == TryState.WAITING,
            (TryRow.state == TryState.RUNNING) & (TryRow.lease_until < now),
        ),
        TryRow.assignment.not_in(without),
    )


def _claim(engine: str, numbers: Collection[int]) -> Any:
    """Of these what an engine still has."""
    return and_(
        TryRow.id.in_(numbers), TryRow.claimed_by == engine, TryRow.state == TryState.RUNNING
    )


def _row(session: Session, number: int) -> TryRow:
    row = session.get(TryRow, number, with_for_update=True)
    if row is None:
        raise GradebookError(f"there is no try {number} in the gradebook")
    return row


def _try(row: TryRow) -> DeskTry:
    values = {name: getattr(row, name) for name in DeskTry.__dataclass_fields__}
    return DeskTry(**{**values, "state": TryState(row.state)})
