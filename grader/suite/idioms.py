"""Lines of a suite that hold for a result with nothing in it, or with NaN: named before release.

Most such comparisons are refused while a test runs (`suite.strictness`). What Python itself
compares, item by item or by `min` and `max`, can only be read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_ZIP = (
    "zip stops at the shorter one, so with an empty result nothing is compared; "
    "write zip(…, strict=True)"
)
_NAN = (
    "{0}(…, nan) may return the other number, so a NaN result may pass; "
    "assert math.isfinite(…) first"
)
_NOT = (
    "no comparison with NaN is true, so a NaN result passes a negated one; assert what "
    "must hold, as in assert abs(a - b) <= eps, or assert math.isfinite(…) first"
)
_NONE = (
    "an empty result passes, because nothing is compared; assert its len(…) first, or use "
    "zip(…, strict=True) with what is expected"
)
_LOOKS_AT_NAN = frozenset({"isfinite", "isnan", "nan_to_num"})
_LOOKS_AT_LENGTH = frozenset({"len", "set", "sorted", "list", "tuple"})
_LENGTHS = frozenset({"shape", "size", "numel", "ndim", "keys", "empty"})
_AS_LONG = frozenset({"enumerate", "sorted", "list", "tuple", "set", "reversed", "iter", "map"})
_ORDER = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


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
    if not looks:
        yield from _opposites(function, theirs)
    if not any(_looks_at_length(node, theirs) for node in ast.walk(function)):
        yield from _of_nothing(function, theirs)
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if len(node.args) < 2 or not any(_mentions(arg, theirs) for arg in node.args):
            continue
        if node.func.id == "zip" and not any(word.arg == "strict" for word in node.keywords):
            yield node.lineno, _ZIP
        elif node.func.id in ("min", "max") and not looks:
            yield node.lineno, _NAN.format(node.func.id)


def _opposites(function: ast.FunctionDef, theirs: set[str]) -> Iterator[tuple[int, str]]:
    """`not a > b`, and what fails the test if `a > b`."""
    for node in ast.walk(function):
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=ast.Compare() as compared):
                pass
            case ast.If(test=ast.Compare() as compared, body=body) if _fails(body[-1]):
                pass
            case _:
                continue
        ordered = any(isinstance(op, _ORDER) for op in compared.ops)
        if ordered and _mentions(compared, theirs) and not _only_length(compared, theirs):
            yield node.lineno, _NOT


def _fails(statement: ast.stmt) -> bool:
    match statement:
        case ast.Raise() | ast.Assert(test=ast.Constant(value=False)):
            return True
        case ast.Expr(value=ast.Call(func=called)):
            return _name(called) == "fail"
    return False


def _only_length(node: ast.AST, theirs: set[str]) -> bool:
    """Whether nothing of theirs is looked at but how much there is of it."""
    if _looks_at_length(node, theirs):
        return True
    if isinstance(node, ast.Name):
        return node.id not in theirs
    return all(_only_length(part, theirs) for part in ast.iter_child_nodes(node))


def _of_nothing(function: ast.FunctionDef, theirs: set[str]) -> Iterator[tuple[int, str]]:
    """`all(…)`, `not any(…)` and loops with an assertion, as long as the student's result is."""
    sized = _sized(function, theirs)
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="all"), args=[looked_at]):
                pass
            case ast.UnaryOp(
                op=ast.Not(), operand=ast.Call(func=ast.Name(id="any"), args=[looked_at])
            ):
                pass
            case ast.For(iter=looked_at) if _asserts(node):
                pass
            case _:
                continue
        if _as_long(looked_at, sized):
            yield node.lineno, _NONE


def _asserts(loop: ast.For) -> bool:
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Call) and _name(node.func).startswith("assert"))
        for node in ast.walk(loop)
    )


def _sized(function: ast.FunctionDef, theirs: set[str]) -> set[str]:
    """Those names of theirs that are as long as the student's code made them."""
    ours: set[str] = set()
    for _ in range(3):
        sized = theirs - ours
        for node in ast.walk(function):
            if isinstance(node, ast.For | ast.comprehension):
                continue
            for target, value in _bindings(node):
                if isinstance(target, ast.Name) and not _as_long(value, sized):
                    ours.add(target.id)
    return theirs - ours


def _as_long(node: ast.expr, sized: set[str]) -> bool:
    """Whether the student's code decides how many items the expression has."""
    match node:
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
            return any(_as_long(generator.iter, sized) for generator in node.generators)
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.Constant():
            return False
        case ast.Call(func=ast.Name(id="zip" | "range")):  # zip has a line of its own
            return False
        case ast.Call(func=ast.Name(id=name)) if name in _AS_LONG:
            return any(_as_long(arg, sized) for arg in node.args)
    return _mentions(node, sized)


def _looks_at_length(node: ast.AST, theirs: set[str]) -> bool:
    match node:
        case ast.Call(func=called) if _name(called) in _LOOKS_AT_LENGTH:
            return any(_mentions(arg, theirs) for arg in node.args)
        case ast.Call(func=called) if _name(called).startswith("assert_"):
            return any(isinstance(arg, ast.Name) and arg.id in theirs for arg in node.args)
        case ast.Attribute(attr=name) if name in _LENGTHS:
            return _mentions(node.value, theirs)
        case ast.Subscript(
            value=ast.Name(id=name), slice=ast.Constant(value=int()) | ast.UnaryOp()
        ):
            return name in theirs  # of an empty list it raises
    return False


def _theirs(function: ast.FunctionDef) -> set[str]:
    """The names in a function that hold what came from the student's code."""
    arguments = {argument.arg for argument in function.args.args}
    theirs = arguments & {"student"}
    for _ in range(3 if theirs else 0):  # a name may be used above the line that gives it
        for node in ast.walk(function):
            for target, value in _bindings(node):
                if _mentions(value, theirs):
                    theirs |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return theirs


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Which target is bound to what, or to the items of what."""
    match node:
        case ast.Assign():
            yield from ((target, node.value) for target in node.targets)
        case ast.AnnAssign(value=ast.expr() as value) | ast.AugAssign(value=value):
            yield node.target, value
        case ast.NamedExpr():
            yield node.target, node.value
        case (
            ast.For(target=ast.Tuple(elts=parts), iter=ast.Call(func=ast.Name("zip"), args=args))
            | ast.comprehension(
                target=ast.Tuple(elts=parts), iter=ast.Call(func=ast.Name("zip"), args=args)
            )
        ) if len(parts) == len(args):
            yield from zip(parts, args, strict=True)
        case ast.For() | ast.comprehension():
            yield node.target, node.iter


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
