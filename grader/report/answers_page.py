"""Everybody's written answers, question by question, on one page for the person who marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from grader.course.spec import AssignmentSpec, Question
from grader.intake.answers import AnswerPlace
from grader.report.markdown import markdown_html
from grader.report.marks import outcome_words
from grader.report.rendered_notebook import view_answer
from grader.report.templates import render
from grader.suite.results import TestResult


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """What one student wrote, and what it was given; `points` are None before.

    `place` says how it was found, where that is not at its marker; `notebook` is the executed one,
    in which it stands at `at`; `tests` are the machine's findings on the same question.
    """

    shown_as: str
    text: str
    place: str = ""
    at: AnswerPlace | None = None
    notebook: Callable[[], bytes | None] = lambda: None
    tests: Sequence[TestResult] = ()
    machine_points: Decimal = Decimal(0)
    by_rule: bool = False
    points: Decimal | None = None
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class AnswerSheet:
    """All answers to one question; `model` is the reference's own, as Markdown."""

    question: Question
    answers: Sequence[GivenAnswer]
    model: str = ""

    @property
    def marked(self) -> int:
        """How many have points."""
        return sum(answer.points is not None for answer in self.answers)


def answers_page(
    sheets: Sequence[AnswerSheet],
    *,
    spec: AssignmentSpec,
    anonymous: bool,
    alone: bool = False,
    template_dirs: Sequence[Path] = (),
) -> str:
    """Return the page as one self-contained HTML file that runs no script and loads nothing.

    Args:
        sheets: by question; what students wrote is taken as hostile.
        spec: of the assignment.
        anonymous: the answers stand under pseudonyms.
        alone: one answer, to be shown inside another page that has its own heading.
        template_dirs: a course's own template folders.
    """
    return render(
        "report/answers.html.j2",
        {
            "sheets": sheets,
            "spec": spec,
            "anonymous": anonymous,
            "alone": alone,
            "view": lambda answer: view_answer(answer.notebook(), answer.at),
            "prose_html": markdown_html,
            "words": outcome_words,
        },
        template_dirs,
    )
