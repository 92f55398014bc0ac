"""The released notebook with an attack added: what a dishonest student would hand in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbformat import v4

from grader.api.attacks.corpus import Attack
from grader.course.directory import Assignment
from grader.release.notebooks import notebook_bytes, student_notebook
from grader.release.percent import read_percent
from grader.release.regions import solution_source, student_source


def names_to_write(assignment: Assignment) -> dict[str, str]:
    """The functions and classes that are left to students: their names, and which they are."""
    return dict(_names(assignment))


def _names(assignment: Assignment) -> Iterator[tuple[str, str]]:
    for cell in read_percent(assignment.reference_path):
        if cell.kind != "code":
            continue
        solved, released = solution_source(cell), student_source(cell)
        if solved == released:
            continue
        given = {name: text for name, _, text in _definitions(released)}
        for name, what, text in _definitions(solved):
            if given.get(name) != text:
                yield name, what


def _definitions(source: str) -> Iterator[tuple[str, str, str]]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a cell with magics defines nothing that a suite could ask for
        return
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name, "class", ast.dump(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, "function", ast.dump(node)


def attack_notebook(assignment: Assignment, attack: Attack) -> bytes:
    """The released notebook with the attack in cells at its end."""
    notebook = student_notebook(assignment)
    reference = assignment.reference_path.read_text(encoding="utf-8")
    sources = attack.cells(names_to_write(assignment), reference)
    notebook.cells += [
        v4.new_code_cell(source, id=f"attack-{number}") for number, source in enumerate(sources, 1)
    ]
    return notebook_bytes(notebook)
