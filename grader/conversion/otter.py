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
from grader.conversion.draft import Draft, DraftTest, wrong
from grader.conversion.fitted_questions import points_of, question_title
from grader.conversion.foreign_system import ForeignSystem
from grader.conversion.notebook_file import ForeignCell, read_cells
from grader.conversion.otter_lines import solution_cell, without_ignored
from grader.conversion.otter_tests import Case, load_yaml, read_case, with_points
from grader.conversion.reading import DraftReading
from grader.conversion.solutions import written

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
class _OtterReading(DraftReading):
    config: dict[str, Any] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    question: _Question | None = None

    @property
    def doctests(self) -> bool:
        """Whether tests compare what they show, or raise."""
        tests = self.config.get("tests")
        return not (isinstance(tests, dict) and tests.get("ok_format") is False)


class OtterImport(ForeignSystem):
    """https://otter-grader.readthedocs.io, 4 to 7: master notebooks of `otter assign`."""

    name = "otter"
    help = """Take over an assignment of Otter's.

    SOURCE is a master notebook, as `otter assign` takes it, or a folder that holds one. Solution
    blocks become solution regions, each test case a hidden test with its share of the points, and
    a public test too where students may see it; questions marked by hand become written answers.

    \b
    Example:
      grader import otter hw01/hw01.ipynb
    """

    def read(self, notebook: Path) -> Draft:
        """Read a master notebook."""
        cells = read_cells(notebook)
        reading = _OtterReading(notebook)
        for cell in _unfenced(cells):
            if not _IGNORED.match(cell.source):
                _read(with_pictures(cell, reading.pictures), reading)
        if reading.blocks:
            raise wrong(f"a block is not ended: BEGIN {reading.blocks[-1].upper()}", notebook)
        old = any(_OLD.search(cell.source) for cell in cells)
        return reading.draft(
            str(reading.config.get("name") or notebook.stem),
            nothing="no question of this notebook gives points",
            hint="It is written for Otter 3 or older, which marked questions in text: write its "
            "questions as raw cells first, as Otter 4 and later read them."
            if old
            else "Import the master notebook that you give to `otter assign`.",
        )

    def files(self, notebook: Path, folder: Path | None) -> list[Path]:
        """What the notebook gives to students; what lies outside its folder is left."""
        config: dict[str, Any] = {}
        for cell in _unfenced(read_cells(notebook)):
            if cell.kind == "raw" and _CONFIG.match(cell.source):
                config = _mapping(cell)
        names = [config.get(key) for key in ("files", "student_files")]
        return [file for found in names for file in named(found, notebook.parent.resolve())]


def _read(cell: ForeignCell, reading: _OtterReading) -> None:
    if cell.kind == "raw":
        if _CONFIG.match(cell.source):
            reading.config |= _mapping(cell)
            _look_for_seeds(cell, reading)
            return
        boundary = _BOUNDARY.match(cell.source)
        if boundary:
            _cross(cell, boundary["which"].upper(), boundary["block"].lower(), reading)
            return
    question = reading.question
    if cell.kind == "markdown" and "solution" not in reading.blocks:
        reading.head(cell)
        if question and question.heading is None:
            question.heading = question_title(cell.source)
    match reading.blocks[-1:]:
        case ["tests"] if question:
            if cell.kind == "code":
                case, remarks = read_case(cell, doctests=reading.doctests)
                question.cases.append(case)
                reading.remarks += remarks
        case ["solution"] if question:
            _read_solution(cell, reading, question)
        case ["prompt"] if question and cell.kind == "markdown":
            pass  # our release has a placeholder of its own
        case _:
            code = cell.kind == "code"
            reading.show(cell, without_ignored(cell.source) if code else cell.source)


def _look_for_seeds(cell: ForeignCell, reading: _OtterReading) -> None:
    """Otter can seed numpy and random before each cell: https://otter-grader.readthedocs.io/."""
    generate, seed = reading.config.get("generate"), reading.config.get("seed")
    if seed is not None or (isinstance(generate, dict) and generate.get("seed") is not None):
        what = (
            "Otter seeds every cell, and no cell is seeded here: give a test of what is drawn at "
            "random a tolerance, or seed in a cell that is given"
        )
        reading.look(cell.place, what)


def _cross(cell: ForeignCell, which: str, block: str, reading: _OtterReading) -> None:
    if which == "BEGIN":
        if (block == "question") == bool(reading.blocks):
            inside = f"inside {reading.blocks[-1]}" if reading.blocks else "outside a question"
            raise wrong(f"BEGIN {block.upper()} {inside}", cell.place)
        reading.blocks.append(block)
        if block == "question":
            config = _mapping(cell)
            name = str(config.get("name") or f"cell{cell.place.cell}")
            reading.question = _Question(cell.place, config, reading.ids.make(name))
        return
    if not reading.blocks or reading.blocks[-1] != block:
        raise wrong(f"END {block.upper()} without its BEGIN", cell.place)
    reading.blocks.pop()
    if block == "question" and reading.question is not None:
        _end_question(reading, reading.question)
        reading.question = None


def _read_solution(cell: ForeignCell, reading: _OtterReading, question: _Question) -> None:
    if cell.kind == "code":
        source = solution_cell(cell.source)
        if "SOLUTION" not in source:
            what = "a cell of a solution without a marked line: students see all of it, as before"
            reading.look(cell.place, what)
    else:
        head = "" if question.answered else f"**Answer {question.id}.**\n\n"
        question.answered = True
        source = head + written(cell.source)
    if cell.kind != "raw":
        reading.show(cell, source, editable=True)


def _end_question(reading: _OtterReading, question: _Question) -> None:
    stated = question.config.get("points")
    title = question.heading or reading.heading or question.id
    if question.manual or not question.cases:
        points = points_of(1 if stated is None and question.manual else stated or 0, question.place)
        if not points:
            reading.look(question.place, "the question has no tests and gives no points")
            return
        if question.cases:
            what = "a person marks this question; its tests are left out"
            reading.look(question.place, what)
        reading.ask(question.id, title, manual=points)
        return
    cases = with_points(question.cases, stated, question.place)
    total = sum((case.points or Decimal(0) for case in cases), Decimal(0))
    if not total:
        reading.look(question.place, "the question gives no points: its tests are left out")
        return
    reading.ask(question.id, title, points=total)
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
        raise wrong("expected keys and values in YAML", cell.place)
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
