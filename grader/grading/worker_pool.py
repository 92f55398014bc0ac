"""One machine of a cluster: a judge with warm slots, at which its threads take turns.

It knows nothing of the cluster: it is told of submissions and gives back verdicts, by value.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import GraderError, InfrastructureError
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
    worker_error,
)
from grader.grading.judge_process import JudgeProcess, raised
from grader.grading.make_verdict import not_judged
from grader.grading.packed_bundle import unpack
from grader.grading.timeouts import MAX_LOSSES, job_timeout_s
from grader.sandbox.liveness import LOOK_S
from grader.wire import frames

_LEAVING = "the machine was leaving the batch"

Tell = Callable[[Started | CellStarted], None]


class SlotLost(Exception):
    """The worker of a slot ended, or had to be ended, before it gave a verdict."""


class SlotDeviceLost(SlotLost):
    """The slot's device was not free after a submission; nothing runs there any more."""


class WorkerPool:
    """The slots of one machine for one batch.

    Args:
        setting: of the batch; its paths are replaced by those of this machine.
        bundle: the assignment, as `bundle.pack` returns it.
        below: where the bundle is unpacked.
        slots: how many submissions at once.
        gpus: the devices of the slots, one for each; without any the slots have none.

    Raises:
        InfrastructureError: the bundle can't be used.
    """

    def __init__(
        self,
        config: BatchConfig,
        bundle: bytes,
        *,
        below: Path,
        slots: int,
        gpus: Sequence[str] = (),
    ) -> None:
        unpacked = unpack(bundle, config, below=below)
        self._folder = unpacked.folder
        self._config = unpacked.config
        self._judges: list[JudgeProcess] = []
        self._free: queue.Queue[_WorkerConnection] = queue.Queue()
        self._closed = False
        # A process ends with the thread that started it; this one lives as long as the site.
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="grader-keeper")
        devices = [(gpu, 1) for gpu in gpus[:slots]] or [("", slots)]
        self._slots = sum(count for _, count in devices)
        self._warm: Future[None] = Future()
        """Done when the first slot is warm, or none can be."""
        self._keeper.submit(self._start, devices)

    def judge(self, job: Job, tell: Tell) -> Judged | WorkerError:
        """Judge a submission at the next free slot; one whose slot is lost is tried again."""
        try:
            self._warm.result()
            for _ in range(MAX_LOSSES + 1):
                line = self._take()
                try:
                    said = line.judge(job, tell)
                except SlotDeviceLost as error:
                    line.connection.close()
                    self._slots -= 1
                    if not self._slots:
                        raise InfrastructureError(str(error)) from error
                    continue
                except SlotLost:
                    self._replace(line)
                    continue
                self._free.put(line)
                return said
        except GraderError as error:
            return worker_error(error)
        trouble = InfrastructureError("its worker ended three times, for a reason of ours")
        return not_judged(job, self._config, trouble)

    def close(self) -> None:
        """Destroy the slots and the bundle. What is being judged is given up."""
        if self._closed:
            return
        self._closed = True
        for judge in self._judges:  # at once: the keeper may be waiting for one to be warm
            judge.stop()
        self._keeper.submit(self._stop).result()
        self._keeper.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, devices: Sequence[tuple[str, int]]) -> None:
        """Start every slot; submissions begin when the first is warm, and others come to it."""
        try:
            lines = [line for gpu, count in devices for line in self._lines(gpu, count)]
            while lines:
                self._take_in(lines)
        except GraderError as error:
            if not self._warm.done():
                self._warm.set_exception(error)

    def _take_in(self, lines: list[_WorkerConnection]) -> None:
        """Take in the lines that are warm now; one that failed is left out.

        Raises:
            GraderError: every one has failed, or it is the suite's fault.
        """
        ready = wait([line.connection for line in lines], LOOK_S)
        for line in [line for line in lines if line.connection in ready]:
            try:
                if not line.is_warm():
                    continue
            except InfrastructureError:
                line.connection.close()
                self._slots -= 1
                if not self._slots:
                    raise
            else:
                self._free.put(line)
                if not self._warm.done():
                    self._warm.set_result(None)
            lines.remove(line)
        if not ready and not self._warm.done():
            for judge in self._judges:
                judge.look(collecting=True)

    def _lines(self, gpu: str, count: int) -> list[_WorkerConnection]:
        """A judge's process with its slots; runs in the keeper's thread."""
        if self._closed:
            raise InfrastructureError(_LEAVING)
        config = msgspec.structs.replace(self._config, gpu=gpu, slots=count)
        judge = JudgeProcess(config, count)
        self._judges.append(judge)
        return [_WorkerConnection(judge, connection, config) for connection in judge.connections]

    def _replace(self, lost: _WorkerConnection) -> None:
        """Put a new slot, with a judge of its own, in the place of one that was lost."""
        lost.connection.close()
        try:
            (line,) = self._keeper.submit(self._lines, lost.config.gpu, 1).result()
        except RuntimeError as error:  # the keeper takes nothing more: the site is closed
            raise InfrastructureError(_LEAVING) from error
        self._free.put(line)

    def _take(self) -> _WorkerConnection:
        while not self._closed:
            try:
                return self._free.get(timeout=1.0)
            except queue.Empty:
                continue
        raise InfrastructureError(_LEAVING)

    def _stop(self) -> None:
        for judge in self._judges:
            judge.stop()
        for judge in self._judges:
            judge.finish()


class _WorkerConnection:
    """The site's end of one worker."""

    def __init__(self, judge: JudgeProcess, connection: Connection, config: BatchConfig) -> None:
        self.connection = connection
        self.config = config
        self._judge = judge
        self._pid = 0

    def begin(self) -> None:
        """Wait until the slot is warm.

        Raises:
            GraderError: the suite or the sandbox can't be used.
        """
        while True:
            if not self.connection.poll(LOOK_S):
                self._judge.look(collecting=True)
            elif self.is_warm():
                return

    def is_warm(self) -> bool:
        """Hear whether the slot is warm; there is something to hear.

        Raises:
            GraderError: the suite or the sandbox can't be used.
        """
        try:
            said = self._hear(time.monotonic())
        except SlotLost:
            raise self._judge.never_ready() from None
        if isinstance(said, WorkerError):
            raise raised(said)
        if isinstance(said, Ready):
            self._pid = said.pid
        return isinstance(said, Ready)

    def judge(self, job: Job, tell: Tell) -> Judged | WorkerError:
        """Judge a submission.

        Raises:
            SlotLost: the worker ended under it, or said nothing for too long.
        """
        if not self._pid:
            self.begin()
        until = time.monotonic() + job_timeout_s(self.config.spec)
        try:
            self.connection.send_bytes(msgspec.msgpack.encode(job))
        except OSError as error:
            raise SlotLost from error
        while True:
            said = self._hear(until)
            if isinstance(said, Judged | WorkerError):
                return said
            if isinstance(said, DeviceLost):
                raise SlotDeviceLost(said.what)
            if isinstance(said, Warming):
                until = time.monotonic() + job_timeout_s(self.config.spec)
            if isinstance(said, Started | CellStarted):
                tell(said)

    def _hear(self, until: float) -> Any:
        try:
            if not self.connection.poll(max(until - time.monotonic(), 0.0)):
                if self._pid:
                    os.kill(self._pid, signal.SIGKILL)
                raise SlotLost
            return frames.unpack(self.connection.recv_bytes(), FromWorker)
        except (EOFError, OSError) as error:
            raise SlotLost from error
