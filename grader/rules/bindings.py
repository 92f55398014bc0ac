"""Which names a notebook binds, where, and to which expressions; nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

MAX_NODES = 300_000

_ADDING = frozenset(
    {"append", "add", "extend", "insert", "update", "setdefault", "__setitem__", "appendleft"}
)
_NAMESPACES = frozenset({"globals", "vars", "locals"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class TooMuch(Exception):
    """There is more source than is read."""


@dataclass(frozen=True)
class Binding:
    """One way in which a name gets its value.

    `value` is an expression of `scope`, or what holds it; `path` is what an import names; `own` is
    a definition of the notebook. `unit` counts the notebook's statements; `always` says that it
    replaces what was bound before.
    """

    scope: BindingScope
    value: ast.expr | None = None
    path: str = ""
    own: ast.AST | None = None
    parameter: tuple[str, int, str] | None = None
    unit: int = 0
    always: bool = True


@dataclass(eq=False)
class BindingScope:
    """The names of a module, a unit of it, a function or a class.

    A unit is one statement of the module: it sees what was bound until then.
    """

    kind: Literal["module", "unit", "function", "class"]
    parent: BindingScope | None = None
    unit: int = 0
    names: dict[str, list[Binding]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)

    @property
    def module(self) -> BindingScope:
        """The outermost scope."""
        return self if self.parent is None else self.parent.module

    def local(self, name: str) -> list[Binding]:
        """What binds a name within a function or class round here, looked up as Python does."""
        current = self
        while current.parent is not None:
            visible = current.kind == "function" or current is self
            if visible and name in current.names and name not in current.outer:
                return current.names[name]
            current = current.parent
        return []


class Bindings:
    """Everything that the notebook's statements bind, gathered in one pass."""

    def __init__(self) -> None:
        self.module = BindingScope("module")
        self.stars: list[str] = []
        self.attributes: dict[str, list[Binding]] = {}
        self.own_attributes: set[str] = set()
        self.functions: dict[str, list[_Function]] = {}
        self.returns: dict[int, list[tuple[ast.expr, BindingScope]]] = {}
        self.calls: dict[str, list[tuple[ast.Call, BindingScope]]] = {}
        self.scopes: dict[int, BindingScope] = {}
        self.executes: list[tuple[ast.Call, BindingScope]] = []
        self.executed: dict[int, list[ast.stmt]] = {}
        self._mutations: list[tuple[str, BindingScope, ast.expr]] = []
        self._function: list[int] = []
        self._nodes = 0
        self._unit = 0

    def add_unit(self, statement: ast.stmt, unit: int, *, always: bool) -> BindingScope:
        """Take in one statement of the module; return the scope in which it is evaluated.

        Raises:
            TooMuch, RecursionError: it can't be taken in.
        """
        self._unit = unit
        scope = BindingScope("unit", self.module, unit)
        self._statement(statement, scope, always)
        return scope

    def finish(self) -> None:
        """Bind what adds to a container to the container's name, wherever that is bound."""
        for name, start, value in self._mutations:
            scope: BindingScope | None = start
            while scope is not None and name not in scope.names:
                scope = scope.parent
            target = scope or self.module
            binding = Binding(start, value, unit=start.unit, always=False)
            target.names.setdefault(name, []).append(binding)
        self._mutations.clear()

    def add_executed(self, call: ast.Call, scope: BindingScope, statements: list[ast.stmt]) -> None:
        """Take in what a text holds that `call` executes."""
        self.executed.setdefault(id(call), []).extend(statements)
        self._unit = scope.unit
        self._body(statements, scope, always=False)

    # -- statements

    def _body(self, statements: Iterable[ast.stmt], scope: BindingScope, *, always: bool) -> None:
        for statement in statements:
            self._statement(statement, scope, always)

    def _statement(self, node: ast.stmt, scope: BindingScope, always: bool) -> None:
        self._count()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define_function(node, scope, always)
            case ast.ClassDef():
                self._define_class(node, scope, always)
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope, always)
            case ast.Assign():
                for target in node.targets:
                    self._bind(target, node.value, scope, always)
            case ast.AnnAssign() if node.value is not None:
                self._bind(node.target, node.value, scope, always)
            case ast.AugAssign():
                self._bind(node.target, node.value, scope, False)
            case ast.For() | ast.AsyncFor():
                self._bind(node.target, node.iter, scope, False)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, item.context_expr, scope, always)
            case ast.Global():
                scope.outer |= set(node.names)
            case ast.Return() if node.value is not None and self._function:
                self.returns.setdefault(self._function[-1], []).append((node.value, scope))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = always and isinstance(node, ast.With | ast.AsyncWith)
            self._children(node, scope, inner)

    def _children(self, node: ast.AST, scope: BindingScope, always: bool = False) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child, scope, always)
            elif isinstance(child, ast.expr):
                self._expression(child, scope)
            else:  # handlers, items, cases, comprehensions, keywords, arguments
                self._children(child, scope, always)

    def _define_function(self, node: _Function, scope: BindingScope, always: bool) -> None:
        self._put(scope, node.name, Binding(scope, own=node, unit=self._unit, always=always))
        self.functions.setdefault(node.name, []).append(node)
        for expression in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if expression is not None:
                self._expression(expression, scope)
        inner = self._function_scope(node, node.args, scope, node.name)
        self._function.append(id(node))
        try:
            self._body(node.body, inner, always=True)
        finally:
            self._function.pop()

    def _function_scope(
        self, node: ast.AST, arguments: ast.arguments, scope: BindingScope, name: str
    ) -> BindingScope:
        # A function's body sees the module as it is in the end, not as it was at its `def`.
        outside = self.module if scope.kind == "unit" else scope
        inner = BindingScope("function", outside, self._unit)
        self.scopes[id(node)] = inner
        listed = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(listed) - len(arguments.defaults))
        defaults += arguments.defaults
        named = [(*pair, place) for place, pair in enumerate(zip(listed, defaults, strict=True))]
        named += [
            (a, d, -1) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ]
        named += [(a, None, -1) for a in (arguments.vararg, arguments.kwarg) if a is not None]
        for argument, default, place in named:
            key = (name, place, argument.arg)
            binding = Binding(scope, default, parameter=key, unit=self._unit, always=False)
            inner.names[argument.arg] = [binding]
        return inner

    def _define_class(self, node: ast.ClassDef, scope: BindingScope, always: bool) -> None:
        self._put(scope, node.name, Binding(scope, own=node, unit=self._unit, always=always))
        for expression in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self._expression(expression, scope)
        outside = self.module if scope.kind == "unit" else scope
        inner = BindingScope("class", outside, self._unit)
        self.scopes[id(node)] = inner
        self._body(node.body, inner, always=True)
        for name, bindings in inner.names.items():
            self.attributes.setdefault(name, []).extend(b for b in bindings if b.own is None)
            if any(b.own is not None for b in bindings):
                self.own_attributes.add(name)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: BindingScope, always: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                path = alias.name if alias.asname else name
                self._put(scope, name, Binding(scope, path=path, unit=self._unit, always=always))
        elif node.module and not node.level:
            for alias in node.names:
                if alias.name == "*":
                    self.stars.append(node.module)
                    continue
                path = f"{node.module}.{alias.name}"
                binding = Binding(scope, path=path, unit=self._unit, always=always)
                self._put(scope, alias.asname or alias.name, binding)

    # -- expressions

    def _expression(self, node: ast.expr, scope: BindingScope) -> None:
        self._count()
        match node:
            case ast.NamedExpr():
                self._bind(node.target, node.value, scope, False)
            case ast.Lambda():
                self._lambda(node, scope)
                return
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for generator in node.generators:
                    self._bind(generator.target, generator.iter, scope, False)
            case ast.Call():
                self._call(node, scope)
        self._children(node, scope)

    def _lambda(self, node: ast.Lambda, scope: BindingScope) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self._expression(default, scope)
        self._expression(node.body, self._function_scope(node, node.args, scope, ""))

    def _call(self, node: ast.Call, scope: BindingScope) -> None:
        function = node.func
        if isinstance(function, ast.Name):
            self.calls.setdefault(function.id, []).append((node, scope))
            if function.id == "setattr" and len(node.args) == 3:
                self._set_attribute(node.args[1], node.args[2], scope)
        if isinstance(function, ast.Attribute):
            self._add_to(function, node, scope)
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if name in EXECUTING and (node.args or node.keywords):
            self.executes.append((node, scope))

    def _add_to(self, function: ast.Attribute, node: ast.Call, scope: BindingScope) -> None:
        if function.attr not in _ADDING:
            return
        if _is_namespace(function.value):
            for keyword in node.keywords:
                if keyword.arg:
                    self._bind_outside(keyword.arg, keyword.value, scope)
        elif isinstance(function.value, ast.Name):
            for value in (*node.args, *(k.value for k in node.keywords)):
                self._mutations.append((function.value.id, scope, value))

    def _set_attribute(self, name: ast.expr, value: ast.expr, scope: BindingScope) -> None:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            binding = Binding(scope, value, unit=self._unit, always=False)
            self.attributes.setdefault(name.value, []).append(binding)

    def _bind(self, target: ast.expr, value: ast.expr, scope: BindingScope, always: bool) -> None:
        match target:
            case ast.Name():
                binding = Binding(scope, value, unit=self._unit, always=always)
                self._put(scope, target.id, binding)
            case ast.Tuple() | ast.List():
                for one, given in zip(target.elts, _pairs(target.elts, value), strict=True):
                    self._bind(one, given, scope, always)
            case ast.Starred():
                self._bind(target.value, value, scope, always)
            case ast.Attribute():
                binding = Binding(scope, value, unit=self._unit, always=False)
                self.attributes.setdefault(target.attr, []).append(binding)
            case ast.Subscript() if _is_namespace(target.value):
                if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
                    self._bind_outside(target.slice.value, value, scope)
            case ast.Subscript() if isinstance(target.value, ast.Name):
                self._mutations.append((target.value.id, scope, value))

    def _bind_outside(self, name: str, value: ast.expr, scope: BindingScope) -> None:
        binding = Binding(scope, value, unit=self._unit, always=False)
        self.module.names.setdefault(name, []).append(binding)

    def _put(self, scope: BindingScope, name: str, binding: Binding) -> None:
        if name in scope.outer:
            # A function may be called before or after what else binds the name.
            self.module.names.setdefault(name, []).append(replace(binding, always=False))
            return
        target = self.module if scope.kind == "unit" else scope
        target.names.setdefault(name, []).append(binding)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise TooMuch


EXECUTING = frozenset({"eval", "exec", "compile", "run_cell", "ex", "ev", "run_line_magic"})
"""Functions that run a text."""


def _is_namespace(node: ast.expr) -> bool:
    """Say whether it is `globals()` or the like."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _NAMESPACES
        and not node.args
    )


def _pairs(targets: Sequence[ast.expr], value: ast.expr) -> list[ast.expr]:
    """The value of each target of an unpacking; the whole where it can't be told apart."""
    given = value.elts if isinstance(value, ast.Tuple | ast.List) else []
    starred = any(isinstance(e, ast.Starred) for e in (*targets, *given))
    if len(given) == len(targets) and not starred:
        return list(given)
    return [value] * len(targets)
