"""Would luck change a mark? The same notebooks with many seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from grader.audit.findings import LuckFinding
from grader.grading.verdict import Verdict
from grader.suite.results import TestOutcome, TestResult


def flips(runs: Mapping[str, Sequence[Sequence[TestResult]]]) -> list[LuckFinding]:
    """Name the tests that end in another way with another seed, in the suite's order.

    Args:
        runs: by notebook: with each seed, what the tests said.
    """
    found = []
    for notebook, each in runs.items():
        for test in each[0] if each else ():
            same = [t for tests in each for t in tests if t.name == test.name]
            finding = _flip(notebook, same)
            if finding is not None:
                found.append(finding)
    return found


def is_steady(verdict: Verdict) -> bool:
    """Whether a notebook ends by itself: one that is stopped at a limit says nothing of luck.

    What is not run says nothing: most often a test that it needs has failed.
    """
    return not any(t.outcome is TestOutcome.TIMEOUT for t in verdict.tests)


def _flip(notebook: str, tests: Sequence[TestResult]) -> LuckFinding | None:
    endings = Counter(_ending(test) for test in tests)
    usual, times = endings.most_common(1)[0]
    if times == len(tests):
        return None
    other = next(test for test in tests if _ending(test) != usual)
    return LuckFinding(
        test=other.name,
        question=other.question,
        notebook=notebook,
        seeds=len(tests),
        differs=len(tests) - times,
        usual=usual,
        example=" ".join(_said(other).split())[:300],
    )


def _ending(test: TestResult) -> str:
    passed = test.outcome is TestOutcome.PASSED
    return "passed" if passed else f"{test.points} of {test.max_points} points"


def _said(test: TestResult) -> str:
    return test.message or test.details or test.outcome.value
