"""Submissions that the house makes itself, to try an assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nbformat import NotebookNode

from grader.course.directory import Assignment
from grader.grading.job import Job
from grader.release.notebooks import notebook_bytes


def bytes_of_notebooks(
    assignment: Assignment, make: Callable[[Assignment], NotebookNode]
) -> dict[str, bytes]:
    """Make each notebook of an assignment, by its name; "" where it has one alone.

    Raises:
        SpecError: a reference cannot be made into a notebook; says where.
    """
    return {part.notebook: notebook_bytes(make(part)) for part in assignment.notebooks}


def job_of_notebooks(student: str, notebooks: Mapping[str, bytes]) -> Job:
    """Return the submission of them."""
    first, *others = notebooks
    return Job(
        student=student,
        file=f"{student}.ipynb",
        data=notebooks[first],
        notebook=first,
        files={f"{name}.ipynb": notebooks[name] for name in others},
        sha256=student,
    )
