"""Cases of one parametrized test, joined: a reader sees the test once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.report.marks import outcome_words
from grader.suite.results import TestOutcome, TestResult, function_of


@dataclass(frozen=True, kw_only=True)
class JoinedTest:
    """One test with all its cases; a test without parameters is its own only case."""

    name: str
    cases: tuple[TestResult, ...]

    @property
    def title(self) -> str:
        """What the test asks for."""
        return self.cases[0].title or self.name

    @property
    def question(self) -> str:
        """The id of its question."""
        return self.cases[0].question

    @property
    def points(self) -> Decimal:
        """Of all cases."""
        return sum((case.points for case in self.cases), Decimal(0))

    @property
    def max_points(self) -> Decimal:
        """Of all cases."""
        return sum((case.max_points for case in self.cases), Decimal(0))

    @property
    def passed(self) -> bool:
        """Whether every case gave all its points."""
        return all(case.outcome is TestOutcome.PASSED for case in self.cases)

    @property
    def partly(self) -> bool:
        """Whether it gave something, and not all."""
        some = self.points > 0 or any(c.outcome is TestOutcome.PASSED for c in self.cases)
        return not self.passed and some

    @property
    def not_run(self) -> bool:
        """Whether no case was run."""
        return all(case.outcome is TestOutcome.NOT_RUN for case in self.cases)

    @property
    def missed(self) -> tuple[TestResult, ...]:
        """The cases that did not give all their points."""
        return tuple(case for case in self.cases if case.outcome is not TestOutcome.PASSED)

    @property
    def words(self) -> str:
        """How it ended: "raised an error", or "3 cases: 2 passed, 1 failed"."""
        if len(self.cases) == 1:
            return outcome_words(self.cases[0])
        return f"{len(self.cases)} cases: {self.tally}"

    @property
    def tally(self) -> str:
        """How the cases ended: "2 passed, 1 failed"; a part of a point is told apart."""
        ended = Counter(outcome_words(case) for case in self.cases)
        return ", ".join(f"{count} {words}" for words, count in ended.items())

    @property
    def short(self) -> str:
        """How it ended, in two words at most."""
        if len(self.cases) == 1:
            return outcome_words(self.cases[0])
        return "passed" if self.passed else "partly passed" if self.partly else self._worst

    @property
    def _worst(self) -> str:
        ended = Counter(outcome_words(case) for case in self.cases)
        return next(iter(ended)) if len(ended) == 1 else "failed"


def join_cases(tests: Iterable[TestResult]) -> list[JoinedTest]:
    """Join the cases of each test, in the order in which the suite states them."""
    found: dict[tuple[str, str, str], list[TestResult]] = {}
    for test in tests:
        key = (test.question, function_of(test.name), test.title)
        found.setdefault(key, []).append(test)
    return [JoinedTest(name=name, cases=tuple(cases)) for (_, name, _), cases in found.items()]


def anchors_of(tests: Sequence[TestResult]) -> dict[str, str]:
    """Return where on a page each test stands; no name of a test can be another element's."""
    return {test.name: f"test-{number}" for number, test in enumerate(tests, 1)}


def work_anchor(anchor: str) -> str:
    """Return where on an instructor's page the work stands that a test is about: its cell."""
    return f"work-{anchor}"
