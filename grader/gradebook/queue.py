"""The queue of tries that have no verdict yet: its order, its length and its pace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, func, or_, select, update

from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import TryRow
from grader.gradebook.notices import WORK, notify
from grader.gradebook.tries import AGAIN, AT_ONCE, REGRADES, DeskTry, TryState, as_try

_PACE_OF = 50
_PACE_SINCE = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """The queue as a whole.

    Attributes:
        counts: how many tries are in which state.
        oldest: since when the oldest waits.
        regrades: of those that wait, how many do so behind people.
        stuck: runs whose engine has not been heard of since their lease ended.
        pace_s: see `TryQueue.pace_s`.
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


class TryQueue:
    """What waits for an engine, and what one has, of a course's tries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        pieces = (chosen[at : at + AT_ONCE] for at in range(0, len(chosen), AT_ONCE))
        return sum(self.again(piece, priority=REGRADES) for piece in pieces)

    def ahead_of(self, one: DeskTry) -> int:
        """Return how many tries are run before one that waits."""
        before = or_(
            TryRow.priority < one.priority,
            (TryRow.priority == one.priority) & (TryRow.id < one.id),
        )
        query = select(func.count()).where(TryRow.state == TryState.WAITING, before)
        with reading(self._engine) as session:
            return int(session.scalar(query) or 0)

    def positions(self) -> dict[int, int]:
        """Return of every try that waits how many are run before it."""
        query = (
            select(TryRow.id)
            .where(TryRow.state == TryState.WAITING)
            .order_by(TryRow.priority, TryRow.id)
        )
        with reading(self._engine) as session:
            return {number: at for at, number in enumerate(session.scalars(query))}

    def running_count(self) -> int:
        """Return how many tries an engine has."""
        query = select(func.count()).where(TryRow.state == TryState.RUNNING)
        with reading(self._engine) as session:
            return int(session.scalar(query) or 0)

    def next_up(self, *, limit: int = 50) -> list[DeskTry]:
        """Return what runs and what waits, in the order in which it is run."""
        query = (
            select(TryRow)
            .where(TryRow.state.in_([TryState.RUNNING, TryState.WAITING]))
            .order_by(TryRow.state != TryState.RUNNING, TryRow.priority, TryRow.id)
            .limit(limit)
        )
        with reading(self._engine) as session:
            return [as_try(row) for row in session.scalars(query)]

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

    def state(self, *, now: dt.datetime) -> QueueState:
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
