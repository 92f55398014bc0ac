"""A suite's function as source that runs in the box, with exactly what it uses and no more.

The box gets the function's code without docstring, comments and annotations, and each name that it
uses: a module of a fixed list, another function of the suite, or a plain value. Everything else is
refused, first of all the reference solution: whatever goes in, a student can read.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import symtable
import sys
import textwrap
import types
from dataclasses import dataclass
from typing import Any

from grader.errors import SuiteError
from grader.suite.reference import REFERENCE_MODULE
from grader.wire import values
from grader.wire.values import FunctionSource

MODULES = (
    "torch",
    "torch.nn",
    "torch.nn.functional",
    "numpy",
    "math",
    "random",
    "itertools",
    "functools",
    "collections",
    "time",
    "copy",
    "pandas",
)
MODULE_MARK = "module:"
MAX_HELPERS_DEEP = 8
_LAMBDA = "suite_lambda"


@dataclass(frozen=True)
class _Code:
    name: str
    source: str
    names: frozenset[str]


def function_source(function: object) -> FunctionSource:
    """Turn a function of the suite, or one of a library that the box has, into source.

    Raises:
        SuiteError: it can't be sent: why, and what to do.
    """
    return _source_of(function, ())


def is_function(value: object) -> bool:
    """Say whether a suite may mean this as a function to send."""
    return isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType)


def _source_of(function: object, path: tuple[types.CodeType, ...]) -> FunctionSource:
    imported = _import_line(function, "function")
    if imported is not None:
        return FunctionSource("function", imported, {})
    if not isinstance(function, types.FunctionType):
        raise _refusal(function, "only plain functions can be sent into the box")
    target = inspect.unwrap(function)
    if not isinstance(target, types.FunctionType):
        raise _refusal(function, "it wraps something that is no plain function")
    # The reference must never enter the box: a student would read the solution there.
    if REFERENCE_MODULE in (target.__module__, target.__globals__.get("__name__")):
        raise _refusal(function, "the reference solution never enters the box")
    if target.__code__ in path or len(path) >= MAX_HELPERS_DEEP:
        raise _refusal(function, "its helper functions call each other in a circle, or too deep")
    code = _code_of(target)
    lines, sent = [], {}
    for name in sorted(code.names - {code.name}):
        found, value = _lookup(target, name)
        if not found:
            if hasattr(builtins, name):
                continue
            raise _refusal(function, f"it uses {name}, which is not defined")
        line = None if isinstance(value, types.ModuleType) else _import_line(value, name)
        if line is not None:
            lines.append(line)
        else:
            sent[name] = _global_value(function, name, value, (*path, target.__code__))
    return FunctionSource(code.name, "".join(lines) + code.source, sent)


def _lookup(function: types.FunctionType, name: str) -> tuple[bool, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for free, cell in cells:
        if free == name:
            try:
                return True, cell.cell_contents
            except ValueError:
                return False, None
    return name in function.__globals__, function.__globals__.get(name)


def _global_value(function: object, name: str, value: Any, path: tuple[types.CodeType, ...]) -> Any:
    if isinstance(value, types.ModuleType):
        if value.__name__ not in MODULES:
            raise _refusal(function, f"it uses the module {name}, which the box does not offer it")
        return f"{MODULE_MARK}{value.__name__}"
    if is_function(value):
        return _source_of(value, path)
    if isinstance(value, str) and value.startswith(MODULE_MARK):
        raise _refusal(function, f"the text {name} may not begin with {MODULE_MARK!r}")
    try:
        values.encode(value, [])
    except values.Unencodable as error:
        raise _refusal(function, f"it uses {name}: {error}") from error
    return value


def _import_line(value: object, alias: str) -> str | None:
    """Return the import statement for what a library of the box offers, else None."""
    if not callable(value):
        return None
    name = getattr(value, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        return None
    for module in (*MODULES, "builtins"):
        if getattr(sys.modules.get(module), name, None) is value:
            return f"from {module} import {name} as {alias}\n"
    return None


@functools.lru_cache(maxsize=256)
def _read_code(code: types.CodeType, name: str) -> _Code:
    try:
        text = textwrap.dedent(inspect.getsource(code))
    except (OSError, TypeError) as error:
        raise SuiteError(
            f"{name} can't be sent into the box: its source can't be found",
            hint="Define it with `def` in the suite's own file.",
        ) from error
    if name == "<lambda>":
        source, name = f"{_LAMBDA} = {ast.unparse(_find_lambda(text, code))}\n", _LAMBDA
    else:
        source = _stripped(ast.parse(text), name)
    return _Code(name, source, _free_names(source))


def _code_of(function: types.FunctionType) -> _Code:
    try:
        return _read_code(function.__code__, function.__code__.co_name)
    except SyntaxError as error:
        raise _refusal(function, f"its source does not stand alone ({error.msg})") from error


def _find_lambda(text: str, code: types.CodeType) -> ast.Lambda:
    found = []
    for node in ast.walk(_parse_fragment(text)):
        if isinstance(node, ast.Lambda):
            made = compile(ast.Expression(node), "<suite>", "eval").co_consts[0]
            if made.co_code == code.co_code and made.co_names == code.co_names:
                found.append(node)
    if len({ast.unparse(node) for node in found}) != 1:
        raise SuiteError(
            "a lambda can't be sent into the box: its source can't be told apart",
            hint="Define it with `def` in the suite's own file.",
        )
    return found[0]


def _parse_fragment(text: str) -> ast.Module:
    """Parse the lines that hold a lambda: a statement, or the head of a block."""
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.parse(f"{text.rstrip()}\n    pass\n")


def _stripped(tree: ast.Module, name: str) -> str:
    """Drop what the box does not need: it could tell what the suite expects."""
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        raise SuiteError(f"{name} can't be sent into the box: it is not made by `def`")
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
            first = node.body[0]
            if len(node.body) > 1 and isinstance(first, ast.Expr) and _is_text(first.value):
                del node.body[0]
        elif isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(function) + "\n"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _free_names(source: str) -> frozenset[str]:
    names: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            outside = not symbol.is_assigned() if top else symbol.is_global()
            if symbol.is_referenced() and outside:
                names.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "<suite>", "exec"))
    return frozenset(names)


def _refusal(function: object, why: str) -> SuiteError:
    name = getattr(function, "__qualname__", type(function).__name__)
    code = getattr(function, "__code__", None)
    return SuiteError(
        f"{name} can't be sent into the box: {why}",
        where=f"{code.co_filename}:{code.co_firstlineno}" if code is not None else None,
        hint=(
            "A function for the box uses modules such as torch, plain values, and functions of "
            "the suite that do the same; give it the rest as arguments."
        ),
    )
