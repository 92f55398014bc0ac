"""Pages of a graded class, written again from what the gradebook holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from grader.course.directory import Course
from grader.errors import UsageError
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from grader.report.files import PageWriter


def write_report(course: Course, assignment: str, *, out: Path | None = None) -> Path:
    """Write all pages of an assignment again; returns the class page.

    Raises:
        UsageError: nothing has been graded yet.
    """
    chosen = course.assignment(assignment)
    with Gradebook(course.database_url) as gradebook:
        verdicts = gradebook.current(assignment, counts=chosen.spec.attempts.counts)
        if not verdicts:
            raise UsageError(
                f"nothing of {assignment} has been graded yet",
                hint=f"Run `grader grade {assignment} SOURCE` first.",
            )
        newest = gradebook.hand_marks.newest()
        writer = PageWriter(
            out or course.graded_dir / assignment,
            spec=chosen.spec,
            template_dirs=course.template_dirs,
        )
        for verdict in verdicts:
            given = marked_answers(verdict, newest)
            writer.student(verdict, executed_from(gradebook, verdict), given=given)
        return writer.class_page(verdicts)


def executed_from(gradebook: Gradebook, verdict: Verdict) -> Callable[[], bytes | None]:
    """Reads the executed notebook when it is wanted."""
    return lambda: gradebook.executed_notebook(verdict)
