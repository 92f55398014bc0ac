"""Many submissions, several slots: hand out the work, take in the verdicts.

`grade_batch` knows nothing of a gradebook or of pages; it hands each verdict to `on_verdict` when
it is made, so that a batch killed at any instant has lost nothing that was judged.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import msgspec

from grader.errors import InfrastructureError
from grader.grading.interrupt import Interrupt
from grader.grading.issuing import not_judged
from grader.grading.job import (
    Begins,
    Broken,
    FromWorker,
    InCell,
    Job,
    Judged,
    Ready,
    Setting,
    Withdrawn,
)
from grader.grading.judging import JudgeProcess, raised
from grader.grading.patience import MAX_LOSSES, START_S, job_patience_s
from grader.grading.waiting import Load, Waiting, at_hand
from grader.wire import frames


@dataclass(frozen=True, kw_only=True)
class Watchers:
    """Who is told what; each is called in the batch's own process."""

    on_verdict: Callable[[Judged], None]
    on_begin: Callable[[str], None] = lambda student: None
    on_ready: Callable[[int], None] = lambda slots: None
    on_cell: Callable[[str, int, int], None] = lambda student, cell, cells: None
    on_stopping: Callable[[], None] = lambda: None
    on_withdrawn: Callable[[str], None] = lambda what: None
    on_idle: Callable[[], bool] = lambda: False
    """Called while no worker says anything: does one thing that can wait; False if nothing can."""


class _Slot:
    """The batch's end of one worker."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ready = False
        self.job: Job | None = None
        self.pid = 0
        self.until = time.monotonic() + START_S
        """When the worker is given up: it must have said something by then."""


def grade_batch(
    setting: Setting, jobs: Iterable[Job], watchers: Watchers, *, load: Load = at_hand
) -> None:
    """Judge every job and hand each verdict to the watcher; each is loaded when it is handed out.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was running has been finished, unless it came twice.
        SuiteError: the hidden suite can't be used; nothing has been judged.
        InfrastructureError: no slot could be started, or none is left.
    """
    waiting = Waiting(jobs, load=load, setting=setting, on_verdict=watchers.on_verdict)
    if not waiting:
        return
    with Interrupt(watchers.on_stopping) as interrupt:
        _rounds(setting, waiting, watchers, interrupt)
        if interrupt.asked and waiting:
            raise KeyboardInterrupt


def _rounds(setting: Setting, waiting: Waiting, watchers: Watchers, interrupt: Interrupt) -> None:
    losses: dict[str, int] = {}
    while waiting and not interrupt.asked:
        round_ = _Round(setting, waiting, watchers, interrupt)
        lost = round_.run()
        setting = _without(setting, round_.withdrawn)
        for job in lost:
            losses[job.sha256 + job.student] = count = losses.get(job.sha256 + job.student, 0) + 1
            if count > MAX_LOSSES:
                trouble = InfrastructureError("its worker ended three times, for a reason of ours")
                watchers.on_verdict(not_judged(job, setting, trouble))
            else:
                waiting.put_back(job)


def _without(setting: Setting, withdrawn: set[str]) -> Setting:
    """The batch without the devices that are not free any more."""
    if not withdrawn:
        return setting
    gpus = tuple(gpu for gpu in setting.gpus if gpu not in withdrawn)
    if not gpus:
        raise InfrastructureError(
            f"no GPU is left: {', '.join(sorted(withdrawn))} not free after a submission",
            hint="See with nvidia-smi what holds it, then start the batch again: it goes on.",
        )
    return msgspec.structs.replace(setting, gpus=gpus, slots=len(gpus))


class _Round:
    """One judge process with its workers, until the queue is empty or a worker is lost."""

    def __init__(
        self, setting: Setting, waiting: Waiting, watchers: Watchers, interrupt: Interrupt
    ) -> None:
        self._interrupt = interrupt
        self._setting = setting
        self._waiting = waiting
        self._watchers = watchers
        self._slots: list[_Slot] = []
        self._lost: list[Job] = []
        self.withdrawn: set[str] = set()
        self._ready = 0

    def run(self) -> list[Job]:
        """Run until nothing is left to hand out; returns jobs whose workers died."""
        count = min(self._setting.slots, len(self._waiting))
        self._judge = judge = JudgeProcess(self._setting, count)
        self._slots = [_Slot(connection) for connection in judge.connections]
        try:
            while any(not s.connection.closed for s in self._slots):
                open_ = {s.connection: s for s in self._slots if not s.connection.closed}
                for connection in self._listen(open_):
                    self._hear(open_[connection])
                self._give_up_what_hangs()
        except BaseException:
            judge.stop()
            raise
        finally:
            judge.finish()
        return self._lost

    def _listen(self, slots: dict[Connection, _Slot]) -> list[Any]:
        """Who has said something; while nobody has, what can wait is done."""
        heard = wait(list(slots), 0)
        if heard or self._watchers.on_idle():
            return heard
        patience = min(s.until for s in slots.values()) - time.monotonic()
        return wait(list(slots), max(patience, 0.0))

    def _hear(self, slot: _Slot) -> None:
        try:
            message: Any = frames.unpack(slot.connection.recv_bytes(), FromWorker)
        except (EOFError, OSError):
            self._mourn(slot)
            return
        match message:
            case Ready():
                slot.ready, slot.pid = True, message.pid
                self._ready += 1
                self._watchers.on_ready(self._ready)
                self._hand_out(slot)
            case Begins():
                self._watchers.on_begin(message.student)
            case InCell():
                self._watchers.on_cell(message.student, message.cell, message.cells)
            case Judged():
                slot.job = None
                self._hand_out(slot)  # first: a commit may take longer than a submission
                self._watchers.on_verdict(message)
            case Withdrawn():
                self.withdrawn.add(message.device)
                self._watchers.on_withdrawn(message.what)
                self._mourn(slot)
            case Broken():
                raise raised(message)

    def _hand_out(self, slot: _Slot) -> None:
        handed_out = None if self._interrupt.asked else self._waiting.hand_out()
        if handed_out is None:
            slot.connection.close()
            return
        slot.job, message = handed_out
        slot.until = time.monotonic() + job_patience_s(self._setting.spec)
        try:
            slot.connection.send_bytes(message)
        except OSError:  # it ended after its last verdict, or while it took this
            self._mourn(slot)

    def _mourn(self, slot: _Slot) -> None:
        """A worker died: its submission goes to another."""
        slot.connection.close()
        if slot.job is not None:
            self._lost.append(slot.job)
            slot.job = None
        elif not self._ready:
            raise self._judge.never_ready()

    def _give_up_what_hangs(self) -> None:
        """Kill workers that have said nothing for longer than any submission can take."""
        now = time.monotonic()
        for slot in self._slots:
            if slot.connection.closed or now < slot.until:
                continue
            if not slot.pid:
                raise InfrastructureError(
                    f"the judge's process was not ready after {START_S:.0f} s",
                    hint="Run `grader doctor`; look for work at the top of the suite or reference.",
                )
            os.kill(slot.pid, signal.SIGKILL)
            slot.until = now + START_S  # its connection closes now, and it is mourned
