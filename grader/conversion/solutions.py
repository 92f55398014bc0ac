"""Solution regions of other systems, written as those of our references."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from grader.source.cells import parse_cell
from grader.source.names import bound

BEGIN, END, STARTER = "# BEGIN SOLUTION", "# END SOLUTION", "# BEGIN STARTER"
_MARKER = re.compile(r"^(?P<indent>\s*)#+\s*(?P<word>BEGIN|END) SOLUTION\b.*$", re.IGNORECASE)


def whole_cell(source: str) -> str:
    """Make all of a code cell the solution."""
    return "\n".join([BEGIN, source.strip("\n"), END])


def written(source: str) -> str:
    """Make all of a text cell the model answer."""
    return "\n".join(["<!-- BEGIN SOLUTION -->", source.strip("\n"), "<!-- END SOLUTION -->"])


def with_starters(source: str) -> str:
    """Write markers as ours; where names are bound outside functions, bind them to `...` instead.

    A name that later cells use must exist in the released notebook too.
    """
    lines = [_ours(line) for line in source.split("\n")]
    tree = parse_cell(source)
    result: list[str] = []
    begin: int | None = None
    for index, line in enumerate(lines):
        if line.strip() == BEGIN:
            begin = index
        elif line.strip() == END and begin is not None:
            started = any(between.strip() == STARTER for between in lines[begin:index])
            if not started and not line.startswith((" ", "\t")):
                result += _starter(tree, begin, index)
            begin = None
        result.append(line)
    return "\n".join(result)


def heads(source: str) -> list[str]:
    """Heads of the functions and classes of a solution, and its other names bound to `...`."""
    tree = parse_cell(source)
    return _heads(tree.body) if tree else []


def _starter(tree: ast.Module | None, begin: int, end: int) -> list[str]:
    inside = [s for s in tree.body if begin < s.lineno - 1 < end] if tree else []
    lines = [f"# {line}".rstrip() for line in _heads(inside)]
    return [STARTER, "# # YOUR CODE HERE", *lines] if lines else []


def _heads(statements: Sequence[ast.stmt]) -> list[str]:
    lines: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            lines += _stub(statement)
        elif isinstance(statement, ast.ClassDef):
            bases = f"({', '.join(map(ast.unparse, statement.bases))})" if statement.bases else ""
            lines += [f"class {statement.name}{bases}:", "    ..."]
        elif not isinstance(statement, ast.Import | ast.ImportFrom):
            names = [f"{name} = ..." for name in sorted(bound(statement))]
            lines += [line for line in names if line not in lines]
    return lines


def _stub(function: ast.FunctionDef) -> list[str]:
    doc = ast.get_docstring(function, clean=False)
    head = ast.unparse(
        ast.FunctionDef(
            name=function.name,
            args=function.args,
            body=[ast.Pass()],
            decorator_list=[],
            returns=function.returns,
            lineno=1,
        )
    ).split("\n")[0]
    text = [f'    """{doc}"""'] if doc and '"""' not in doc and "\n" not in doc else []
    return [head, *text, f'    raise NotImplementedError("{function.name}")']


def _ours(line: str) -> str:
    match = _MARKER.match(line)
    return f"{match['indent']}# {match['word'].upper()} SOLUTION" if match else line
