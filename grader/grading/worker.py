"""A worker: one slot, one submission after the other.

It is forked from the judge's process, in which the suite has been collected, or is that process
where it would be the only one; and forks a child for each submission's suite. It is
single-threaded, so that its forks are safe.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import BoxFailure, GraderError, InfrastructureError
from grader.grading.baseline import Baseline, is_needed, settled
from grader.grading.job import (
    BatchConfig,
    CellStarted,
    Checked,
    DeviceLost,
    Job,
    Judged,
    Ready,
    Started,
    Warming,
    WorkerError,
    worker_error,
)
from grader.grading.keeping.keeper import Keeper
from grader.grading.make_verdict import not_judged, with_tests
from grader.grading.own_memory import bound_own_memory
from grader.grading.parent_death import end_with_parent, stop_now
from grader.grading.regrade import with_kept
from grader.grading.relay import Begun, Done, Finished, Heard, Pipe, RelayedBox, reclaim, serve
from grader.grading.rule_enforcement import Enforced, enforce
from grader.grading.several_notebooks import (
    JudgedNotebook,
    jobs_of_notebooks,
    joined,
    not_run,
)
from grader.grading.slot import make_slot
from grader.grading.submission import judge_submission
from grader.grading.timeouts import MENDING_S, TELL_S
from grader.grading.verdict import Outcome
from grader.intake.submission import unreadable_notebook
from grader.rules.book import Rulebook, rulebook
from grader.sandbox.base import Slot
from grader.sandbox.conversation import StreamLease
from grader.sandbox.gpus import Occupancy
from grader.sandbox.limits import run_limits
from grader.sandbox.notebook_box import MB, NotebookBox
from grader.suite.account import Account
from grader.suite.evidence import Evidence, Witness
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.execution import unfinished
from grader.suite.randomness import Seeds
from grader.suite.results import TestOutcome, TestResult
from grader.suite.running import CollectedSuite
from grader.wire import frames

AFTER_DEADLINE_S = 5.0
_LOOK_S = 2.0
_BASELINES = 8
_TOO_LARGE_A_RESULT = (
    TestOutcome.FAILED,
    "What your code returned made the result of this check too large to be kept.",
)
_ENDED_THE_CHECK = "What your code returned ended the check itself before it was through."


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
                self._say(Started(student=job.student, attempt=job.attempt))
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


class SuiteChildren:
    """The hidden suite for one submission, in children that may die without harm."""

    def __init__(
        self,
        suite: CollectedSuite,
        config: BatchConfig,
        box: NotebookBox,
        executed: dict[str, Any],
        answers: dict[str, str],
        book: Rulebook | None = None,
        *,
        kept: Sequence[TestResult] = (),
    ) -> None:
        self._kept = kept
        self._suite = suite
        self._config = config
        self._box = box
        self._executed = executed
        self._answers = answers
        self._book = book
        self.evidence: dict[str, Evidence] = {}
        self.accounts: dict[str, Account] = {}
        self._until = time.monotonic() + config.spec.resources.suite_s
        self._revived_before = box.reviving_s

    def results(self) -> list[TestResult]:
        """Run every test; one that kills its judge's process costs only itself.

        Raises:
            InfrastructureError: the sandbox failed under the suite.
        """
        heard = Heard(results=list(self._kept))
        for _ in range(len(self._suite.plan.tests) + 1):
            self._one_child(heard)
            if heard.infrastructure is not None:
                raise heard.infrastructure
            if heard.finished or time.monotonic() >= self._ends():
                break
            if heard.running:
                heard.results.append(self._lost(heard.running))
                heard.accounts[heard.running] = Account(doubtful=True)
                heard.running = ""
        self.evidence, self.accounts = heard.evidence, heard.accounts
        return self._complete(heard)

    def _ends(self) -> float:
        """The end of the suite's time; what the notebook took to be run anew is not in it."""
        return self._until + self._box.reviving_s - self._revived_before

    def _one_child(self, heard: Heard) -> None:
        with contextlib.suppress(BoxFailure):  # it ended too often: the first call says so
            self._box.ready()  # here, for no test's time
        heard.loan = self._box.lease()
        # After a slot may have been started: what holds the child's end would hide its death.
        ours, theirs = socket.socketpair()
        worker = os.getpid()
        pid = os.fork()
        if pid == 0:
            end_with_parent(worker, signal.SIGKILL)
            ours.close()
            self._be_child(theirs, heard.loan, heard.results)
        theirs.close()
        try:
            with ours:
                serve(Pipe(ours), self._box, heard, until=lambda: self._ends() + AFTER_DEADLINE_S)
        except (TimeoutError, EOFError, OSError, frames.Malformed):
            pass
        finally:
            _end(pid)
            reclaim(self._box, heard)

    def _be_child(
        self, sock: socket.socket, loan: StreamLease | None, done: list[TestResult]
    ) -> None:
        """Run what is left of the suite and report each test as it ends; never returns."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.setsid()
            # A value that is small in the box can be made large by what a suite does with it.
            bound_own_memory(self._config.spec.resources.judge_memory_mb * MB)
            pipe = Pipe(sock)
            client = RelayedBox(
                pipe,
                loan,
                call_timeout_s=self._box.call_timeout_s,
                generation=self._box.generation,
            )
            witness = None if self._book is None else self._witness(client, self._book)
            tests = {test.name: test for test in self._suite.plan.tests}

            def begins(name: str) -> None:
                if witness is not None:
                    witness.begin(tests[name].question)
                pipe.send(Begun(name=name))

            def ended(result: TestResult, account: Account) -> None:
                evidence = None if witness is None else witness.evidence()
                try:
                    pipe.send(Done(result=result, account=account, evidence=evidence))
                except frames.Malformed:  # costs this test, and not those after it
                    pipe.send(Done(result=unfinished(tests[result.name], *_TOO_LARGE_A_RESULT)))
                # A box that had too little ends in no doubt; this was the judge's own memory.
                if result.outcome is TestOutcome.OUT_OF_MEMORY and account.doubtful:
                    client.give_back()
                    os._exit(0)  # who knows what is still held: the others get a fresh process

            view = ExecutedNotebook(self._executed, self._answers)
            trouble = ""
            try:
                self._suite.run(
                    witness or client,
                    view,
                    seeds=Seeds(self._config.seed, self._config.seed_key),
                    deadline_s=max(self._ends() - time.monotonic(), 0.01),
                    earlier=done,
                    measures=self._config.measures,
                    on_begin=begins,
                    on_result=ended,
                )
            except InfrastructureError as error:
                trouble = error.what
            client.give_back()
            pipe.send(Finished(trouble=trouble))
        finally:
            os._exit(0)

    def _witness(self, client: RelayedBox, book: Rulebook) -> Witness:
        asked = {test.question for test in self._suite.plan.tests}
        watches = {question: book.watch(question) for question in asked if book.of(question)}
        return Witness(client, watches, book.watch())

    def _lost(self, name: str) -> TestResult:
        test = next(t for t in self._suite.plan.tests if t.name == name)
        return unfinished(test, TestOutcome.FAILED, _ENDED_THE_CHECK)

    def _complete(self, heard: Heard) -> list[TestResult]:
        """In the suite's order, with what the deadline cut off."""
        found = {r.name: r for r in heard.results}
        message = f"the checks took longer than {self._config.spec.resources.suite_s:g} s in all"
        return [
            found.get(test.name) or unfinished(test, TestOutcome.TIMEOUT, message)
            for test in self._suite.plan.tests
        ]


def _end(pid: int) -> None:
    """Kill a child with its process group, and wait for it."""
    for target in (-pid, pid):
        try:
            os.kill(target, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    os.waitpid(pid, 0)
