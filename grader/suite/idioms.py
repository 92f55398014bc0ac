"""Lines of a suite that hold for a result with nothing in it, or with NaN: named before release.

Most such comparisons are refused while a test runs (`suite.strictness`). What Python itself
compares, item by item or by `min` and `max`, can only be read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_ZIP = (
    "zip stops at the shorter, so that of an empty result nothing is compared; "
    "write zip(…, strict=True)"
)
_NAN = (
    "{0}(…, nan) may be the other number, so that a result of NaN may pass; "
    "assert math.isfinite(…) of it first"
)
_LOOKS_AT_NAN = frozenset({"isfinite", "isnan", "nan_to_num"})


def careless_lines(folder: Path) -> list[str]:
    """Say of each such line of the suite in `folder` where it is and what to write instead."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue  # the collection says it
        lines = {
            line: what
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            for line, what in _of_function(node)
        }
        name = path.relative_to(folder)
        found += [f"{name}:{line}: {lines[line]}" for line in sorted(lines)]
    return found


def _of_function(function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    theirs = _theirs(function)
    if not theirs:
        return
    looks = any(_name(node) in _LOOKS_AT_NAN for node in ast.walk(function))
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if len(node.args) < 2 or not any(_mentions(arg, theirs) for arg in node.args):
            continue
        if node.func.id == "zip" and not any(word.arg == "strict" for word in node.keywords):
            yield node.lineno, _ZIP
        elif node.func.id in ("min", "max") and not looks:
            yield node.lineno, _NAN.format(node.func.id)


def _theirs(function: ast.FunctionDef) -> set[str]:
    """The names in a function that hold what came from the student's code."""
    arguments = {argument.arg for argument in function.args.args}
    theirs = arguments & {"student"}
    for _ in range(3 if theirs else 0):  # a name may be used above the line that gives it
        for node in ast.walk(function):
            targets, value = _binding(node)
            if value is not None and _mentions(value, theirs):
                theirs |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return theirs


def _binding(node: ast.AST) -> tuple[list[ast.expr], ast.expr | None]:
    match node:
        case ast.Assign():
            return node.targets, node.value
        case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr():
            return [node.target], node.value
        case ast.For() | ast.comprehension():
            return [node.target], node.iter
    return [], None


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
