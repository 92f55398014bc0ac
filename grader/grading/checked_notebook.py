"""One notebook and the public suite: have a judge's process look at it."""

from __future__ import annotations

import math
import time
from typing import Any

import msgspec

from grader.course.spec import AssignmentSpec
from grader.errors import InfrastructureError
from grader.grading.job import (
    BatchConfig,
    Checked,
    FromWorker,
    Job,
    Ready,
    Warming,
    WorkerError,
)
from grader.grading.job_queue import MAX_TRIES
from grader.grading.judge_process import JudgeProcess, raised
from grader.grading.timeouts import job_timeout_s
from grader.sandbox.liveness import LOOK_S
from grader.wire import frames


def check_notebook(config: BatchConfig, job: Job) -> Checked:
    """Run the public suite of a setting against one notebook.

    A judge that had stayed and is lost is replaced by a new one, once.

    Raises:
        SuiteError: the suite can't be used.
        InfrastructureError: the sandbox failed.
    """
    judge = JudgeProcess(config, 1)
    try:
        found = _asked(judge, job, config.spec)
        if found is None and judge.has_stayed:
            judge.finish()
            judge = JudgeProcess(msgspec.structs.replace(config, keep=""), 1)
            found = _asked(judge, job, config.spec)
        if found is None:
            raise judge.never_ready()
    except BaseException:
        judge.stop()
        raise
    finally:
        judge.finish()
    return found


def _asked(judge: JudgeProcess, job: Job, spec: AssignmentSpec) -> Checked | None:
    """What the judge says of the notebook; None where it ended without a word."""
    connection = judge.connections[0]
    ends_at = math.inf
    try:
        connection.send_bytes(msgspec.msgpack.encode(job))
        while True:
            if not connection.poll(LOOK_S):
                if time.monotonic() > ends_at:
                    raise InfrastructureError("the judge's process hangs over a notebook")
                if ends_at == math.inf:
                    judge.look(collecting=True)
                continue
            said: Any = frames.unpack(connection.recv_bytes(), FromWorker)
            if isinstance(said, Ready | Warming):
                ends_at = time.monotonic() + MAX_TRIES * job_timeout_s(spec)
            if isinstance(said, WorkerError):
                raise raised(said)
            if isinstance(said, Checked):
                return said
    except (EOFError, ConnectionError):
        return None
