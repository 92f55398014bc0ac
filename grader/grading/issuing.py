"""Make verdicts: on what was judged, on what can't be read, on what we failed to judge.

Without torch, which the batch's own process does not need.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from grader.course.spec import AssignmentSpec
from grader.errors import InfrastructureError
from grader.grading.job import Job, Judged, Setting
from grader.grading.verdict import (
    Outcome,
    Provenance,
    QuestionMark,
    SubmissionRecord,
    Usage,
    Verdict,
)
from grader.intake.answers import FoundAnswers
from grader.rules.breach import Breach
from grader.sandbox.limits import as_numbers
from grader.suite.results import TestOutcome, TestResult


def graded(
    job: Job,
    setting: Setting,
    *,
    tests: tuple[TestResult, ...],
    breaches: tuple[Breach, ...],
    answers: FoundAnswers,
    collaborators: dict[str, str],
    notes: tuple[str, ...],
    missing_modules: tuple[str, ...],
    usage: Usage,
) -> Verdict:
    """The verdict on a submission that was run and judged."""
    spec = setting.spec
    verdict = Verdict(
        assignment=setting.assignment,
        student=job.student,
        outcome=Outcome.GRADED,
        points=Decimal(0),
        max_points=spec.machine_points,
        manual_points=spec.manual_points,
        breaches=breaches,
        answers=answers.texts,
        answer_places=answers.places,
        collaborators=collaborators,
        notes=notes,
        missing_modules=missing_modules,
        submission=_record(job),
        usage=usage,
        provenance=_provenance(setting),
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
        )
        for q in spec.questions
    )


def unreadable(job: Job, setting: Setting, reason: str) -> Judged:
    """The verdict on what can't be read."""
    return _without_tests(job, setting, Outcome.INVALID_SUBMISSION, reason)


def not_judged(job: Job, setting: Setting, error: InfrastructureError) -> Judged:
    """The verdict on a submission that we failed to judge; never a mark."""
    return _without_tests(job, setting, Outcome.INFRASTRUCTURE_ERROR, error.what)


def _without_tests(job: Job, setting: Setting, outcome: Outcome, reason: str) -> Judged:
    verdict = Verdict(
        assignment=setting.assignment,
        student=job.student,
        outcome=outcome,
        points=Decimal(0),
        max_points=setting.spec.machine_points,
        manual_points=setting.spec.manual_points,
        reason=reason,
        questions=question_marks(setting.spec, ()),
        notes=job.notes,
        submission=_record(job),
        provenance=_provenance(setting),
    )
    return Judged(verdict=verdict, executed=b"")


def _record(job: Job) -> SubmissionRecord:
    return SubmissionRecord(
        file=job.file, sha256=job.sha256, attempt=job.attempt, submitted_at=job.submitted_at
    )


def _provenance(setting: Setting) -> Provenance:
    return Provenance(
        bundle_sha256=setting.bundle_sha256,
        image=setting.image,
        sandbox=setting.sandbox,
        isolation=setting.isolation,
        seed=setting.seed,
        device=f"gpu {setting.gpu}" if setting.gpu else "cpu",
        grader_version=setting.grader_version,
        packages=setting.packages,
        limits=as_numbers(setting.spec),
        suite=setting.suite,
        graded_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
    )
