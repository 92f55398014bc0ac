"""nbgrader's source notebooks: cells that its metadata marks as solutions, tests and tasks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from grader.conversion.companion_files import with_pictures
from grader.conversion.draft import Draft, DraftTest
from grader.conversion.fitted_questions import points_of, question_title
from grader.conversion.foreign_system import ForeignSystem
from grader.conversion.notebook_file import ForeignCell, read_cells
from grader.conversion.reading import DraftReading
from grader.conversion.solutions import whole_cell, with_starters, written
from grader.conversion.source_text import without_markers

_HIDDEN = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
_SCHEME = ("BEGIN MARK SCHEME", "END MARK SCHEME")
_MARKED = re.compile(r"BEGIN SOLUTION")
_TEXT_MARK = re.compile(r"^\W*(BEGIN|END) SOLUTION\W*$", re.MULTILINE)
_AUTOTEST = re.compile(r"^\s*#+\s*(HASHED )?AUTOTEST\b", re.MULTILINE)
_IGNORED = frozenset({".ipynb", ".pyc", ".log"})
_OWN = frozenset({"hidden", "public", "samples", "tests", "README.md", "requirements.txt"})


class NbgraderImport(ForeignSystem):
    """https://nbgrader.readthedocs.io, 0.9: folders below source/."""

    name = "nbgrader"
    help = """Take over an assignment of nbgrader's.

    SOURCE is a folder of nbgrader's source/, or one notebook of it. Solution cells become solution
    regions, each graded test cell a hidden test with its points, what students may see of it a
    public test; answers and tasks that a person marks become written answers.

    \b
    Example:
      grader import nbgrader course101/source/ps1 --name tensors
    """

    def read(self, notebook: Path) -> Draft:
        """Read a notebook of nbgrader's folder `source`."""
        reading = DraftReading(notebook)
        for cell in read_cells(notebook):
            marks = cell.metadata.get("nbgrader")
            marks = marks if isinstance(marks, dict) else {}
            _read(with_pictures(cell, reading.pictures), marks, reading)
        return reading.draft(
            notebook.stem,
            nothing="no cell of this notebook gives points",
            hint="Import the notebook of nbgrader's folder source/, not a released one.",
        )

    def files(self, notebook: Path, folder: Path | None) -> list[Path]:
        """What lies in the folder and is no notebook and of no use to a test."""
        beside = sorted(folder.resolve().iterdir()) if folder else []
        return [p for p in beside if p.suffix not in _IGNORED and p.name not in _OWN]


def _read(cell: ForeignCell, marks: dict[str, Any], reading: DraftReading) -> None:
    graded, solution = marks.get("grade") is True, marks.get("solution") is True
    if cell.kind == "markdown":
        # An answer asks nothing: what is in bold in it heads no question.
        reading.head(cell, None if solution else question_title(cell.source))
    if marks.get("task") is True:
        _read_task(cell, marks, reading)
    elif graded and not solution and cell.kind == "code":
        _read_test(cell, marks, reading)
    elif graded:
        _read_manual(cell, marks, reading)
    elif solution:
        reading.show(cell, _solution(cell), editable=True)
    else:
        if _MARKED.search(cell.source):
            what = "it holds a solution and is not marked as a solution cell; it is treated as one"
            reading.look(cell.place, what)
        reading.show(cell, with_starters(cell.source))


def _read_test(cell: ForeignCell, marks: dict[str, Any], reading: DraftReading) -> None:
    points = points_of(marks.get("points", 0), cell.place)
    name = str(marks.get("grade_id", ""))
    if not points:
        reading.look(cell.place, f"the test {name} gives no points: it is left out")
        return
    source, hidden = without_markers(cell.source, _HIDDEN)
    question = reading.ids.make(name or f"cell{cell.place.cell}")
    reading.ask(question, reading.heading or name or f"Cell {cell.place.cell}", points=points)
    reading.cells.append(
        DraftTest(
            place=cell.place,
            name=question,
            question=question,
            source=source,
            points=points,
            hidden=hidden,
            value_counts=True,
            by_solution=bool(_AUTOTEST.search(source)),
        )
    )


def _read_manual(cell: ForeignCell, marks: dict[str, Any], reading: DraftReading) -> None:
    """An answer that a person marks: a text, or code."""
    question = _manual_question(cell, marks, reading)
    answer = _solution(cell)
    if cell.kind == "code" and question:
        what = f"the answer to {question} is code: read it on the instructors' page and mark it"
        reading.look(cell.place, what)
    elif question:
        answer = f"**Answer {question}.**\n\n{answer}"
    reading.show(cell, answer, editable=True)


def _read_task(cell: ForeignCell, marks: dict[str, Any], reading: DraftReading) -> None:
    """A task: its text is given, and students answer in cells of their own below it."""
    question = _manual_question(cell, marks, reading)
    lines = list(enumerate(cell.source.split("\n")))
    _, inside = without_markers(cell.source, _SCHEME)
    reading.show(cell, "\n".join(line for i, line in lines if i not in inside).strip("\n"))
    if question:
        model = [t for i, t in lines if i in inside and not any(mark in t for mark in _SCHEME)]
        answer = "\n".join(model).strip("\n") or "(The source has no model answer.)"
        reading.show(cell, f"**Answer {question}.**\n\n{written(answer)}", editable=True)


def _manual_question(cell: ForeignCell, marks: dict[str, Any], reading: DraftReading) -> str | None:
    points = points_of(marks.get("points", 0), cell.place)
    if not points:
        return None
    name = str(marks.get("grade_id", "")) or f"cell{cell.place.cell}"
    question = reading.ids.make(name)
    reading.ask(question, reading.heading or name, manual=points)
    return question


def _solution(cell: ForeignCell) -> str:
    marked = bool(_MARKED.search(cell.source))
    if cell.kind == "code":
        return with_starters(cell.source if marked else whole_cell(cell.source))
    return _TEXT_MARK.sub(r"<!-- \1 SOLUTION -->", cell.source) if marked else written(cell.source)
