"""One submission to a verdict: read it, run it, judge it, say what came of it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from grader.course.spec import AssignmentSpec
from grader.errors import InfrastructureError, SubmissionError
from grader.grading.job import Job, Judged, Setting
from grader.grading.rule_holding import Held
from grader.grading.verdict import (
    Outcome,
    Provenance,
    QuestionMark,
    SubmissionRecord,
    Usage,
    Verdict,
)
from grader.intake.answers import written_answers
from grader.intake.collaborators import declared_collaborators
from grader.intake.notebook import read_notebook
from grader.intake.submission import sentences
from grader.rules.breach import Breach
from grader.sandbox.base import Slot
from grader.sandbox.executed import executed_notebook
from grader.sandbox.limits import as_numbers, run_limits
from grader.sandbox.notebook_box import NotebookBox
from grader.suite.results import TestResult

JudgeSuite = Callable[[NotebookBox, dict[str, Any], dict[str, str]], Held]
"""Runs the hidden suite against a live notebook: (box, executed notebook, answers) to results."""


def judge_submission(
    job: Job,
    setting: Setting,
    slot: Slot,
    suite: JudgeSuite,
    on_cell: Callable[[int, int], None] = lambda cell, cells: None,
) -> Judged:
    """Judge one submission.

    Args:
        job: what was handed in.
        setting: of the batch.
        slot: where it is run.
        suite: runs the hidden suite, and holds the rules against what it finds.
        on_cell: told of each cell that begins.

    Raises:
        InfrastructureError: the sandbox failed; try again, it is never a mark.
    """
    began = time.monotonic()
    if job.problem:
        return unreadable(job, setting, job.problem)
    try:
        notebook = read_notebook(job.data, name=job.file)
    except SubmissionError as error:
        return unreadable(job, setting, sentences(error))
    sources = [cell.source for cell in notebook.code_cells]
    limits = run_limits(setting.spec)
    box = NotebookBox(slot, sources, limits=limits, seed=setting.seed, on_cell=on_cell)
    try:
        run = box.run()
        executed = executed_notebook(notebook, run)
        answers = written_answers(notebook)
        suite_began = time.monotonic()
        held = suite(box, executed, answers)
        suite_s = time.monotonic() - suite_began
    finally:
        box.close()
    usage = Usage(
        wall_s=round(time.monotonic() - began, 3),
        notebook_s=round(run.duration_s, 3),
        suite_s=round(suite_s, 3),
        box_cpu_s=round(box.cpu_s, 3),
        peak_memory_bytes=box.peak_memory_bytes,
        restarts=box.restarts,
    )
    verdict = _verdict(
        job,
        setting,
        tests=held.results,
        breaches=held.breaches,
        answers=answers,
        collaborators=declared_collaborators(
            notebook, questions=[q.id for q in setting.spec.questions]
        ),
        notes=(*notebook.repairs, *run.notes),
        usage=usage,
    )
    return Judged(verdict=verdict, executed=msgspec.json.encode(executed))


def _verdict(
    job: Job,
    setting: Setting,
    *,
    tests: tuple[TestResult, ...],
    breaches: tuple[Breach, ...],
    answers: dict[str, str],
    collaborators: dict[str, str],
    notes: tuple[str, ...],
    usage: Usage,
) -> Verdict:
    spec = setting.spec
    return Verdict(
        assignment=setting.assignment,
        student=job.student,
        outcome=Outcome.GRADED,
        points=sum((t.points for t in tests), Decimal(0)),
        max_points=spec.machine_points,
        manual_points=spec.manual_points,
        tests=tests,
        questions=question_marks(spec, tests),
        breaches=breaches,
        answers=answers,
        collaborators=collaborators,
        notes=notes,
        submission=_record(job),
        usage=usage,
        provenance=_provenance(setting),
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
