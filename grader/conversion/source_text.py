"""Edit Python source as text, so that comments and layout stay as they were written."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

from grader.source.cells import read_cell

INDENT = "    "


@dataclass(frozen=True)
class Chunk:
    """One statement of a cell with the comments above it; `first` is the index of its line.

    `finished`: the suite holds it as it is written here.
    """

    statement: ast.stmt
    text: str
    first: int
    finished: bool = False

    @classmethod
    def of(cls, text: str, first: int, *, finished: bool = False) -> Chunk:
        """A statement that is written anew; what follows it in the text is not looked at."""
        return cls(ast.parse(text).body[0], text, first, finished)


def chunks(source: str) -> list[Chunk]:
    """Split a cell into its statements, without its magics.

    Raises:
        SyntaxError: it is not valid Python.
    """
    read = read_cell(source)
    if read.is_python and read.text != source:
        # A magic has left a `pass`, which only a block needs.
        source = "\n".join(
            "" if number in read.magics and line == "pass" else line
            for number, line in enumerate(read.text.split("\n"), 1)
        )
    tree = ast.parse(source)
    if _shares_lines(tree.body):
        source = ast.unparse(tree)  # `a = 1; b = 2`: one statement on each line from here on
        tree = ast.parse(source)
    lines = source.split("\n")
    found: list[Chunk] = []
    begin = 0
    for statement in tree.body:
        end = statement.end_lineno or statement.lineno
        text = "\n".join(lines[begin:end]).strip("\n")
        found.append(Chunk(statement, text, _first_line(statement) - 1))
        begin = end
    return found


def replaced(chunk_text: str, statement: ast.stmt, new: Mapping[ast.expr, str]) -> str:
    """Write a statement's text with some of its expressions replaced.

    Args:
        chunk_text: the statement, perhaps with comments above it.
        statement: parsed from the whole cell, so that its lines are the cell's.
        new: expression of the statement → what stands in its place.
    """
    if not new:
        return chunk_text
    lines = chunk_text.split("\n")
    last = statement.end_lineno or statement.lineno
    offset = last - len(lines)  # the line of the cell before the chunk's first, counted from 1
    encoded = [line.encode() for line in lines]
    for node in sorted(new, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        first, final = node.lineno - offset - 1, (node.end_lineno or node.lineno) - offset - 1
        if not _stands_there(node, encoded, first, final):
            return unparsed(statement, new)
        # The brackets of `all(… for …)` belong to both the call and what it is given.
        text = f"({new[node]})" if isinstance(node, ast.GeneratorExp) else new[node]
        head = encoded[first][: node.col_offset] + text.encode()
        encoded[first : final + 1] = [head + encoded[final][node.end_col_offset or 0 :]]
    text = "\n".join(line.decode() for line in encoded)
    return text if _parses(text) else unparsed(statement, new)


def unparsed(node: ast.AST, new: Mapping[ast.expr, str]) -> str:
    """Write code anew with some of its expressions replaced."""

    class Replacement(ast.NodeTransformer):
        def visit(self, part: ast.AST) -> ast.AST:
            return swaps.get(part) or self.generic_visit(part)

    # The code itself stays as it is: others of its expressions are looked up in it later.
    copy = deepcopy(node)
    swaps: dict[ast.AST, ast.expr] = {
        twin: ast.parse(new[part], mode="eval").body
        for part, twin in zip(ast.walk(node), ast.walk(copy), strict=True)
        if isinstance(part, ast.expr) and part in new
    }
    return ast.unparse(ast.fix_missing_locations(Replacement().visit(copy)))


def indented(text: str) -> str:
    """Indent code, but not the inner lines of a text that spans several."""
    inside = _lines_within_texts(text)
    return "\n".join(
        line if number in inside or not line.strip() else INDENT + line
        for number, line in enumerate(text.split("\n"), 1)
    )


def without_markers(source: str, markers: Iterable[str]) -> tuple[str, frozenset[int]]:
    """Blank the lines that hold a begin or end marker; say which lines lie between the two."""
    begin, end = markers
    lines = source.split("\n")
    hidden: set[int] = set()
    within = False
    for index, line in enumerate(lines):
        marker = begin in line or end in line
        within = begin in line or (within and end not in line)
        if marker or within:
            hidden.add(index)
        if marker:
            lines[index] = ""
    return "\n".join(lines), frozenset(hidden)


def _shares_lines(body: list[ast.stmt]) -> bool:
    return any(
        later.lineno <= (before.end_lineno or before.lineno) for before, later in pairwise(body)
    )


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _stands_there(node: ast.expr, lines: list[bytes], first: int, final: int) -> bool:
    """Check the position: within f-strings, older Pythons give wrong ones."""
    if not 0 <= first <= final < len(lines):
        return False
    if isinstance(node, ast.Name):
        return lines[first][node.col_offset : node.end_col_offset] == node.id.encode()
    if first == final:
        text = lines[first][node.col_offset : node.end_col_offset].decode(errors="replace")
        return _same(text, node)
    return True


def _same(text: str, node: ast.expr) -> bool:
    try:
        return ast.dump(ast.parse(text.strip(), mode="eval").body) == ast.dump(node)
    except SyntaxError:
        return False


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _lines_within_texts(text: str) -> set[int]:
    inside: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING or tokenize.tok_name[token.type].startswith("FSTRING"):
                inside |= set(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return set()
    return inside
