"""A worker: one slot, one submission after the other.

It is forked from the judge's process, in which the suite has been collected, or is that process
where it would be the only one; and forks a child for each submission's suite. It is
single-threaded, so that its forks are safe.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import GraderError, InfrastructureError
from grader.grading.baseline import Baseline, is_needed, settled
from grader.grading.job import (
    BatchConfig,
    CellStarted,
    Checked,
    DeviceLost,
    Job,
    JobStarted,
    Judged,
    Ready,
    Warming,
    WorkerError,
    worker_error,
)
from grader.grading.keeping.keeper import Keeper
from grader.grading.make_verdict import not_judged, with_tests
from grader.grading.mistakes import Mistakes
from grader.grading.regrade import with_kept
from grader.grading.rule_enforcement import Enforced, enforce
from grader.grading.several_notebooks import (
    JudgedNotebook,
    jobs_of_notebooks,
    joined,
    not_run,
)
from grader.grading.slot import make_slot
from grader.grading.submission import judge_submission
from grader.grading.suite_children import SuiteChildren
from grader.grading.timeouts import MENDING_S, TELL_S
from grader.grading.verdict import Outcome
from grader.intake.submission import unreadable_notebook
from grader.rules.book import Rulebook, rulebook
from grader.sandbox.base import Slot
from grader.sandbox.gpus import Occupancy
from grader.sandbox.limits import run_limits
from grader.sandbox.notebook_box import NotebookBox
from grader.sandbox.stopping import stop_now
from grader.suite.account import Account
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.running import CollectedSuite

_LOOK_S = 2.0
_BASELINES = 8


class Worker:
    """Serves jobs from a connection until it closes, in a slot that may be starting already."""

    def __init__(
        self,
        config: BatchConfig,
        suite: CollectedSuite,
        connection: Connection,
        slot: Slot | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._config = config
        self._suite = suite
        self._connection = connection
        self._keeper = keeper
        self._parts = {n.name: suite.of_notebook(n.name) for n in config.notebooks}
        self._baselines: dict[tuple[int, str], Baseline] = {}
        self._mistakes = Mistakes()
        self._slot = slot or make_slot(config)
        self._slot.on_slow = self._tell_slow
        self._told = 0.0

    def run(self) -> None:
        """Warm the slot, then judge what comes."""
        signal.signal(signal.SIGTERM, stop_now)
        try:
            try:
                self._slot.start()
                hello = self._slot.wait_ready()
            except GraderError as error:
                self._say(worker_error(error))
                return
            occupancy = Occupancy(self._config.gpu)
            self._say(Ready(packages=hello.packages, pid=os.getpid()))
            while True:
                try:
                    job = msgspec.msgpack.decode(self._connection.recv_bytes(), type=Job)
                except (EOFError, OSError):
                    if self._stay():
                        continue
                    return
                self._say(JobStarted(student=job.student, attempt=job.attempt))
                self._say(self._judge(job))
                if not self._is_free(occupancy):
                    return
                # A slot that this submission has cost warms up again while the next is handed out.
                with contextlib.suppress(GraderError):  # whoever opens it is told
                    self._slot.start()
        finally:
            if self._keeper is not None:
                self._keeper.close()
            self._slot.stop()

    def _stay(self) -> bool:
        """Wait for the next command where this judge is kept; whether one has come."""
        if self._keeper is None:
            return False
        self._slot.start()  # one that a session has ruined warms up meanwhile
        client = self._keeper.next_client(self._connection)
        if client is None:
            return False
        self._connection, self._config = client.connection, client.config
        self._baselines.clear()
        self._mistakes.forget()
        try:
            hello = self._slot.wait_ready()
        except GraderError as error:
            self._say(worker_error(error))
            return False
        self._say(Ready(packages=hello.packages, pid=os.getpid()))
        return True

    def _is_free(self, occupancy: Occupancy) -> bool:
        """Whether the device is as it was, at the latest once the slot is gone; else leave it."""
        if occupancy.is_free():
            return True
        self._slot.stop()
        if occupancy.is_free():
            return True
        what = f"GPU {occupancy.device} still holds memory after a submission has ended"
        self._say(DeviceLost(device=occupancy.device, what=what))
        return False

    def _judge(self, job: Job) -> Judged | Checked | WorkerError:
        """Judge a submission once, one notebook after the other where it has several.

        Whether it is tried again is for who has the queue to say.
        """
        config = self._config
        if job.seed is not None:
            config = msgspec.structs.replace(config, seed=job.seed)
        if not config.notebooks or job.problem:
            return self._judge_notebook(job, config, self._suite)
        parts: list[JudgedNotebook] = []
        for of in jobs_of_notebooks(job, config):
            suite = self._parts[of.notebook.name]
            if of.missing:
                parts.append(not_run(of, suite.plan, of.missing))
                continue
            judged = self._judge_notebook(of.job, of.config, suite)
            if isinstance(judged, WorkerError):
                return judged
            verdict = judged.verdict
            if verdict.outcome is Outcome.INFRASTRUCTURE_ERROR:
                return not_judged(job, config, InfrastructureError(verdict.reason))
            if verdict.outcome is Outcome.INVALID_SUBMISSION:
                why = unreadable_notebook(of.file, verdict.reason)
                parts.append(not_run(of, suite.plan, why))
            else:
                parts.append(JudgedNotebook(of=of, judged=judged, tests=verdict.tests))
        return joined(job, config, parts)

    def _judge_notebook(
        self, job: Job, config: BatchConfig, suite: CollectedSuite
    ) -> Judged | WorkerError:
        """Judge a notebook."""
        book = rulebook(config.spec)

        def on_cell(cell: int, cells: int) -> None:
            self._say(CellStarted(student=job.student, cell=cell, cells=cells))

        kept = suite.standing(job.unchanged, job.before) if job.before else []

        accounts: dict[str, Account] = {}

        def run_suite(
            box: NotebookBox, executed: dict[str, Any], answers: dict[str, str]
        ) -> Enforced:
            run = SuiteChildren(suite, config, box, executed, answers, book, kept=kept)
            held = _held(run, book, executed, answers)
            accounts.clear()
            accounts.update(run.accounts)
            return held

        try:
            judged = judge_submission(job, config, self._slot, run_suite, on_cell)
            if is_needed(accounts):
                judged = self._settled(judged, accounts, config, suite)
            tests = self._mistakes.named(judged.verdict.tests, accounts, config, suite)
            verdict = msgspec.structs.replace(judged.verdict, tests=tests)
            judged = msgspec.structs.replace(judged, verdict=verdict)
            return with_kept(judged, [result.name for result in kept])
        except InfrastructureError as error:
            self._slot.stop()
            if (trouble := self._mended()) is not None:
                return worker_error(trouble)
            return not_judged(job, config, error)

    def _mended(self) -> InfrastructureError | None:
        """Wait until an empty session opens, as after a restart of the engine; else say why not.

        Where none opens no submission can be judged, and the batch does not go through the others.
        """
        until = time.monotonic() + MENDING_S
        while True:
            try:
                self._slot.open(seed=0, limits=run_limits(self._config.spec).of_session()).close()
            except InfrastructureError as error:
                self._slot.stop()
                if time.monotonic() >= until:
                    hint = f"{error.hint or ''} What is graded is kept: the same command goes on."
                    return InfrastructureError(error.what, where=error.where, hint=hint.lstrip())
                time.sleep(_LOOK_S)
            else:
                return None

    def _settled(
        self,
        judged: Judged,
        accounts: dict[str, Account],
        config: BatchConfig,
        suite: CollectedSuite,
    ) -> Judged:
        """Decide whose fault the doubtful endings are; a fault of the suite leaves no mark."""
        tests = settled(judged.verdict.tests, accounts, self._baseline(config, suite))
        verdict = with_tests(judged.verdict, tests, config.spec)
        return msgspec.structs.replace(judged, verdict=verdict)

    def _baseline(self, config: BatchConfig, suite: CollectedSuite) -> Baseline:
        """How the reference does with the draws of this batch: run when it is first asked for.

        Raises:
            InfrastructureError: the sandbox failed.
        """
        key = (config.seed, config.reference)
        if key in self._baselines:
            return self._baselines[key]
        runs: list[SuiteChildren] = []

        def run_suite(
            box: NotebookBox, executed: dict[str, Any], answers: dict[str, str]
        ) -> Enforced:
            runs.append(SuiteChildren(suite, config, box, executed, answers))
            return Enforced(results=tuple(runs[-1].results()))

        from grader.release.notebooks import notebook_bytes, notebook_of  # slow, and seldom needed

        data = notebook_bytes(notebook_of(Path(config.reference)))
        job = Job(student="", file="reference.ipynb", data=data, sha256="")
        tests = judge_submission(job, config, self._slot, run_suite).verdict.tests
        baseline = Baseline(
            results={test.name: test for test in tests},
            accounts=runs[-1].accounts if runs else {},
        )
        if len(self._baselines) >= _BASELINES:  # where each submission has a seed of its own
            del self._baselines[next(iter(self._baselines))]
        self._baselines[key] = baseline
        return baseline

    def _say(self, message: msgspec.Struct) -> None:
        self._connection.send_bytes(msgspec.msgpack.encode(message))

    def _tell_slow(self, seconds: float) -> None:
        now = time.monotonic()
        if seconds >= TELL_S and now - self._told >= TELL_S:
            self._told = now
            self._say(Warming(seconds=seconds, pid=os.getpid()))


def _held(
    run: SuiteChildren, book: Rulebook | None, executed: dict[str, Any], answers: dict[str, str]
) -> Enforced:
    """Run the suite, and hold the rules against what it finds."""
    results = run.results()
    if book is None:
        return Enforced(results=tuple(results))
    cells = ExecutedNotebook(executed, answers).sources
    return enforce(book, cells, results, run.evidence)
