"""Everybody's written answers, question by question, on one page for the person who marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.course.spec import AssignmentSpec, Question
from grader.report.markdown import markdown_html
from grader.report.templates import render


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """What one student wrote, and what it was given; `points` are None before."""

    shown_as: str
    text: str
    points: Decimal | None = None
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class AnswerSheet:
    """All answers to one question."""

    question: Question
    answers: Sequence[GivenAnswer]

    @property
    def marked(self) -> int:
        """How many have points."""
        return sum(answer.points is not None for answer in self.answers)


def answers_page(
    sheets: Sequence[AnswerSheet],
    *,
    spec: AssignmentSpec,
    anonymous: bool,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page as one self-contained HTML file that runs no script and loads nothing.

    Args:
        sheets: by question; what students wrote is taken as hostile.
        spec: of the assignment.
        anonymous: the answers stand under pseudonyms.
        template_dirs: a course's own template folders.
    """
    html = {(s.question.id, a.shown_as): markdown_html(a.text) for s in sheets for a in s.answers}
    return render(
        "report/answers.html.j2",
        {"sheets": sheets, "spec": spec, "anonymous": anonymous, "html": html},
        template_dirs,
    )
