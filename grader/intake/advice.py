"""What a student would like to know about a notebook before it is too late; costs no marks."""

from __future__ import annotations

import ast
import warnings

from grader.intake.choice import resembles
from grader.intake.notebook_cells import ReadNotebook

LARGE_BYTES = 10 * 2**20


def advice(
    notebook: ReadNotebook, *, file: str, size: int, assignment: str, called: str = ""
) -> tuple[str, ...]:
    """Return sentences about a notebook that can be read, but may not be what was meant.

    `called` is what it is called in a release, if not as the assignment.
    """
    called = called or assignment
    found = list(notebook.repairs)
    if notebook.assignment not in {"", assignment}:
        found.append(f"The notebook was released as {notebook.assignment}, not {assignment}.")
    elif not notebook.assignment and resembles(file, called) == 0:
        found.append(f"The file is called {file}, not {called}.ipynb: is it the right one?")
    if size > LARGE_BYTES:
        found.append(
            f"The notebook has {size / 2**20:.0f} MB, most of it outputs; "
            "they are not needed and can be cleared."
        )
    code = [(number, c) for number, c in enumerate(notebook.cells, start=1) if c.kind == "code"]
    written = [(number, c) for number, c in code if c.source.strip()]
    if not written:
        found.append("The notebook has no code in it.")
    idle = [number for number, cell in written if not cell.executed]
    if idle:
        found.append(
            f"{_cells(idle)} never run; Kernel > Restart Kernel and Run All Cells shows whether "
            "the notebook works from top to bottom."
        )
    for number, cell in written:
        problem = _syntax_error(cell.source)
        if problem:
            found.append(f"Cell {number} has a syntax error: {problem}.")
    return tuple(found)


def _cells(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"Cell {numbers[0]} was"
    shown = ", ".join(map(str, numbers[:10]))
    return f"Cells {shown}{'…' if numbers[10:] else ''} were"


def _syntax_error(source: str) -> str:
    """Return what is wrong with a cell's syntax, as IPython understands it; "" if nothing."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        python = TransformerManager().transform_cell(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            compile(python, "<cell>", "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"it cannot be parsed ({type(error).__name__})"
    return ""
