"""Who judges which try: engines claim rows, so that two of them never judge one.

A claim is a lease: what a dead engine had is claimed again when it has run out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine, and_, or_, select, update
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import TryRow
from grader.gradebook.notices import WORK, notify
from grader.gradebook.tries import DeskTry, TryState, as_try, locked_row


class TryClaims:
    """What engines have of a course's tries, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(
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
            return [as_try(row) for row in rows]

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
    row = locked_row(session, number)
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
