"""Submissions that nobody has handed in, judged to try an assignment: no record, no second try."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grader.errors import InfrastructureError
from grader.grading.batch import grade_batch
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.verdict import Outcome


def judge_trials(
    config: BatchConfig, jobs: Sequence[Job], on_judged: Callable[[Judged], None]
) -> dict[str, Judged]:
    """Judge jobs, none or some, and return what came of each by its student.

    Args:
        config: of the batch.
        jobs: what is tried, each under a name of its own.
        on_judged: given each as it is judged.

    Raises:
        InfrastructureError: one could not be judged here: nothing is known of the assignment.
        SuiteError: the suite can't be used.
    """
    found: dict[str, Judged] = {}

    def take(judged: Judged) -> None:
        verdict = judged.verdict
        if verdict.outcome is Outcome.INFRASTRUCTURE_ERROR:
            raise InfrastructureError(verdict.reason, hint="Run `grader doctor`.")
        found[verdict.student] = judged
        on_judged(judged)

    if jobs:
        grade_batch(config, jobs, take)
    return found
