"""What a test does that can't be done from outside of the student's process."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grader.conversion.live import dotted
from grader.conversion.scope import DraftNames
from grader.source.names import bound, taken


class Reason(NamedTuple):
    """Why something can't be turned, and what to write in its place."""

    why: str
    instead: str


_ELSEWHERE = "hand what is to be used to the function as an argument, or look for it among "
_RETURNED = (
    "let the student's code return what it writes, or read the file in a function of the notebook "
    "that is given to students"
)
_DRAWN = "test the data that is drawn, or have a person mark the picture (`manual` points)"
_ARGUMENT = "hand the value to the student's function as an argument"
# What a name of Python, or a module, does that can't be done from outside.
_OUT_OF_REACH = {
    name: Reason(why, instead)
    for names, why, instead in (
        (
            "globals locals vars",
            "it looks through the notebook's names",
            "ask student.has(NAME) or student.names()",
        ),
        (
            "exec eval",
            "it runs code that it puts together",
            "call the student's functions by their names",
        ),
        (
            "get_ipython",
            "it speaks to the notebook's kernel",
            "ask for the values that the cells left: student.NAME",
        ),
        ("display", "it displays something", "compare the value itself"),
        (
            "input",
            "it waits for somebody to type",
            "hand what is typed to a function as its argument",
        ),
        ("open", "it opens a file, and the student's files stay in their box", _RETURNED),
        (
            "redirect_stdout redirect_stderr io contextlib",
            "it looks at what the student's code prints",
            "let the function return it, or look for it in notebook.cell(ID).text",
        ),
        (
            "patch monkeypatch unittest.mock mock",
            "it puts something in the place of what the student's code uses",
            f'{_ELSEWHERE}notebook.calls("NAME")',
        ),
        (
            "inspect ast dis",
            "it inspects the student's code",
            'look at the text: notebook.source("NAME"), or write a rule ([[rules]] in '
            "assignment.toml)",
        ),
        (
            "os shutil glob pathlib",
            "it looks at files or processes, and the student's stay in their box",
            _RETURNED,
        ),
        (
            "matplotlib matplotlib.pyplot plotchecker",
            "it looks at pictures, and the student's are drawn in their box",
            _DRAWN,
        ),
        ("subprocess", "it starts a process", "call the student's function"),
        (
            "sys gc",
            "it looks at the state of the student's process",
            "ask for what the student's code returns",
        ),
        ("nbgrader", "it uses nbgrader", "write the assertion itself"),
        ("otter", "it uses Otter", "write the assertion itself"),
    )
    for name in names.split()
}
BY_SOLUTION = Reason(
    "nbgrader makes its assertions by running the solution (AUTOTEST)",
    "write what is to hold, or compare with the same call of reference.NAME",
)
COMMAND = Reason("it uses a command of the notebook", "write what the command does as Python")
SHOWN_OBJECT = Reason(
    "it compares how an object of the student's own class is shown",
    "compare its attributes, as in student.NAME(…).x == 1",
)
_WAITS = Reason(
    "it waits for something, or yields", "call the student's function, and compare what it returns"
)
_SAME_CALL = "compare what both return for the same arguments"
_PLAIN_DUNDERS = frozenset({"__name__", "__len__", "__getitem__", "__call__", "__class__"})


def obstacles(
    statement: ast.stmt, scope: DraftNames, local: set[str]
) -> Iterator[tuple[int, Reason]]:
    """Yield (line, counted from 1; reason) for each part of a statement that can't be turned.

    Args:
        statement: of a test cell.
        scope: the notebook's names.
        local: the names that the test itself binds.
    """
    for made in sorted(bound(statement)):
        if scope.is_defined(made):
            why = f"it puts something in the place of the student's {made}"
            yield statement.lineno, Reason(why, f'{_ELSEWHERE}notebook.calls("NAME")')
    outside = {id(name) for name in taken(statement)}
    for node in ast.walk(statement):
        line = getattr(node, "lineno", statement.lineno)
        match node:
            case ast.Name() if id(node) in outside and node.id not in local:
                reason = _why_not_name(node.id, scope)
                if reason:
                    yield line, reason
            case ast.Import() | ast.ImportFrom():
                for module in _modules(node):
                    if module in _OUT_OF_REACH:
                        yield line, _OUT_OF_REACH[module]
            case ast.Global() | ast.Nonlocal():
                yield (
                    line,
                    Reason(f"it assigns to {', '.join(node.names)} of the notebook", _ARGUMENT),
                )
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                yield line, _WAITS
            case ast.Attribute() if isinstance(node.ctx, ast.Store | ast.Del):
                root = dotted(node).partition(".")[0]
                if root not in local and scope.home(root) == "import":
                    why = f"it changes {dotted(node)}, which the student's code does not see"
                    yield line, Reason(why, _ARGUMENT)
            case ast.Attribute() if node.attr.startswith("__") and node.attr not in _PLAIN_DUNDERS:
                why = f"it asks for {node.attr}, which the box does not give away"
                instead = "compare what it is for: a value, a length, notebook.source(NAME)"
                yield line, Reason(why, instead)
            case ast.Compare(left=left, comparators=others):
                for known in _names_alone((left, *others)):
                    if known not in local and scope.given_function(known):
                        yield line, Reason(f"it asks whether a value is {known} itself", _SAME_CALL)
            case ast.ExceptHandler() if node.type is not None:
                for name in ast.walk(node.type):
                    if isinstance(name, ast.Name) and scope.home(name.id) == "student":
                        why = f"it catches {name.id}, an exception of the student's own"
                        instead = "catch StudentError of grader.suite, and look at its text"
                        yield line, Reason(why, instead)
            case ast.ClassDef():
                for base in node.bases:
                    root = dotted(base).partition(".")[0]
                    if root and root not in local and scope.home(root) == "student":
                        why = f"it derives a class from the student's {root}"
                        instead = "write the class in the function that student.run sends"
                        yield line, Reason(why, instead)


def _names_alone(sides: Iterable[ast.expr]) -> Iterator[str]:
    """The sides of a comparison that are a name and nothing else, those of a list among them."""
    for side in sides:
        for part in side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]:
            if isinstance(part, ast.Name):
                yield part.id


def late_values(
    statement: ast.stmt, scope: DraftNames, position: int, local: set[str]
) -> Iterator[tuple[int, Reason]]:
    """Yield the uses of names that the notebook gives another value after the test."""
    for name in taken(statement):
        if name.id in local or scope.home(name.id) != "student":
            continue
        cell = scope.bound_again_after(name.id, position)
        if cell is not None:
            why = (
                f"it means the {name.id} of this place, and cell {cell.place.cell} gives it "
                "another value; tests see the last one"
            )
            yield name.lineno, Reason(why, "give the later cell's variable a name of its own")


def partial_credit(statements: list[ast.stmt]) -> int | None:
    """The line of a last expression whose value nbgrader would take for points, if there is one."""
    if not statements or not isinstance(statements[-1], ast.Expr):
        return None
    value = statements[-1].value
    if isinstance(value, ast.Constant) and not isinstance(value.value, int | float):
        return None
    if isinstance(value, ast.Call):
        name = dotted(value.func).rpartition(".")[2]
        silent = ("print", "assert", "check", "verify", "test", "seed", "manual_seed", "raises")
        if name.startswith(silent) or "testing" in dotted(value.func):
            return None
    return statements[-1].lineno


def _why_not_name(name: str, scope: DraftNames) -> Reason | None:
    if scope.home(name) == "import":
        module = scope.dotted_import(name)
        return _OUT_OF_REACH.get(module) or _OUT_OF_REACH.get(module.rpartition(".")[0])
    return _OUT_OF_REACH.get(name) if scope.home(name) in ("builtin", "unknown") else None


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""]
