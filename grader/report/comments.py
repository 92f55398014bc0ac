"""What is said on a student's work in a few lines of plain text, for a system's own comments."""

from __future__ import annotations

import datetime as dt

from grader.course.spec import AssignmentSpec
from grader.gradebook.standings import Standing
from grader.gradebook.whole_mark import Given
from grader.grading.verdict import Outcome, Verdict
from grader.points import show, signed
from grader.report.marks import QuestionSheet, aware, mark_sheet, with_due
from grader.report.text import clean

_MAX_LINE = 2000


def comment_lines(
    verdict: Verdict,
    *,
    spec: AssignmentSpec,
    now: dt.datetime,
    given: Given,
    standing: Standing,
) -> list[str]:
    """Return what the student may read now: the points by question, and people's comments.

    None where there is no mark. Text of the student's own is not among it.
    """
    sheet = mark_sheet(
        verdict,
        spec=with_due(spec, standing.shown_from),
        audience="student",
        now=aware(now) or now,
        given=given,
        by_hand=standing.by_hand,
    )
    if sheet.whole is None:
        return []
    whole = sheet.whole
    waits = f", {show(whole.waits)} {whole.verb}" if whole.waits else ""
    so_far = "" if sheet.complete else " so far"
    lines = [f"{show(whole.points)} of {show(whole.max_points)} points{so_far}{waits}."]
    if standing.late:
        lines.append(f"Late: {standing.late}.")
    if verdict.outcome is not Outcome.GRADED:
        lines.append(f"The submission could not be read: {verdict.reason}")
    for question in sheet.questions:
        lines += _of_question(question, given)
    return [" ".join(clean(line).split())[:_MAX_LINE] for line in lines]


def absent_lines(standing: Standing) -> list[str]:
    """Return what is said to who handed in nothing; nothing before it is due."""
    if standing.excused:
        return ["Excused: this does not count."]
    if standing.by_hand or not standing.absent or not standing.overdue:
        return []
    return ["Nothing was handed in."]


def _of_question(question: QuestionSheet, given: Given) -> list[str]:
    name = question.id if question.title in {"", question.id} else f"{question.id} {question.title}"
    lines = []
    if question.waits and question.waits == question.whole_max:
        lines.append(f"{name}: {show(question.waits)} to be marked by a person")
    elif question.whole_max or question.whole:
        waits = f", {show(question.waits)} to be marked by a person" if question.waits else ""
        lines.append(f"{name}: {show(question.whole)} of {show(question.whole_max)}{waits}")
    if question.by_hand or question.comment:
        lines.append(f"{name}, {signed(question.by_hand)} by hand: {question.comment}".rstrip(": "))
    if comment := given.get(question.id, (None, ""))[1]:
        lines.append(f"{name}: {comment}")
    return lines
