"""Make verdicts: on what was judged, on what can't be read, on what we failed to judge.

Without torch, which the batch's own process does not need.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from grader.course.spec import AssignmentSpec
from grader.errors import InfrastructureError
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.verdict import (
    Outcome,
    Provenance,
    QuestionMark,
    SubmissionRecord,
    Usage,
    Verdict,
)
from grader.intake.answers import FoundAnswers
from grader.rules.violation import Violation
from grader.sandbox.limits import as_numbers
from grader.suite.results import TestOutcome, TestResult


def graded(
    job: Job,
    config: BatchConfig,
    *,
    tests: tuple[TestResult, ...],
    violations: tuple[Violation, ...],
    answers: FoundAnswers,
    collaborators: dict[str, str],
    notes: tuple[str, ...],
    missing_modules: tuple[str, ...],
    usage: Usage,
) -> Verdict:
    """The verdict on a submission that was run and judged."""
    spec = config.spec
    verdict = Verdict(
        assignment=config.assignment,
        student=job.student,
        outcome=Outcome.GRADED,
        points=Decimal(0),
        max_points=spec.machine_points,
        manual_points=spec.manual_points,
        violations=violations,
        answers=answers.texts,
        answer_places=answers.places,
        collaborators=collaborators,
        notes=notes,
        missing_modules=missing_modules,
        submission=_record(job),
        usage=usage,
        provenance=_provenance(config),
    )
    return with_tests(verdict, tests, spec)


def with_tests(verdict: Verdict, tests: tuple[TestResult, ...], spec: AssignmentSpec) -> Verdict:
    """Sum up the tests of a submission that was run; one that the suite has spoilt leaves none."""
    broken = [t for t in tests if t.outcome is TestOutcome.SUITE_ERROR]
    counted = () if broken else tests
    return msgspec.structs.replace(
        verdict,
        outcome=Outcome.SUITE_ERROR if broken else Outcome.GRADED,
        points=sum((t.points for t in counted), Decimal(0)),
        reason=f"a fault of the suite in {', '.join(t.name for t in broken)}" if broken else "",
        tests=tests,
        questions=question_marks(spec, counted),
    )


def question_marks(spec: AssignmentSpec, tests: tuple[TestResult, ...]) -> tuple[QuestionMark, ...]:
    """Each question's points, summed over its tests."""
    return tuple(
        QuestionMark(
            id=q.id,
            title=q.title,
            points=sum((t.points for t in tests if t.question == q.id), Decimal(0)),
            max_points=q.points,
            manual_points=q.manual,
            extra_credit=q.extra_credit,
            notebook=held.name if (held := spec.notebook_of(q.id)) else msgspec.UNSET,
        )
        for q in spec.questions
    )


def unreadable(job: Job, config: BatchConfig, reason: str) -> Judged:
    """The verdict on what can't be read."""
    return _without_tests(job, config, Outcome.INVALID_SUBMISSION, reason)


def not_judged(job: Job, config: BatchConfig, error: InfrastructureError) -> Judged:
    """The verdict on a submission that we failed to judge; never a mark."""
    return _without_tests(job, config, Outcome.INFRASTRUCTURE_ERROR, error.what)


def _without_tests(job: Job, config: BatchConfig, outcome: Outcome, reason: str) -> Judged:
    verdict = Verdict(
        assignment=config.assignment,
        student=job.student,
        outcome=outcome,
        points=Decimal(0),
        max_points=config.spec.machine_points,
        manual_points=config.spec.manual_points,
        reason=reason,
        questions=question_marks(config.spec, ()),
        notes=job.notes,
        submission=_record(job),
        provenance=_provenance(config),
    )
    return Judged(verdict=verdict, executed=b"")


def _record(job: Job) -> SubmissionRecord:
    return SubmissionRecord(
        file=job.file, sha256=job.sha256, attempt=job.attempt, submitted_at=job.submitted_at
    )


def _provenance(config: BatchConfig) -> Provenance:
    return Provenance(
        bundle_sha256=config.bundle_sha256,
        image=config.image,
        sandbox=config.sandbox,
        isolation=config.isolation,
        seed=config.seed,
        device=f"gpu {config.gpu}" if config.gpu else "cpu",
        grader_version=config.grader_version,
        packages=config.packages,
        limits=as_numbers(config.spec),
        suite=config.suite,
        graded_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
    )
