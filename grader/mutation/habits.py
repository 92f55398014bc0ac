"""Mistakes in more than one place, or of more than one kind at once, as students make them.

A value is compared with what they give (see `diagnosis`). They are no mutants of an audit, whose
tests must notice every single slip: whatever notices the single ones notices these.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from grader.mutation.change import Operator, SourceChange, changed
from grader.mutation.code import Code, Function, name_of_call

_SUMS = ast.Add | ast.Sub
_PRODUCTS = ast.Mult | ast.Div


def parentheses(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`a * b + c` becomes `a * (b + c)` and `(a + c) * b`; `(a + b) / c` becomes `a + b / c`."""
    if not isinstance(node, ast.BinOp):
        return
    for other in (*_of_a_sum(node), *_of_a_product(node), *_of_a_power(node)):
        yield SourceChange(
            node, other, "parentheses", "what belongs together is computed in another order"
        )


def _of_a_sum(node: ast.BinOp) -> Iterator[ast.expr]:
    left, right = node.left, node.right
    if not isinstance(node.op, _SUMS):
        return
    if isinstance(left, ast.BinOp) and isinstance(left.op, _PRODUCTS):
        yield _joined_to_the_right(left, node)
        yield ast.BinOp(ast.BinOp(left.left, node.op, right), left.op, left.right)
    if isinstance(right, ast.BinOp) and isinstance(right.op, _PRODUCTS | ast.Pow):
        yield _joined_to_the_left(node, right)


def _of_a_product(node: ast.BinOp) -> Iterator[ast.expr]:
    left, right = node.left, node.right
    if not isinstance(node.op, _PRODUCTS):
        return
    if isinstance(left, ast.BinOp) and isinstance(left.op, _SUMS):
        yield _joined_to_the_right(left, node)
    if isinstance(right, ast.BinOp) and isinstance(right.op, _SUMS):
        yield _joined_to_the_left(node, right)


def _of_a_power(node: ast.BinOp) -> Iterator[ast.expr]:
    left = node.left
    if not isinstance(node.op, ast.Pow) or not isinstance(left, ast.BinOp):
        return
    if isinstance(left.op, _SUMS | _PRODUCTS):
        yield _joined_to_the_right(left, node)


def _joined_to_the_right(left: ast.BinOp, node: ast.BinOp) -> ast.BinOp:
    """`(a * b) + c`, of which `left` is `a * b`, becomes `a * (b + c)`."""
    return ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, node.right))


def _joined_to_the_left(node: ast.BinOp, right: ast.BinOp) -> ast.BinOp:
    """`a + (b * c)`, of which `right` is `b * c`, becomes `(a + b) * c`."""
    return ast.BinOp(ast.BinOp(node.left, node.op, right.left), right.op, right.right)


def affine(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`a * b + c` becomes `a` and `b`: both the scale and the shift are gone."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, _SUMS):
        scaled = node.left
        if isinstance(scaled, ast.BinOp) and isinstance(scaled.op, _PRODUCTS):
            missing = "a part of the formula is missing"
            yield SourceChange(node, scaled.left, "affine", missing)
            if isinstance(scaled.op, ast.Mult):
                yield SourceChange(node, scaled.right, "affine", missing)


def average(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`m * a + (1 - m) * b` becomes `(1 - m) * a + m * b`; `lerp(b, m)` `lerp(b, 1 - m)`."""
    swapped = "the two weights of a moving average are swapped"
    if isinstance(node, ast.Call) and name_of_call(node) in ("lerp", "lerp_") and node.args:
        rest = ast.BinOp(ast.Constant(1), ast.Sub(), node.args[-1])
        yield SourceChange(node.args[-1], rest, "average", swapped)
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return
    for kept in _weighted(node.left):
        for new in _weighted(node.right):
            weights = (kept[0], new[0])
            if _is_rest(*weights) or _is_rest(*weights[::-1]):
                left = ast.BinOp(new[0], ast.Mult(), kept[1])
                right = ast.BinOp(kept[0], ast.Mult(), new[1])
                yield SourceChange(node, changed(node, left=left, right=right), "average", swapped)


def _weighted(node: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """The two ways to read a product as a weight and what it weighs."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return []
    return [(node.left, node.right), (node.right, node.left)]


def _is_rest(weight: ast.expr, other: ast.expr) -> bool:
    """Whether a weight is one minus the other."""
    return (
        isinstance(weight, ast.BinOp)
        and isinstance(weight.op, ast.Sub)
        and isinstance(weight.left, ast.Constant)
        and weight.left.value == 1
        and ast.dump(weight.right) == ast.dump(other)
    )


def argument_ignored(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A function takes an argument to be its default, whatever is given."""
    if not isinstance(node, ast.FunctionDef):
        return
    body = [s for s in node.body if not _is_text(s)]
    read = {
        n.id
        for s in body
        for n in ast.walk(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    args = [*node.args.posonlyargs, *node.args.args]
    optional = zip(args[len(args) - len(node.args.defaults) :], node.args.defaults, strict=True)
    named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    for arg, default in (*optional, *named):
        if isinstance(default, ast.Constant) and arg.arg in read and body:
            text = f"{arg.arg} = {ast.unparse(default)}\n{ast.unparse(body[0])}"
            yield SourceChange(body[0], text, "argument ignored", "an argument is not used")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def sister(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Another variable of the same role: the height for the width, the mean for the variance."""
    function = code.function(node)
    if function is None or not isinstance(node, ast.Name | ast.Attribute):
        return
    if not isinstance(node.ctx, ast.Load) or getattr(code.parent(node), "func", None) is node:
        return
    if isinstance(node, ast.Name):
        others = [changed(node, id=name) for name in _sisters(function).get(node.id, ())]
    elif isinstance(node.value, ast.Name) and node.value.id == "self":
        others = [
            changed(node, attr=name) for name in _attributes(function, code).get(node.attr, ())
        ]
    else:
        others = []
    for other in sorted(others, key=ast.dump):
        yield SourceChange(node, other, "sister", "another variable is used")


@lru_cache(maxsize=16)
def _sisters(function: Function) -> dict[str, set[str]]:
    """For each name of a function those that are given together with it, in the same way."""
    found: dict[str, set[str]] = {}
    args = function.args
    names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    _join(found, [(a, b) for a in names for b in names if _alike(a, b)])
    for node in ast.walk(function):
        for body in _blocks(node):
            _join(found, [pair for one, two in pairwise(body) for pair in _given(one, two)])
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple):
                    own = [t.id for t in target.elts if isinstance(t, ast.Name)]
                    _join(found, list(pairwise(own)))
        inner = node.body[0] if isinstance(node, ast.For) else None
        if isinstance(node, ast.For) and isinstance(inner, ast.For):
            if _looks(node.iter) != _looks(inner.iter):
                continue
            _join(found, _both(node.target, inner.target))
    return found


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    """The statements within a node; not the body of a lambda or of `a if b else c`."""
    blocks = [getattr(node, field, None) for field in ("body", "orelse")]
    return [block for block in blocks if isinstance(block, list)]


def _given(one: ast.AST, two: ast.AST) -> list[tuple[str, str]]:
    """The names that two assignments give in the same way."""
    if not isinstance(one, ast.Assign) or not isinstance(two, ast.Assign):
        return []
    return _both(one.targets[0], two.targets[0]) if _looks(one.value) == _looks(two.value) else []


def _both(one: ast.expr, two: ast.expr) -> list[tuple[str, str]]:
    return [(one.id, two.id)] if isinstance(one, ast.Name) and isinstance(two, ast.Name) else []


def _join(found: dict[str, set[str]], pairs: Sequence[tuple[str, str]]) -> None:
    for one, two in pairs:
        if one != two:
            found.setdefault(one, set()).add(two)
            found.setdefault(two, set()).add(one)


def _attributes(function: Function, code: Code) -> dict[str, set[str]]:
    """The attributes of a class whose names are alike."""
    above = code.parent(function)
    if not isinstance(above, ast.ClassDef):
        return {}
    names = {
        n.attr
        for n in ast.walk(above)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    }
    found: dict[str, set[str]] = {}
    _join(found, [(a, b) for a in names for b in names if _alike(a, b)])
    return found


def _alike(one: str, two: str) -> bool:
    """Whether two names differ in one part, or in a number: `w_ih` and `w_hh`, `b1` and `b2`."""
    if one.rstrip("0123456789") == two.rstrip("0123456789"):
        return one != two
    parts, others = one.split("_"), two.split("_")
    differing = [a for a, b in zip(parts, others, strict=False) if a != b]
    return 1 < len(parts) == len(others) and len(differing) == 1


def _looks(node: ast.AST) -> str:
    return _OWN.sub("", ast.dump(node))


_OWN = re.compile(r"'[^']*'|\d[\d.e-]*")


def part_assigned(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`dx[place] += v` becomes `dx[place] = v` where v is not zero."""
    if (
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.Add)
        and isinstance(node.target, ast.Subscript)
    ):
        target, value = ast.unparse(node.target), ast.unparse(node.value)
        text = f"{target} = torch.where(({value}) != 0, {value}, {target})"
        yield SourceChange(node, text, "accumulated", "assigned where it should be accumulated")


def order(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Two steps, of which the second uses what the first has changed, the other way round."""
    for body in _blocks(node):
        for first, second in pairwise(body):
            if _changes_what_is_read(first, second):
                text = f"{ast.unparse(second)}\n{ast.unparse(first)}"
                yield SourceChange(
                    first, text, "order", "two steps stand in the other order", until=second
                )


def _changes_what_is_read(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether a step changes what had a value before, and the next one reads it."""
    if not isinstance(second, ast.Assign | ast.AugAssign | ast.Expr):
        return False
    if isinstance(first, ast.AugAssign):
        places = {ast.unparse(first.target)}
    elif isinstance(first, ast.Assign):
        read = {ast.unparse(n) for n in ast.walk(first.value) if isinstance(n, ast.expr)}
        places = {ast.unparse(t) for t in first.targets} & read
    else:
        return False
    later = second.value if not isinstance(second, ast.AugAssign) else second
    return bool(places & {ast.unparse(n) for n in ast.walk(later) if isinstance(n, ast.expr)})


HABITS: tuple[Operator, ...] = (
    average,
    part_assigned,
    argument_ignored,
    order,
    sister,
    affine,
    parentheses,
)
