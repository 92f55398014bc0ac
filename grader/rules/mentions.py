"""What one statement of a notebook mentions of the libraries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.rules.bindings import Bindings, BindingScope
from grader.rules.evaluation import UNKNOWN, Evaluation

_READS_ANY_NAME = frozenset({"builtins.getattr", "builtins.__import__"})
_RUNS_ANY_TEXT = frozenset({"builtins.eval", "builtins.exec"})
_ASKS_ONLY = frozenset({"isinstance", "issubclass", "hasattr"})


@dataclass(frozen=True)
class MentionPlace:
    """Where something stands: code cells are counted from 1, lines too."""

    cell: int
    line: int


@dataclass(frozen=True)
class Mention:
    """A dotted name that a statement uses; `unclear` where only running it would tell which."""

    path: str
    place: MentionPlace
    unclear: str = ""


@dataclass(frozen=True)
class Said:
    """What a unit mentions of libraries, and which of the notebook's names it uses."""

    mentions: tuple[Mention, ...]
    names: frozenset[str]


class Reader:
    """Walks one statement, with the scopes of what it defines."""

    def __init__(self, bindings: Bindings, evaluation: Evaluation, start: MentionPlace) -> None:
        self._bindings = bindings
        self._evaluation = evaluation
        self._start = start
        self._mentions: list[Mention] = []
        self._names: set[str] = set()

    def read(self, node: ast.stmt, scope: BindingScope) -> Said:
        """Gather all that a statement mentions."""
        try:
            self._visit(node, scope)
        except RecursionError:
            mention = Mention("", self._start, "it is nested too deeply to be read")
            self._mentions.append(mention)
        return Said(tuple(dict.fromkeys(self._mentions)), frozenset(self._names))

    def _visit(self, node: ast.AST, scope: BindingScope) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for outside in (*node.decorator_list, *_defaults(node.args)):
                    self._visit(outside, scope)
                self._all(node.body, self._bindings.scopes.get(id(node), scope))
            case ast.Lambda():
                self._all(_defaults(node.args), scope)
                self._visit(node.body, self._bindings.scopes.get(id(node), scope))
            case ast.ClassDef():
                self._all([*node.decorator_list, *node.bases], scope)
                self._all([k.value for k in node.keywords], scope)
                self._all(node.body, self._bindings.scopes.get(id(node), scope))
            case ast.AnnAssign():  # a type hint uses nothing
                self._all([part for part in (node.target, node.value) if part], scope)
            case ast.Name() if isinstance(node.ctx, ast.Load):
                self._name(node, scope)
            case ast.Attribute():
                self._attribute(node, scope)
            case ast.Call():
                self._call(node, scope)
            case ast.Subscript():
                self._found(node, scope, looked_up=True)
                self._all([node.value, node.slice], scope)
            case _:
                self._all(ast.iter_child_nodes(node), scope)

    def _all(self, nodes: Iterable[ast.AST], scope: BindingScope) -> None:
        for node in nodes:
            self._visit(node, scope)

    def _name(self, node: ast.Name, scope: BindingScope) -> None:
        if not scope.local(node.id):
            self._names.add(node.id)
        self._found(node, scope)
        if self._evaluation.name(node.id, scope).paths & (_READS_ANY_NAME | _RUNS_ANY_TEXT):
            self._unclear(node, f"`{node.id}` is handed on")

    def _attribute(self, node: ast.Attribute, scope: BindingScope) -> None:
        self._found(node, scope)
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if isinstance(inner, ast.Name):
            if not scope.local(inner.id):
                self._names.add(inner.id)
        else:
            self._visit(inner, scope)

    def _call(self, node: ast.Call, scope: BindingScope) -> None:
        called = self._evaluation.value(node.func, scope)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        self._found(node, scope, looked_up=True)
        executed = self._bindings.executed.get(id(node), [])
        self._all(executed, scope)
        if called.paths & _RUNS_ANY_TEXT and not executed:
            self._unclear(node, "what it runs is put together when it runs")
        if called.paths & _READS_ANY_NAME:
            self._made_up(node, scope)
        if not (name and called.paths & (_READS_ANY_NAME | _RUNS_ANY_TEXT)):
            self._visit(node.func, scope)
        arguments = node.args[:1] if name in _ASKS_ONLY else node.args
        self._all([*arguments, *(k.value for k in node.keywords)], scope)

    def _made_up(self, node: ast.Call, scope: BindingScope) -> None:
        """Note a `getattr` on a library whose name can't be read."""
        named = node.args[1] if len(node.args) > 1 else node.args[0] if node.args else None
        if self._evaluation.value(named, scope).texts:
            return
        holders = self._evaluation.value(node.args[0], scope).paths if len(node.args) > 1 else {""}
        for holder in sorted(holders):
            if not holder.startswith((".", UNKNOWN)):
                self._unclear(node, "the name that it asks for is made when it runs", holder)

    def _found(self, node: ast.expr, scope: BindingScope, *, looked_up: bool = False) -> None:
        """Note what an expression may be; of one that is looked up only what that adds."""
        paths = self._evaluation.value(node, scope).paths
        if looked_up and isinstance(node, ast.Subscript | ast.Call):
            inside = node.value if isinstance(node, ast.Subscript) else node.func
            paths -= self._evaluation.value(inside, scope).paths
            if isinstance(node, ast.Call):
                for argument in (*node.args, *(k.value for k in node.keywords)):
                    paths -= self._evaluation.value(argument, scope).paths
        place = MentionPlace(self._start.cell, getattr(node, "lineno", self._start.line))
        self._mentions += [Mention(p, place) for p in sorted(paths) if not p.startswith(".")]

    def _unclear(self, node: ast.expr, why: str, path: str = "") -> None:
        place = MentionPlace(self._start.cell, node.lineno)
        self._mentions.append(Mention(path, place, why))


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from (d for d in arguments.kw_defaults if d is not None)
