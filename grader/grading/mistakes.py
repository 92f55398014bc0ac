"""Name the mistake of a wrong value by the reference: with one thing changed it gives the same.

A worker asks for each test that a student's value has failed, once for all submissions with the
same draws: then the value is only looked up. The runs happen in a child that may die, within bounds
of its processor time and memory; whatever goes wrong in it is silence, and never a mark.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from grader.diagnosis.kept_values import KeptValue
from grader.diagnosis.kinds import is_vague, most_telling
from grader.errors import GraderError
from grader.grading.child_time import ChildTime
from grader.grading.job import BatchConfig
from grader.grading.own_memory import bound_own_memory
from grader.grading.parent_death import end_with_parent
from grader.grading.relay import Pipe
from grader.sandbox.notebook_box import MB
from grader.suite.account import Account
from grader.suite.known_mistakes import KnownMistake, KnownMistakes, MistakeRun
from grader.suite.mutated_reference import MutatedReference
from grader.suite.randomness import Seeds
from grader.suite.results import TestResult
from grader.suite.running import CollectedSuite
from grader.wire import frames

OF_A_TEST_S = 0.5
"""Processor time in which the mistakes of one test are run; what is left then is run when another
submission fails that test."""
AT_FIRST_S = 2.0
SHARE = 0.05
"""All tests with the same draws may take so long, and such a share of what the worker has used."""
_LONGEST_S = 30.0
"""Of the wall clock, for one child: on a machine that is busy, or asleep."""
_BATCHES = 8


class _Known(msgspec.Struct, frozen=True, kw_only=True, tag="known", tag_field="kind"):
    test: str
    found: KnownMistakes


class _Through(msgspec.Struct, frozen=True, kw_only=True, tag="through", tag_field="kind"):
    processor_s: float


@dataclass
class _OfDraws:
    """What is known of the tests with the same draws, and what it has cost."""

    known: dict[str, KnownMistakes] = field(default_factory=dict)
    spent_s: float = 0.0
    began_s: float = field(default_factory=lambda: _used_s())


class Mistakes:
    """What a worker knows of the mistakes behind wrong values."""

    def __init__(self) -> None:
        self._draws: dict[tuple[int, str], _OfDraws] = {}
        self._references: dict[str, MutatedReference | None] = {}

    def forget(self) -> None:
        """Forget all, as where the suite may be another."""
        self._draws.clear()
        self._references.clear()

    def named(
        self,
        results: Sequence[TestResult],
        accounts: Mapping[str, Account],
        config: BatchConfig,
        suite: CollectedSuite,
    ) -> tuple[TestResult, ...]:
        """Return the results, each with the kind of mistake that says most of its value."""
        refused = {
            result.name: value
            for result in results
            if (value := accounts.get(result.name, Account()).refused) is not None
        }
        if not refused or not config.diagnoses:
            return tuple(results)
        key = (config.seed, config.reference)
        draws = self._draws.setdefault(key, _OfDraws())
        while len(self._draws) > _BATCHES:  # where each submission has a seed of its own
            del self._draws[next(iter(self._draws))]
        known = draws.known
        left = [name for name in refused if name not in known or known[name].then is not None]
        self._learn(left, draws, config, suite)
        wrong = {result.name: result.question for result in results if result.name in refused}
        explaining = _explaining(wrong, refused, known)
        return tuple(
            _named(result, explaining[result.name]) if result.name in explaining else result
            for result in results
        )

    def _learn(
        self,
        tests: Sequence[str],
        draws: _OfDraws,
        config: BatchConfig,
        suite: CollectedSuite,
    ) -> None:
        """Run the mistakes of these tests, as far as there is time for it."""
        left_s = AT_FIRST_S + SHARE * (_used_s() - draws.began_s) - draws.spent_s
        reference = self._reference(config.reference) if tests and left_s > 0 else None
        if reference is None:
            return
        ours, theirs = socket.socketpair()
        worker = os.getpid()
        pid = os.fork()
        if pid == 0:
            end_with_parent(worker, signal.SIGKILL)
            ours.close()
            run = MistakeRun(suite, reference, _seeds(config))
            since = {name: _of(name, draws.known).then or 0 for name in tests}
            _be_child(theirs, since, left_s, run, config)
        theirs.close()
        began = _children_s()
        try:
            with ours:
                _hear(Pipe(ours), draws.known, ChildTime(pid))
        except (TimeoutError, EOFError, OSError, frames.Malformed):
            for name in tests:  # the one that has ended it would end the next as well
                draws.known[name] = KnownMistakes(mistakes=_of(name, draws.known).mistakes)
        finally:
            for target in (-pid, pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(target, signal.SIGKILL)
            os.waitpid(pid, 0)
            draws.spent_s += _children_s() - began

    def _reference(self, path: str) -> MutatedReference | None:
        if path not in self._references:
            try:
                reference = MutatedReference(Path(path))
                _ = reference.mistakes, reference.notebook
            except (GraderError, SyntaxError, ValueError, RecursionError):
                self._references[path] = None  # what is wrong with it, others say
            else:
                self._references[path] = reference
        return self._references[path]


def _explaining(
    questions: Mapping[str, str],
    refused: Mapping[str, KeptValue],
    known: Mapping[str, KnownMistakes],
) -> dict[str, list[KnownMistake]]:
    """For each failed test the mistakes that give the student's value.

    None as long as some have not been run: one of those could give the same. And none that another
    failed test of the question refuses at another value: where it gives the same value here, that
    is by chance, or there is more to it. Two mistakes that say precisely what each is may stand
    side by side: one in one test, one in another.
    """
    same = {
        test: [m for m in _of(test, known).mistakes if value.equals(m.refused)]
        for test, value in refused.items()
    }
    explained = {test for test, found in same.items() if any(not is_vague(m.kind) for m in found)}
    disproved = {
        (questions[test], mistake.number)
        for test, value in refused.items()
        for mistake in _of(test, known).mistakes
        if not value.equals(mistake.refused) and (test not in explained or is_vague(mistake.kind))
    }
    return {
        test: [m for m in found if (questions[test], m.number) not in disproved]
        for test, found in same.items()
        if _of(test, known).then is None
    }


def _of(test: str, known: Mapping[str, KnownMistakes]) -> KnownMistakes:
    return known.get(test, KnownMistakes())


def _named(result: TestResult, mistakes: Sequence[KnownMistake]) -> TestResult:
    of_value = result.diagnosis if isinstance(result.diagnosis, str) else ""
    kind = most_telling(of_value, {(mistake.kind, mistake.line) for mistake in mistakes})
    return msgspec.structs.replace(result, diagnosis=kind) if kind != of_value else result


def _be_child(
    sock: socket.socket,
    since: Mapping[str, int],
    left_s: float,
    run: MistakeRun,
    config: BatchConfig,
) -> None:
    """Run the mistakes of these tests, each from where it was left; never returns."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        bound_own_memory(config.spec.resources.judge_memory_mb * MB)
        seconds = int(time.process_time() + left_s) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        pipe = Pipe(sock)
        until = time.process_time() + left_s
        for name, begin in since.items():
            now = time.process_time()
            if now >= until:
                break
            found = run.known(name, min(until, now + OF_A_TEST_S), since=begin)
            pipe.send(_Known(test=name, found=found))
        pipe.send(_Through(processor_s=time.process_time()))
    finally:
        os._exit(0)


def _hear(pipe: Pipe, known: dict[str, KnownMistakes], own: ChildTime) -> None:
    while True:
        message, _ = pipe.receive(_Known | _Through, lambda: own.left(_LONGEST_S))
        if not isinstance(message, _Known):
            return
        known[message.test] = KnownMistakes(
            mistakes=_of(message.test, known).mistakes + message.found.mistakes,
            then=message.found.then,
        )


def _seeds(config: BatchConfig) -> Seeds:
    return Seeds(config.seed, config.seed_key)


def _used_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
