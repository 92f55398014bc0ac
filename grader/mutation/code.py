"""Python source with its tree: where a node stands, what is round it, and another in its place."""

from __future__ import annotations

import ast
from dataclasses import dataclass

_LOOSE = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda),
    *(ast.NamedExpr, ast.Await, ast.Starred, ast.Tuple),
)
_TIGHT = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Attribute, ast.Subscript, ast.Call)

_MODULES = frozenset({"torch", "F", "np", "numpy", "math", "nn", "random"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Span:
    """Characters of a source: from the first to behind the last."""

    start: int
    end: int


class Code:
    """A cell's source that is valid Python, and questions about the nodes of its tree."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self._parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds this one."""
        return self._parents.get(node)

    def scopes(self, node: ast.AST) -> list[Function | ast.ClassDef]:
        """The functions and classes round a node, the outermost first."""
        found: list[Function | ast.ClassDef] = []
        above = self.parent(node)
        while above is not None:
            if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.insert(0, above)
            above = self.parent(above)
        return found

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function round a node."""
        return next((s for s in reversed(self.scopes(node)) if isinstance(s, Function)), None)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that a node is part of."""
        here: ast.AST | None = node
        while here is not None and not isinstance(here, ast.stmt):
            here = self.parent(here)
        return here

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Where a node stands; ast counts columns in bytes of UTF-8."""
        return Span(
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def span_until(self, node: ast.expr | ast.stmt, until: ast.stmt | None) -> Span:
        """From a node to the end of a later statement, or of itself."""
        return Span(self.span(node).start, self.span(until or node).end)

    def with_other(
        self, node: ast.expr | ast.stmt, other: ast.AST | str, until: ast.stmt | None = None
    ) -> str:
        """Return the source with something else in a node's place, in parentheses if needed.

        `until` is a later statement, for which it stands as well, and for all between.
        """
        span = self.span_until(node, until)
        text = other if isinstance(other, str) else ast.unparse(other)
        if isinstance(other, _LOOSE) and self._needs_parentheses(node, span):
            text = f"({text})"
        if "\n" in text:
            indent = " " * node.col_offset
            text = text.replace("\n", f"\n{indent}")
        return self.source[: span.start] + text + self.source[span.end :]

    def _needs_parentheses(self, node: ast.AST, span: Span) -> bool:
        within = self.source[: span.start].rstrip(" ").endswith("(") and self.source[
            span.end :
        ].lstrip(" ").startswith(")")
        parent = self.parent(node)
        is_slice = isinstance(parent, ast.Subscript) and parent.slice is node
        is_argument = isinstance(parent, ast.Call) and parent.func is not node
        return isinstance(parent, _TIGHT) and not (within or is_slice or is_argument)

    def _offset(self, line: int, column: int) -> int:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return self._starts[line - 1] + len(text.encode()[:column].decode(errors="replace"))


def name_of_call(node: ast.AST) -> str:
    """The last part of what is called: "softmax" of `F.softmax(x)`; "" of anything else."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def owner(call: ast.AST | None) -> ast.expr | None:
    """The value whose method is called; None of a function, also of one in torch or numpy."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    root = call.func.value
    while isinstance(root, ast.Attribute):
        root = root.value
    of_module = isinstance(root, ast.Name) and root.id in _MODULES
    return None if of_module else call.func.value


def operand(call: ast.AST | None) -> ast.expr | None:
    """What a function is applied to: x of `x.relu()` and of `F.relu(x)`."""
    if (found := owner(call)) is not None:
        return found
    first = call.args[0] if isinstance(call, ast.Call) and call.args else None
    return None if isinstance(first, ast.Starred) else first


def names_in(node: ast.AST) -> set[str]:
    """Every name and attribute in a piece of code."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }
