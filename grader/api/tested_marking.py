"""Points beside the machine's for a question with tests, one piece of work after the other."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy.orm import Session

from grader.api.adjusting import change_of
from grader.api.answer_marking import AnswerMarking
from grader.course.directory import Assignment
from grader.course.spec import Question
from grader.errors import GraderError, UsageError
from grader.gradebook.adjustments import adjustment_fact
from grader.gradebook.answer_list import AnswerRef
from grader.gradebook.hand_marks import HandMark
from grader.grading.verdict import Verdict
from grader.intake.answers import AnswerPart, AnswerPlace, AnswerPosition, find_answers
from grader.intake.notebook import ReadNotebook, read_notebook


class TestedMarking:
    """What people add to the tests' points, in the answers of one assignment."""

    __test__ = False  # no test, whatever its name begins with

    def __init__(self, marking: AnswerMarking) -> None:
        self._marking = marking

    def mark(self, answer: AnswerRef, question: Question) -> HandMark | None:
        """Return what was given beside the tests for this very submission, or None."""
        mark = self._newest(answer, question)
        holds = mark is not None and mark.says.answer_sha256 == answer.submission_sha256
        return mark if holds else None

    def offered(self, answer: AnswerRef, question: Question) -> HandMark | None:
        """Return what an earlier try was given, where it fits and the cells are the same.

        It counts for this try only once somebody saves it.
        """
        mark = self._newest(answer, question)
        if mark is None or mark.says.points is None:
            return None
        if not 0 <= answer.machine + mark.says.points <= answer.machine_max:
            return None
        tries = self._marking.gradebook.history(self._marking.assignment.name, answer.student)
        sha256 = mark.says.answer_sha256
        earlier = next((e.verdict for e in tries if e.verdict.submission.sha256 == sha256), None)
        written = self._written(earlier, question) if earlier else None
        if written is None or written != self._written(self._verdict(answer), question):
            return None
        return mark

    def save(
        self,
        question: Question,
        answer: AnswerRef,
        points: Decimal | None,
        *,
        comment: str,
        who: str,
        seen: int,
        beside: Callable[[Session], None] | None = None,
    ) -> None:
        """Give or take points beside the tests'; None takes an earlier gift back.

        `beside` writes more, in the same transaction.

        Raises:
            ChangedMeanwhileError: somebody else has given or taken some meanwhile.
            UsageError: the question would leave 0 and its points.
        """
        verdict = self._verdict(answer)
        change = change_of(verdict, question.id, points, comment)
        self._marking.gradebook.hand_marks.record(
            [change],
            who=who,
            why="beside the tests",
            seen={change.fact: seen},
            beside=beside,
        )

    def page(self, answer: AnswerRef, question: Question, shown_as: str) -> str:
        """Return what stands beside the form: the question's part of the notebook, and its tests.

        Where that part is not found, all of the notebook.
        """
        verdict = self._verdict(answer)
        executed = self._marking.gradebook.executed_notebook(verdict)
        place = self._place(verdict, question, executed)
        return self._marking.page_of(verdict, answer, question, shown_as, place=place)

    def _newest(self, answer: AnswerRef, question: Question) -> HandMark | None:
        name = self._marking.assignment.name
        newest = self._marking.gradebook.hand_marks.newest(student=answer.student, item=name)
        return newest.get(adjustment_fact(answer.student, name, question.id))

    def _place(
        self, verdict: Verdict, question: Question, executed: bytes | None
    ) -> AnswerPlace | None:
        place = verdict.answer_places.get(question.id)
        if executed is not None and (place is None or not place.pieces):
            return _part(self._marking.assignment, question, executed)
        return place

    def _written(self, verdict: Verdict, question: Question) -> list[str] | None:
        """What stands in the question's part of the notebook; None: that is not known."""
        executed = self._marking.gradebook.executed_notebook(verdict)
        place = self._place(verdict, question, executed)
        if executed is None or place is None or not place.pieces:
            return None
        try:
            cells = read_notebook(executed, name="the executed notebook").cells
        except GraderError:
            return None
        return [cells[p.cell].source[p.begin : p.end] for p in place.pieces if p.cell < len(cells)]

    def _verdict(self, answer: AnswerRef) -> Verdict:
        entry = self._marking.gradebook.entry(answer.entry)
        if entry is None:
            raise UsageError("the submission is not there any more")
        return entry.verdict


def _part(assignment: Assignment, question: Question, executed: bytes) -> AnswerPlace:
    from grader.release.questions import given_cells

    try:
        notebook = read_notebook(executed, name="the executed notebook")
    except GraderError:
        return AnswerPlace(place=AnswerPosition.LOST)
    for own in assignment.notebooks:
        if own.spec.question(question.id) is None:
            continue
        try:
            found = find_answers(notebook, given=given_cells(own), asked={question.id})
        except GraderError:
            continue
        place = found.places.get(question.id)
        if place is not None and place.pieces:
            return place
    return _whole(notebook)


def _whole(notebook: ReadNotebook) -> AnswerPlace:
    pieces = (AnswerPart(i, 0, len(cell.source)) for i, cell in enumerate(notebook.cells))
    return AnswerPlace(place=AnswerPosition.PART, pieces=tuple(pieces))
