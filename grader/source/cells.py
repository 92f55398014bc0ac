"""A cell's source as Python's own syntax tree, without IPython's magics.

The source is a student's: it may be broken, huge or absurd. Nothing here is ever run.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CELL = 200_000

# Magics whose cell is Python: https://ipython.readthedocs.io/en/stable/interactive/magics.html
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_CELL_MAGIC = re.compile(r"\s*%%(\w*)[^\n]*\n?")
_RUNS_ITS_LINE = re.compile(
    r"^([ \t]*(?:[\w., \t]+=[ \t]*)?)%(?:time|timeit|prun)[ \t]+(?:-\S+[ \t]+)*", re.M
)
_MAGIC_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.M)
_MAGIC_VALUE = re.compile(r"^([ \t]*[\w., \t]+=[ \t]*)[%!].*$", re.M)


@dataclass(frozen=True)
class ReadCell:
    """A cell as Python.

    Attributes:
        text: what the tree is of, its lines where they were; "" where it can't be read.
        tree: empty where the cell can't be read, or holds another language.
        magics: the lines, from 1, that held nothing but a magic; `text` has `pass` there.
        unread: why something is not known here that Python might run all the same.
        is_python: False where no reading of the cell is valid Python.
    """

    text: str
    tree: ast.Module
    magics: frozenset[int] = frozenset()
    unread: str = ""
    is_python: bool = True


def read_cell(cell: str, *, thorough: bool = False) -> ReadCell:
    """Parse a cell without its magics, lines where they were.

    Args:
        cell: what is in it.
        thorough: also read what only IPython's own parser understands, such as `/print 1`.
    """
    text = cell[:MAX_CELL]
    unread = "the cell is too long to be read" if len(cell) > MAX_CELL else ""
    head = _CELL_MAGIC.match(text)
    if head is not None:
        blank = "\n" * head[0].count("\n")
        text = blank + text[head.end() :] if head[1] in _PYTHON_MAGICS else ""
    for attempt, magics in _attempts(text, thorough):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ReadCell(attempt, ast.parse(attempt), magics, unread)
        except (SyntaxError, ValueError):
            continue
        except (RecursionError, MemoryError):
            # A notebook may raise its own limit of recursion.
            unread = "the cell is nested too deeply to be read"
    nothing = ast.Module(body=[], type_ignores=[])
    return ReadCell("", nothing, unread=unread, is_python=False)


def parse_cell(cell: str) -> ast.Module | None:
    """Parse a cell without its magics; None where it is not valid Python."""
    read = read_cell(cell)
    return read.tree if read.is_python else None


def without_magics(text: str) -> tuple[str, frozenset[int]]:
    """Take the magics out of a text that may not be Python otherwise; lines stay where they were.

    Returns the text, and the lines (from 1) that held nothing else: there stands `pass`, which
    keeps a block whole. What `%time` measures is run, and so it stays.
    """
    text = _RUNS_ITS_LINE.sub(r"\1", text)
    magics = frozenset(
        number for number, line in enumerate(text.split("\n"), 1) if _MAGIC_LINE.match(line)
    )
    return _MAGIC_VALUE.sub(r"\1None", _MAGIC_LINE.sub(r"\1pass", text)), magics


def commands(cell: str) -> list[int]:
    """Return the lines, from 1, with commands of the notebook: magics, `!shell`, `help?`."""
    read = read_cell(cell)
    if read.is_python and read.text == cell:
        return []
    plain = read.text if read.is_python and read.text else without_magics(cell)[0]
    pairs = zip(cell.split("\n"), plain.split("\n"), strict=False)
    return [number for number, (before, after) in enumerate(pairs, 1) if before != after]


def _attempts(text: str, thorough: bool) -> Iterator[tuple[str, frozenset[int]]]:
    yield text, frozenset()
    yield without_magics(text)
    if thorough and text.strip():
        yield _as_ipython_runs_it(text), frozenset()


def _as_ipython_runs_it(text: str) -> str:
    # Half a second to import, and hardly ever needed.
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return str(TransformerManager().transform_cell(text))
    except Exception:  # noqa: BLE001 - a student's text in a library's tokenizer
        return ""
