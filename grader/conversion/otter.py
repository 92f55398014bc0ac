"""Otter-assign's master notebooks: blocks between raw cells, configured in YAML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.conversion.companion_files import named, with_pictures
from grader.conversion.draft import Draft, DraftCell, DraftQuestion, DraftTest, Remark
from grader.conversion.fitted_questions import (
    Ids,
    first_heading,
    heading,
    points_of,
    question_title,
)
from grader.conversion.notebook_file import ForeignCell, read_cells
from grader.conversion.otter_lines import solution_cell, without_ignored
from grader.conversion.otter_tests import Case, load_yaml, read_case, with_points
from grader.conversion.solutions import written
from grader.errors import SpecError

_BOUNDARY = re.compile(
    r"#\s+(?P<which>BEGIN|END)\s+(?P<block>QUESTION|SOLUTION|PROMPT|TESTS)\b", re.IGNORECASE
)
_CONFIG = re.compile(r"#\s+ASSIGNMENT\s+CONFIG\b", re.IGNORECASE)
_IGNORED = re.compile(r"(##\s*ignore\s*##\s*|#\s*ignore\s*)", re.IGNORECASE)
# A notebook that nbconvert has shown, as Otter's own documentation has it.
_SHOWN_RAW = re.compile(r"\s*<div\b.*?<pre>\n?(?P<inner>.*?)</pre>", re.DOTALL)
_OLD = re.compile(r"^```\s*\n\s*BEGIN QUESTION\b", re.MULTILINE)
_FENCE = re.compile(r"^```otter\s*\n(?P<inner>.*?)^```\s*$\n?", re.DOTALL | re.MULTILINE)


@dataclass
class _Question:
    place: Any
    config: dict[str, Any]
    id: str
    heading: str | None = None
    cases: list[Case] = field(default_factory=list)
    answered: bool = False

    @property
    def manual(self) -> bool:
        return self.config.get("manual") is True


@dataclass
class _OtterReading:
    config: dict[str, Any] = field(default_factory=dict)
    cells: list[DraftCell | DraftTest] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    ids: Ids = field(default_factory=Ids)
    blocks: list[str] = field(default_factory=list)
    question: _Question | None = None
    title: str | None = None
    heading: str | None = None
    pictures: dict[str, bytes] = field(default_factory=dict)

    @property
    def doctests(self) -> bool:
        """Whether tests compare what they show, or raise."""
        tests = self.config.get("tests")
        return not (isinstance(tests, dict) and tests.get("ok_format") is False)


def read_otter(path: Path) -> Draft:
    """Read a master notebook.

    Raises:
        SpecError: it is none, its blocks are wrong, or nothing in it gives points.
    """
    reading = _OtterReading()
    for cell in _unfenced(read_cells(path)):
        if not _IGNORED.match(cell.source):
            _read(with_pictures(cell, reading.pictures), reading)
    if reading.blocks:
        raise SpecError(
            f"a block is not ended: BEGIN {reading.blocks[-1].upper()}",
            where=path,
            hint="Mend the source and import it again.",
        )
    if not reading.questions:
        raise SpecError(
            "no question of this notebook gives points",
            where=path,
            hint="It is written for Otter 3 or older, which marked questions in text: write its "
            "questions as raw cells first, as Otter 4 and later read them."
            if any(_OLD.search(cell.source) for cell in read_cells(path))
            else "Import the master notebook that you give to `otter assign`.",
        )
    return Draft(
        title=reading.title or str(reading.config.get("name") or path.stem),
        cells=tuple(reading.cells),
        questions=tuple(reading.questions),
        remarks=tuple(reading.remarks),
        pictures=reading.pictures,
    )


def data_files(path: Path) -> list[Path]:
    """The files that a master notebook gives to students; those outside its folder are left."""
    config: dict[str, Any] = {}
    for cell in _unfenced(read_cells(path)):
        if cell.kind == "raw" and _CONFIG.match(cell.source):
            config = _mapping(cell)
    return [
        file
        for key in ("files", "student_files")
        for file in named(config.get(key), path.parent.resolve())
    ]


def _read(cell: ForeignCell, reading: _OtterReading) -> None:
    if cell.kind == "raw":
        if _CONFIG.match(cell.source):
            reading.config |= _mapping(cell)
            return
        boundary = _BOUNDARY.match(cell.source)
        if boundary:
            _cross(cell, boundary["which"].upper(), boundary["block"].lower(), reading)
            return
    if cell.kind == "markdown" and "solution" not in reading.blocks:
        reading.title = reading.title or first_heading(cell.source)
        reading.heading = heading(cell.source) or reading.heading
        if reading.question and reading.question.heading is None:
            reading.question.heading = question_title(cell.source)
    block = reading.blocks[-1] if reading.blocks else ""
    if block == "tests" and reading.question is not None:
        if cell.kind == "code":
            case, remarks = read_case(cell, doctests=reading.doctests)
            reading.question.cases.append(case)
            reading.remarks += remarks
    elif block == "solution" and reading.question is not None:
        _read_solution(cell, reading, reading.question)
    elif block == "prompt" and cell.kind == "markdown" and reading.question is not None:
        pass  # our release has a placeholder of its own
    else:
        source = without_ignored(cell.source) if cell.kind == "code" else cell.source
        reading.cells.append(DraftCell(place=cell.place, kind=cell.kind, source=source))


def _cross(cell: ForeignCell, which: str, block: str, reading: _OtterReading) -> None:
    if which == "BEGIN":
        if (block == "question") == bool(reading.blocks):
            inside = f"inside {reading.blocks[-1]}" if reading.blocks else "outside a question"
            raise _wrong(cell, f"BEGIN {block.upper()} {inside}")
        reading.blocks.append(block)
        if block == "question":
            config = _mapping(cell)
            name = str(config.get("name") or f"cell{cell.place.cell}")
            reading.question = _Question(cell.place, config, reading.ids.make(name))
        return
    if not reading.blocks or reading.blocks[-1] != block:
        raise _wrong(cell, f"END {block.upper()} without its BEGIN")
    reading.blocks.pop()
    if block == "question" and reading.question is not None:
        _end_question(reading, reading.question)
        reading.question = None


def _read_solution(cell: ForeignCell, reading: _OtterReading, question: _Question) -> None:
    if cell.kind == "code":
        source = solution_cell(cell.source)
        if "SOLUTION" not in source:
            what = "a cell of a solution without a marked line: students see all of it, as before"
            reading.remarks.append(Remark("look", str(cell.place), what))
    elif question.answered:
        source = written(cell.source)
    else:
        question.answered = True
        source = f"**Answer {question.id}.**\n\n{written(cell.source)}"
    if cell.kind != "raw":
        made = DraftCell(place=cell.place, kind=cell.kind, source=source, editable=True)
        reading.cells.append(made)


def _end_question(reading: _OtterReading, question: _Question) -> None:
    stated = question.config.get("points")
    title = question.heading or reading.heading or question.id
    if question.manual or not question.cases:
        points = points_of(1 if stated is None and question.manual else stated or 0, question.place)
        if not points:
            what = "the question has no tests and gives no points"
            reading.remarks.append(Remark("look", str(question.place), what))
            return
        if question.cases:
            what = "a person marks this question; its tests are left out"
            reading.remarks.append(Remark("look", str(question.place), what))
        reading.questions.append(
            DraftQuestion(id=question.id, title=title, points=Decimal(0), manual=points)
        )
        return
    cases = with_points(question.cases, stated, question.place)
    total = sum((case.points or Decimal(0) for case in cases), Decimal(0))
    if not total:
        what = "the question gives no points: its tests are left out"
        reading.remarks.append(Remark("look", str(question.place), what))
        return
    reading.questions.append(
        DraftQuestion(id=question.id, title=title, points=total, manual=Decimal(0))
    )
    if question.config.get("all_or_nothing") is True:
        reading.cells.append(_joined(question, cases, total))
    else:
        reading.cells += _tests(question, cases)


def _tests(question: _Question, cases: list[Case]) -> Iterator[DraftTest]:
    for number, case in enumerate(cases, 1):
        lines = range(case.source.count("\n") + 1)
        yield DraftTest(
            place=case.cell.place,
            name=f"{question.id}_{number}",
            question=question.id,
            source=case.source,
            points=case.points or Decimal(0),
            hidden=frozenset(lines) if case.hidden else frozenset(),
            hint=case.hint,
        )


def _joined(question: _Question, cases: list[Case], total: Decimal) -> DraftTest:
    """All cases as one test, for a question that gives all of its points or none."""
    lines: list[str] = []
    hidden: set[int] = set()
    for case in cases:
        own = case.source.split("\n")
        if case.hidden:
            hidden |= set(range(len(lines), len(lines) + len(own)))
        lines += own
    return DraftTest(
        place=cases[0].cell.place,
        name=question.id,
        question=question.id,
        source="\n".join(lines),
        points=total,
        hidden=frozenset(hidden),
        hint=" ".join(case.hint for case in cases if case.hint),
    )


def _mapping(cell: ForeignCell) -> dict[str, Any]:
    loaded = load_yaml(cell.source, cell.place)
    if loaded is not None and not isinstance(loaded, dict):
        raise _wrong(cell, "expected keys and values in YAML")
    return loaded or {}


def _unfenced(cells: list[ForeignCell]) -> Iterator[ForeignCell]:
    """Text cells may hold what raw cells hold, between ```otter and ```."""
    for cell in cells:
        shown = _SHOWN_RAW.match(cell.source) if cell.kind == "raw" else None
        if shown is not None:
            yield replace(cell, source=html.unescape(shown["inner"]).strip("\n"))
            continue
        if cell.kind != "markdown" or "```otter" not in cell.source:
            yield cell
            continue
        end = 0
        for fence in _FENCE.finditer(cell.source):
            if cell.source[end : fence.start()].strip():
                yield replace(cell, source=cell.source[end : fence.start()].strip("\n"))
            yield replace(cell, kind="raw", source=fence["inner"].rstrip("\n"))
            end = fence.end()
        if cell.source[end:].strip():
            yield replace(cell, source=cell.source[end:].strip("\n"))


def _wrong(cell: ForeignCell, what: str) -> SpecError:
    return SpecError(what, where=cell.place, hint="Mend the source and import it again.")
