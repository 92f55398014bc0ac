"""Mistakes of training: gradients, states, modes, seeds, initialisation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.mutation.change import Operator, SourceChange, changed
from grader.mutation.code import Code, name_of_call, owner

_UPSTREAM = frozenset(
    {
        *("grad_out", "grad_output", "dout", "upstream", "grad_y", "dy", "dz", "dh", "da", "delta"),
        *("d_out", "grad_h", "grad_logits", "grad_state", "out_grad", "dlogits", "grad_next"),
    }
)
_RANDOM = frozenset(
    {
        *("randn", "rand", "randint", "randperm", "bernoulli", "multinomial", "randn_like"),
        *("rand_like", "normal", "normal_", "uniform_", "dropout", "choice", "shuffle", "sample"),
    }
)
_WITHOUT_GRADIENT = frozenset(
    {
        *("argmax", "argmin", "argsort", "searchsorted", "bucketize", "bincount", "multinomial"),
        *("nonzero", "randint", "randperm", "long", "int", "bool", "detach", "item", "append"),
    }
)
"""What these return hangs on no graph: there is nothing to cut."""
_DRAWN = {"randn": "zeros", "rand": "zeros", "randn_like": "zeros_like", "rand_like": "zeros_like"}


def upstream_ignored(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A backward pass that forgets the gradient which comes from above."""
    function = code.function(node)
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or function is None:
        return
    args = function.args
    given = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    if node.id in _UPSTREAM & given and not isinstance(code.parent(node), ast.Attribute):
        ones = ast.parse(f"torch.ones_like({node.id})", mode="eval").body
        yield SourceChange(node, ones, "upstream gradient", "the upstream gradient is not used")


def accumulated(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`total += x` becomes `total = x`, and the other way round for an attribute."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        load = ast.unparse(node.target)
        minus = "-" if isinstance(node.op, ast.Sub) else ""
        text = (
            f"{load} = {minus}({ast.unparse(node.value)})"
            if minus
            else f"{load} = {ast.unparse(node.value)}"
        )
        yield SourceChange(node, text, "accumulated", "assigned where it should be accumulated")
    elif (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Attribute)
        and node.targets[0].attr == "grad"
    ):
        text = f"{ast.unparse(node.targets[0])} += {ast.unparse(node.value)}"
        yield SourceChange(node, text, "accumulated", "accumulated where it should be assigned")


def detached(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`detach()` and `no_grad` are gone, or a result is cut from its graph."""
    value = owner(node)
    if isinstance(node, ast.Call) and name_of_call(node) == "detach" and value is not None:
        yield SourceChange(node, value, "detach", "a gradient flows where it should be stopped")
    elif isinstance(node, ast.With):
        names = {name_of_call(item.context_expr) for item in node.items}
        if names & {"no_grad", "inference_mode"}:
            other = ast.If(ast.Constant(True), node.body, [])
            yield SourceChange(
                node,
                ast.fix_missing_locations(other),
                "no_grad",
                "gradients are recorded where they should not be",
            )
    elif isinstance(node, ast.Return) and owner(node.value) is not None:
        yield from _cut(node)


def _cut(node: ast.Return) -> Iterator[SourceChange]:
    value = node.value
    if value is not None and name_of_call(value) not in _WITHOUT_GRADIENT:
        call = ast.Call(ast.Attribute(value, "detach", ast.Load()), [], [])
        yield SourceChange(value, call, "detach", "the result is cut from its graph")


def mode(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Training where evaluation is asked for, and the other way round."""
    other = "the other mode: training where evaluation is asked for, or the other way round"
    name = name_of_call(node)
    if isinstance(node, ast.Call) and owner(node) is not None and len(node.args) < 2:
        attr = {"train": "eval", "eval": "train"}.get(name)
        if attr is not None:
            call = changed(node, func=changed(node.func, attr=attr), args=[])
            yield SourceChange(node, call, "mode", other)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        flag = node.id if isinstance(node, ast.Name) else node.attr
        if flag in ("training", "train", "is_training") and not isinstance(
            code.parent(node), ast.Call | ast.Attribute
        ):
            yield SourceChange(node, ast.UnaryOp(ast.Not(), node), "mode", other)


def seed_fixed(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A function that draws seeds itself first, so that it draws the same each time."""
    if isinstance(node, ast.FunctionDef) and any(
        name_of_call(n) in _RANDOM for s in node.body for n in ast.walk(s)
    ):
        body = [s for s in node.body if not _is_docstring(s)]
        if body:
            first = body[0]
            text = f"torch.manual_seed(0)\n{ast.unparse(first)}"
            yield SourceChange(first, text, "fixed seed", "it draws the same each time")


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def initialisation(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Zeros where something is drawn."""
    name = name_of_call(node)
    if isinstance(node, ast.Call) and name in _DRAWN and isinstance(node.func, ast.Attribute):
        func = changed(node.func, attr=_DRAWN[name])
        kept = [k for k in node.keywords if k.arg != "generator"]
        zeros = "zeros where something random is asked for"
        yield SourceChange(
            node, changed(node, func=func, keywords=kept), "zero initialisation", zeros
        )


TRAINING: tuple[Operator, ...] = (
    upstream_ignored,
    accumulated,
    detached,
    mode,
    seed_fixed,
    initialisation,
)
