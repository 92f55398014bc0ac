"""The pages that students may get, as `grader report` has written them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from grader.course.directory import Course
from grader.course.roster import load_roster
from grader.gradebook.store import Gradebook
from grader.report.files import file_name


def everybody(course: Course, gradebook: Gradebook) -> set[str]:
    """Return all who are on the roster or have a verdict or a mark."""
    graded = (gradebook.students(name) for name in course.names())
    return set(load_roster(course).people).union(gradebook.hand_marks.students(), *graded)


def student_pages(course: Course, name: str, students: Iterable[str]) -> dict[str, Path]:
    """Return the page of each student, of those who have one; a stray file is nobody's.

    Args:
        course: whose pages.
        name: of an assignment, or "totals".
        students: whose pages may be there, also of those who handed in nothing.
    """
    folder = course.graded_dir / name / "students"
    pages = {s: folder / f"{file_name(s)}.html" for s in sorted(students)}
    return {s: page for s, page in pages.items() if page.is_file() and not page.is_symlink()}
