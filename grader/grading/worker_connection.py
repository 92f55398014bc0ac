"""A pool's end of one worker: what was given to it, and until when it must have answered."""

from __future__ import annotations

import math
import os
import signal
import time
from multiprocessing.connection import Connection
from typing import Any

from grader.course.spec import AssignmentSpec
from grader.grading.job import FromWorker
from grader.grading.job_queue import QueuedJob
from grader.grading.judge_process import JudgeProcess
from grader.grading.timeouts import job_timeout_s
from grader.wire import frames


class WorkerConnection:
    """The one place that speaks with a worker.

    Attributes:
        judge: the process that the worker was forked from, or is.
        device: the worker's GPU; "" where it has none.
        pid: of the worker; 0 until it has said something.
        is_ready: whether its slot is warm.
        queued: what it judges now.
    """

    def __init__(
        self, judge: JudgeProcess, connection: Connection, spec: AssignmentSpec, *, device: str
    ) -> None:
        self.connection = connection
        self.judge = judge
        self.device = device
        self.pid = 0
        self.is_ready = False
        self.queued: QueuedJob | None = None
        self.until = math.inf
        """When a worker that has a submission is taken for hung."""
        self._spec = spec

    def send(self, queued: QueuedJob, message: bytes) -> None:
        """Hand out a job.

        Raises:
            OSError: the worker has ended after its last verdict, or while it took this.
        """
        self.queued = queued
        self.wait_on()
        self.connection.send_bytes(message)

    def hear(self) -> Any:
        """What the worker says, one of `job.FromWorker`.

        Raises:
            EOFError, OSError: it has ended.
        """
        return frames.unpack(self.connection.recv_bytes(), FromWorker)

    def wait_on(self) -> None:
        """Give the worker its whole time again: it has begun, or shown a sign of life."""
        if self.queued is not None:
            self.until = time.monotonic() + job_timeout_s(self._spec)

    def take(self) -> QueuedJob | None:
        """What the worker had, which it has no more."""
        queued, self.queued = self.queued, None
        self.until = math.inf
        return queued

    def kill_if_hung(self, now: float) -> None:
        """Kill a worker that has had its submission for longer than any can take."""
        if now >= self.until:
            os.kill(self.pid, signal.SIGKILL)
            self.until = math.inf  # its connection closes now, and it is lost
