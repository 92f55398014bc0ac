"""An assignment of another system, taken apart: cells, tests, questions, and what to look at."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.errors import SpecError
from grader.points import Points
from grader.source.cells import parse_cell

CellKind = Literal["code", "markdown", "raw"]
RemarkKind = Literal["unfinished", "weaker", "look"]


@dataclass(frozen=True, order=True)
class CellPlace:
    """Where something stands in the source: a file and a cell, counted from 1."""

    file: str
    cell: int

    def lines(self, *numbers: int) -> str:
        """Name lines of the cell by their numbers, counted from 1."""
        named = ", ".join(map(str, numbers))
        return f"{self}, {'line' if len(numbers) == 1 else 'lines'} {named}"

    def __str__(self) -> str:
        return f"{self.file}, cell {self.cell}"


@dataclass(frozen=True)
class Remark:
    """Something that a person must know about the import.

    `unfinished`: a test that could not be turned; the assignment can't be graded before it is
    mended. `weaker`: turned, but it holds less than before. `look`: turned otherwise than written.
    """

    kind: RemarkKind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class DraftCell:
    """A cell that students see; solutions in it are marked as our references mark them."""

    place: CellPlace
    kind: CellKind
    source: str
    editable: bool = False

    @property
    def statements(self) -> list[ast.stmt]:
        """What it holds as Python; nothing where it holds something else."""
        tree = parse_cell(self.source) if self.kind == "code" else None
        return tree.body if tree else []

    @property
    def has_solution(self) -> bool:
        """Whether a part of it is the student's."""
        return "BEGIN SOLUTION" in self.source or "# SOLUTION" in self.source


@dataclass(frozen=True, kw_only=True)
class DraftTest:
    """A cell that checks: its lines are numbered as in the source, markers left blank.

    `hidden` holds the indices of the lines that students may not see. `value_counts` says that the
    value of the last line may stand for points, as it does for nbgrader; `by_solution` that the
    other system makes its assertions by running the solution.
    """

    place: CellPlace
    name: str
    question: str
    source: str
    points: Points
    hidden: frozenset[int] = frozenset()
    value_counts: bool = False
    by_solution: bool = False
    hint: str = ""

    @property
    def visible_source(self) -> str:
        """The cell without the lines that are hidden; the others keep their numbers."""
        lines = self.source.split("\n")
        return "\n".join("" if i in self.hidden else line for i, line in enumerate(lines))


@dataclass(frozen=True, kw_only=True)
class DraftQuestion:
    """A question with its points: from tests, and from a person."""

    id: str
    title: str
    points: Points
    manual: Points


@dataclass(frozen=True, kw_only=True)
class Draft:
    """All of an assignment, in the order of its notebook.

    `pictures` are those pasted into text, by the paths at which the text finds them now.
    """

    title: str
    cells: tuple[DraftCell | DraftTest, ...]
    questions: tuple[DraftQuestion, ...]
    remarks: tuple[Remark, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def tests(self) -> tuple[DraftTest, ...]:
        """The cells that check."""
        return tuple(cell for cell in self.cells if isinstance(cell, DraftTest))

    @property
    def shown(self) -> tuple[DraftCell, ...]:
        """The cells that students see."""
        return tuple(cell for cell in self.cells if isinstance(cell, DraftCell))


def wrong(what: str, where: object) -> SpecError:
    """The error of a source that only its author can mend."""
    return SpecError(what, where=where, hint="Fix the source and import it again.")
