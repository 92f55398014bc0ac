"""Which values a test refuses when the reference has one mistake in it.

The test itself is run, with the same draws, on the reference in the student's place; so it does not
matter how a suite comes to what it expects. A student's value that equals one of these names the
mistake.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import msgspec

from grader.diagnosis.kept_values import KeptValue
from grader.diagnosis.kinds import is_vague
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.local_box import LocalBox
from grader.suite.mutated_reference import Mistake, MutatedReference
from grader.suite.randomness import Seeds
from grader.suite.results import TestOutcome
from grader.suite.running import CollectedSuite

LONGEST_S = 2.0
"""Of the wall clock, for one run of a test: a mistake can make a loop endless."""
_LONGEST_WITHOUT_S = 20.0
"""The same without a mistake: what is imported for the first time takes long while traced."""


class KnownMistake(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake, and the value that a test refuses of it.

    Attributes:
        kind: what is said of it.
        number: which of the reference's mistakes it is, the same in every test.
        line: where it is made.
        refused: the value.
    """

    kind: str
    number: int
    line: int
    refused: KeptValue


class KnownMistakes(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a test, and where to go on; None where nothing is left to be run."""

    mistakes: tuple[KnownMistake, ...] = ()
    then: int | None = None


class MistakeRun:
    """Tests of a suite, run on the reference with one mistake after the other."""

    def __init__(self, suite: CollectedSuite, reference: MutatedReference, seeds: Seeds) -> None:
        self._suite = suite
        self._reference = reference
        self._seeds = seeds
        self._notebook = ExecutedNotebook(reference.notebook, {})
        self._in_order = sorted(enumerate(reference.mistakes), key=lambda m: is_vague(m[1].kind))

    def known(self, name: str, until_cpu_s: float, *, since: int = 0) -> KnownMistakes:
        """Return the mistakes that a test notices at a value; none of a test that is no use here.

        Those whose kind says most are run first.

        Args:
            name: of the test.
            until_cpu_s: `time.process_time()` at which no further run is begun.
            since: what an earlier run that had no time left has said as `then`.
        """
        suite = self._suite.only({name})
        with _noting_lines(str(self._reference.path)) as executed:
            passed, _ = self._run(suite, None)
        if not passed:
            return KnownMistakes()  # it asks for more than a solution in this process can give
        found: list[KnownMistake] = []
        for place, (number, mistake) in enumerate(self._in_order[since:], since):
            if not executed.reaches(mistake):
                continue
            if time.process_time() >= until_cpu_s:
                return KnownMistakes(mistakes=tuple(found), then=place)
            _, refused = self._run(suite, mistake)
            if refused is not None:
                found.append(
                    KnownMistake(
                        kind=mistake.kind, number=number, line=mistake.line, refused=refused
                    )
                )
        return KnownMistakes(mistakes=tuple(found))

    def _run(self, suite: CollectedSuite, mistake: Mistake | None) -> tuple[bool, KeptValue | None]:
        """Whether a test passes, and the value that it refuses."""
        try:
            box = LocalBox(self._reference.namespace(mistake))
        except Exception:  # noqa: BLE001 - with a mistake in it, it may not even be made
            return False, None
        longest_s = LONGEST_S if mistake else _LONGEST_WITHOUT_S
        heard = suite.said(box, self._notebook, seeds=self._seeds, deadline_s=longest_s)
        if not heard:
            return False, None
        result, account = heard[0]
        return result.outcome is TestOutcome.PASSED, account.refused


@dataclass
class _Executed:
    """The lines of a file that have run, of the functions that were called."""

    functions: set[CodeType] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)

    def reaches(self, mistake: Mistake) -> bool:
        """Whether the line has run; or the function, where lines do not tell."""
        if mistake.line in self.lines:
            return True
        called = [
            code
            for code in self.functions
            if code.co_qualname.replace(".<locals>", "") == mistake.function
        ]
        return bool(called) and not any(
            mistake.line == line for code in called for _, _, line in code.co_lines()
        )


@contextmanager
def _noting_lines(file: str) -> Iterator[_Executed]:
    """Note which lines of a file run in this block."""
    executed = _Executed()

    def in_file(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            executed.lines.add(frame.f_lineno)
        return in_file

    def any_call(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != file:
            return None
        executed.functions.add(frame.f_code)
        return in_file

    before = sys.gettrace()
    sys.settrace(any_call)
    try:
        yield executed
    finally:
        sys.settrace(before)
