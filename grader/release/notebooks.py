"""Notebooks made from the reference solution: the students' and the instructor's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from grader.course.directory import Assignment
from grader.errors import SpecError
from grader.release.percent import INSTRUCTOR, SourceCell, read_percent
from grader.release.questions import identified
from grader.release.regions import MARKER_TRACE, solution_source, student_source

RELEASE_KEY = "grader"
"""Of a notebook's metadata: says which assignment it is, whatever the file is renamed to."""

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def student_notebook(assignment: Assignment) -> NotebookNode:
    """Make the notebook that students get: no solution, no instructor's cell, no output.

    Args:
        assignment: of one notebook, or one of `Assignment.notebooks`.

    Raises:
        SpecError: the reference cannot be made into a notebook; says where.
    """
    cells = read_percent(assignment.reference_path)
    _check_written_answers(assignment, cells)
    notebook = _notebook(cells, student_source, keep=lambda cell: not cell.for_instructors)
    notebook.metadata[RELEASE_KEY] = _release_of(assignment)
    for cell in notebook.cells:
        trace = MARKER_TRACE.search(cell.source)
        if trace:
            raise SpecError(
                f"the marker {trace[0]!r} is left in the students' cell {cell.id}",
                where=assignment.reference_path,
                hint="A marker must be a comment of its own line: `# BEGIN SOLUTION`.",
            )
    return notebook


def solution_notebook(assignment: Assignment) -> NotebookNode:
    """Make the instructor's notebook: solutions in place, markers and starters taken out.

    Raises:
        SpecError: the reference cannot be made into a notebook; says where.
    """
    notebook = notebook_of(assignment.reference_path)
    notebook.metadata[RELEASE_KEY] = _release_of(assignment)
    return notebook


def _release_of(assignment: Assignment) -> dict[str, str]:
    """What the metadata say: the assignment, and which of its notebooks where it has several."""
    named = {"notebook": assignment.notebook} if assignment.notebook else {}
    return {"assignment": assignment.name, **named}


def notebook_of(reference: Path) -> NotebookNode:
    """Make the instructor's notebook of a reference that lies anywhere.

    Raises:
        SpecError: the reference cannot be made into a notebook; says where.
    """
    return _notebook(read_percent(reference), solution_source)


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """Write a notebook as the same bytes each time."""
    text: str = nbformat.writes(notebook, version=4, sort_keys=True, ensure_ascii=False)
    return text.rstrip("\n").encode() + b"\n"


def _notebook(
    cells: Iterable[SourceCell],
    source: Callable[[SourceCell], str],
    *,
    keep: Callable[[SourceCell], bool] = lambda cell: True,
) -> NotebookNode:
    made = []
    # Identifiers are counted over all cells, so that both notebooks name a cell alike.
    for cell, identifier in identified(cells):
        if keep(cell):
            made.append(_cell(cell, identifier, source(cell)))
    notebook = v4.new_notebook(cells=made, metadata=_METADATA)
    nbformat.validate(notebook)
    return notebook


def _cell(cell: SourceCell, identifier: str, source: str) -> NotebookNode:
    make = {
        "code": v4.new_code_cell,
        "markdown": v4.new_markdown_cell,
        "raw": v4.new_raw_cell,
    }[cell.kind]
    tags = [tag for tag in cell.tags if tag != INSTRUCTOR]
    return make(source, id=identifier, metadata={"tags": tags} if tags else {})


def _check_written_answers(assignment: Assignment, cells: Iterable[SourceCell]) -> None:
    answered = {cell.answered_question: cell for cell in cells if cell.answered_question}
    known = {question.id for question in assignment.spec.questions}
    for question, cell in answered.items():
        if question not in known:
            raise SpecError(
                f"an answer to question {question!r}, which the spec does not have",
                where=cell.where(),
                hint=f"The questions are: {', '.join(sorted(known))}",
            )
