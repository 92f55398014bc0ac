"""Several notebooks of one submission: each is judged by itself, and all make one verdict.

What is handed out for a notebook is a job and a setting of its own, as if it were the only one. So
none shares a session, a namespace, limits or a part of the suite with another, and what one does to
its box costs its own questions alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from grader.course.spec import AssignmentSpec
from grader.grading.job import BatchConfig, Job, Judged, NotebookConfig
from grader.grading.make_verdict import graded, unreadable
from grader.grading.verdict import Usage, Verdict
from grader.intake.answers import AnswerPlace, AnswerPosition, FoundAnswers
from grader.suite.execution import unfinished
from grader.suite.points import SuitePlan
from grader.suite.results import TestOutcome, TestResult


@dataclass(frozen=True, kw_only=True)
class NotebookJob:
    """One notebook of a submission; `missing` says why there is none to be judged."""

    notebook: NotebookConfig
    job: Job
    config: BatchConfig
    missing: str = ""

    @property
    def file(self) -> str:
        """What the notebook is called."""
        return f"{self.notebook.name}.ipynb"


@dataclass(frozen=True, kw_only=True)
class JudgedNotebook:
    """What came of one notebook: its verdict, or its tests with the reason why none was run."""

    of: NotebookJob
    judged: Judged | None
    tests: tuple[TestResult, ...]
    reason: str = ""


def jobs_of_notebooks(job: Job, config: BatchConfig) -> list[NotebookJob]:
    """Take a submission apart: one job for each notebook of the assignment, in its order."""
    files = {f"{n.name}.ipynb": n for n in config.notebooks}
    found = {name: data for name, data in job.files.items() if name in files}
    beside = {name: data for name, data in job.files.items() if name not in files}
    found[f"{job.notebook or config.notebooks[0].name}.ipynb"] = job.data
    return [
        NotebookJob(
            notebook=notebook,
            job=msgspec.structs.replace(
                job, file=file, data=found.get(file, b""), notebook="", files=beside, notes=()
            ),
            config=config.for_notebook(notebook),
            missing="" if file in found else of.absence,
        )
        for (file, notebook), of in zip(files.items(), config.spec.notebooks, strict=True)
    ]


def not_run(of: NotebookJob, plan: SuitePlan, reason: str) -> JudgedNotebook:
    """Say of each test of a notebook that it was not run, and why."""
    message = f"Not run: {reason}"
    tests = tuple(unfinished(test, TestOutcome.NOT_RUN, message) for test in plan.tests)
    return JudgedNotebook(of=of, judged=None, tests=tests, reason=reason)


def joined(job: Job, config: BatchConfig, parts: Sequence[JudgedNotebook]) -> Judged:
    """Make one verdict, and one document of what was executed."""
    if all(part.judged is None for part in parts):
        return unreadable(job, config, " ".join(dict.fromkeys(p.reason for p in parts)))
    run = [(part.of, part.judged.verdict) for part in parts if part.judged is not None]
    verdict = graded(
        job,
        config,
        tests=tuple(test for part in parts for test in part.tests),
        violations=tuple(
            msgspec.structs.replace(violation, notebook=of.notebook.name)
            for of, one in run
            for violation in one.violations
        ),
        answers=_answers(parts, config.spec),
        collaborators=_collaborators([one for _, one in run]),
        notes=_notes(job, parts),
        missing_modules=tuple(dict.fromkeys(m for _, one in run for m in one.missing_modules)),
        usage=_usage([one.usage for _, one in run]),
    )
    return Judged(verdict=verdict, executed=_executed(parts))


def _notes(job: Job, parts: Sequence[JudgedNotebook]) -> tuple[str, ...]:
    notes = list(job.notes)
    for part in parts:
        if part.judged is not None:
            notes += [f"{part.of.file}: {note}" for note in part.judged.verdict.notes]
        else:
            notes.append(part.reason)
    return tuple(dict.fromkeys(notes))


def _answers(parts: Sequence[JudgedNotebook], spec: AssignmentSpec) -> FoundAnswers:
    """The answers of all, at their places in the joined document.

    In a notebook that can't be read a person may find one; in one that is not there nobody will.
    """
    found, first = FoundAnswers(), 0
    by_hand = {q.id for q in spec.questions if q.manual}
    questions = {n.name: [q for q in n.questions if q in by_hand] for n in spec.notebooks}
    for part in parts:
        if part.of.missing:
            absent = AnswerPlace(place=AnswerPosition.ABSENT)
            found.places.update(dict.fromkeys(questions[part.of.notebook.name], absent))
        if part.judged is None:
            continue
        verdict = part.judged.verdict
        found.texts.update(verdict.answers)
        for question, place in verdict.answer_places.items():
            pieces = tuple(
                msgspec.structs.replace(piece, cell=piece.cell + first) for piece in place.pieces
            )
            found.places[question] = msgspec.structs.replace(place, pieces=pieces)
        first += len(_read(part.judged).cells)
    return found


def _collaborators(verdicts: Sequence[Verdict]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        for question, text in verdict.collaborators.items():
            if text not in found.setdefault(question, []):
                found[question].append(text)
    return {question: ", ".join(texts) for question, texts in found.items()}


def _usage(usages: Sequence[Usage]) -> Usage:
    """What they used one after the other."""
    return Usage(
        wall_s=round(sum(u.wall_s for u in usages), 3),
        notebook_s=round(sum(u.notebook_s for u in usages), 3),
        suite_s=round(sum(u.suite_s for u in usages), 3),
        box_cpu_s=round(sum(u.box_cpu_s for u in usages), 3),
        peak_memory_bytes=max(u.peak_memory_bytes for u in usages),
        restarts=sum(u.restarts for u in usages),
    )


class _Document(msgspec.Struct):
    """An executed notebook; what a student's code put out is passed on as it is."""

    cells: list[msgspec.Raw]
    metadata: dict[str, msgspec.Raw]
    nbformat: int
    nbformat_minor: int


def _read(judged: Judged) -> _Document:
    return msgspec.json.decode(judged.executed, type=_Document)


def _executed(parts: Sequence[JudgedNotebook]) -> bytes:
    """All cells, one notebook after the other; the metadata say how many each has."""
    read = {p.of.notebook.name: _read(p.judged) for p in parts if p.judged is not None}
    whole = next(iter(read.values()))
    counts = [{"name": name, "cells": len(one.cells)} for name, one in read.items()]
    metadata = {**whole.metadata, "grader": msgspec.Raw(msgspec.json.encode({"notebooks": counts}))}
    cells = [cell for one in read.values() for cell in one.cells]
    return msgspec.json.encode(
        _Document(
            cells=cells,
            metadata=metadata,
            nbformat=whole.nbformat,
            nbformat_minor=whole.nbformat_minor,
        )
    )
