"""Mistakes with tensors: axes, means, masks, shifts, roots, dtypes, what is changed in place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.mutation.change import Operator, SourceChange, changed
from grader.mutation.code import Code, name_of_call, names_in, operand, owner

_REDUCING = frozenset(
    {
        *("sum", "mean", "prod", "max", "min", "amax", "amin", "argmax", "argmin", "std", "var"),
        *("logsumexp", "softmax", "log_softmax", "cumsum", "cumprod", "norm", "any", "all"),
        *("cat", "stack", "unsqueeze", "squeeze", "flip", "roll", "sort", "topk", "chunk", "split"),
        *("index_select", "gather", "scatter_add_", "concatenate", "var_mean", "median"),
    }
)
_METHOD_AXIS = frozenset(_REDUCING - {"cat", "stack", "concatenate", "norm", "roll", "topk"})
_OTHER_NAME = {"mean": "sum", "sum": "mean", "argmax": "argmin", "argmin": "argmax"} | {
    "max": "min",
    "min": "max",
    "amax": "amin",
    "amin": "amax",
    "tril": "triu",
    "triu": "tril",
    "floor": "ceil",
    "ceil": "floor",
    "softmax": "log_softmax",
    "log_softmax": "softmax",
    "log": "log2",
    "exp": "exp2",
    "relu": "tanh",
    "tanh": "sigmoid",
    "sigmoid": "tanh",
}
_NAMED = {
    "mean": "summed where a mean is asked for",
    "sum": "averaged where a sum is asked for",
    "tril": "the mask hides the wrong side",
    "triu": "the mask hides the wrong side",
    "softmax": "a log-softmax where a softmax is asked for",
    "log_softmax": "a softmax where a log-softmax is asked for",
    "log": "the logarithm has another base",
    "exp": "the exponential has another base",
    "relu": "another activation function",
    "tanh": "another activation function",
    "sigmoid": "another activation function",
}
_ACTIVATIONS = frozenset({"relu", "tanh", "sigmoid", "softmax", "gelu", "softplus", "leaky_relu"})
_CASTS = frozenset({"float", "double", "long", "half", "int", "bool"})
_IN_PLACE = {ast.Add: "add_", ast.Sub: "sub_", ast.Mult: "mul_", ast.Div: "div_"}
_EPS = frozenset({"eps", "epsilon", "EPS"})
_TINY = 1e-3


def axis(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`x.sum(1)` becomes `x.sum(0)`, and the sum over everything."""
    if not isinstance(node, ast.Call) or name_of_call(node) not in _REDUCING:
        return
    for keyword in node.keywords:
        if keyword.arg in ("dim", "axis"):
            for other in _other_axes(keyword.value):
                yield SourceChange(keyword.value, other, "axis", "taken over another axis")
            if name_of_call(node) in ("sum", "mean", "max", "min", "amax", "var", "std"):
                kept = [k for k in node.keywords if k.arg not in (keyword.arg, "keepdim")]
                whole = "taken over everything, where one axis is asked for"
                yield SourceChange(node, changed(node, keywords=kept), "axis dropped", whole)
    # Where the axis stands by position: `x.sum(1)`, `torch.sum(x, 1)`.
    place = 0 if owner(node) is not None else 1
    if name_of_call(node) in (_METHOD_AXIS if place == 0 else _REDUCING) and len(node.args) > place:
        for other in _other_axes(node.args[place]):
            yield SourceChange(node.args[place], other, "axis", "taken over another axis")


def _other_axes(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.Tuple | ast.List):
        if len(value.elts) > 1:
            yield changed(value, elts=value.elts[1:])
        return
    try:
        number = ast.literal_eval(value)
    except ValueError:
        return
    if isinstance(number, int):
        yield ast.Constant({-1: 0, 0: 1}.get(number, number - 1 if number > 0 else number + 1))


def keepdim(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`keepdim=True` is gone."""
    if isinstance(node, ast.Call):
        kept = [k for k in node.keywords if k.arg not in ("keepdim", "keepdims")]
        if len(kept) < len(node.keywords):
            lost = "an axis of size one is lost, so that something is broadcast wrongly"
            yield SourceChange(node, changed(node, keywords=kept), "keepdim", lost)


def other_function(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A function's sister in its place: mean and sum, tril and triu, log and log2."""
    name = name_of_call(node)
    if not isinstance(node, ast.Call):
        return
    if name in _OTHER_NAME and isinstance(node.func, ast.Attribute):
        kind = {"mean": "mean and sum", "sum": "mean and sum", "log": "logarithm"}
        func = changed(node.func, attr=_OTHER_NAME[name])
        yield SourceChange(node.func, func, kind.get(name, "function"), _NAMED.get(name, ""))
    for keyword in node.keywords:
        if keyword.arg == "reduction" and isinstance(keyword.value, ast.Constant):
            other = ast.Constant("sum" if keyword.value.value == "mean" else "mean")
            yield SourceChange(keyword.value, other, "mean and sum", "reduced in another way")


def variance(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """The biased variance for the unbiased one, and the other way round."""
    if not isinstance(node, ast.Call) or name_of_call(node) not in ("var", "std", "var_mean"):
        return
    mistake = "the variance is divided by n − 1 where n is asked for, or the other way round"
    given = {k.arg: k for k in node.keywords}
    rest = [k for k in node.keywords if k.arg not in ("unbiased", "correction", "ddof")]
    if len(rest) < len(node.keywords):
        yield SourceChange(node, changed(node, keywords=rest), "variance", mistake)
    elif "unbiased" not in given:
        biased = ast.keyword("unbiased", ast.Constant(False))
        yield SourceChange(
            node, changed(node, keywords=[*node.keywords, biased]), "variance", mistake
        )


def square_root(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`math.sqrt(d)` becomes `d`."""
    if isinstance(node, ast.Call) and name_of_call(node) == "sqrt":
        inside = operand(node)
        if inside is not None:
            yield SourceChange(node, inside, "square root", "a square root is missing")


def transposed(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`x.T` becomes `x`, and `a @ b` becomes `b @ a`."""
    mistake = "an operand is transposed, or not, the other way round"
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT") and _is_read(node):
        yield SourceChange(node, node.value, "transposed", mistake)
    elif isinstance(node, ast.Call) and name_of_call(node) in ("transpose", "t", "permute"):
        if (value := owner(node)) is not None:
            yield SourceChange(node, value, "transposed", mistake)
        if name_of_call(node) == "permute" and len(node.args) > 1:
            first, second, *rest = node.args
            yield SourceChange(
                node,
                changed(node, args=[second, first, *rest]),
                "permuted",
                "axes are permuted in another order",
            )
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield SourceChange(
            node, changed(node, left=node.right, right=node.left), "transposed", mistake
        )
    elif isinstance(node, ast.Call) and name_of_call(node) in ("reshape", "view"):
        place = 0 if owner(node) is not None else 1
        args = node.args
        if len(args) > place + 1 and ast.dump(args[place]) != ast.dump(args[place + 1]):
            swapped = [*args[:place], args[place + 1], args[place], *args[place + 2 :]]
            yield SourceChange(
                node, changed(node, args=swapped), "reshaped", "axes are reshaped in another order"
            )


def einsum(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`einsum("ij,jk->ik", a, b)` becomes `einsum("ji,jk->ik", a, b)`, where the sizes allow it."""
    if not isinstance(node, ast.Call) or name_of_call(node) != "einsum" or not node.args:
        return
    subscripts = node.args[0]
    if not isinstance(subscripts, ast.Constant) or not isinstance(subscripts.value, str):
        return
    inputs, arrow, out = subscripts.value.partition("->")
    operands = inputs.split(",")
    for place, letters in enumerate(operands):
        if letters[-2:].isalpha() and len(letters) > 1:
            turned = letters[:-2] + letters[:-3:-1]
            other = ",".join([*operands[:place], turned, *operands[place + 1 :]])
            yield SourceChange(
                subscripts,
                ast.Constant(other + arrow + out),
                "transposed",
                "an operand is transposed, or not, the other way round",
            )


def all_pairs(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`p[rows, targets]` becomes `p[:, targets]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return
    parts = node.slice.elts
    if len(parts) == 2 and isinstance(parts[1], ast.Name) and _is_of_rows(parts[0], code):
        yield SourceChange(
            node.slice,
            f":, {parts[1].id}",
            "all pairs",
            "each row takes the index of every row, where it has one of its own",
        )


def _is_of_rows(part: ast.expr, code: Code) -> bool:
    """Whether an index is `arange(…)` or `range(…)`, or a name that such a one was given."""
    function = code.function(part)
    if isinstance(part, ast.Name) and function is not None:
        given = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == part.id for t in node.targets)
        ]
        return bool(given) and all(name_of_call(value) in _COUNTING for value in given)
    return name_of_call(part) in _COUNTING


_COUNTING = frozenset({"arange", "range"})


def _is_read(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Load)


def mask(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A mask is inverted."""
    name = name_of_call(node)
    if not isinstance(node, ast.Call):
        return
    inverted = "the mask is inverted"
    if name == "where" and len(node.args) == 3:
        condition, first, second = node.args
        if ast.dump(first) != ast.dump(second):
            yield SourceChange(
                node, changed(node, args=[condition, second, first]), "mask", inverted
            )
    elif name in ("masked_fill", "masked_fill_", "masked_select"):
        place = 0 if owner(node) is not None else 1
        if len(node.args) > place:
            other = ast.UnaryOp(ast.Invert(), node.args[place])
            yield SourceChange(node.args[place], other, "mask", inverted)


def shift(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """A slice or a range begins or ends one later."""
    off = "off by one position"
    if isinstance(node, ast.Slice):
        for field in ("lower", "upper"):
            bound_ = getattr(node, field)
            number = _number(bound_)
            if number is not None:
                yield SourceChange(bound_, ast.Constant(number + 1), "shift", off)
            elif bound_ is not None:
                plus = ast.BinOp(bound_, ast.Add(), ast.Constant(1))
                yield SourceChange(bound_, plus, "shift", off)
    elif isinstance(node, ast.Call) and name_of_call(node) == "range" and node.args:
        last = node.args[0] if len(node.args) == 1 else node.args[1]
        minus = ast.BinOp(last, ast.Sub(), ast.Constant(1))
        yield SourceChange(last, minus, "shift", "the last step is left out")
        if len(node.args) == 1:
            yield SourceChange(
                node,
                changed(node, args=[ast.Constant(1), last]),
                "shift",
                "the first step is left out",
            )


def _number(node: ast.expr | None) -> int | None:
    try:
        value = ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None
    return value if isinstance(value, int) else None


def epsilon(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """`sqrt(v + eps)` becomes `sqrt(v) + eps`, and the other way round."""
    misplaced = "eps stands inside of the root, or outside"
    if isinstance(node, ast.Call) and name_of_call(node) in ("sqrt", "rsqrt"):
        inside = _with_eps(operand(node))
        if inside is not None:
            root = _root_of(node, inside.left)
            outside = ast.BinOp(root, ast.Add(), inside.right)
            if name_of_call(node) == "rsqrt":  # 1 / (1/rsqrt(v) + eps)
                outside = _one_over(ast.BinOp(_one_over(root), ast.Add(), inside.right))
            yield SourceChange(node, outside, "epsilon", misplaced)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        inside, power = _with_eps(node.left), _half(node.right)
        if inside is not None and power:
            root = ast.BinOp(inside.left, ast.Pow(), ast.Constant(0.5))
            sum_ = ast.BinOp(root, ast.Add(), inside.right)
            yield SourceChange(node, sum_ if power > 0 else _one_over(sum_), "epsilon", misplaced)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _is_eps(node.right):
        under = operand(node.left)
        if name_of_call(node.left) == "sqrt" and under is not None:
            inner = ast.BinOp(under, ast.Add(), node.right)
            yield SourceChange(node, _root_of(node.left, inner), "epsilon", misplaced)


def _with_eps(node: ast.expr | None) -> ast.BinOp | None:
    """The same, if it is a sum with an eps."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _is_eps(node.right):
        return node
    return None


def _one_over(node: ast.expr) -> ast.BinOp:
    return ast.BinOp(ast.Constant(1), ast.Div(), node)


def _half(node: ast.expr) -> float:
    """The power, if it is that of a root or of one over a root; else 0."""
    try:
        power = ast.literal_eval(node)
    except ValueError:
        return 0
    return power if power in (0.5, -0.5) else 0


def _is_eps(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and 0 < node.value < _TINY
    return bool(names_in(node) & _EPS)


def _root_of(call: ast.expr, inside: ast.expr) -> ast.expr:
    if not isinstance(call, ast.Call):
        return inside
    if owner(call) is not None:
        return changed(call, func=changed(call.func, value=inside))  # type: ignore[no-any-return]
    return changed(call, args=[inside, *call.args[1:]])  # type: ignore[no-any-return]


def in_place(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """An argument is changed: `clone()` is gone, or `x * 2` is `x.mul_(2)`."""
    written = "an input is changed in place"
    value = owner(node)
    if isinstance(node, ast.Call) and name_of_call(node) == "clone" and value is not None:
        yield SourceChange(node, value, "in place", written)
    elif isinstance(node, ast.BinOp) and type(node.op) in _IN_PLACE:
        function = code.function(node)
        if function is not None and isinstance(node.left, ast.Name):
            tensors = {a.arg for a in function.args.args if _could_be_a_tensor(a)}
            if node.left.id in tensors - {"self"}:
                func = ast.Attribute(node.left, _IN_PLACE[type(node.op)], ast.Load())
                yield SourceChange(node, ast.Call(func, [node.right], []), "in place", written)


def _could_be_a_tensor(argument: ast.arg) -> bool:
    hint = ast.unparse(argument.annotation) if argument.annotation else ""
    return hint == "" or "Tensor" in hint


def dtype(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """Another dtype: a conversion is gone."""
    other = "the result has another dtype"
    if isinstance(node, ast.Call):
        value = owner(node)
        if name_of_call(node) in _CASTS and value is not None and not node.args:
            yield SourceChange(node, value, "dtype", other)
        kept = [k for k in node.keywords if k.arg != "dtype"]
        if len(kept) < len(node.keywords):
            yield SourceChange(node, changed(node, keywords=kept), "dtype", other)


def dropped_call(node: ast.AST, code: Code) -> Iterator[SourceChange]:
    """An activation or a bound is not applied."""
    name, inside = name_of_call(node), operand(node)
    if not isinstance(node, ast.Call) or inside is None:
        return
    if name in _ACTIVATIONS:
        yield SourceChange(node, inside, "activation dropped", "the activation function is missing")
    elif name in (
        "clamp",
        "clamp_min",
        "clamp_max",
        "maximum",
        "minimum",
        "abs",
        "log",
        "exp",
        "square",
        "flip",
    ):
        yield SourceChange(node, inside, "call dropped", f"`{name}` is missing")


TENSORS: tuple[Operator, ...] = (
    axis,
    keepdim,
    other_function,
    variance,
    square_root,
    transposed,
    einsum,
    all_pairs,
    mask,
    shift,
    epsilon,
    in_place,
    dtype,
    dropped_call,
)
