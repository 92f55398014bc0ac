"""One submission's live notebook, which outlives hangs and crashes.

A cell or a call that can't be interrupted, or that ends its process, ends the session with it. The
work of the other cells is not lost: a new session is opened and they are run again, with the same
seed, without the cell that did it. So an endless loop costs its own question only.

Called by `grading.submission` for a batch and by `suite.standalone` for plain pytest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from grader.errors import BoxCrashed, BoxFailure, BoxTimeout, InfrastructureError
from grader.sandbox.base import CellResult, Session, Slot
from grader.sandbox.conversation import StreamLease, Trouble
from grader.sandbox.link import Position
from grader.sandbox.outputs import OutputRoom
from grader.wire import messages as m
from grader.wire.kinds import Blob
from grader.wire.waiting import counted_s

MAX_RESTARTS = 4
FORGER = "the notebook wrote into the channel to the judge; it is not run again"
MB = 1 << 20
CELLS_OF_OUTPUT = 8
"""All cells of a notebook together may put out what so many of them may."""
MAX_OUTPUTS = 10_000
"""Outputs of a whole notebook that are kept, however small they are."""


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """What one submission may take. Seconds of wall clock, bytes, counts.

    `notebook_s` is for the cells alone: neither a slot that is slow to open nor cells that are run
    again because another ended the session take anything from it, nor time in which a cell was
    ready to run and had no processor (see `wire.waiting`).
    """

    notebook_s: float = 120.0
    cell_s: float = 30.0
    call_s: float = 10.0
    output_bytes: int = 8 * MB
    memory_bytes: int = 1024 * MB
    disk_bytes: int = 256 * MB
    processes: int = 128
    threads: int = 1
    gpu_memory_bytes: int = 0
    cuda_as_cpu: bool = False
    on_error: Literal["continue", "stop"] = "continue"

    def of_session(self) -> m.Limits:
        """The same for the box."""
        return m.Limits(
            memory_bytes=self.memory_bytes,
            disk_bytes=self.disk_bytes,
            file_bytes=self.disk_bytes,
            output_bytes=self.output_bytes,
            processes=self.processes,
            cpu_s=int(8 * (self.notebook_s + 60) * max(self.threads, 1)),
            threads=self.threads,
            gpu_memory_bytes=self.gpu_memory_bytes,
            cuda_as_cpu=self.cuda_as_cpu,
        )


@dataclass(kw_only=True)
class NotebookRun:
    """What came of running the notebook: a result per cell, and sentences on what happened."""

    cells: list[CellResult]
    notes: list[str] = field(default_factory=list)
    duration_s: float = 0.0


class NotebookBox:
    """A notebook's code, run in sessions of one slot.

    `cells` are `ReadNotebook.sources`: what is empty is not run, but has its number.
    `files` lie beside it before its first cell is run, in every session; their names are safe.
    """

    def __init__(
        self,
        slot: Slot,
        cells: Sequence[str],
        *,
        limits: RunLimits,
        seed: int,
        files: Mapping[str, bytes] | None = None,
        on_cell: Callable[[int, int], None] = lambda cell, cells: None,
    ) -> None:
        self._slot = slot
        self._on_cell = on_cell
        self._sources = list(cells)
        self._files = dict(files or {})
        self._limits = limits
        self._seed = seed
        self._room = OutputRoom(CELLS_OF_OUTPUT * limits.output_bytes, MAX_OUTPUTS)
        self._skipped: set[int] = set()
        self._session: Session | None = None
        self._forged = False
        self._seconds: dict[int, float] = {}
        self._spent_s = 0.0
        self.generation = 0
        self.restarts = 0
        self.reviving_s = 0.0
        self.cpu_s = 0.0
        self.peak_memory_bytes = 0

    @property
    def call_timeout_s(self) -> float:
        """Seconds that one call of the suite into the notebook may take."""
        return self._limits.call_s

    def run(self) -> NotebookRun:
        """Run the cells from top to bottom.

        Raises:
            InfrastructureError: the sandbox failed, through no doing of the submission.
        """
        results = [CellResult(index=i, status="ok") for i in range(1, len(self._sources) + 1)]
        run = NotebookRun(cells=results)
        self._open()
        for position, source in enumerate(self._sources):
            if not source.strip():
                continue
            left = self._limits.notebook_s - self._spent_s
            if left <= 0:
                run.notes.append(
                    f"the notebook ran longer than {self._limits.notebook_s:g} s; "
                    f"the cells from cell {position + 1} on were not run"
                )
                _not_run(run, position, "not run: the notebook's time was up")
                break
            if self._forged:
                _not_run(run, position, FORGER)
                break
            self._on_cell(position + 1, len(self._sources))
            was_full = self._room.is_full
            result = self._run_one(position, source, left, run)
            results[position] = result
            if self._room.is_full and not was_full:
                run.notes.append(self._too_much(position))
            if result.status == "error" and self._limits.on_error == "stop":
                run.notes.append(
                    f"cell {position + 1} raised an error; the cells after it were not run"
                )
                break
        run.duration_s = self._spent_s
        return run

    def _too_much(self, position: int) -> str:
        size = CELLS_OF_OUTPUT * self._limits.output_bytes / MB
        return (
            f"the notebook put out more than the {size:g} MB, or {MAX_OUTPUTS:,} outputs, that are "
            f"kept of all its cells; in cell {position + 1} they ended. The cells were run all the "
            "same"
        )

    def ready(self) -> None:
        """Have the notebook live, run anew if its session has ended; `reviving_s` tells how long.

        Raises:
            BoxFailure: it ended too often.
            InfrastructureError: the sandbox failed.
        """
        if self._session is None:
            self._revive()

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Ask the live notebook for something; after a failure, of a notebook run anew.

        Raises:
            BoxFailure: the request ended the session.
            InfrastructureError: the sandbox failed.
        """
        session = self._session
        if session is None:
            session = self._revive()
        try:
            return session.request(request, blobs)
        except BoxFailure:
            self._drop()
            raise

    def lease(self) -> StreamLease | None:
        """Let a process that is forked now make the requests; None where that can't be.

        Until it is taken back, nothing else may be asked of this box.
        """
        return None if self._session is None else self._session.lease()

    def take_back(
        self, loan: StreamLease, position: Position | None, trouble: Trouble | None = None
    ) -> None:
        """Go on where the borrower stopped, as `Session.take_back`.

        Raises:
            BoxFailure: what stopped it; the session has ended.
            InfrastructureError: the sandbox failed.
        """
        if self._session is None:
            raise AssertionError("the box whose session was lent has none")
        try:
            self._session.take_back(loan, position, trouble)
        except BoxFailure:
            self._drop()
            raise

    def close(self) -> None:
        """End the session and take note of what it used."""
        if self._session is not None:
            self._drop()

    # -- sessions

    def _open(self) -> Session:
        session = self._session = self._slot.open(seed=self._seed, limits=self._limits.of_session())
        for path, data in self._files.items():
            self._put(session, path, data)
        return session

    def _put(self, session: Session, path: str, data: bytes) -> None:
        """Put a file beside the notebook, of which nothing has been run yet: trouble is ours."""
        try:
            reply, _ = session.request(m.PutFile(path=path), [data])
        except BoxFailure as error:
            self._drop()
            raise InfrastructureError(f"the sandbox ended while it was given {path}") from error
        if not isinstance(reply, m.Value):
            why = reply.text if isinstance(reply, m.Raised) else type(reply).__name__
            raise InfrastructureError(
                f"{path} can't be put next to the notebook: {why[:200]}",
                hint="Name fewer or smaller files in assignment.toml, or raise disk_mb.",
            )

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            end = session.close()
            self._forged |= session.forged
            self.cpu_s += end.cpu_s
            self.peak_memory_bytes = max(self.peak_memory_bytes, end.peak_memory_bytes)
        self.generation += 1

    def _revive(self) -> Session:
        """Open a new session and run the cells that had ended, in it."""
        began = time.monotonic()
        try:
            while True:
                if self._forged:
                    # Nothing honest writes there. Were it run again, so would the attack be, for
                    # the time of a slot's start each.
                    raise BoxCrashed(FORGER)
                if self.restarts >= MAX_RESTARTS:
                    raise BoxTimeout(f"the notebook was stopped {MAX_RESTARTS} times already")
                self.restarts += 1
                session = self._open()
                if self._run_again(session):
                    return session
        finally:
            self.reviving_s += time.monotonic() - began

    def _run_again(self, session: Session) -> bool:
        """Run the cells that had ended, in a new session; whether it has outlived them."""
        for position in sorted(self._seconds):
            if position in self._skipped:
                continue
            try:
                self._execute(session, position, self._limits.cell_s, None)
            except BoxFailure:
                self._skipped.add(position)
                self._drop()
                return False
        return True

    # -- cells

    def _run_one(self, position: int, source: str, left: float, run: NotebookRun) -> CellResult:
        if self._session is None:
            try:
                self._revive()
            except BoxFailure as error:
                run.notes.append(f"cell {position + 1} was not run: {error.what}")
                return CellResult(index=position + 1, status="killed", error=error.what)
        session = self._session
        if session is None:  # pragma: no cover - _revive opens one or raises
            raise AssertionError("no session")
        seen: list[CellResult] = []
        began = time.monotonic()
        allowed = min(self._limits.cell_s, left)
        try:
            result = self._execute(session, position, allowed, seen)
        except BoxFailure as error:
            self._skipped.add(position)
            self._drop()
            result = seen[0] if seen else CellResult(index=position + 1, status="killed")
            result.status, result.error = "killed", error.what
            result.duration_s = time.monotonic() - began
            # It was waited for beyond what it was allowed, in case that it had no processor.
            self._spent_s += min(result.duration_s, allowed)
            rest = FORGER if self._forged else "the other cells were run without it"
            run.notes.append(f"cell {position + 1} {error.what}; {rest}")
            return result
        wall_s = time.monotonic() - began
        ran_s = ran_s_of(result, wall_s)
        self._spent_s += allowed if result.status == "timeout" else ran_s
        self._seconds[position] = result.duration_s
        if result.status == "timeout":
            run.notes.append(f"cell {position + 1} ran longer than {allowed:.3g} s and was stopped")
            self._skipped.add(position)
        elif result.status == "output_limit":
            run.notes.append(f"cell {position + 1} put out more than it may and was stopped")
        return result

    def _execute(
        self, session: Session, position: int, seconds: float, seen: list[CellResult] | None
    ) -> CellResult:
        return session.run_cell(
            self._sources[position],
            index=position + 1,
            timeout_s=seconds,
            output_bytes=self._limits.output_bytes,
            room=None if seen is None else self._room,
            on_output=None if seen is None else seen.append,
        )


def ran_s_of(result: CellResult, wall_s: float) -> float:
    """Seconds of the notebook's limit that a cell has used, as far as what it says is believed."""
    return counted_s(wall_s, wall_s - result.duration_s + result.waited_s)


def _not_run(run: NotebookRun, position: int, why: str) -> None:
    for result in run.cells[position:]:
        result.status, result.error = "killed", why
