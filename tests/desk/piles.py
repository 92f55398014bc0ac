"""Answers to one question at a desk, and how people mark them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from grader.api.answer_marking import AnswerMarking
from grader.api.rubric_changes import RubricChanges
from grader.course.spec import Question
from grader.gradebook.answer_list import AnswerRef
from grader.gradebook.hand_marks import HandMark
from grader.gradebook.rubric_items import RubricItem
from grader.grading.verdict import Outcome
from tests.desk.conftest import Browser, Tables
from tests.helpers.notebooks import code, notebook

ASSIGNMENT = "/c/course/a/warm-up"
MARK = f"{ASSIGNMENT}/mark"
MARKING = f"{ASSIGNMENT}/marking"


class Pile:
    """The answers to one question, and how people mark them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        for student in ("ada", "ben", "cem"):
            tables.judged(student)

    @property
    def marking(self) -> AnswerMarking:
        return self.tables.course.marking(self.tables.course.course.assignment("warm-up"))

    @property
    def rubric(self) -> RubricChanges:
        return RubricChanges(self.marking, self.question)

    @property
    def question(self) -> Question:
        found = self.marking.question("q3")
        assert found is not None
        return found

    def answer(self, student: str) -> AnswerRef:
        answers = self.marking.answers(self.question, marker="x")
        return next(a for a in answers if a.student == student)

    def mark(self, student: str) -> HandMark:
        found = self.marking.mark(self.answer(student), self.question)
        assert found is not None
        return found

    def points(self, student: str) -> Decimal | None:
        return self.answer(student).points

    def again(
        self,
        student: str,
        *,
        answer: str,
        outcome: Outcome = Outcome.GRADED,
        executed: bytes | None = None,
    ) -> None:
        """Another try with other bytes, judged."""
        tables = self.tables
        other = notebook([code(f"answer = {answer!r}", count=1)])
        tables.browser(student).hand_in(("hw.ipynb", other), key="again")
        one = tables.course.gradebook.tries.of(student)[0]
        batch = tables.course.gradebook.start_batch("warm-up", seed=1)
        verdict = msgspec.structs.replace(
            tables.verdict(one), answers={"q3": answer}, outcome=outcome
        )
        tables.course.gradebook.record(verdict, executed, batch=batch, desk_try=one.id)

    def joins(self, student: str) -> None:
        """Somebody more in the class, with a verdict."""
        gradebook = self.tables.course.gradebook
        of_ada = gradebook.history("warm-up", "ada")[0].verdict
        batch = gradebook.start_batch("warm-up", seed=1)
        gradebook.record(msgspec.structs.replace(of_ada, student=student), None, batch=batch)

    def item(self, says: str, points: str) -> RubricItem:
        return self.marking.items.add("warm-up", "q3", says, Decimal(points))

    def save(self, browser: Browser, student: str, **fields: Any) -> Any:
        answer = self.answer(student)
        seen = str(answer.mark.id) if answer.mark else "0"
        return browser.post(f"{MARK}/q3/{answer.ref}", {"seen": seen, **fields})

    def log(self) -> set[str]:
        """The kinds of lines in the course's log."""
        return set(self.tables.course.audit.known("course")[1])
