"""Many submissions, several slots: hand out the work, take in the verdicts.

`grade_batch` knows nothing of a gradebook or of pages; it hands each verdict to `on_verdict` when
it is made, so that a batch killed at any instant has lost nothing that was judged.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import msgspec

from grader.errors import GraderError, InfrastructureError
from grader.grading.interrupt import Interrupt
from grader.grading.job import (
    BatchConfig,
    CellStarted,
    DeviceLost,
    FromWorker,
    Job,
    Judged,
    Ready,
    Started,
    Warming,
    WorkerError,
)
from grader.grading.job_queue import JobQueue, Load, at_hand
from grader.grading.judge_process import JudgeProcess, raised
from grader.grading.make_verdict import not_judged
from grader.grading.timeouts import MAX_LOSSES, SLOW_S, TELL_S, job_timeout_s
from grader.sandbox.liveness import LOOK_S
from grader.wire import frames


@dataclass(frozen=True, kw_only=True)
class Watchers:
    """Who is told what; each is called in the batch's own process."""

    on_verdict: Callable[[Judged], None]
    on_begin: Callable[[str], None] = lambda student: None
    on_ready: Callable[[int], None] = lambda slots: None
    on_cell: Callable[[str, int, int], None] = lambda student, cell, cells: None
    on_stopping: Callable[[], None] = lambda: None
    on_warned: Callable[[str], None] = lambda warning: None
    """Of what the batch goes on without, and of what is slow."""
    on_idle: Callable[[], bool] = lambda: False
    """Called while no worker says anything: does one thing that can wait; False if nothing can."""


class _Slot:
    """The batch's end of one worker."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ready = False
        self.job: Job | None = None
        self.pid = 0
        """Of the worker; 0 until it has said something."""
        self.until = math.inf
        """When a worker that has a submission is given up: it must have a verdict by then."""


def grade_batch(
    config: BatchConfig, jobs: Iterable[Job], watchers: Watchers, *, load: Load = at_hand
) -> None:
    """Judge every job and hand each verdict to the watcher; each is loaded when it is handed out.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was running has been finished, unless it came twice.
        SuiteError: the hidden suite can't be used; nothing has been judged.
        InfrastructureError: no slot could be started, or every one has failed.
    """
    waiting = JobQueue(jobs, load=load, config=config, on_verdict=watchers.on_verdict)
    if not waiting:
        return
    with Interrupt(watchers.on_stopping) as interrupt:
        _rounds(config, waiting, watchers, interrupt)
        if interrupt.asked and waiting:
            raise KeyboardInterrupt


def _rounds(
    config: BatchConfig, waiting: JobQueue, watchers: Watchers, interrupt: Interrupt
) -> None:
    losses: dict[str, int] = {}
    while waiting and not interrupt.asked:
        round_ = _Round(config, waiting, watchers, interrupt)
        lost = round_.run()
        config = _without(config, round_.withdrawn)
        for job in lost:
            losses[job.sha256 + job.student] = count = losses.get(job.sha256 + job.student, 0) + 1
            if count > MAX_LOSSES:
                trouble = InfrastructureError("its worker ended three times, for a reason of ours")
                watchers.on_verdict(not_judged(job, config, trouble))
            else:
                waiting.put_back(job)


def _without(config: BatchConfig, withdrawn: set[str]) -> BatchConfig:
    """The batch without the devices that are not free any more."""
    if not withdrawn:
        return config
    gpus = tuple(gpu for gpu in config.gpus if gpu not in withdrawn)
    if not gpus:
        raise InfrastructureError(
            f"no GPU is left: {', '.join(sorted(withdrawn))} not free after a submission",
            hint="See with nvidia-smi what holds it, then start the batch again: it goes on.",
        )
    return msgspec.structs.replace(config, gpus=gpus, slots=len(gpus))


class _Round:
    """One judge process with its workers, until the queue is empty or a worker is lost."""

    def __init__(
        self, config: BatchConfig, waiting: JobQueue, watchers: Watchers, interrupt: Interrupt
    ) -> None:
        self._interrupt = interrupt
        self._config = config
        self._waiting = waiting
        self._watchers = watchers
        self._slots: list[_Slot] = []
        self._lost: list[Job] = []
        self.withdrawn: set[str] = set()
        self._ready = self._failed = 0
        self._slow_s = SLOW_S
        self._look_at = 0.0

    def run(self) -> list[Job]:
        """Run until nothing is left to hand out; returns jobs whose workers died."""
        count = min(self._config.slots, len(self._waiting))
        self._judge = judge = JudgeProcess(self._config, count)
        self._slots = [_Slot(connection) for connection in judge.connections]
        try:
            while open_ := {s.connection: s for s in self._slots if not s.connection.closed}:
                if self._is_done(list(open_.values())):
                    judge.stop()  # else who still warms up would be waited for
                    break
                for connection in self._listen(open_):
                    self._hear(open_[connection])
                self._give_up_what_hangs()
        except BaseException:
            judge.stop()
            raise
        finally:
            judge.finish()
        return self._lost

    def _is_done(self, slots: list[_Slot]) -> bool:
        """Whether nothing is left for the slots that are not warm yet."""
        nothing = not self._waiting or self._interrupt.asked
        return nothing and not any(slot.job for slot in slots)

    def _listen(self, slots: dict[Connection, _Slot]) -> list[Any]:
        """Who has said something; while nobody has, what can wait is done."""
        heard = wait(list(slots), 0)
        if heard or self._watchers.on_idle():
            return heard
        wait_s = min(s.until for s in slots.values()) - time.monotonic()
        if not all(s.pid for s in slots.values()):
            wait_s = min(wait_s, TELL_S)
        return wait(list(slots), max(wait_s, 0.0) if math.isfinite(wait_s) else None)

    def _hear(self, slot: _Slot) -> None:
        try:
            message: Any = frames.unpack(slot.connection.recv_bytes(), FromWorker)
        except (EOFError, OSError):
            self._lose_worker(slot)
            return
        match message:
            case Ready():
                slot.ready, slot.pid = True, message.pid
                self._ready += 1
                self._watchers.on_ready(self._ready)
                self._hand_out(slot)
            case Warming():
                slot.pid = message.pid
                if slot.job is not None:
                    slot.until = time.monotonic() + job_timeout_s(self._config.spec)
                self._tell_slow(message.seconds)
            case Started():
                self._watchers.on_begin(message.student)
            case CellStarted():
                self._watchers.on_cell(message.student, message.cell, message.cells)
            case Judged():
                slot.job = None
                self._hand_out(slot)  # first: a commit may take longer than a submission
                self._watchers.on_verdict(message)
            case DeviceLost():
                self.withdrawn.add(message.device)
                self._watchers.on_warned(message.what)
                self._lose_worker(slot)
            case WorkerError():
                self._lose(slot, raised(message))

    def _hand_out(self, slot: _Slot) -> None:
        handed_out = None if self._interrupt.asked else self._waiting.dispatch()
        if handed_out is None:
            slot.connection.close()
            return
        slot.job, message = handed_out
        slot.until = time.monotonic() + job_timeout_s(self._config.spec)
        try:
            slot.connection.send_bytes(message)
        except OSError:  # it ended after its last verdict, or while it took this
            self._lose_worker(slot)

    def _lose_worker(self, slot: _Slot) -> None:
        """A worker died: its submission goes to another."""
        if not slot.ready and slot.job is None:
            self._lose(slot, self._judge.never_ready())
        else:
            self._put_by(slot)

    def _lose(self, slot: _Slot, error: GraderError) -> None:
        """A slot could not be started, or is broken: the batch goes on with those that are there.

        Raises:
            GraderError: there are none, or it is the suite's fault.
        """
        self._put_by(slot)
        self._failed += 1
        if not isinstance(error, InfrastructureError) or self._failed == len(self._slots):
            raise error
        left = len(self._slots) - self._failed
        self._watchers.on_warned(f"one slot failed, it goes on with {left}: {error.what}")

    def _put_by(self, slot: _Slot) -> None:
        """Nothing more comes from a slot; what it had goes to another."""
        slot.connection.close()
        if slot.job is not None:
            self._lost.append(slot.job)
            slot.job = None

    def _tell_slow(self, seconds: float) -> None:
        if seconds >= self._slow_s:
            self._slow_s = 2 * seconds
            self._watchers.on_warned(
                f"a slot is slow to start: {seconds:.0f} s so far, and it goes on. The machine is "
                "busy; what is ready meanwhile is used"
            )

    def _give_up_what_hangs(self) -> None:
        """Kill workers that had their submission for longer than any can take."""
        now = time.monotonic()
        silent = [slot for slot in self._slots if not slot.connection.closed and not slot.pid]
        if silent and now >= self._look_at:
            self._look_at = now + LOOK_S
            self._judge.look(collecting=len(silent) == len(self._slots))
        for slot in self._slots:
            if not slot.connection.closed and now >= slot.until:
                os.kill(slot.pid, signal.SIGKILL)
                slot.until = math.inf  # its connection closes now, and it is mourned
