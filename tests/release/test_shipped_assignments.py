"""The assignments that ship can be released, and give nothing away."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from grader.course.directory import Course
from grader.release.bundle import release
from grader.release.leaks import find_leaks
from grader.release.notebooks import solution_notebook, student_notebook
from grader.resources import shipped_dir
from grader.source.cells import parse_cell

COURSE = Course(shipped_dir("assignments").parent)

pytestmark = pytest.mark.parametrize("name", COURSE.names())


def defined(source: str) -> set[str]:
    """List the functions and classes of a cell."""
    tree = parse_cell(source) or ast.Module([], [])
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_no_trace_of_the_solution_is_released(name: str) -> None:
    assert [str(leak) for leak in find_leaks(COURSE.assignment(name))] == []


def test_students_find_every_name_of_the_solution_in_place(name: str) -> None:
    assignment = COURSE.assignment(name)
    given, solved = (
        set().union(*(defined(c.source) for c in notebook.cells if c.cell_type == "code"))
        for notebook in (student_notebook(assignment), solution_notebook(assignment))
    )
    assert given <= solved
    # A solution may have helpers of its own; what a hidden suite asks for must be in place.
    asked = " ".join(path.read_text() for path in assignment.hidden_dir.glob("*.py"))
    assert not [name for name in solved - given if re.search(rf"student\.{name}\b", asked)]


def test_there_is_something_left_to_do(name: str) -> None:
    text = "\n".join(cell.source for cell in student_notebook(COURSE.assignment(name)).cells)
    assert "NotImplementedError" in text


def test_every_question_by_hand_has_an_answer_cell(name: str) -> None:
    assignment = COURSE.assignment(name)
    notebook = student_notebook(assignment)
    answers = {cell.id for cell in notebook.cells if cell.id.endswith("-answer")}
    written = {f"{q.id}-answer" for q in assignment.spec.questions if q.manual and not q.points}
    assert written <= answers


def test_it_is_released_as_the_same_bytes_each_time(name: str, tmp_path: Path) -> None:
    assignment = COURSE.assignment(name)
    first = release(assignment, tmp_path / "one").zip.read_bytes()
    assert release(assignment, tmp_path / "two").zip.read_bytes() == first
