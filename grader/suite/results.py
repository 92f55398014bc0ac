"""What a suite says about one submission: plain values, safe to store and to send."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec

Shows = Literal["always", "after_due", "never"]
Curve = tuple[float | None, ...]
"""Numbers in order, such as a loss for each epoch; None where there was no finite one."""


class TestOutcome(StrEnum):
    """How one test of a hidden suite ended."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    STUDENT_ERROR = "student_error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    OUTPUT_LIMIT = "output_limit"
    NOT_RUN = "not_run"
    SUITE_ERROR = "suite_error"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a test, with seeds of its own: what it measured, and a curve to draw beside it."""

    seed: int
    outcome: TestOutcome
    message: str = ""
    measured: Decimal | msgspec.UnsetType = msgspec.UNSET
    curve: Curve | msgspec.UnsetType = msgspec.UNSET


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """One test, one submission.

    `title`, `message`, `hints` and `traceback` may be shown to the student; `details` (the
    assertion's text and values) only to an instructor, unless the test says `shows_details`.
    Only a test that gives all its points has passed; one that gives some is `partly` passed.
    A `suite_error` is the suite's fault and nobody's mark.
    `measured` is a number that a leaderboard may rank by: of several trials the median.
    `trials` are the runs of a test marked `trials`, of which there may be `most_trials`, and
    `needed_trials` decide; or the one run of another test, where it has a curve. `right` are the
    student's functions for which the reference answered, `right_answers` how often. `diagnosis` is
    the kind of mistake that a compared value shows (see `grader.diagnosis`). `tolerance_used` is
    the share of its tolerance that the comparison has used at which the test ended, or else the
    largest share of all that hold, where that is measured (see `grader.audit`).
    """

    __test__ = False

    name: str
    question: str
    points: Decimal
    max_points: Decimal
    outcome: TestOutcome
    title: str = ""
    message: str = ""
    hints: tuple[str, ...] = ()
    traceback: str = ""
    details: str = ""
    shows: Shows = "always"
    shows_details: bool = False
    duration_s: float = 0.0
    trials: tuple[Trial, ...] = ()
    most_trials: int | msgspec.UnsetType = msgspec.UNSET
    needed_trials: int | msgspec.UnsetType = msgspec.UNSET
    measured: Decimal | None = None
    right: tuple[str, ...] = ()
    right_answers: int = 0
    diagnosis: str | msgspec.UnsetType = msgspec.UNSET
    tolerance_used: float | msgspec.UnsetType = msgspec.UNSET

    @property
    def partly(self) -> bool:
        """Whether it gave a part of its points."""
        return self.outcome is not TestOutcome.PASSED and self.points > 0


def function_of(name: str) -> str:
    """Return a test's name without its parameters: pytest writes them as `test_x[3-relu]`."""
    return name.partition("[")[0] if name.endswith("]") else name


def case_of(test: TestResult) -> str:
    """Return the parameters alone: `3-relu`; empty for a test without."""
    return test.name.partition("[")[2][:-1] if test.name.endswith("]") else ""
