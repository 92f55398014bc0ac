"""One student's page: marks, tests, written answers, the executed notebook, provenance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from grader.course.spec import AssignmentSpec
from grader.gradebook.standings import Standing
from grader.gradebook.whole_mark import Given
from grader.grading.reference_runs import ReferenceRuns
from grader.grading.verdict import Verdict
from grader.report.cases import anchors_of, join_cases, work_anchor
from grader.report.markdown import markdown_html
from grader.report.marks import (
    Audience,
    aware,
    consequence,
    is_told,
    mark_sheet,
    outcome_words,
    place_words,
    shown_violations,
    with_due,
)
from grader.report.places import cells_of_tests
from grader.report.rendered_notebook import RenderedNotebook, view_answer, view_notebook
from grader.report.run_pictures import ShownRuns, shown_runs
from grader.report.templates import render
from grader.report.text import show_terminal
from grader.suite.experiment import experiment_of
from grader.suite.results import TestResult, case_of


def student_page(
    verdict: Verdict,
    executed_notebook: bytes | None,
    *,
    spec: AssignmentSpec,
    audience: Audience,
    now: dt.datetime,
    given: Given | None = None,
    standing: Standing | None = None,
    alias: str = "",
    reference_runs: ReferenceRuns | None = None,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page as one self-contained HTML file that runs no script and loads nothing.

    Args:
        verdict: what to show; all its text is taken as hostile.
        executed_notebook: nbformat JSON, or None where there is none.
        spec: of the assignment.
        audience: an "instructor" sees every test and its details; a "student" what `shows` allows.
        now: decides whether the due date has passed.
        given: by question, the points and the comment that a person gave for the answer.
        standing: name, lateness, extension and the like, where more than the verdict is known.
        alias: the student's pseudonym, where there is a leaderboard.
        reference_runs: what the reference measured; a student is shown it when the spec says so.
        template_dirs: a course's own template folders.
    """
    moment = aware(now) or now
    standing = standing or Standing(handed_in=verdict.submission.submitted_at)
    spec = with_due(spec, standing.shown_from)
    told = is_told(spec.reference_runs, spec=spec, audience=audience, now=moment)
    notebook = view_notebook(executed_notebook) if executed_notebook else RenderedNotebook(cells=[])
    sheet = mark_sheet(
        verdict, spec=spec, audience=audience, now=moment, given=given, by_hand=standing.by_hand
    )
    shown = [test for question in sheet.questions for test in question.tests]
    anchors = anchors_of(verdict.tests if audience == "instructor" else shown)
    cells = cells_of_tests(shown, notebook, spec)
    answers = {
        q.id: view_answer(executed_notebook, verdict.answer_places.get(q.id))
        for q in sheet.questions
    }
    texts = {
        q.id: markdown_html(q.answer)
        for q in sheet.questions
        if q.answer and not answers[q.id].cells
    }
    return render(
        "report/student.html.j2",
        {
            "verdict": verdict,
            "spec": spec,
            "sheet": sheet,
            "answers": answers,
            "texts": texts,
            "place_words": place_words,
            "given": given or {},
            "alias": alias,
            "standing": standing,
            "name": standing.name or verdict.student,
            "joined": {q.id: join_cases(q.tests) for q in sheet.questions},
            "case_of": case_of,
            "diagnoses": {k: said for q in sheet.questions for k, said in q.diagnoses.items()},
            "runs": _runs(
                shown,
                reference_runs if told and reference_runs and reference_runs.fit(verdict) else None,
            ),
            "anchors": anchors,
            "cell_of": cells,
            "linked": {cell.number: cell.label for cell in notebook.cells},
            "work_anchor": work_anchor,
            "work": _work(anchors, cells, notebook),
            "notebook": notebook,
            "instructor": audience == "instructor",
            "breaches": [
                (violation, consequence(violation, audience))
                for violation in shown_violations(verdict, spec=spec, audience=audience, now=moment)
            ],
            "words": outcome_words,
            "terminal": _terminal,
            "now": moment,
        },
        template_dirs,
    )


def _runs(tests: Sequence[TestResult], reference: ReferenceRuns | None) -> dict[str, ShownRuns]:
    """The runs of each test that measured something; beside the reference's if these are told."""
    found = {test.name: experiment_of(test) for test in tests}
    return {
        name: shown_runs(experiment, reference.band(name) if reference else None)
        for name, experiment in found.items()
        if experiment is not None
    }


def absent_page(
    student: str,
    *,
    spec: AssignmentSpec,
    standing: Standing,
    now: dt.datetime,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page of a student of whom nothing was handed in.

    Args:
        student: the id.
        spec: of the assignment.
        standing: whether it is due, extended or excused, and what a person gave.
        now: when the page is made.
        template_dirs: a course's own template folders.
    """
    return render(
        "report/absent.html.j2",
        {"name": standing.name or student, "spec": spec, "standing": standing, "now": now},
        template_dirs,
    )


def _work(
    anchors: Mapping[str, str], cells: Mapping[str, int], notebook: RenderedNotebook
) -> dict[int, list[str]]:
    """By cell, the places in it to which others may link: one for each test that it is about.

    A test of which no cell is known has its place at its own line.
    """
    shown = {cell.number for cell in notebook.cells}
    found: dict[int, list[str]] = {}
    for name, anchor in anchors.items():
        if cells.get(name) in shown:
            found.setdefault(cells[name], []).append(work_anchor(anchor))
    return found


def _terminal(text: str) -> Markup:
    return show_terminal(text)
