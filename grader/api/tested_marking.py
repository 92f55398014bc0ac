"""Points beside the machine's for a question with tests, one piece of work after the other."""

from __future__ import annotations

from decimal import Decimal

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
        name = self._marking.assignment.name
        newest = self._marking.gradebook.hand_marks.newest(student=answer.student, item=name)
        mark = newest.get(adjustment_fact(answer.student, name, question.id))
        holds = mark is not None and mark.says.answer_sha256 == answer.submission_sha256
        return mark if holds else None

    def save(
        self,
        question: Question,
        answer: AnswerRef,
        points: Decimal | None,
        *,
        comment: str,
        who: str,
        seen: int,
    ) -> None:
        """Give or take points beside the tests'; None takes an earlier gift back.

        Raises:
            ChangedMeanwhileError: somebody else has given or taken some meanwhile.
            UsageError: the question would leave 0 and its points.
        """
        verdict = self._verdict(answer)
        change = change_of(verdict, question.id, points, comment)
        self._marking.gradebook.hand_marks.record(
            [change], who=who, why="beside the tests", seen={change.fact: seen}
        )

    def page(self, answer: AnswerRef, question: Question, shown_as: str) -> str:
        """Return what stands beside the form: the question's part of the notebook, and its tests.

        Where that part is not found, all of the notebook.
        """
        verdict = self._verdict(answer)
        executed = self._marking.gradebook.executed_notebook(verdict)
        place = verdict.answer_places.get(question.id)
        if executed is not None and (place is None or not place.pieces):
            place = _part(self._marking.assignment, question, executed)
        return self._marking.page_of(verdict, answer, question, shown_as, place=place)

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
