"""Which statements may run when the judge imports the reference: those that only define."""

from __future__ import annotations

import ast
from collections.abc import Sequence

# Calls that only set something, and that notebooks make beside their imports.
_SETTINGS = frozenset(
    {
        *("torch.manual_seed", "torch.set_printoptions", "torch.set_default_dtype"),
        *("torch.device", "torch.tensor", "torch.no_grad", "torch.inference_mode"),
        *("np.random.seed", "np.set_printoptions", "np.array", "numpy.random.seed"),
        *("random.seed", "warnings.filterwarnings", "warnings.simplefilter"),
        *("plt.rcParams.update", "functools.lru_cache", "lru_cache", "dataclass"),
        "dataclasses.dataclass",
    }
)
# A decorator of the notebook's own runs when the function is defined: it may do anything.
_DECORATORS = _SETTINGS | {
    *("property", "staticmethod", "classmethod", "abstractmethod", "functools.cache"),
    *("cache", "functools.wraps", "torch.jit.script"),
}
# What takes time to evaluate, or needs what a cell has computed.
_WORK = (
    *(ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.Subscript),
)


def is_live(statements: Sequence[ast.stmt]) -> bool:
    """Say whether statements only import, define, and name values that are written out."""
    return all(_is_live(statement) for statement in statements)


def _is_live(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            if not all(map(_is_known_decorator, statement.decorator_list)):
                return False
            if isinstance(statement, ast.ClassDef):
                return all(map(_is_plain, statement.bases)) and all(map(_is_live, statement.body))
            arguments = statement.args
            defaults = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
            return all(map(_is_plain, defaults))
        case ast.Assign() | ast.AnnAssign():
            return statement.value is None or _is_plain(statement.value)
        case ast.Expr():
            return isinstance(statement.value, ast.Constant) or _is_setting(statement.value)
    return False


def _is_plain(value: ast.expr) -> bool:
    """Whether it takes no time to evaluate, and needs nothing that a cell has computed."""
    return not any(
        isinstance(node, _WORK) or (isinstance(node, ast.Call) and not _is_setting(node))
        for node in ast.walk(value)
    )


def _is_known_decorator(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return dotted(called) in _DECORATORS


def _is_setting(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and dotted(value.func) in _SETTINGS


def dotted(node: ast.expr) -> str:
    """`torch.nn.Linear` for the expression that says so, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""
