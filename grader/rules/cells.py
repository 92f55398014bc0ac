"""A cell's source as Python's own syntax tree, without IPython's magics.

The source is a student's: it may be broken, huge or absurd.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CELL = 200_000

_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3"})
_RUNS_ITS_LINE = re.compile(
    r"^([ \t]*(?:[\w., \t]+=[ \t]*)?)%(?:time|timeit|prun)[ \t]+(?:-\S+[ \t]+)*", re.M
)
_MAGIC_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.M)
_MAGIC_VALUE = re.compile(r"^([ \t]*[\w., \t]+=[ \t]*)[%!].*$", re.M)


@dataclass(frozen=True)
class ReadCell:
    """A cell's syntax tree, and the text that it is of; both empty where it can't be read.

    `unread` says why a cell is not known that Python might run all the same.
    """

    text: str
    tree: ast.Module
    unread: str = ""


def read_cell(cell: str, *, thorough: bool = False) -> ReadCell:
    """Parse a cell without its magics, lines where they were.

    Args:
        cell: what is in it.
        thorough: also read what only IPython's own parser understands, such as `/print 1`.
    """
    text = cell[:MAX_CELL]
    unread = "the cell is too long to be read" if len(cell) > MAX_CELL else ""
    head = re.match(r"\s*%%(\w*)[^\n]*\n?", text)
    if head is not None:
        blank = "\n" * head[0].count("\n")
        text = blank + text[head.end() :] if head[1] in _PYTHON_MAGICS else ""
    for attempt in _attempts(text, thorough):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ReadCell(attempt, ast.parse(attempt), unread)
        except (SyntaxError, ValueError):
            continue
        except (RecursionError, MemoryError):
            # A notebook may raise its own limit of recursion.
            unread = "the cell is nested too deeply to be read"
    return ReadCell("", ast.Module(body=[], type_ignores=[]), unread)


def _attempts(text: str, thorough: bool) -> Iterator[str]:
    yield text
    yield _without_magics(text)
    if thorough and text.strip():
        yield _as_ipython_runs_it(text)


def _without_magics(text: str) -> str:
    # What `%time` measures is run; `pass` keeps a block whole that holds nothing but a magic.
    text = _RUNS_ITS_LINE.sub(r"\1", text)
    return _MAGIC_VALUE.sub(r"\1None", _MAGIC_LINE.sub(r"\1pass", text))


def _as_ipython_runs_it(text: str) -> str:
    # Half a second to import, and hardly ever needed.
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return str(TransformerManager().transform_cell(text))
    except Exception:  # noqa: BLE001 - a student's text in a library's tokenizer
        return ""
