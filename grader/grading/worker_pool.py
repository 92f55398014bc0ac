"""The slots of one machine for one assignment: the only place that has workers judge submissions.

A batch drives a pool in its own thread until its queue is empty (`batch`); a machine of a cluster
and a process that stands let it run in a thread of its own (`standing_pool`).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

import msgspec

from grader.errors import GraderError, InfrastructureError
from grader.grading.job import (
    BatchConfig,
    CellStarted,
    Checked,
    DeviceLost,
    JobStarted,
    Judged,
    Ready,
    Warming,
    WorkerError,
)
from grader.grading.job_queue import MAX_TRIES, JobQueue, QueuedJob
from grader.grading.judge_process import JudgeProcess, raised
from grader.grading.progress import SILENT, Progress
from grader.grading.timeouts import SLOT_AGAIN_S, SLOW_S, TELL_S
from grader.grading.verdict import Outcome
from grader.grading.worker_connection import WorkerConnection
from grader.sandbox.liveness import LOOK_S

_LOST = InfrastructureError("its worker ended, and the notebook is not to blame")


class WorkerPool:
    """Warm slots that serve a queue, as many as `config.slots`.

    A worker that is lost is replaced, and its job tried again, as the queue decides. A slot that
    can't be started, in which nothing runs any more, or whose device is not free again, is left;
    the pool goes on with the others. One that stands tries a failed slot again after a while.

    Args:
        config: of the assignment.
        waiting: what is judged; the pool stands as long as the queue is open.
        progress: told what concerns no single submission: slots, and what is slow.
        on_idle: called while no worker says anything: does one thing that can wait; False if
            nothing can.
        is_stopping: whether nothing more is to be begun; what runs is finished.
    """

    def __init__(
        self,
        config: BatchConfig,
        waiting: JobQueue,
        *,
        progress: Progress = SILENT,
        on_idle: Callable[[], bool] = lambda: False,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._config = config
        self._waiting = waiting
        self._progress = progress
        self._on_idle = on_idle
        self._is_stopping = is_stopping
        self._judges: list[JudgeProcess] = []
        self._workers: list[WorkerConnection] = []
        self._spare: list[str] = []
        """The devices of slots that have no worker now; "" for one without a GPU."""
        self._failed: list[tuple[float, str]] = []
        """The devices of slots that are started again, and when."""
        self._idle_losses = 0
        self._slow_s = SLOW_S
        self._look_at = 0.0
        self._given_up = False
        self._alarm, self._ring = Pipe(duplex=False)
        os.set_blocking(self._ring.fileno(), False)  # one that is full rings, too
        waiting.on_put = self.wake

    def run(self) -> None:
        """Judge what waits until the queue is closed and empty; in the thread that calls it.

        What a worker has when this ends before is put back, not begun again.

        Raises:
            SuiteError: the hidden suite can't be used; nothing has been judged.
            InfrastructureError: no slot could be started, or every one has failed.
        """
        try:
            self._spare = self._slots()
            while not self._is_over():
                self._fill()
                for worker in self._listen():
                    self._hear(worker)
                self._give_up_what_hangs()
                self._feed()
        finally:
            self._end()

    def give_up(self) -> None:
        """Have `run` end now, from another thread; what is being judged has no verdict."""
        self._given_up = True
        self.wake()

    def wake(self) -> None:
        """Have `run` look at its queue, from another thread."""
        try:
            self._ring.send_bytes(b"")
        except OSError:
            pass  # it rings already, or has ended

    # -- the rounds

    def _is_over(self) -> bool:
        """Whether nothing is left for those who are at work or not warm yet."""
        if self._given_up:
            return True
        nothing = self._is_stopping() or not (self._waiting or self._waiting.is_open)
        return nothing and not any(worker.queued for worker in self._workers)

    def _listen(self) -> list[WorkerConnection]:
        """Who has said something; while nobody has, what can wait is done."""
        speakers: list[Connection] = [self._alarm, *(w.connection for w in self._workers)]
        heard: list[Any] = wait(speakers, 0)
        if not heard and not self._on_idle():
            heard = wait(speakers, self._patience_s())
        while self._alarm.poll():
            self._alarm.recv_bytes()
        return [worker for worker in self._workers if worker.connection in heard]

    def _patience_s(self) -> float | None:
        """For how long nothing need be looked after, in seconds; None: until somebody speaks."""
        now = time.monotonic()
        waits = [worker.until - now for worker in self._workers if worker.queued]
        waits += [at - now for at, _ in self._failed]
        if not all(worker.pid for worker in self._workers):
            waits.append(TELL_S)
        return max(min(waits), 0.0) if waits else None

    def _hear(self, worker: WorkerConnection) -> None:
        try:
            message = worker.hear()
        except (EOFError, OSError):
            self._lose_worker(worker)
            return
        queued = worker.queued
        match message:
            case Ready():
                worker.is_ready, worker.pid = True, message.pid
                self._progress.warm(sum(w.is_ready for w in self._workers))
            case Warming():
                worker.pid = message.pid
                worker.wait_on()
                self._tell_slow(message.seconds)
            case JobStarted() if queued:
                queued.progress.begun(message.student)
            case CellStarted() if queued:
                queued.progress.cell(message.student, message.cell, message.cells)
            case Judged() if queued:
                self._take(worker, queued, message)
            case Checked() if queued:
                worker.take()
                queued.on_checked(message)
            case DeviceLost():
                self._lose_device(worker, message)
            case WorkerError():
                self._fail(worker, raised(message))

    def _take(self, worker: WorkerConnection, queued: QueuedJob, judged: Judged) -> None:
        worker.take()
        self._idle_losses = 0
        if judged.verdict.outcome is Outcome.INFRASTRUCTURE_ERROR:
            self._waiting.try_again(queued, InfrastructureError(judged.verdict.reason))
        else:
            self._hand_out(worker)  # first: a commit may take longer than a submission
            queued.deliver(judged)

    # -- handing out

    def _feed(self) -> None:
        for worker in [w for w in self._workers if w.is_ready and not w.queued]:
            self._hand_out(worker)

    def _hand_out(self, worker: WorkerConnection) -> None:
        handed_out = None if self._is_stopping() else self._waiting.dispatch()
        if handed_out is not None:
            # If it has ended, its last words come next: that its device is lost, or only the end.
            with contextlib.suppress(OSError):
                worker.send(*handed_out)
        elif not self._waiting.is_open:
            self._close(worker)  # its slot goes while others are at work
            self._spare.append(worker.device)

    # -- slots

    def _slots(self) -> list[str]:
        """As many slots as there is work for; all of them where more may come."""
        devices = list(self._config.gpus) or [""] * self._config.slots
        return devices if self._waiting.is_open else devices[: len(self._waiting)]

    def _fill(self) -> None:
        """Start slots for what waits and has nobody, also in the place of those that were lost."""
        now = time.monotonic()
        self._spare += [device for at, device in self._failed if at <= now]
        self._failed = [(at, device) for at, device in self._failed if at > now]
        free = sum(worker.queued is None for worker in self._workers)
        wanted = len(self._spare) if self._waiting.is_open else len(self._waiting) - free
        if wanted <= 0 or not self._spare or self._is_stopping():
            return
        devices, self._spare = self._spare[:wanted], self._spare[wanted:]
        self._forget_judges()
        config = self._config
        if config.gpus:  # else as it is: a judge that has stayed knows its setting again
            config = msgspec.structs.replace(config, gpus=tuple(devices))
        judge = JudgeProcess(config, len(devices))
        self._judges.append(judge)
        self._workers += [
            WorkerConnection(judge, connection, config.spec, device=device)
            for connection, device in zip(judge.connections, devices, strict=True)
        ]

    def _forget_judges(self) -> None:
        for judge in [judge for judge in self._judges if judge.has_ended()]:
            judge.finish()
            self._judges.remove(judge)

    def _lose_worker(self, worker: WorkerConnection) -> None:
        """A worker died: its submission goes to another, its slot is started anew."""
        if not worker.is_ready and worker.judge.has_stayed:  # for a command before: make another
            self._config = msgspec.structs.replace(self._config, keep="")
        elif not worker.is_ready:
            self._fail(worker, worker.judge.never_ready())
            return
        elif worker.queued is None:
            self._idle_losses += 1
            if self._idle_losses >= MAX_TRIES:
                self._fail(worker, InfrastructureError("its workers end with nothing to do"))
                return
        queued = worker.take()
        self._close(worker)
        self._spare.append(worker.device)
        if queued is not None:
            self._waiting.try_again(queued, _LOST)

    def _fail(self, worker: WorkerConnection, error: GraderError) -> None:
        """A slot could not be started, or nothing runs in it any more.

        Raises:
            GraderError: it was the last one, or it is the suite's fault.
        """
        queued = worker.take()
        self._close(worker)
        left = len(self._workers) + len(self._spare)
        if queued is not None and left:
            self._waiting.try_again(queued, InfrastructureError(error.what))
        elif queued is not None:
            self._waiting.put_back(queued)
        if not left or not isinstance(error, InfrastructureError):
            raise error
        if self._waiting.is_open:
            self._failed.append((time.monotonic() + SLOT_AGAIN_S, worker.device))
        self._progress.warned(f"one slot failed, it goes on with {left}: {error.what}")

    def _lose_device(self, worker: WorkerConnection, lost: DeviceLost) -> None:
        """Go on without a device; what its worker was given meanwhile it has not begun with.

        Raises:
            InfrastructureError: it was the last one.
        """
        self._progress.warned(lost.what)
        queued = worker.take()
        self._close(worker)
        if queued is not None:
            self._waiting.put_back(queued)
        if not self._workers and not self._spare:
            raise InfrastructureError(
                f"no GPU is left: {lost.device} not free after a submission",
                hint="See with nvidia-smi what holds it, then start the batch again: it goes on.",
            )

    def _close(self, worker: WorkerConnection) -> None:
        """Nothing more comes from a worker; it destroys its slot and ends, if it lives."""
        worker.connection.close()
        self._workers.remove(worker)

    def _end(self) -> None:
        for worker in self._workers:
            queued = worker.take()
            if queued is not None:
                self._waiting.put_back(queued)
        for judge in {id(w.judge): w.judge for w in self._workers}.values():
            judge.stop()  # else who still warms up would be waited for
        for judge in self._judges:
            judge.finish()
        self._ring.close()
        self._alarm.close()

    # -- what takes long

    def _tell_slow(self, seconds: float) -> None:
        if seconds >= self._slow_s:
            self._slow_s = 2 * seconds
            self._progress.warned(
                f"a slot is slow to start: {seconds:.0f} s so far, and it goes on. The machine is "
                "busy; what is ready meanwhile is used"
            )

    def _give_up_what_hangs(self) -> None:
        """Kill workers that hang, and leave judges that show no sign of life."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            for judge in {id(w.judge): w.judge for w in self._workers if not w.pid}.values():
                self._look_at_judge(judge)
        for worker in self._workers:
            worker.kill_if_hung(now)

    def _look_at_judge(self, judge: JudgeProcess) -> None:
        """Leave the slots of a judge that should be starting them and does nothing.

        Raises:
            InfrastructureError: there are no others.
        """
        silent = [w for w in self._workers if w.judge is judge and not w.pid]
        try:
            judge.look(collecting=len(silent) == len(judge.connections))
        except InfrastructureError as error:
            if len(silent) == len(self._workers) + len(self._spare):
                raise
            for worker in silent:
                self._fail(worker, error)
