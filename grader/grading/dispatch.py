"""Hands submissions that wait to a cluster, and takes in what its machines say."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from grader.errors import GraderError, InfrastructureError
from grader.grading.interrupt import Interrupt
from grader.grading.job import BatchConfig, CellStarted, JobStarted, Judged, WorkerError
from grader.grading.job_queue import JobQueue, QueuedJob
from grader.grading.judge_process import raised
from grader.grading.machine import GPU, SLOTS, MachineReply, capacity, judge_here, needs_gpu
from grader.grading.progress import Progress
from grader.grading.timeouts import NO_MACHINE_S
from grader.grading.verdict import Outcome

_LOOK_S = 0.5
_GONE = "the cluster's scheduler is gone"
_MACHINE_LOST = "its machine was lost"
_CONTINUE = "What is graded is kept: fix the cluster and run the same command again."


@dataclass
class _Running:
    """A submission that was given to the scheduler."""

    queued: QueuedJob
    future: Any
    began: bool = False


class Dispatcher:
    """Keeps the cluster busy, and takes in what it says, in the thread that runs it."""

    def __init__(
        self,
        client: Any,
        batch: str,
        config: BatchConfig,
        waiting: JobQueue,
        progress: Progress,
        *,
        on_idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self._client = client
        self._batch = batch
        self._config = config
        self._waiting = waiting
        self._progress = progress
        self._on_idle = on_idle
        self._running: dict[str, _Running] = {}
        self._failed: set[str] = set()
        self._inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._slots = 0
        self._seen = self._looked = time.monotonic()
        self._given_up = False
        waiting.on_put = lambda: self._inbox.put(("put", None))
        client.subscribe_topic(batch, lambda event: self._inbox.put(("event", event[1])))

    def run(self, interrupt: Interrupt) -> None:
        """Hand out until the queue is closed and all have a verdict, or Ctrl-C was pressed."""
        while not self._is_over(interrupt):
            self._look()
            if interrupt.asked:
                self._take_back()
            else:
                self._hand_out()
            busy = self._inbox.empty() and self._on_idle()
            try:
                kind, what = self._inbox.get(timeout=0 if busy else _LOOK_S)
            except queue.Empty:
                continue
            if kind == "event":
                self._told(what)
            elif kind == "done":
                self._ended(what)

    def give_up(self) -> None:
        """Have `run` end now, from another thread; what is being judged has no verdict."""
        self._given_up = True
        self._inbox.put(("put", None))

    def _is_over(self, interrupt: Interrupt) -> bool:
        if self._given_up:
            return True
        more = self._waiting or self._waiting.is_open
        return not self._running and (interrupt.asked or not more)

    def close(self) -> None:
        """Take back what was handed out, and have every machine destroy its slots."""
        # Whatever a broken connection raises: the batch is over, and the error before counts.
        with suppress(Exception):
            for running in self._running.values():
                running.future.cancel(force=True)
            self._client.unsubscribe_topic(self._batch)
            self._client.unregister_worker_plugin(self._batch)

    # -- handing out

    def _hand_out(self) -> None:
        ahead = self._slots + max(1, self._slots // 4)  # so that no slot waits for the network
        while len(self._running) < ahead and (handed_out := self._waiting.dispatch()):
            self._submit(*handed_out)

    def _submit(self, queued: QueuedJob, message: bytes) -> None:
        key = f"{self._batch}-{uuid.uuid4()}"
        options: dict[str, Any] = {}
        others = [address for address in self._machines() if address not in self._failed]
        if self._failed and others:
            options["workers"] = others
        future = self._client.submit(
            judge_here,
            self._batch,
            message,
            key=key,
            pure=False,
            resources=self._takes(),
            **options,
        )
        self._running[key] = _Running(queued, future)
        future.add_done_callback(lambda done: self._inbox.put(("done", done.key)))

    def _take_back(self) -> None:
        """Cancel what no machine has begun with."""
        for key, running in list(self._running.items()):
            if not running.began:
                del self._running[key]
                running.future.cancel()
                self._waiting.put_back(running.queued)

    def _takes(self) -> dict[str, int] | None:
        if needs_gpu(self._config):
            return {GPU: 1}
        declared = any(SLOTS in w.get("resources", {}) for w in self._machines().values())
        return {SLOTS: 1} if declared else None

    def _machines(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return found

    def _look(self) -> None:
        """Count the slots now and then: machines come and go."""
        now = time.monotonic()
        if self._slots and now - self._looked < _LOOK_S:
            return
        self._looked = now
        if self._client.status != "running":
            raise InfrastructureError(_GONE, hint=_CONTINUE)
        gpu = needs_gpu(self._config)
        slots = sum(
            capacity(w["nthreads"], w.get("resources", {}), gpu=gpu)
            for w in self._machines().values()
        )
        if slots != self._slots:
            self._slots = slots
            self._progress.warm(slots)
        if slots:
            self._seen = now
        elif now - self._seen > NO_MACHINE_S:
            raise InfrastructureError("no machine is left in the cluster", hint=_CONTINUE)

    # -- taking in

    def _told(self, event: bytes) -> None:
        said = msgspec.msgpack.decode(event, type=JobStarted | CellStarted)
        if isinstance(said, CellStarted):
            for running in self._running.values():
                if running.queued.job.student == said.student:
                    running.queued.progress.cell(said.student, said.cell, said.cells)
            return
        for key, running in list(self._running.items()):
            job = running.queued.job
            if (job.student, job.attempt) == (said.student, said.attempt):
                if running.began:
                    self._began_again(key, running)
                running.began = True
                running.queued.progress.begun(said.student)

    def _began_again(self, key: str, running: _Running) -> None:
        """The scheduler itself gives what a lost machine had to another: a try like any other."""
        if not self._waiting.count_try(running.queued):
            del self._running[key]
            running.future.cancel(force=True)
            self._waiting.give_up(running.queued, InfrastructureError(_MACHINE_LOST))

    def _ended(self, key: str) -> None:
        running = self._running.pop(key, None)
        if running is None:
            return
        queued, future = running.queued, running.future
        if future.status != "finished":
            error = future.exception() if future.status == "error" else None
            if error is None and self._client.status != "running":
                raise InfrastructureError(_GONE, hint=_CONTINUE)
            reason = f"{_MACHINE_LOST}: {error or future.status}"
            self._waiting.try_again(queued, InfrastructureError(reason))
            return
        answer = msgspec.msgpack.decode(future.result(), type=MachineReply)
        future.release()
        match answer.said:
            case Judged() as judged if judged.verdict.outcome is Outcome.INFRASTRUCTURE_ERROR:
                self._failed.add(answer.machine)
                self._waiting.try_again(queued, InfrastructureError(judged.verdict.reason))
            case Judged() as judged:
                queued.deliver(judged)
            case WorkerError() as message:
                self._leave(answer.machine, raised(message))
                self._waiting.try_again(queued, InfrastructureError(message.what))

    def _leave(self, machine: str, failure: GraderError) -> None:
        """Give a machine that can judge nothing no more submissions.

        Raises:
            GraderError: there is no other, or it is the suite's fault.
        """
        self._failed.add(machine)
        if not isinstance(failure, InfrastructureError):
            raise failure
        if not set(self._machines()) - self._failed:
            raise failure
