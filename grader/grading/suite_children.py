"""The hidden suite for one submission, run in children of the worker that may die.

Each child asks the notebook's session itself, over a stream that the worker leases to it, and
reports each test as it ends. A test that kills its child costs that test alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from typing import Any

from grader.errors import BoxFailure, InfrastructureError
from grader.grading.child_time import ChildTime
from grader.grading.job import BatchConfig
from grader.grading.own_memory import bound_own_memory
from grader.grading.parent_death import end_with_parent
from grader.grading.relay import Begun, Done, Finished, Heard, Pipe, RelayedBox, reclaim, serve
from grader.rules.book import Rulebook
from grader.sandbox.conversation import StreamLease
from grader.sandbox.notebook_box import MB, NotebookBox
from grader.suite.account import Account
from grader.suite.evidence import Evidence, Witness
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.execution import unfinished
from grader.suite.randomness import Seeds
from grader.suite.results import TestOutcome, TestResult
from grader.suite.running import CollectedSuite
from grader.wire import frames
from grader.wire.waiting import WAITING

AFTER_DEADLINE_S = 5.0
_TOO_LARGE_A_RESULT = (
    TestOutcome.FAILED,
    "What your code returned made the result of this check too large to be kept.",
)
_ENDED_THE_CHECK = "What your code returned ended the check itself before it was through."


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
        self._spent_s = 0.0
        """Seconds that the tests have used of the suite's limit."""

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
            if heard.finished or self._spent_s >= self._limit_s:
                break
            if heard.running:
                heard.results.append(self._lost(heard.running))
                heard.accounts[heard.running] = Account(doubtful=True)
                heard.running = ""
        self.evidence, self.accounts = heard.evidence, heard.accounts
        return self._complete(heard)

    @property
    def _limit_s(self) -> float:
        return self._config.spec.resources.suite_s

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
        done, own, revived_before = len(heard.results), ChildTime(pid), self._box.reviving_s
        # The child keeps its own time, which stands still while the box waits for a processor.
        most_s = WAITING * (self._limit_s - self._spent_s) + AFTER_DEADLINE_S

        def used_s() -> float:
            return own.seconds() - (self._box.reviving_s - revived_before)

        try:
            with ours:
                serve(Pipe(ours), self._box, heard, left_s=lambda: most_s - used_s())
        except (TimeoutError, EOFError, OSError, frames.Malformed):
            pass
        finally:
            tests_s = sum(result.duration_s for result in heard.results[done:])
            # Of a child that ended in the middle of a test nobody knows what that test used.
            self._spent_s += tests_s if heard.finished else used_s()
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
                    deadline_s=self._limit_s,
                    spent_s=self._spent_s,
                    earlier=done,
                    measures=self._config.measures,
                    explains=self._config.diagnoses,
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
        message = f"the checks took longer than {self._limit_s:g} s in all"
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
