"""Pages of a graded class, written again from what the gradebook holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from grader.course.directory import Assignment, Course
from grader.errors import UsageError
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.reuse import key_of
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from grader.intake.pseudonyms import pseudonyms
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
        aliases = aliases_of(course, chosen, verdicts)
        names = {key_of(e.verdict): e.name for e in gradebook.holding(assignment)}
        for verdict in verdicts:
            writer.student(
                verdict,
                executed_from(gradebook, verdict),
                given=marked_answers(verdict, newest),
                alias=aliases.get(verdict.student, ""),
                entry=names[key_of(verdict)],
            )
        writer.leaderboard(verdicts, aliases)
        return writer.class_page(verdicts)


def aliases_of(
    course: Course, assignment: Assignment, verdicts: Sequence[Verdict]
) -> dict[str, str]:
    """The name of each student on the leaderboard; none where there is no leaderboard.

    Raises:
        InfrastructureError: the course's secret can't be read or written.
    """
    if assignment.spec.leaderboard is None:
        return {}
    return pseudonyms((v.student for v in verdicts), root=course.root)


def executed_from(gradebook: Gradebook, verdict: Verdict) -> Callable[[], bytes | None]:
    """Reads the executed notebook when it is wanted."""
    return lambda: gradebook.executed_notebook(verdict)
