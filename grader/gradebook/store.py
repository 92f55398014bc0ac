"""The record of every verdict: append-only, committed one by one."""

from __future__ import annotations

import datetime as dt
import uuid
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Engine, case, column, func, select, table, true
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.briefs import brief_row, tried_briefs
from grader.gradebook.changes import Changes, changes_of
from grader.gradebook.counting import Counts, counted
from grader.gradebook.database import BUSY_TIMEOUT_S, reading, writing
from grader.gradebook.hand_ins import HandIns, Times, timed, times_of
from grader.gradebook.hand_marks import HandMarks, Kind
from grader.gradebook.schema import open_engine
from grader.gradebook.tables import BatchRow, HandInRow, HandMarkRow, VerdictRow
from grader.grading.verdict import Outcome, Verdict, verdict_from_json, verdict_to_json

if TYPE_CHECKING:  # the desk's tables take as long to declare as all others
    from grader.gradebook.claims import TryClaims
    from grader.gradebook.engines import DeskEngines
    from grader.gradebook.queue import TryQueue
    from grader.gradebook.tries import DeskTries, DeskTry


@dataclass(frozen=True, kw_only=True)
class StoredVerdict:
    """One line of the record. `holds` is False once a newer verdict on the attempt is there.

    The verdict has the hand-in time that holds now, whatever was known when it was made.
    """

    id: int
    batch: str
    made_at: dt.datetime
    holds: bool
    verdict: Verdict

    @property
    def name(self) -> str:
        """What no other record has, whichever gradebook it is in."""
        return _name(self.batch, self.id)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One run over a class; `finished_at` is None while it runs or can be continued.

    It can when it was killed, or when a submission of it has no mark for a reason of ours.
    """

    id: str
    assignment: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    seed: int
    settings: dict[str, Any]


class Gradebook:
    """The verdicts of a course, in SQLite or any database that SQLAlchemy speaks to.

    Nothing is overwritten: a regrade adds a verdict, and the newest verdict on an attempt holds.
    An `infrastructure_error` or `suite_error` is kept in the history and never is a mark.

    Args:
        url: as SQLAlchemy writes it, such as `sqlite:///gradebook.db`.
        busy_timeout_s: how long to wait for another program's lock.

    Raises:
        GradebookError: from every method: locked, read-only, full, damaged or not a gradebook.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._engine = open_engine(url, busy_timeout_s=busy_timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """The database, for what else is kept in it."""
        return self._engine

    @property
    def hand_marks(self) -> HandMarks:
        """What people marked, in the same database."""
        return HandMarks(self._engine)

    @property
    def hand_ins(self) -> HandIns:
        """When attempts were handed in, as it was learnt after their verdicts."""
        return HandIns(self._engine)

    @property
    def tries(self) -> DeskTries:
        """What was handed in through the desk."""
        from grader.gradebook.tries import DeskTries

        return DeskTries(self._engine)

    @property
    def claims(self) -> TryClaims:
        """Which engine has which of them."""
        from grader.gradebook.claims import TryClaims

        return TryClaims(self._engine)

    @property
    def queue(self) -> TryQueue:
        """Which of them have no verdict yet, in the order in which they are judged."""
        from grader.gradebook.queue import TryQueue

        return TryQueue(self._engine)

    @property
    def engines(self) -> DeskEngines:
        """Which engines judge what was handed in through the desk."""
        from grader.gradebook.engines import DeskEngines

        return DeskEngines(self._engine)

    def unjudged(self, assignment: str) -> Mapping[str, DeskTry]:
        """Return the newest try without a verdict of each student; see `DeskTries`.

        Where nothing was ever handed in through the desk, its tables are not loaded for that.
        """
        tries = table("desk_tries", column("assignment"))
        any_ = select(tries.c.assignment).where(tries.c.assignment == assignment).limit(1)
        with reading(self._engine) as session:
            if session.scalar(any_) is None:
                return {}
        return self.tries.without_verdict(assignment)

    def desk_attempts(self, assignment: str) -> dict[tuple[str, int], str]:
        """Return the SHA-256 of what was handed in through the desk, by student and attempt."""
        names = ("assignment", "student", "attempt", "sha256")
        tries = table("desk_tries", *(column(name) for name in names)).c
        query = select(tries.student, tries.attempt, tries.sha256)
        with reading(self._engine) as session:
            rows = session.execute(query.where(tries.assignment == assignment))
            return {(student, attempt): sha256 for student, attempt, sha256 in rows}

    # -- writing ---------------------------------------------------------------------------

    def start_batch(
        self, assignment: str, *, seed: int, settings: Mapping[str, Any] | None = None
    ) -> str:
        """Record that a batch begins and return its id. `settings` must be plain JSON values."""
        row = BatchRow(
            id=str(uuid.uuid4()),
            assignment=assignment,
            started_at=dt.datetime.now(dt.UTC),
            seed=seed,
            settings=dict(settings or {}),
        )
        identifier = row.id
        with writing(self._engine) as session:
            session.add(row)
        return identifier

    def finish_batch(self, batch: str) -> None:
        """Record that a batch came to its end."""
        with writing(self._engine) as session:
            _batch(session, batch).finished_at = dt.datetime.now(dt.UTC)

    def record(
        self,
        verdict: Verdict,
        executed_notebook: bytes | None,
        *,
        batch: str,
        desk_try: int | None = None,
        engine: str = "",
        problem: str = "",
    ) -> int:
        """Commit one verdict with its executed notebook; both are kept, or neither.

        Args:
            verdict: what was found.
            executed_notebook: as nbformat JSON.
            batch: to which it belongs.
            desk_try: this hand-in has ended from the same moment on: with this verdict, or, where
                it is no mark, with a `problem`.
            engine: who has claimed that hand-in; empty: whoever has.
            problem: what its student is told.

        Returns the number of the entry.

        Raises:
            ClaimLostError: it is not `engine` any more that has the hand-in. Nothing is recorded.
        """
        row = _row(verdict, executed_notebook, batch)
        with writing(self._engine) as session:
            _batch(session, batch)
            session.add(row)
            session.flush()
            session.add(brief_row(verdict, row.id))
            if desk_try is not None:
                from grader.gradebook.claims import finish

                finish(session, desk_try, row.id, now=row.made_at, problem=problem, engine=engine)
            return row.id

    # -- reading ---------------------------------------------------------------------------

    def current(
        self, assignment: str, *, counts: Counts = "last", unmarked: bool = False
    ) -> list[Verdict]:
        """Return the verdict that counts for each student, sorted by name.

        What lateness costs is not looked at here; `course_tries.counted_verdicts` does.

        Args:
            assignment: its name.
            counts: "last" or "best", as the assignment's spec says; see `counting.counted`.
            unmarked: also look at attempts that were tried and have no mark yet.
        """
        entries = self.tried(assignment) if unmarked else self.current_entries(assignment)
        return counted((e.verdict for e in entries), counts)

    def history(self, assignment: str, student: str | None = None) -> list[StoredVerdict]:
        """Return everything recorded for a student (or for all), oldest first."""
        query = select(VerdictRow).where(VerdictRow.assignment == assignment)
        if student is not None:
            query = query.where(VerdictRow.student == student)
        with reading(self._engine) as session:
            holding = set(session.scalars(_holding(assignment)))
            rows = session.scalars(query.order_by(VerdictRow.id)).all()
            times = times_of(session, assignment)
        return [_entry(row, times, holds=row.id in holding) for row in rows]

    def current_entries(
        self, assignment: str, *, students: Collection[str] | None = None
    ) -> list[StoredVerdict]:
        """Return the verdict that holds of every student's every attempt, oldest first."""
        query = select(VerdictRow).where(VerdictRow.id.in_(_holding(assignment)), _of(students))
        # Piece by piece: as JSON and read, all of a faculty's verdicts would be in memory twice.
        pieces = query.order_by(VerdictRow.id).execution_options(yield_per=500)
        with reading(self._engine) as session:
            times = times_of(session, assignment)
            return [_entry(row, times, holds=True) for row in session.scalars(pieces)]

    def students(self, assignment: str) -> set[str]:
        """Return all who have an entry of an assignment, marked or not; reads no verdict."""
        query = select(VerdictRow.student).where(VerdictRow.assignment == assignment).distinct()
        with reading(self._engine) as session:
            return set(session.scalars(query))

    def points(
        self, assignment: str, *, counts: Counts = "last"
    ) -> dict[str, tuple[Decimal, Decimal]]:
        """Return the suite's points and of how many, by student; reads no verdict.

        For lists: what people gave, and what lateness costs, is not in it. With "best", of the
        try with the most points.
        """
        query = select(
            VerdictRow.student, VerdictRow.attempt, VerdictRow.points, VerdictRow.max_points
        ).where(VerdictRow.id.in_(_holding(assignment)))
        found: dict[str, tuple[Decimal, Decimal]] = {}
        with reading(self._engine) as session:
            for student, _, points, most in session.execute(query.order_by(VerdictRow.attempt)):
                if counts == "last" or student not in found or points > found[student][0]:
                    found[student] = (points, most)
        return found

    def newest_terms(self, assignment: str, item: str) -> tuple[int, int]:
        """Return how far the record goes of what makes a try late: dates, and times of hand-ins."""
        kinds = [Kind.EXTENSION.value, Kind.HANDED_IN.value]
        dates = select(func.max(HandMarkRow.id)).where(
            HandMarkRow.item == item, HandMarkRow.kind.in_(kinds)
        )
        times = select(func.max(HandInRow.id)).where(HandInRow.assignment == assignment)
        with reading(self._engine) as session:
            return session.scalar(dates) or 0, session.scalar(times) or 0

    def entry_names(self, assignment: str) -> dict[tuple[str, int], str]:
        """Return the name of the entry that holds, by student and attempt; reads no verdict."""
        query = select(
            VerdictRow.student, VerdictRow.attempt, VerdictRow.batch, VerdictRow.id
        ).where(VerdictRow.id.in_(_holding(assignment)))
        with reading(self._engine) as session:
            return {
                (student, attempt): _name(batch, number)
                for student, attempt, batch, number in session.execute(query)
            }

    def tried(
        self, assignment: str, *, students: Collection[str] | None = None
    ) -> list[StoredVerdict]:
        """Return what holds of every attempt, and the newest of those that have no mark yet.

        Of all students, or of some.
        """
        return [
            *self.current_entries(assignment, students=students),
            *self.unmarked(assignment, students=students),
        ]

    def briefs(self, assignment: str) -> dict[int, Verdict]:
        """Return the same verdicts by entry without tests and notes: all that marks need."""
        with reading(self._engine) as session:
            return tried_briefs(session, assignment)

    def changes(self) -> Changes:
        """Return how far the record goes: what was made of it holds until this changes."""
        with reading(self._engine) as session:
            return changes_of(session)

    def unmarked(
        self, assignment: str, *, students: Collection[str] | None = None
    ) -> list[StoredVerdict]:
        """Return the newest entry of every attempt that was tried and has no mark, oldest first."""
        marks = func.sum(case((_is_mark(), 1), else_=0))
        newest = (
            select(func.max(VerdictRow.id))
            .where(VerdictRow.assignment == assignment, _of(students))
            .group_by(VerdictRow.student, VerdictRow.attempt)
            .having(marks == 0)
        )
        query = select(VerdictRow).where(VerdictRow.id.in_(newest)).order_by(VerdictRow.id)
        with reading(self._engine) as session:
            times = times_of(session, assignment)
            return [_entry(row, times, holds=False) for row in session.scalars(query)]

    def entry(self, number: int) -> StoredVerdict | None:
        """Return one entry by its number, or None."""
        with reading(self._engine) as session:
            row = session.get(VerdictRow, number)
            if row is None:
                return None
            times = times_of(session, row.assignment)
            return _entry(row, times, holds=True)

    def executed_notebook(self, verdict: Verdict) -> bytes | None:
        """Return the executed notebook that was recorded with a verdict, as nbformat JSON."""
        key = _key(verdict)
        query = (
            select(VerdictRow.notebook_zlib)
            .where(*(getattr(VerdictRow, name) == value for name, value in key.items()))
            .order_by(VerdictRow.id.desc())
        )
        with reading(self._engine) as session:
            packed = session.scalars(query).first()
        return None if packed is None else zlib.decompress(packed)

    def batches(self, assignment: str) -> list[Batch]:
        """Return the batches of an assignment, oldest first."""
        query = select(BatchRow).where(BatchRow.assignment == assignment)
        with reading(self._engine) as session:
            rows = session.scalars(query.order_by(BatchRow.started_at)).all()
        return [_as_batch(row) for row in rows]

    def last_batch(self, assignment: str) -> Batch | None:
        """Return the batch that recorded the newest verdict of an assignment.

        By the order of the record and not by the clock, which may have been set back.
        """
        newest = (
            select(VerdictRow.batch)
            .where(VerdictRow.assignment == assignment)
            .order_by(VerdictRow.id.desc())
            .limit(1)
        )
        with reading(self._engine) as session:
            row = session.scalars(
                select(BatchRow).where(BatchRow.id == newest.scalar_subquery())
            ).first()
        return None if row is None else _as_batch(row)


def _name(batch: str, number: int) -> str:
    return f"{batch} {number}"


def _as_batch(row: BatchRow) -> Batch:
    return Batch(
        id=row.id,
        assignment=row.assignment,
        started_at=row.started_at,
        finished_at=row.finished_at,
        seed=row.seed,
        settings=row.settings,
    )


def _holding(assignment: str) -> Any:
    """The ids of the newest real verdict of every student's every attempt."""
    return (
        select(func.max(VerdictRow.id))
        .where(
            VerdictRow.assignment == assignment,
            _is_mark(),
        )
        .group_by(VerdictRow.student, VerdictRow.attempt)
    )


def _of(students: Collection[str] | None) -> Any:
    return true() if students is None else VerdictRow.student.in_(students)


def _is_mark() -> Any:
    return VerdictRow.outcome.in_([outcome.value for outcome in Outcome if outcome.is_mark])


def _key(verdict: Verdict) -> dict[str, object]:
    provenance = verdict.provenance
    return {
        "assignment": verdict.assignment,
        "student": verdict.student,
        "attempt": verdict.submission.attempt,
        "submission_sha256": verdict.submission.sha256,
        "bundle_sha256": provenance.bundle_sha256 if provenance else "",
        "image": provenance.image if provenance else "",
        "outcome": verdict.outcome.value,
    }


def _row(verdict: Verdict, executed_notebook: bytes | None, batch: str) -> VerdictRow:
    return VerdictRow(
        **_key(verdict),
        batch=batch,
        points=verdict.points,
        max_points=verdict.max_points,
        made_at=dt.datetime.now(dt.UTC),
        verdict_json=verdict_to_json(verdict, indent=0).decode(),
        notebook_zlib=None if executed_notebook is None else zlib.compress(executed_notebook),
    )


def _entry(row: VerdictRow, times: Times, *, holds: bool) -> StoredVerdict:
    verdict = timed(verdict_from_json(row.verdict_json.encode()), times)
    return StoredVerdict(
        id=row.id, batch=row.batch, made_at=row.made_at, holds=holds, verdict=verdict
    )


def _batch(session: Session, identifier: str) -> BatchRow:
    batch = session.get(BatchRow, identifier)
    if batch is None:
        raise GradebookError(
            f"there is no batch {identifier!r} in the gradebook",
            hint="Begin one with start_batch() before recording verdicts.",
        )
    return batch
