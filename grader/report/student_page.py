"""One student's page: marks, tests, written answers, the executed notebook, provenance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from markupsafe import Markup

from grader.course.spec import AssignmentSpec
from grader.grading.verdict import Verdict
from grader.report.markdown import markdown_html
from grader.report.marks import (
    Audience,
    MarkSheet,
    aware,
    consequence,
    mark_sheet,
    outcome_words,
    place_words,
    shown_breaches,
)
from grader.report.notebook_view import NotebookView, view_answer, view_notebook
from grader.report.templates import render
from grader.report.text import show_terminal


def student_page(
    verdict: Verdict,
    executed_notebook: bytes | None,
    *,
    spec: AssignmentSpec,
    audience: Audience,
    now: dt.datetime,
    given: Mapping[str, tuple[Decimal, str]] | None = None,
    alias: str = "",
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
        alias: the student's pseudonym, where there is a leaderboard.
        template_dirs: a course's own template folders.
    """
    moment = aware(now) or now
    notebook = view_notebook(executed_notebook) if executed_notebook else NotebookView(cells=[])
    sheet = mark_sheet(verdict, spec=spec, audience=audience, now=moment)
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
            "waiting": _waiting(sheet, given or {}),
            "notebook": notebook,
            "instructor": audience == "instructor",
            "breaches": [
                (breach, consequence(breach, audience))
                for breach in shown_breaches(verdict, spec=spec, audience=audience, now=moment)
            ],
            "words": outcome_words,
            "terminal": _terminal,
            "now": moment,
        },
        template_dirs,
    )


def _waiting(sheet: MarkSheet, given: Mapping[str, object]) -> Decimal:
    """Points that a person has yet to give."""
    if not sheet.questions:
        return sheet.manual_points
    return sum((q.manual_points for q in sheet.questions if q.id not in given), Decimal(0))


def _terminal(text: str) -> Markup:
    return show_terminal(text)
