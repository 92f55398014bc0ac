"""The reference of a draft, in percent format: one file that is notebook, solution and module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import jupytext
from nbformat import v4

from grader.conversion.draft import Draft, DraftCell
from grader.conversion.live import is_live
from grader.source.cells import parse_cell
from grader.source.names import bound, taken_names

_CELL_MAGIC = re.compile(r"\s*%%")
_MARKER = re.compile(r"#\s*(BEGIN|END) (SOLUTION|STARTER)", re.IGNORECASE)
_FILTER = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "active,-all"}


@dataclass(frozen=True)
class _Part:
    cell: DraftCell
    active: str = ""


def reference_text(draft: Draft) -> str:
    """Write the reference: what only works in a notebook is kept out of the module."""
    made = []
    for part in _parts(draft):
        metadata = {"active": part.active} if part.active else {}
        if part.cell.kind == "code":
            made.append(v4.new_code_cell(part.cell.source, metadata=metadata))
        elif part.cell.kind == "markdown":
            made.append(v4.new_markdown_cell(part.cell.source))
        else:
            made.append(v4.new_raw_cell(part.cell.source))
    notebook = v4.new_notebook(cells=made, metadata={"jupytext": _FILTER})
    text: str = jupytext.writes(notebook, fmt="py:percent")
    return text.strip("\n") + "\n"


def _parts(draft: Draft) -> Iterator[_Part]:
    """Pair each cell with where it is active; cells that define and work are cut in two."""
    defined: set[str] = set()
    missing: set[str] = set()
    for cell in draft.shown:
        if cell.kind != "code":
            yield _Part(cell)
            continue
        for piece in _pieces(cell):
            tree = parse_cell(piece.source)
            statements = tree.body if tree else []
            names = {name for statement in statements for name in bound(statement)}
            needed = {n for s in statements for n in _needed_at_once(s)}
            if tree is not None and is_live(statements) and not needed & (missing - defined):
                defined |= names
                yield _Part(piece)
                continue
            missing |= names - defined
            imports = [
                ast.unparse(s) for s in statements if isinstance(s, ast.Import | ast.ImportFrom)
            ]
            if imports:
                defined |= {
                    n
                    for s in statements
                    if isinstance(s, ast.Import | ast.ImportFrom)
                    for n in bound(s)
                }
                yield _Part(replace(piece, source="\n".join(imports)), "py")
            yield _Part(piece, "ipynb")


def _needed_at_once(statement: ast.stmt) -> set[str]:
    """The names that a definition needs when it is made, not when it is called."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        args = statement.args
        outside = [*statement.decorator_list, *args.defaults, *(d for d in args.kw_defaults if d)]
        return {name for part in outside for name in taken_names(part)}
    if isinstance(statement, ast.ClassDef):
        outside = [*statement.decorator_list, *statement.bases]
        inner = {name for part in statement.body for name in _needed_at_once(part)}
        return inner | {name for part in outside for name in taken_names(part)}
    return taken_names(statement)


def _pieces(cell: DraftCell) -> Iterator[DraftCell]:
    """Cut a cell behind its leading definitions where something that works follows them."""
    tree = parse_cell(cell.source)
    if tree is None or _CELL_MAGIC.match(cell.source):
        yield cell
        return
    body = tree.body
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
