"""The reference of a draft, in percent format: one file that is notebook, solution and module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from dataclasses import replace

import jupytext
from nbformat import v4

from grader.conversion.companion_files import lacking
from grader.conversion.draft import Draft, DraftCell
from grader.conversion.live import is_live
from grader.source.cells import parse_cell
from grader.source.names import bound, imports, outer_parts, taken_names

_IMPORTS = (ast.Import, ast.ImportFrom)
_CELL_MAGIC = re.compile(r"\s*%%")
_MARKER = re.compile(r"#\s*(BEGIN|END) (SOLUTION|STARTER)", re.IGNORECASE)
_FILTER = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "active,-all"}


def reference_text(draft: Draft, beside: Set[str] = frozenset()) -> str:
    """Write the reference: what only works in a notebook is kept out of the module.

    So is what the judge's own Python can't import; `beside` are modules that come with it.
    """
    made = [
        getattr(v4, f"new_{cell.kind}_cell")(
            cell.source, metadata={"active": active} if active else {}
        )
        for cell, active in _parts(draft, beside)
    ]
    notebook = v4.new_notebook(cells=made, metadata={"jupytext": _FILTER})
    text: str = jupytext.writes(notebook, fmt="py:percent")
    return text.strip("\n") + "\n"


def _parts(draft: Draft, beside: Set[str]) -> Iterator[tuple[DraftCell, str]]:
    """Pair each cell with where it is active; cells that define and work are cut in two."""
    defined: set[str] = set()
    missing: set[str] = set()
    for piece in (piece for cell in draft.shown for piece in _pieces(cell)):
        if piece.kind != "code":
            yield piece, ""
            continue
        tree = parse_cell(piece.source)
        statements = tree.body if tree else []
        names = bound(tree) if tree else set()
        needed = {n for s in statements for n in _needed_at_once(s)}
        absent = any(isinstance(s, _IMPORTS) and _lacks(s, beside) for s in statements)
        live = tree is not None and is_live(statements) and not absent
        if live and not needed & (missing - defined):
            defined |= names
            yield piece, ""
            continue
        missing |= names - defined
        kept = [s for s in statements if isinstance(s, _IMPORTS) and not _lacks(s, beside)]
        if kept:
            defined |= {name for s in kept for name in bound(s)}
            yield replace(piece, source="\n".join(map(ast.unparse, kept))), "py"
        yield piece, "ipynb"


def _lacks(statement: ast.Import | ast.ImportFrom, beside: Set[str]) -> bool:
    roots = {name.partition(".")[0] for name in imports(statement).values()}
    return bool(lacking(roots - beside))


def _needed_at_once(statement: ast.stmt) -> set[str]:
    """The names that a definition needs when it is made, not when it is called."""
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return taken_names(statement)
    needed = {name for part in outer_parts(statement) for name in taken_names(part)}
    inner = statement.body if isinstance(statement, ast.ClassDef) else []
    return needed.union(*map(_needed_at_once, inner))


def _pieces(cell: DraftCell) -> Iterator[DraftCell]:
    """Cut a cell behind its leading definitions where something that works follows them."""
    body = [] if _CELL_MAGIC.match(cell.source) else cell.statements
    count = next((i for i, s in enumerate(body) if not is_live([s])), len(body))
    definitions = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    if count in (0, len(body)) or not any(isinstance(s, definitions) for s in body[:count]):
        yield cell
        return
    lines = cell.source.split("\n")
    cut = body[count - 1].end_lineno or 0
    while cut < len(lines) and _MARKER.search(lines[cut]) and "END" in lines[cut].upper():
        cut += 1
    head, tail = "\n".join(lines[:cut]), "\n".join(lines[cut:])
    if not (_balanced(head) and _balanced(tail)):
        yield cell
        return
    yield replace(cell, source=head.strip("\n"))
    yield replace(cell, source=tail.strip("\n"))


def _balanced(text: str) -> bool:
    begins = len(re.findall(r"BEGIN SOLUTION", text, re.IGNORECASE))
    return begins == len(re.findall(r"END SOLUTION", text, re.IGNORECASE))
