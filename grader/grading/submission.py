"""One submission to a verdict: read it, run it, judge it, say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from grader.errors import SubmissionError
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.make_verdict import graded, unreadable
from grader.grading.rule_enforcement import Enforced
from grader.grading.verdict import Usage
from grader.intake.accepted_files import matches
from grader.intake.answers import find_answers
from grader.intake.collaborators import declared_collaborators
from grader.intake.linked_pictures import is_picture, with_linked_pictures
from grader.intake.notebook import read_notebook
from grader.intake.submission import sentences
from grader.sandbox.base import Slot
from grader.sandbox.executed import executed_notebook
from grader.sandbox.limits import run_limits
from grader.sandbox.notebook_box import NotebookBox
from grader.suite.causes import causes
from grader.suite.randomness import Seeds

# The course's own pictures go into everybody's notebook.
MAX_GIVEN_PICTURE_BYTES = 256 * 2**10

JudgeSuite = Callable[[NotebookBox, dict[str, Any], dict[str, str]], Enforced]
"""Runs the hidden suite against a live notebook: (box, executed notebook, answers) to results."""


def judge_submission(
    job: Job,
    config: BatchConfig,
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
        return unreadable(job, config, job.problem)
    try:
        notebook = read_notebook(job.data, name=job.file)
    except SubmissionError as error:
        return unreadable(job, config, sentences(error))
    limits = run_limits(config.spec)
    seed = Seeds(config.seed, config.seed_key).of_notebook()
    # Nobody replaces what the course gives. A picture that the course did not ask for is shown to
    # people, and never enters the box.
    asked = config.spec.handin.files
    handed = {n: data for n, data in job.files.items() if not is_picture(n) or matches(n, asked)}
    files = {**handed, **config.given}
    shown = {n: data for n, data in config.given.items() if len(data) <= MAX_GIVEN_PICTURE_BYTES}
    notebook = with_linked_pictures(notebook, {**job.files, **shown})
    box = NotebookBox(
        slot, notebook.sources, files=files, limits=limits, seed=seed, on_cell=on_cell
    )
    try:
        run = box.run()
        executed = executed_notebook(notebook, run)
        by_hand = [q.id for q in config.spec.questions if q.manual]
        answers = find_answers(notebook, given=config.released, asked=by_hand)
        suite_began = time.monotonic()
        held = suite(box, executed, answers.texts)
        suite_s = time.monotonic() - suite_began
    finally:
        box.close()
    found = causes(notebook.sources, run.cells, held.results, not_taken=job.unused)
    usage = Usage(
        wall_s=round(time.monotonic() - began, 3),
        notebook_s=round(run.duration_s, 3),
        suite_s=round(suite_s, 3),
        box_cpu_s=round(box.cpu_s, 3),
        peak_memory_bytes=box.peak_memory_bytes,
        restarts=box.restarts,
    )
    verdict = graded(
        job,
        config,
        tests=held.results,
        violations=held.violations,
        answers=answers,
        collaborators=declared_collaborators(
            notebook, questions=[q.id for q in config.spec.questions]
        ),
        notes=(*found.notes, *job.notes, *notebook.repairs, *run.notes),
        missing_modules=found.missing_modules,
        usage=usage,
    )
    return Judged(verdict=verdict, executed=msgspec.json.encode(executed))
