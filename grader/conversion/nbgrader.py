"""nbgrader's source notebooks: cells that its metadata marks as solutions, tests and tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.conversion.companion_files import with_pictures
from grader.conversion.draft import Draft, DraftCell, DraftQuestion, DraftTest, Remark
from grader.conversion.fitted_questions import (
    Ids,
    first_heading,
    heading,
    points_of,
    question_title,
)
from grader.conversion.notebook_file import ForeignCell, read_cells
from grader.conversion.solutions import whole_cell, with_starters, written
from grader.conversion.source_text import without_markers
from grader.errors import SpecError

_HIDDEN = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
_MARKED = re.compile(r"BEGIN SOLUTION")
_BY_AUTOTEST = "nbgrader makes its assertions by running the solution (AUTOTEST)"
_AUTOTEST = re.compile(r"^\s*#+\s*(HASHED )?AUTOTEST\b", re.MULTILINE)


@dataclass
class _NbgraderReading:
    """What has been read of one notebook so far."""

    cells: list[DraftCell | DraftTest] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    ids: Ids = field(default_factory=Ids)
    title: str | None = None
    heading: str | None = None
    pictures: dict[str, bytes] = field(default_factory=dict)


def read_nbgrader(path: Path) -> Draft:
    """Read a notebook of nbgrader's folder `source`.

    Raises:
        SpecError: it is no such notebook, or nothing in it gives points.
    """
    reading = _NbgraderReading()
    for cell in read_cells(path):
        _read(with_pictures(cell, reading.pictures), reading)
    if not reading.questions:
        raise SpecError(
            "no cell of this notebook gives points",
            where=path,
            hint="Import the notebook of nbgrader's folder source/, not a released one.",
        )
    return Draft(
        title=reading.title or path.stem,
        cells=tuple(reading.cells),
        questions=tuple(reading.questions),
        remarks=tuple(reading.remarks),
        pictures=reading.pictures,
    )


def _read(cell: ForeignCell, reading: _NbgraderReading) -> None:
    marks = cell.metadata.get("nbgrader")
    marks = marks if isinstance(marks, dict) else {}
    if cell.kind == "markdown":
        reading.title = reading.title or first_heading(cell.source)
        reading.heading = heading(cell.source) or _lead(cell, marks) or reading.heading
    graded, solution = marks.get("grade") is True, marks.get("solution") is True
    if marks.get("task") is True:
        _read_task(cell, marks, reading)
    elif graded and not solution and cell.kind == "code":
        _read_test(cell, marks, reading)
    elif graded:
        _read_manual(cell, marks, reading)
    elif solution:
        reading.cells.append(_plain(cell, _solution(cell), editable=True))
    else:
        if _MARKED.search(cell.source):
            what = "it holds a solution and is not marked as a solution cell; it is taken for one"
            reading.remarks.append(Remark("look", str(cell.place), what))
        reading.cells.append(_plain(cell, with_starters(cell.source)))


def _lead(cell: ForeignCell, marks: dict[str, Any]) -> str | None:
    """What a text that asks something is headed by; an answer is none of those."""
    return None if marks.get("solution") is True else question_title(cell.source)


def _read_test(cell: ForeignCell, marks: dict[str, Any], reading: _NbgraderReading) -> None:
    points = points_of(marks.get("points", 0), cell.place)
    name = str(marks.get("grade_id", ""))
    source, hidden = without_markers(cell.source, _HIDDEN)
    if not points:
        what = f"the test {name} gives no points: it is left out"
        reading.remarks.append(Remark("look", str(cell.place), what))
        return
    question = reading.ids.make(name or f"cell{cell.place.cell}")
    title = reading.heading or name or f"Cell {cell.place.cell}"
    reading.questions.append(
        DraftQuestion(id=question, title=title, points=points, manual=Decimal(0))
    )
    reading.cells.append(
        DraftTest(
            place=cell.place,
            name=question,
            question=question,
            source=source,
            points=points,
            hidden=hidden,
            value_counts=True,
            unfinished=_BY_AUTOTEST if _AUTOTEST.search(source) else "",
        )
    )


def _read_manual(cell: ForeignCell, marks: dict[str, Any], reading: _NbgraderReading) -> None:
    """An answer that a person marks: a text, or code."""
    question = _manual_question(cell, marks, reading)
    if cell.kind == "code":
        reading.cells.append(_plain(cell, _solution(cell), editable=True))
        if question:
            what = f"the answer to {question} is code: read it on the instructors' page and mark it"
            reading.remarks.append(Remark("look", str(cell.place), what))
        return
    answer = cell.source if _MARKED.search(cell.source) else written(cell.source)
    answer = re.sub(r"^\W*BEGIN SOLUTION\W*$", "<!-- BEGIN SOLUTION -->", answer, flags=re.M)
    answer = re.sub(r"^\W*END SOLUTION\W*$", "<!-- END SOLUTION -->", answer, flags=re.M)
    head = f"**Answer {question}.**\n\n" if question else ""
    reading.cells.append(_plain(cell, head + answer, editable=True))


def _read_task(cell: ForeignCell, marks: dict[str, Any], reading: _NbgraderReading) -> None:
    """A task: its text is given, and students answer in cells of their own below it."""
    question = _manual_question(cell, marks, reading)
    lines = cell.source.split("\n")
    text: list[str] = []
    model: list[str] = []
    within = False
    for line in lines:
        if "BEGIN MARK SCHEME" in line:
            within = True
        elif "END MARK SCHEME" in line:
            within = False
        else:
            (model if within else text).append(line)
    reading.cells.append(_plain(cell, "\n".join(text).strip("\n")))
    if question:
        answer = "\n".join(model).strip("\n") or "(The source has no model answer.)"
        reading.cells.append(
            _plain(cell, f"**Answer {question}.**\n\n{written(answer)}", editable=True)
        )


def _manual_question(
    cell: ForeignCell, marks: dict[str, Any], reading: _NbgraderReading
) -> str | None:
    points = points_of(marks.get("points", 0), cell.place)
    if not points:
        return None
    name = str(marks.get("grade_id", "")) or f"cell{cell.place.cell}"
    question = reading.ids.make(name)
    reading.questions.append(
        DraftQuestion(id=question, title=reading.heading or name, points=Decimal(0), manual=points)
    )
    return question


def _solution(cell: ForeignCell) -> str:
    if cell.kind != "code":
        return cell.source if _MARKED.search(cell.source) else written(cell.source)
    source = cell.source if _MARKED.search(cell.source) else whole_cell(cell.source)
    return with_starters(source)


def _plain(cell: ForeignCell, source: str, *, editable: bool = False) -> DraftCell:
    return DraftCell(place=cell.place, kind=cell.kind, source=source, editable=editable)


def notebooks_of(source: Path) -> Iterator[Path]:
    """The notebooks of an assignment: the one that is named, or those of its folder."""
    if source.is_file():
        yield source
        return
    yield from sorted(p for p in source.glob("*.ipynb") if p.is_file())
