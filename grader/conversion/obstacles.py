"""What a test does that can't be done from outside of the student's process."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.conversion.live import dotted
from grader.conversion.scope import DraftNames
from grader.source.names import bound, taken

_OUT_OF_REACH = {
    "globals": "it looks through the notebook's names",
    "locals": "it looks through the notebook's names",
    "vars": "it looks through the notebook's names",
    "exec": "it runs code that it puts together",
    "eval": "it runs code that it puts together",
    "get_ipython": "it speaks to the notebook's kernel",
    "display": "it displays something",
    "input": "it waits for somebody to type",
    "open": "it opens a file, and the student's files stay in their box",
    "redirect_stdout": "it looks at what the student's code prints",
    "redirect_stderr": "it looks at what the student's code prints",
    "patch": "it puts something in the place of what the student's code uses",
    "monkeypatch": "it puts something in the place of what the student's code uses",
}
_MODULES_OUT_OF_REACH = {
    "inspect": "it inspects the student's code",
    "ast": "it inspects the student's code",
    "dis": "it inspects the student's code",
    "unittest.mock": "it puts something in the place of what the student's code uses",
    "mock": "it puts something in the place of what the student's code uses",
    "os": "it looks at files or processes, and the student's stay in their box",
    "shutil": "it looks at files, and the student's stay in their box",
    "glob": "it looks at files, and the student's stay in their box",
    "pathlib": "it looks at files, and the student's stay in their box",
    "subprocess": "it starts a process",
    "sys": "it looks at the state of the student's process",
    "io": "it looks at what the student's code prints",
    "contextlib": "it looks at what the student's code prints",
    "matplotlib": "it looks at pictures, and the student's are drawn in their box",
    "matplotlib.pyplot": "it looks at pictures, and the student's are drawn in their box",
    "plotchecker": "it looks at pictures, and the student's are drawn in their box",
    "nbgrader": "it uses nbgrader",
    "otter": "it uses Otter",
    "gc": "it looks at the state of the student's process",
}
# Why something can't be turned begins so; what to write in its place.
_INSTEAD = {
    "it looks through the notebook's names": "ask student.has(NAME) or student.names()",
    "it runs code that it puts together": "call the student's functions by their names",
    "it speaks to the notebook's kernel": "ask for the values that the cells left: student.NAME",
    "it displays something": "compare the value itself",
    "it waits for somebody to type": "hand what is typed to a function as its argument",
    "it opens a file": "let the student's code return what it writes, or read the file in a "
    "function of the notebook that is given to students",
    "it looks at files": "let the student's code return what it writes, or read the file in a "
    "function of the notebook that is given to students",
    "it looks at what the student's code prints": "let the function return it, or look for it in "
    "notebook.cell(ID).text",
    "it looks at pictures": "test the data that is drawn, or have a person mark the picture "
    "(`manual` points)",
    "it puts something in the place": "hand what is to be used to the function as an argument, or "
    'look for it among notebook.calls("NAME")',
    "it inspects the student's code": 'look at the text: notebook.source("NAME"), or write a rule '
    "([[rules]] in assignment.toml)",
    "it starts a process": "call the student's function",
    "it looks at the state of the student's process": "ask for what the student's code returns",
    "it uses nbgrader": "write the assertion itself",
    "it uses Otter": "write the assertion itself",
    "nbgrader makes its assertions": "write what is to hold, or compare with the same call of "
    "reference.NAME",
    "it assigns to": "hand the value to the student's function as an argument",
    "it waits for something, or yields": "call the student's function, and compare what it returns",
    "it changes": "hand the value to the student's function as an argument",
    "it asks for": "compare what it is for: a value, a length, the text of notebook.source(NAME)",
    "it catches": "catch StudentError of grader.suite, and look at its text",
    "it derives a class": "write the class in the function that student.run sends into the box",
    "it means the": "give the later cell's variable a name of its own",
    "it uses a command of the notebook": "write what the command does as Python",
    "it is not valid Python": "mend the line",
    "it has a variable called": "give the variable another name",
    "the notebook has a": "give the notebook's another name",
    "it uses": "name what the notebook defines, or define it in the test",
    "it asserts within a block": "collect the values in a function for student.run, and assert on "
    "them behind it",
    "the box does not offer": "do that part behind student.run, with the values that it returned",
    "it compares how": "compare its attributes, as in student.NAME(…).x == 1",
}
_PLAIN_DUNDERS = frozenset({"__name__", "__len__", "__getitem__", "__call__", "__class__"})


def obstacles(statement: ast.stmt, scope: DraftNames, local: set[str]) -> Iterator[tuple[int, str]]:
    """Yield (line, counted from 1; why) for each part of a statement that can't be turned.

    Args:
        statement: of a test cell.
        scope: the notebook's names.
        local: the names that the test itself binds.
    """
    for made in sorted(bound(statement)):
        if scope.is_defined(made):
            yield statement.lineno, f"it puts something in the place of the student's {made}"
    outside = {id(name) for name in taken(statement)}
    for node in ast.walk(statement):
        line = getattr(node, "lineno", statement.lineno)
        match node:
            case ast.Name() if id(node) in outside and node.id not in local:
                why = _why_not_name(node.id, scope)
                if why:
                    yield line, why
            case ast.Import() | ast.ImportFrom():
                for module in _modules(node):
                    if module in _MODULES_OUT_OF_REACH:
                        yield line, _MODULES_OUT_OF_REACH[module]
            case ast.Global() | ast.Nonlocal():
                yield line, f"it assigns to {', '.join(node.names)} of the notebook"
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                yield line, "it waits for something, or yields"
            case ast.Attribute() if isinstance(node.ctx, ast.Store | ast.Del):
                root = dotted(node).partition(".")[0]
                if root not in local and scope.home(root) == "import":
                    yield line, f"it changes {dotted(node)}, which the student's code does not see"
            case ast.Attribute() if node.attr.startswith("__") and node.attr not in _PLAIN_DUNDERS:
                yield line, f"it asks for {node.attr}, which the box does not give away"
            case ast.ExceptHandler() if node.type is not None:
                for name in ast.walk(node.type):
                    if isinstance(name, ast.Name) and scope.home(name.id) == "student":
                        yield line, f"it catches {name.id}, an exception of the student's own"
            case ast.ClassDef():
                for base in node.bases:
                    root = dotted(base).partition(".")[0]
                    if root and root not in local and scope.home(root) == "student":
                        yield line, f"it derives a class from the student's {root}"


def instead(why: str) -> str:
    """What to write in the place of something that can't be turned."""
    found = [text for begin, text in _INSTEAD.items() if why.startswith(begin)]
    return found[0] if found else "ask the notebook from outside, as in student.NAME(…) == 1"


def late_values(
    statement: ast.stmt, scope: DraftNames, position: int, local: set[str]
) -> Iterator[tuple[int, str]]:
    """Yield the uses of names that the notebook gives another value after the test."""
    for name in taken(statement):
        if name.id in local or scope.home(name.id) != "student":
            continue
        cell = scope.bound_again_after(name.id, position)
        if cell is not None:
            yield (
                name.lineno,
                f"it means the {name.id} of this place, and cell {cell.place.cell} gives "
                f"{name.id} another value; tests see the last one",
            )


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


def _why_not_name(name: str, scope: DraftNames) -> str | None:
    if scope.home(name) == "import":
        module = scope.dotted_import(name)
        for known in (module, module.rpartition(".")[0]):
            if known in _MODULES_OUT_OF_REACH:
                return _MODULES_OUT_OF_REACH[known]
        return None
    if scope.home(name) in ("builtin", "unknown"):
        return _OUT_OF_REACH.get(name)
    return None


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""]
