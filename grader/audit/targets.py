"""The cells of an assignment that students write, and their mutants."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from nbformat import NotebookNode

from grader.audit.reach import NotebookNames
from grader.course.directory import Assignment
from grader.mutation.mutants import Mutant, mutants_of
from grader.release.notebooks import notebook_bytes, solution_notebook
from grader.release.percent import SourceCell, read_percent
from grader.release.regions import solution_source, student_source
from grader.source.cells import read_cell


@dataclass(frozen=True)
class Target:
    """A notebook of an assignment, solved, whose solutions can be changed.

    `part` is the assignment, cut down to that notebook where it has several.
    """

    part: Assignment

    @cached_property
    def solution(self) -> NotebookNode:
        """The reference as a notebook."""
        return solution_notebook(self.part)

    @cached_property
    def cells(self) -> tuple[SourceCell, ...]:
        """The cells of the reference, as many as `solution` has."""
        return read_percent(self.part.reference_path)

    @cached_property
    def names(self) -> NotebookNames:
        """What its cells define and need."""
        read = {
            index: cell.source
            for index, cell in enumerate(self.solution.cells)
            if cell.cell_type == "code" and _is_python(cell.source)
        }
        return NotebookNames(read, set(self._written))

    @cached_property
    def _written(self) -> dict[int, set[int]]:
        """The lines of each cell's solution, from 1, that are left to students."""
        found = {}
        for index, cell in enumerate(self.cells):
            if cell.kind == "code" and not cell.for_instructors:
                lines = _written_lines(solution_source(cell), student_source(cell))
                if lines:
                    found[index] = lines
        return found

    def mutants(self) -> list[Mutant]:
        """Every mutant of the lines that are left to students.

        Raises:
            SpecError: the regions of the reference are wrong.
        """
        found: list[Mutant] = []
        for index, lines in self._written.items():
            found += mutants_of(solution_source(self.cells[index]), lines, cell=index)
        return found

    def mutated(self, mutant: Mutant, keep: Collection[int] | None = None) -> bytes:
        """Return the solved notebook with one mistake in it.

        Args:
            mutant: of this notebook.
            keep: the code cells that are kept; default all.
        """
        return self._bytes({mutant.cell: mutant.source}, keep)

    def solved(self, keep: Collection[int] | None = None) -> bytes:
        """Return the solved notebook, or those of its code cells that are kept."""
        return self._bytes({}, keep)

    def _bytes(self, sources: dict[int, str], keep: Collection[int] | None) -> bytes:
        notebook = NotebookNode(self.solution)
        notebook.cells = [
            NotebookNode(cell, source=sources.get(index, cell.source))
            for index, cell in enumerate(self.solution.cells)
            if keep is None or index in keep or cell.cell_type != "code"
        ]
        return notebook_bytes(notebook)


def targets(assignment: Assignment) -> list[Target]:
    """The notebooks of an assignment."""
    return [Target(part) for part in assignment.notebooks]


def _written_lines(solved: str, released: str) -> set[int]:
    """The lines, from 1, of a solution that are not in what students get."""
    given = set(released.splitlines())
    return {n for n, line in enumerate(solved.splitlines(), 1) if line not in given}


def _is_python(source: str) -> bool:
    read = read_cell(source)
    if not read.is_python or read.magics:
        return False
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
