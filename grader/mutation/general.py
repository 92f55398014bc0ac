"""Mistakes that programs of any kind have: operators, constants, conditions, dropped statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.mutation.change import Operator, SourceChange, changed
from grader.mutation.code import Code, name_of_call, names_in, owner
from grader.source.names import bound

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
_SIGNS = {
    ast.Add: "a sign is the other way round",
    ast.Sub: "a sign is the other way round",
    ast.Mult: "divided where it should be multiplied",
    ast.Div: "multiplied where it should be divided",
}
_BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BIASES = frozenset({"b", "bias", "biases", "b1", "b2"})
_SMALL = frozenset({"eps", "epsilon", "EPS"})
_ROOTS = frozenset({"sqrt", "rsqrt"})
_SYMMETRIC = frozenset(
    {
        *("max", "min", "maximum", "minimum", "fmax", "fmin", "gcd", "lcm", "add", "mul", "dot"),
        *("hypot", "logaddexp", "equal", "isclose", "allclose", "mse_loss", "l1_loss"),
    }
)
"""Functions of two arguments, for which it does not matter which is the first."""
_SYMMETRIC_METHODS = frozenset({"transpose", "swapaxes", "swapdims"})
"""Methods of a tensor that exchange two axes, whichever is named first."""
_TINY = 1e-3
"""A constant below is there against a division by zero, and has an operator of its own."""


def arithmetic(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`a + b` becomes `a - b`, and so on."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC and not _is_text(node):
        other = changed(node, op=_ARITHMETIC[type(node.op)]())
        yield SourceChange(node, other, "arithmetic", _SIGNS.get(type(node.op), ""))


def dropped_operand(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`x @ w + b` becomes `x @ w`."""
    if not isinstance(node, ast.BinOp) or _is_text(node):
        return
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield SourceChange(node, node.left, "dropped operand", _missing(node.op, node.right))
    if isinstance(node.op, ast.Add | ast.Mult):
        yield SourceChange(node, node.right, "dropped operand", _missing(node.op, node.left))
    if isinstance(node.op, ast.Pow):
        yield SourceChange(node, node.left, "dropped operand", "a power is missing")


def _missing(operator: ast.operator, part: ast.expr) -> str:
    names = names_in(part)
    if isinstance(operator, ast.Add | ast.Sub):
        if names & _SMALL:
            return "the eps is missing"
        return "the bias is missing" if names & _BIASES else "a term of the formula is missing"
    if names & _ROOTS:
        return "the scaling by a square root is missing"
    return "a factor of the formula is missing"


def comparison(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`a < b` becomes `a <= b`, and `a >= b`."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return
    kind = type(node.ops[0])
    if kind in _BOUNDARIES:
        other = changed(node, ops=[_BOUNDARIES[kind]()])
        yield SourceChange(node, other, "boundary", "a boundary case is treated as the other side")
    if kind in _OPPOSITES:
        other = changed(node, ops=[_OPPOSITES[kind]()])
        yield SourceChange(node, other, "comparison", "a condition is the other way round")


def constant(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Another number, or the other truth value.

    Not outside of functions: there it is a setting that students choose, such as a learning rate.
    """
    if not isinstance(node, ast.Constant) or _is_of_a_slice(node, code) or not code.scopes(node):
        return
    parent = code.parent(node)
    if isinstance(parent, ast.keyword) and parent.arg == "strict":
        return  # of zip: says only what happens when lengths differ, which they do not
    value = node.value
    if value is True or value is False:
        yield SourceChange(node, ast.Constant(not value), "constant")
    elif isinstance(value, int):
        yield SourceChange(node, ast.Constant(value + 1), "constant")
        if value == 1:
            yield SourceChange(node, ast.Constant(0), "constant")
    elif isinstance(value, float) and abs(value) >= _TINY:
        yield SourceChange(
            node, ast.Constant(value * 2), "constant", "a constant of the formula differs"
        )


def answer(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Another answer, where one is all that a line gives: `q1 = 4` becomes `q1 = 5`.

    What the cell goes on to use is no answer but a setting, such as `units = 2000`.
    """
    if not isinstance(node, ast.Assign) or not isinstance(code.parent(node), ast.Module):
        return
    names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    read = {
        n.id for n in ast.walk(code.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    if len(names) < len(node.targets) or read & set(names):
        return
    try:
        value = ast.literal_eval(node.value)
    except ValueError:
        return
    if (other := _other_answer(value)) is not None:
        yield SourceChange(node.value, repr(other), "answer")


def _other_answer(value: object) -> object | None:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str) and len(value) == 1:
        return "a" if value != "a" else "b"
    if isinstance(value, list | tuple) and value[::-1] != value:
        return value[::-1]
    return None


def negated_condition(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`if c` becomes `if not c`."""
    if isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.Compare):
        other = ast.UnaryOp(ast.Not(), node.test)
        yield SourceChange(
            node.test, other, "negated condition", "a condition is the other way round"
        )
    if isinstance(node, ast.BoolOp):
        operator = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield SourceChange(node, changed(node, op=operator), "negated condition")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield SourceChange(
            node, node.operand, "negated condition", "a condition is the other way round"
        )


def sign(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A minus is gone, or one more there where a value is returned."""
    wrong = "the sign is wrong"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if not isinstance(node.operand, ast.Constant):
            yield SourceChange(node, node.operand, "sign", wrong)
    elif isinstance(node, ast.Return) and node.value is not None:
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for value in values:
            if isinstance(value, ast.BinOp | ast.Name) and not _is_text(value):
                yield SourceChange(value, ast.UnaryOp(ast.USub(), value), "sign", wrong)


def dropped_statement(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A statement that something else could have done without is not there."""
    if not isinstance(node, ast.stmt):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        mistake = (
            "gradients of earlier steps are not reset"
            if name_of_call(node.value) == "zero_grad"
            else ""
        )
        yield SourceChange(node, "pass", "dropped statement", mistake)
    elif isinstance(node, ast.AugAssign):
        yield SourceChange(node, "pass", "dropped statement", "a step of an update is missing")
    elif isinstance(node, ast.Assign) and _binds_again(node, code):
        yield SourceChange(node, "pass", "dropped statement", "a step is missing")
    elif isinstance(node, ast.Continue | ast.Break | ast.Raise):
        yield SourceChange(node, "pass", "dropped statement")


def _binds_again(node: ast.Assign, code: Code) -> bool:
    """Whether what is assigned to has a value already, or is a place in something."""
    if any(isinstance(t, ast.Attribute | ast.Subscript) for t in node.targets):
        return True
    function = code.function(node)
    if function is None:
        return False
    own = bound(node)
    args = function.args
    before = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    for other in ast.walk(function):
        if isinstance(other, ast.stmt) and other is not function and other.lineno < node.lineno:
            before |= bound(other) if not isinstance(other, ast.For | ast.While | ast.If) else set()
    return bool(own) and own <= before


def swapped_arguments(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`f(a, b)` becomes `f(b, a)`, and so do two returned values."""
    if (
        isinstance(node, ast.Call)
        and len(node.args) > 1
        and not _has_star(node.args)
        and not _is_symmetric(node)
    ):
        first, second, *rest = node.args
        if ast.dump(first) != ast.dump(second) and not isinstance(first, ast.Constant):
            other = changed(node, args=[second, first, *rest])
            yield SourceChange(node, other, "swapped arguments", "two arguments are swapped")
    value = node.value if isinstance(node, ast.Return) else None
    if isinstance(value, ast.Tuple) and len(value.elts) > 1 and not _has_star(value.elts):
        first, second, *rest = value.elts
        text = ", ".join(ast.unparse(part) for part in (second, first, *rest))
        yield SourceChange(value, text, "swapped results", "two results are swapped")


def _is_symmetric(call: ast.Call) -> bool:
    if owner(call) is None:
        return name_of_call(call) in _SYMMETRIC
    return name_of_call(call) in _SYMMETRIC_METHODS and len(call.args) == 2


def _has_star(parts: list[ast.expr]) -> bool:
    return any(isinstance(part, ast.Starred) for part in parts)


def _is_text(node: ast.AST) -> bool:
    return any(
        isinstance(n, ast.JoinedStr) or (isinstance(n, ast.Constant) and isinstance(n.value, str))
        for n in ast.iter_child_nodes(node)
    )


def _is_of_a_slice(node: ast.AST, code: Code) -> bool:
    """Whether a number bounds a slice, which has an operator of its own."""
    parent = code.parent(node)
    if isinstance(parent, ast.UnaryOp):
        parent = code.parent(parent)
    return isinstance(parent, ast.Slice)


GENERAL: tuple[Operator, ...] = (
    arithmetic,
    dropped_operand,
    comparison,
    constant,
    answer,
    negated_condition,
    sign,
    dropped_statement,
    swapped_arguments,
)
