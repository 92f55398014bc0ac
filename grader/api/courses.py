"""A course and what it releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from grader.course.catalog import init_course
from grader.course.directory import Assignment, Course, check_assignment

if TYPE_CHECKING:
    from grader.release.bundle import ReleasedBundle

__all__ = ["find_course", "init_course", "release"]


def find_course(start: Path | str | None = None) -> Course:
    """The course directory that `start` (or the working directory) lies in."""
    return Course.find(Path(start) if start is not None else None)


def _check_rules(assignment: Assignment) -> None:
    from grader.release.notebooks import solution_notebook
    from grader.rules.checking import check_reference_keeps_rules, check_rule_names, has_rules

    if has_rules(assignment.spec):  # what follows imports torch
        for part in assignment.notebooks:
            check_rule_names(part.spec, part.reference_path, part.name)
            cells = [c.source for c in solution_notebook(part).cells if c.cell_type == "code"]
            check_reference_keeps_rules(part.spec, cells, part.name)


def release(course: Course, assignment: str, *, out: Path | None = None) -> ReleasedBundle:
    """Write the folder and the zip that students get; the same input gives the same bytes."""
    from grader.release.bundle import release as write_release  # takes half a second

    chosen = course.assignment(assignment)
    check_assignment(chosen)
    _check_rules(chosen)
    return write_release(chosen, out or course.released_dir)
