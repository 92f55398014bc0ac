"""Points more or less than the machine's for a question, one by one or as a table."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from grader.course.directory import Assignment, Course
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from grader.gradebook.adjustment_sheet import AdjustmentSheet
from grader.gradebook.adjustments import adjustment_fact
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_marks import Change, HandMark
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Outcome, QuestionMark, Verdict
from grader.points import show, signed
from grader.suggestions import did_you_mean


def adjust(
    course: Course,
    student: str,
    item: str,
    question: str,
    points: Decimal | None,
    *,
    comment: str = "",
    who: str,
    why: str = "",
) -> list[HandMark]:
    """Give or take points beside the machine's, for one question of the submission that counts.

    Args:
        course, student: whose.
        item: an assignment, or an item of the course that has one.
        question: by its id.
        points: more, or less where negative; None takes an earlier adjustment back.
        comment: for the student.
        who: who marks.
        why: shown in the history.

    Raises:
        UsageError: no such question, nothing graded, or the question would leave 0 and its points.
    """
    assignment = _assignment(course, item)
    _check_question(assignment, question)
    with Gradebook(course.database_url) as gradebook:
        verdicts = {v.student: v for v in counted_verdicts(course, assignment, gradebook)}
        if student not in verdicts:
            raise UsageError(
                f"nothing of {student!r} is graded in {assignment.name}",
                hint=did_you_mean(student, verdicts),
            )
        change = change_of(verdicts[student], question, points, comment)
        return gradebook.hand_marks.record([change], who=who, why=why)


def export_adjustments(course: Course, item: str, question: str, path: Path) -> int:
    """Write a question's table with a line for each student that is graded; returns how many."""
    assignment = _assignment(course, item)
    _check_question(assignment, question)
    with Gradebook(course.database_url) as gradebook:
        marks = _marks(course, assignment, question, gradebook)
        newest = gradebook.hand_marks.newest(item=assignment.name)
    AdjustmentSheet(assignment.name, question, marks).write(path, newest)
    return len(marks)


def import_adjustments(
    course: Course, item: str, question: str, path: Path, *, who: str, why: str
) -> int:
    """Read the table back, all of it or nothing; returns how many adjustments are new.

    Raises:
        UsageError: a line can't be taken.
        GradebookError: one was changed since the table was written.
    """
    assignment = _assignment(course, item)
    _check_question(assignment, question)
    with Gradebook(course.database_url) as gradebook:
        marks = _marks(course, assignment, question, gradebook)
        changes, seen = AdjustmentSheet(assignment.name, question, marks).read(path, change_of)
        return len(gradebook.hand_marks.record(changes, who=who, why=why, seen=seen))


def change_of(verdict: Verdict, question: str, points: Decimal | None, comment: str) -> Change:
    """Return what the record takes of an adjustment; None takes an earlier one back.

    Raises:
        UsageError: no such question, or it would leave 0 and its points.
    """
    fact = adjustment_fact(verdict.student, verdict.assignment, question)
    if points is None:
        return Change(fact=fact)
    mark = next((q for q in verdict.questions if q.id == question), None)
    if verdict.outcome is not Outcome.GRADED or mark is None:
        raise UsageError(f"{verdict.student} has no points of the tests for {question}")
    machine = mark.points - mark.by_hand
    if not 0 <= machine + points <= mark.max_points:
        raise UsageError(_out_of_bounds(verdict.student, mark, machine, points))
    return Change(
        fact=fact,
        points=points,
        max_points=machine,
        comment=comment,
        answer_sha256=verdict.submission.sha256,
    )


def _out_of_bounds(student: str, mark: QuestionMark, machine: Decimal, points: Decimal) -> str:
    return (
        f"{student}: {mark.id}: {signed(points)} beside the {show(machine)} of the tests is not "
        f"between 0 and {show(mark.max_points)}: give {signed(-machine)} to "
        f"{signed(mark.max_points - machine)}"
    )


def _marks(
    course: Course, assignment: Assignment, question: str, gradebook: Gradebook
) -> list[tuple[Verdict, QuestionMark]]:
    return [
        (verdict, mark)
        for verdict in counted_verdicts(course, assignment, gradebook)
        for mark in verdict.questions
        if mark.id == question and verdict.outcome is Outcome.GRADED
    ]


def _assignment(course: Course, named: str) -> Assignment:
    """An assignment by its own name, or by the item of the course that it is graded for."""
    if named not in course.names() and course.course_file.is_file():
        item = load_scheme(course).item(named)
        if item is not None and item.assignment is not None:
            return course.assignment(item.assignment)
    return course.assignment(named)


def _check_question(assignment: Assignment, identifier: str) -> None:
    question = assignment.spec.question(identifier)
    if question is None:
        raise UsageError(
            f"{assignment.name} has no question {identifier!r}",
            hint=did_you_mean(identifier, [q.id for q in assignment.spec.questions]),
        )
    if not question.points:
        raise UsageError(
            f"{identifier} has no points from the tests to add to",
            hint=f"Its written answer is marked with `grader mark-answers {assignment.name}`.",
        )
