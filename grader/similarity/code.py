"""A submission's code with names, comments, layout and imports taken out.

A name that the notebook binds itself is put aside (`v`), whatever it is; what a library calls a
thing (`cross_entropy`, `T`) stays, since it says what the code does. Numbers and texts only keep
their kind. What is not Python (magics, half a line) is left out; nothing here is ever run.
"""

from __future__ import annotations

import ast
import io
import keyword
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.source.cells import read_cell, without_magics

MAX_CELL_CHARACTERS = 100_000
MAX_CODE_CHARACTERS = 400_000

_SKIPPED = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
        tokenize.ENCODING,
    }
)
_BINDING: dict[type[ast.AST], str] = {
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.arg: "arg",
    ast.ExceptHandler: "name",
}
_FSTRING_START = getattr(tokenize, "FSTRING_START", -1)
_FSTRING_END = getattr(tokenize, "FSTRING_END", -1)


@dataclass(frozen=True)
class CodeCell:
    """One code cell: its number in the notebook (from 1, all kinds counted) and its text.

    `tree` is None where it is not Python; `python` is the text without magics, and `magics` are
    the lines, from 1, that held nothing else.
    """

    number: int
    source: str
    tree: ast.Module | None
    python: str
    magics: frozenset[int]


@dataclass(frozen=True)
class Token:
    """One normalised token and where it stands; lines count from 1."""

    text: str
    cell: int
    line: int


def read_cells(sources: Iterable[tuple[int, str]]) -> tuple[CodeCell, ...]:
    """Parse the cells, up to a length that no honest notebook reaches."""
    cells = []
    left = MAX_CODE_CHARACTERS
    for number, source in sources:
        text = source.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ")
        if len(text) > min(MAX_CELL_CHARACTERS, left):
            continue
        left -= len(text)
        read = read_cell(text)
        # Of what is not Python, the lines before the fault still have their tokens.
        plain, magics = (read.text, read.magics) if read.is_python else without_magics(text)
        tree = read.tree if read.is_python else None
        cells.append(CodeCell(number, text, tree, plain, magics))
    return tuple(cells)


def names_of(cells: Iterable[CodeCell]) -> tuple[frozenset[str], dict[str, str]]:
    """Return every name and attribute that the cells give to something, and what imports stand for.

    `import numpy as n` is `{"n": "numpy"}`.
    """
    bound: set[str] = set()
    imported: dict[str, str] = {}
    for cell in cells:
        for node in ast.walk(cell.tree) if cell.tree is not None else ():
            kind = type(node)
            if kind is ast.Name or kind is ast.Attribute:
                if type(node.ctx) is ast.Store:  # type: ignore[attr-defined]
                    bound.add(node.id if kind is ast.Name else node.attr)  # type: ignore[attr-defined]
            elif kind in _BINDING:
                bound.add(getattr(node, _BINDING[kind]) or "")
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for name in node.names:
                    imported[name.asname or name.name] = name.name.rpartition(".")[2]
    return frozenset(bound), imported


def tokens_of(
    cells: Sequence[CodeCell], bound: frozenset[str], imported: dict[str, str]
) -> list[Token]:
    """Return the tokens of all cells, in order, without imports, comments and docstrings."""
    return [
        Token(text, cell.number, line)
        for cell in cells
        for statement in _statements(cell)
        for text, line in _normalised(statement, bound, imported)
    ]


def normal_name(name: str, bound: frozenset[str], imported: dict[str, str]) -> str:
    """Return what stands for a name."""
    if name in imported:
        return imported[name]
    return "v" if name in bound else name


def _statements(cell: CodeCell) -> Iterator[list[tokenize.TokenInfo]]:
    """Yield the tokens of each logical line; what comes after a fault is lost."""
    line: list[tokenize.TokenInfo] = []
    inside = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(cell.python).readline):
            inside += (token.type == _FSTRING_START) - (token.type == _FSTRING_END)
            if token.type == tokenize.NEWLINE:
                if token.start[0] not in cell.magics:
                    yield line
                line = []
            elif token.type not in _SKIPPED and (not inside or token.type == _FSTRING_START):
                line.append(token)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        pass
    yield line


def _normalised(
    statement: list[tokenize.TokenInfo], bound: frozenset[str], imported: dict[str, str]
) -> Iterator[tuple[str, int]]:
    if not statement or statement[0].string in ("import", "from"):
        return
    if all(token.type == tokenize.STRING for token in statement):
        return
    for token in statement:
        line = token.start[0]
        if token.type in (tokenize.STRING, _FSTRING_START):
            yield "text", line
        elif token.type == tokenize.NUMBER:
            yield "number", line
        elif token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield normal_name(token.string, bound, imported), line
        elif token.type != _FSTRING_END:
            yield token.string, line
