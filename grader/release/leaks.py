"""Search what is released for traces of the solution."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.course.directory import Assignment
from grader.release.contents import released_contents
from grader.release.percent import INSTRUCTOR, SourceCell, read_percent
from grader.release.regions import MARKER_TRACE, solution_lines, student_source

# A line of fewer tokens (`loss.backward()`) is what anyone would write.
_LINE_TOKENS = 8
# So many lines of a solution in a row give it away even where each may be shown alone.
_RUN_LINES = 5
_RUN_LINE_TOKENS = 4

_TOKEN = re.compile(r"\w+|[^\w\s]")
# Lines that any solution to any question holds, whoever wrote it.
_COMMON = re.compile(r"(def|class|import|from|super|with|for|async|raise|assert)\b|@")


@dataclass(frozen=True)
class Leak:
    """A trace of the solution in a released file; `line` counts from 1, in a cell or a file."""

    file: str
    line: int
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}: {self.text}"


@dataclass(frozen=True)
class Secrets:
    """What students may not see, normalised, with the line of the reference it stands on."""

    lines: Mapping[str, int]
    runs: Mapping[tuple[str, ...], int]


@dataclass(frozen=True)
class _Text:
    """A released text: a file, or one cell of a notebook."""

    file: str
    content: str


def find_leaks(assignment: Assignment, contents: Mapping[str, bytes] | None = None) -> list[Leak]:
    """Search every released text for lines of the solution, markers, instructor cells, outputs.

    A line counts when it is long enough to be telling and the reference does not show it to
    students anyway, as starter code or as a given cell. Several lines of a solution in a row
    count in any case.

    Args:
        assignment: whose reference is searched for.
        contents: the released files by name; made anew by default.

    Raises:
        SpecError: the reference cannot be made into a notebook.
    """
    parts = assignment.notebooks
    secrets = secrets_of([c for part in parts for c in read_percent(part.reference_path)])
    released = released_contents(assignment) if contents is None else contents
    notebooks = {part.notebook_file for part in parts}
    leaks: list[Leak] = []
    for name, data in released.items():
        if name in notebooks:
            notebook = json.loads(data)
            leaks += _faults_of_cells(name, notebook)
            texts = list(_cells(name, notebook))
        else:
            texts = list(_text(name, data))
        leaks += [leak for text in texts for leak in search_text(text.file, text.content, secrets)]
    return leaks


def secrets_of(cells: Iterable[SourceCell]) -> Secrets:
    """Gather the telling lines of a reference's solutions, and its runs of lines."""
    cells = list(cells)
    shown = "\n".join(_normal(student_source(c)) for c in cells if not c.for_instructors)
    lines: dict[str, int] = {}
    runs: dict[tuple[str, ...], int] = {}
    for cell in cells:
        block: list[tuple[int, str]] = []
        previous = None
        for number, line in solution_lines(cell):
            if previous is not None and number != previous + 1:
                _add_runs(runs, block)
                block = []
            previous = number
            tokens = _normal_line(line)
            if tokens.count(" ") - 1 >= _RUN_LINE_TOKENS:
                block.append((number, tokens))
            telling = tokens.count(" ") - 1 >= _LINE_TOKENS and not _COMMON.match(tokens.strip())
            if telling and tokens not in shown:
                lines.setdefault(tokens, number)
        _add_runs(runs, block)
    return Secrets(lines, runs)


def search_text(file: str, content: str, secrets: Secrets) -> Iterator[Leak]:
    """Search one released text for lines and runs of the solution, and for markers."""
    raw = content.splitlines()
    for number, line in enumerate(raw, 1):
        if MARKER_TRACE.search(line):
            yield Leak(file, number, line.strip(), "a marker of a solution region")
    normal = [(number, _normal_line(line)) for number, line in enumerate(raw, 1)]
    whole = "\n".join(tokens for _, tokens in normal)
    for secret, source in secrets.lines.items():
        at = whole.find(secret)
        if at >= 0:
            number = whole.count("\n", 0, at) + 1
            why = f"line {source} of the reference's solution"
            yield Leak(file, number, raw[number - 1].strip(), why)
    yield from _search_runs(file, raw, normal, secrets)


def _search_runs(
    file: str, raw: list[str], normal: list[tuple[int, str]], secrets: Secrets
) -> Iterator[Leak]:
    telling = [(n, t) for n, t in normal if t.count(" ") - 1 >= _RUN_LINE_TOKENS]
    end = 0
    for start in range(len(telling) - _RUN_LINES + 1):
        run = telling[start : start + _RUN_LINES]
        source = secrets.runs.get(tuple(tokens for _, tokens in run))
        # Runs overlap; one leak for each stretch is enough.
        if source is not None and start >= end:
            end = start + _RUN_LINES
            number = run[0][0]
            why = f"{_RUN_LINES} lines of the reference's solution, from its line {source}"
            yield Leak(file, number, raw[number - 1].strip(), why)


def _add_runs(runs: dict[tuple[str, ...], int], block: list[tuple[int, str]]) -> None:
    for start in range(len(block) - _RUN_LINES + 1):
        run = block[start : start + _RUN_LINES]
        runs.setdefault(tuple(tokens for _, tokens in run), run[0][0])


def _normal(text: str) -> str:
    return "\n".join(_normal_line(line) for line in text.splitlines())


def _normal_line(line: str) -> str:
    """Write a line as its tokens, each between single spaces, without its comment signs.

    Spacing, quotes and a `#` before the line hide nothing this way.
    """
    code = re.sub(r"\s#.*$", "", line.strip().lstrip("#"))
    tokens = _TOKEN.findall(code.replace('"', "'"))
    return f" {' '.join(tokens)} " if tokens else ""


def _cells(name: str, notebook: Any) -> Iterator[_Text]:
    for cell in notebook["cells"]:
        yield _Text(_cell_name(name, cell), "".join(cell["source"]))


def _faults_of_cells(name: str, notebook: Any) -> Iterator[Leak]:
    for cell in notebook["cells"]:
        where, first = _cell_name(name, cell), "".join(cell["source"]).partition("\n")[0]
        if INSTRUCTOR in cell["metadata"].get("tags", ()):
            yield Leak(where, 1, first, "a cell for instructors")
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield Leak(where, 1, first, "a cell that has been run")


def _cell_name(name: str, cell: Any) -> str:
    return f"{name} (cell {cell['id']})"


def _text(name: str, data: bytes) -> Iterator[_Text]:
    """Yield the file if it is a text; pictures and arrays hold no lines to search."""
    if b"\0" in data[:8192]:
        return
    try:
        yield _Text(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        yield _Text(name, data.decode("latin-1"))
