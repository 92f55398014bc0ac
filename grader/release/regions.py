"""Solution regions of a reference cell: what students get in their place.

Code is marked with comments, text with HTML comments, each alone on its line::

    # BEGIN SOLUTION        <!-- BEGIN SOLUTION -->
    # BEGIN STARTER         <!-- BEGIN STARTER -->      (optional: what is released instead)
    # END SOLUTION          <!-- END SOLUTION -->

One statement on one line may instead end with `# SOLUTION`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from grader.errors import SpecError
from grader.release.percent import SourceCell
from grader.source.cells import parse_cell

TODO = "# YOUR CODE HERE"
ANSWER_TODO = "*Write your answer here.*"

_WORDS = r"(?P<word>BEGIN SOLUTION|BEGIN STARTER|END SOLUTION)"
_CODE_MARKER = re.compile(rf"\s*#+\s*{_WORDS}\s*", re.IGNORECASE)
_TEXT_MARKER = re.compile(rf"\s*<!--\s*{_WORDS}\s*-->\s*", re.IGNORECASE)
_INLINE_MARKER = re.compile(r"\s*#+\s*SOLUTION\s*$")

# What no released line may begin with or end in, however it is spelt.
MARKER_TRACE = re.compile(
    r"^\s*(#+|<!--)?\s*(BEGIN|END)[ _-]?(SOLUTION|STARTER)\b|#\s*SOLUTION\s*$",
    re.IGNORECASE | re.MULTILINE,
)


InlineStatement = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr


@dataclass(frozen=True)
class Region:
    """Line numbers (from 0, within the cell) of the markers of one region."""

    begin: int
    starter: int | None
    end: int

    @property
    def solution(self) -> range:
        """The lines that only instructors may see."""
        return range(self.begin + 1, self.end if self.starter is None else self.starter)

    @property
    def starter_lines(self) -> range:
        """The lines that students get in their place."""
        return range(self.end if self.starter is None else self.starter + 1, self.end)


def find_regions(cell: SourceCell) -> list[Region]:
    """Find the solution regions of a cell, in order.

    Raises:
        SpecError: markers are nested, unbalanced, or not alone on their line.
    """
    regions: list[Region] = []
    begin: int | None = None
    starter: int | None = None
    for index, line in enumerate(cell.source.splitlines()):
        word = _marker(cell, line)
        if word is None:
            if re.search(r"\b(BEGIN|END) (SOLUTION|STARTER)\b", line):
                raise _wrong(cell, index, "a marker of a region must stand alone on its line")
        elif word == "BEGIN SOLUTION":
            if begin is not None:
                raise _wrong(cell, index, "BEGIN SOLUTION inside a solution region")
            begin, starter = index, None
        elif begin is None:
            raise _wrong(cell, index, f"{word} without a BEGIN SOLUTION before it")
        elif word == "BEGIN STARTER":
            if starter is not None:
                raise _wrong(cell, index, "a second BEGIN STARTER in one solution region")
            starter = index
        else:
            regions.append(Region(begin, starter, index))
            begin = None
    if begin is not None:
        raise _wrong(cell, begin, "BEGIN SOLUTION has no END SOLUTION in its cell")
    return regions


def student_source(cell: SourceCell) -> str:
    """Return the cell with every solution replaced by its starter or a placeholder.

    Raises:
        SpecError: the markers are wrong, or what is left is not valid Python.
    """
    lines = cell.source.splitlines()
    if cell.kind == "code":
        lines = _without_inline_solutions(cell, lines)
    for region in reversed(find_regions(cell)):
        lines[region.begin : region.end + 1] = _replacement(cell, region)
    source = "\n".join(lines)
    # A cell may be broken on purpose, for students to mend: it is given as it is.
    broken = cell.only_in_notebook and source == cell.source.rstrip("\n")
    if cell.kind == "code" and not broken and parse_cell(source) is None:
        raise _wrong(cell, 0, "what is left of the cell without its solutions is not valid Python")
    return source


def solution_source(cell: SourceCell) -> str:
    """Return the cell with its solutions, and without markers and starters.

    Raises:
        SpecError: the markers are wrong.
    """
    lines = cell.source.splitlines()
    if cell.kind == "code":
        lines = [_INLINE_MARKER.sub("", line) for line in lines]
    for region in reversed(find_regions(cell)):
        lines[region.begin : region.end + 1] = [lines[i] for i in region.solution]
    return "\n".join(lines)


def solution_lines(cell: SourceCell) -> list[tuple[int, str]]:
    """List what only instructors may see: line number in the file, and text."""
    lines = cell.source.splitlines()
    if cell.for_instructors:
        return [(cell.line + i, line) for i, line in enumerate(lines)]
    secret = {i for region in find_regions(cell) for i in region.solution}
    if cell.kind == "code":
        secret |= {i for i, line in enumerate(lines) if _INLINE_MARKER.search(line)}
    return [(cell.line + i, _INLINE_MARKER.sub("", lines[i])) for i in sorted(secret)]


def _marker(cell: SourceCell, line: str) -> str | None:
    pattern = _TEXT_MARKER if cell.kind == "markdown" else _CODE_MARKER
    match = pattern.fullmatch(line)
    return match["word"].upper() if match else None


def _replacement(cell: SourceCell, region: Region) -> list[str]:
    lines = cell.source.splitlines()
    starter = [lines[i] for i in region.starter_lines]
    if cell.kind == "markdown":
        return starter or [ANSWER_TODO]
    if region.starter is not None:
        return [_uncommented(cell, i, lines[i]) for i in region.starter_lines]
    statement, scopes = _scopes(cell, region)
    first = lines[statement.lineno - 1]
    indent = first[: len(first) - len(first.lstrip())]
    if scopes and not isinstance(scopes[-1], ast.ClassDef):
        name = ".".join(scope.name for scope in scopes)
        return [f"{indent}{TODO}", f'{indent}raise NotImplementedError("{name}")']
    # Outside functions nothing may raise: the released notebook runs from top to bottom.
    return [f"{indent}{TODO}", f"{indent}..."] if indent else [TODO]


def _uncommented(cell: SourceCell, index: int, line: str) -> str:
    if not line.strip():
        return ""
    match = re.fullmatch(r"(\s*)#( ?)(.*)", line)
    if match is None:
        raise _wrong(cell, index, "a line of starter code must be a comment")
    return f"{match[1]}{match[3]}".rstrip()


Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _scopes(cell: SourceCell, region: Region) -> tuple[ast.stmt, list[Scope]]:
    """Find the first statement of a region, and the classes and functions round it."""
    tree = parse_cell(cell.source)
    if tree is None:
        raise _wrong(cell, 0, "the cell is not valid Python")
    inside = range(region.begin + 1, region.end + 1)  # ast counts lines from 1
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n.lineno - 1 in inside]
    if not statements:
        raise _wrong(cell, region.begin, "the solution region holds no whole statement")
    first = min(statements, key=lambda node: node.lineno)
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, Scope)
        and node.lineno - 1 < region.begin
        and first.lineno <= (node.end_lineno or node.lineno)
    ]
    return first, sorted(around, key=lambda node: node.lineno)


def inline_statements(tree: ast.Module) -> dict[int, InlineStatement]:
    """The statements whose line may end with `# SOLUTION`, by the index of their line."""
    return {
        node.lineno - 1: node
        for node in ast.walk(tree)
        if isinstance(node, InlineStatement) and node.lineno == node.end_lineno
    }


def _without_inline_solutions(cell: SourceCell, lines: list[str]) -> list[str]:
    marked = [i for i, line in enumerate(lines) if _INLINE_MARKER.search(line)]
    if not marked:
        return lines
    tree = parse_cell(cell.source)
    if tree is None:
        raise _wrong(cell, 0, "the cell is not valid Python")
    alone = inline_statements(tree)
    result = list(lines)
    for index in marked:
        node = alone.get(index)
        if node is None:
            raise _wrong(
                cell, index, "`# SOLUTION` must end an assignment, return or expression of one line"
            )
        # ast counts columns in bytes of UTF-8.
        start = node.col_offset if node.value is None else node.value.col_offset
        kept = lines[index].encode()[:start].decode()
        result[index] = f"{kept}...  {TODO}"
    return result


def _wrong(cell: SourceCell, index: int, what: str) -> SpecError:
    return SpecError(
        what,
        where=cell.where(index),
        hint="A region: # BEGIN SOLUTION, [# BEGIN STARTER,] # END SOLUTION, within one cell.",
    )
