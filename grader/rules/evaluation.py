"""What an expression of a notebook may stand for: dotted names of libraries, and fixed texts.

Nothing is run: imports, assignments, parameters, containers, `getattr` and the like are followed.
A value is what it *may* be; what a container holds, the container is.
"""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.rules.bindings import Binding, Bindings, BindingScope
from grader.rules.texts import (
    MAX_TEXT,
    MAX_TEXTS,
    character,
    joined,
    product,
    sliced,
    text_method,
)

MAX_PATHS = 64
MAX_PATH = 200
MAX_DEEP = 60

UNKNOWN = "?"
"""The root of what can't be told; an own definition of the notebook begins with a dot."""
SPACE = "__dict__"
GLOBALS = "<globals>"
GETS = "<gets>."
"""`operator.attrgetter("x")` is "<gets>.x"."""


@dataclass(frozen=True)
class StaticValue:
    """The dotted names and the texts that an expression may be."""

    paths: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


NOTHING = StaticValue()


def union(values: Iterable[StaticValue]) -> StaticValue:
    """All that any of them may be."""
    found = list(values)
    paths = frozenset(itertools.chain.from_iterable(v.paths for v in found))
    texts = frozenset(itertools.chain.from_iterable(v.texts for v in found))
    return StaticValue(_some(paths, MAX_PATHS), _some(texts, MAX_TEXTS))


class Evaluation:
    """Values of expressions, each found once."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._known: dict[tuple[int, int], StaticValue] = {}
        self._running: set[tuple[int, int]] = set()

    def forget(self) -> None:
        """Start anew, since more has been bound."""
        self._known.clear()

    def value(self, node: ast.expr | None, scope: BindingScope) -> StaticValue:
        """What an expression may be; nothing where that can't be told."""
        if node is None:
            return NOTHING
        key = (id(node), id(scope))
        found = self._known.get(key)
        if found is not None:
            return found
        if key in self._running or len(self._running) >= MAX_DEEP:
            return NOTHING
        self._running.add(key)
        try:
            found = self._value(node, scope)
        finally:
            self._running.discard(key)
        self._known[key] = found
        return found

    def name(self, name: str, scope: BindingScope) -> StaticValue:
        """What a name may be, looked up as Python does."""
        bound = scope.local(name) or self.effective(name, scope)
        if bound:
            return union(self._bound(b, name) for b in bound)
        return self.unbound(name)

    def unbound(self, name: str) -> StaticValue:
        """What a name may be that no statement of the notebook binds."""
        stars = {f"{module}.{name}" for module in self._bindings.stars}
        own = {f"builtins.{name}"} if hasattr(builtins, name) else set()
        return StaticValue(_some(frozenset(stars | own), MAX_PATHS))

    def effective(self, name: str, scope: BindingScope | None = None) -> list[Binding]:
        """The bindings of a module's name that may hold: the last sure one, and what follows it.

        Args:
            name: of the module.
            scope: who asks; a statement of the module does not see what is bound after it.
        """
        found: list[Binding] = []
        until = scope.unit if scope is not None and scope.kind == "unit" else None
        for binding in reversed(self._bindings.module.names.get(name, [])):
            if until is not None and binding.unit > until:
                continue
            found.append(binding)
            if binding.always:
                break
        return found

    # -- by kind of expression

    def _bound(self, binding: Binding, name: str) -> StaticValue:
        if binding.path:
            return StaticValue(frozenset({binding.path[:MAX_PATH]}))
        if binding.own is not None:
            return StaticValue(frozenset({f".{name}"}))
        value = self.value(binding.value, binding.scope)
        if binding.parameter is None:
            return value
        return union([value, self._given(*binding.parameter)])

    def _given(self, function: str, place: int, name: str) -> StaticValue:
        """What the notebook's own calls give for a parameter."""
        found = []
        for call, scope in self._bindings.calls.get(function, ())[:50]:
            if 0 <= place < len(call.args):
                found.append(self.value(call.args[place], scope))
            found += [self.value(k.value, scope) for k in call.keywords if k.arg == name]
        return union(found)

    def _value(self, node: ast.expr, scope: BindingScope) -> StaticValue:
        match node:
            case ast.Constant():
                text = node.value
                if isinstance(text, bytes):
                    text = text.decode("utf-8", "replace")
                known = isinstance(text, str) and len(text) <= MAX_TEXT
                return StaticValue(texts=frozenset({str(text)})) if known else NOTHING
            case ast.Name():
                return self.name(node.id, scope)
            case ast.Attribute():
                return self.attribute(self.value(node.value, scope), node.attr)
            case ast.Subscript():
                return self._subscript(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp() if isinstance(node.op, ast.Add | ast.Mod):
                both = self.value(node.left, scope), self.value(node.right, scope)
                return StaticValue(
                    both[0].paths | both[1].paths, joined(both[0].texts, both[1].texts, node.op)
                )
            case ast.JoinedStr() | ast.FormattedValue():
                return StaticValue(texts=self._formatted(node, scope))
            case ast.Lambda():
                return NOTHING
            case ast.DictComp():
                return self.value(node.value, scope)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.value(node.elt, scope)
            case ast.IfExp():
                return union([self.value(node.body, scope), self.value(node.orelse, scope)])
            case ast.NamedExpr() | ast.Starred() | ast.Await():
                return self.value(node.value, scope)
            case ast.List() | ast.Tuple() | ast.Set() | ast.BoolOp() | ast.Dict():
                parts = node.elts if hasattr(node, "elts") else node.values
                return union(self.value(part, scope) for part in parts)
        return NOTHING

    def attribute(self, base: StaticValue, name: str) -> StaticValue:
        """What `base.name` may be, with all that the notebook stores under that attribute."""
        known = {f"{path}.{name}"[:MAX_PATH] for path in base.paths} or {f"{UNKNOWN}.{name}"}
        stored = [
            self.value(b.value, b.scope) if not b.path else StaticValue(frozenset({b.path}))
            for b in self._bindings.attributes.get(name, ())[:50]
        ]
        return union([StaticValue(_some(frozenset(known), MAX_PATHS)), *stored])

    def _formatted(self, node: ast.expr, scope: BindingScope) -> frozenset[str]:
        if isinstance(node, ast.FormattedValue):
            return self.value(node.value, scope).texts
        parts = [self.value(part, scope).texts for part in getattr(node, "values", ())]
        return product(parts)

    def _subscript(self, node: ast.Subscript, scope: BindingScope) -> StaticValue:
        base, key = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(node.slice, ast.Slice):
            return StaticValue(base.paths, sliced(base.texts, node.slice))
        return union([base, self._looked_up(base, key.texts)])

    def _looked_up(self, base: StaticValue, keys: Iterable[str]) -> StaticValue:
        """What namespaces hold under a key: `globals()`, `vars(torch)`, `sys.modules`."""
        found = []
        for path, key in itertools.product(base.paths, keys):
            if path == f"{GLOBALS}.{SPACE}":
                found.append(self.name(key, self._bindings.module))
            elif path.endswith(f".{SPACE}"):
                holder = StaticValue(frozenset({path.removesuffix(f".{SPACE}")}))
                found.append(self.attribute(holder, key))
            elif path == "sys.modules":
                found.append(StaticValue(frozenset({key[:MAX_PATH]})))
        return union(found)

    # -- calls

    def _call(self, node: ast.Call, scope: BindingScope) -> StaticValue:
        function = self.value(node.func, scope)
        found = [self._called(path, node, scope) for path in function.paths]
        if isinstance(node.func, ast.Attribute):
            found.append(self._method(node.func, node, scope))
        found += [self.value(e, scope) for e in self._executed(node)]
        return union(found)

    def _executed(self, node: ast.Call) -> list[ast.expr]:
        statements = self._bindings.executed.get(id(node), ())
        return [s.value for s in statements if isinstance(s, ast.Expr)]

    def _called(self, path: str, node: ast.Call, scope: BindingScope) -> StaticValue:
        arguments = [self.value(a, scope) for a in node.args[:8]]
        texts = [text for a in arguments for text in a.texts]
        first = arguments[0] if arguments else NOTHING
        if path in _GETTERS or path.rpartition(".")[2] in _RAW_GETTERS:
            named = arguments[1].texts if len(arguments) > 1 else ()
            return union(self.attribute(first, text) for text in named)
        if path in _IMPORTERS:
            return StaticValue(frozenset(_imported(texts)))
        if path in _LOCATORS:
            return StaticValue(frozenset(text.replace(":", ".")[:MAX_PATH] for text in texts))
        if path == "builtins.vars" and arguments:
            return self.attribute(first, SPACE)
        if path in ("builtins.globals", "builtins.locals", "builtins.vars"):
            return StaticValue(frozenset({f"{GLOBALS}.{SPACE}"}))
        if path in ("operator.attrgetter", "operator.methodcaller"):
            gets = frozenset(GETS + text for a in arguments[:1] for text in a.texts)
            unknown = frozenset(f"{UNKNOWN}.{text}" for text in first.texts)
            return StaticValue(gets | (unknown if path.endswith("methodcaller") else frozenset()))
        if path.startswith(GETS):
            return union(self._through(a, path.removeprefix(GETS)) for a in arguments)
        if path in _KEEPING:
            return union([*arguments, *(self.value(k.value, scope) for k in node.keywords)])
        if path == "builtins.chr":
            return StaticValue(texts=character(node))
        if path.startswith(".") and "." not in path[1:]:
            return self._returned(path[1:])
        return NOTHING

    def _through(self, base: StaticValue, dotted: str) -> StaticValue:
        for part in dotted.split("."):
            base = self.attribute(base, part)
        return base

    def _returned(self, name: str) -> StaticValue:
        """What the notebook's own functions of that name return."""
        functions = self._bindings.functions.get(name, ())
        given = [r for f in functions for r in self._bindings.returns.get(id(f), ())]
        return union(self.value(expression, scope) for expression, scope in given[:50])

    def _method(self, function: ast.Attribute, node: ast.Call, scope: BindingScope) -> StaticValue:
        """Methods of namespaces, containers and texts."""
        base = self.value(function.value, scope)
        arguments = [self.value(a, scope) for a in node.args[:8]]
        if function.attr in _RAW_GETTERS and not any(a.paths for a in arguments):
            return union(self.attribute(base, text) for a in arguments for text in a.texts)
        if function.attr in ("get", "pop", "__getitem__", "setdefault"):
            keys = [text for a in arguments[:1] for text in a.texts]
            return union([StaticValue(base.paths), *arguments[1:], self._looked_up(base, keys)])
        if function.attr in ("values", "items", "copy"):
            return base
        listed = node.args[0] if function.attr == "join" and node.args else None
        if isinstance(listed, ast.List | ast.Tuple):
            arguments = [self.value(part, scope) for part in listed.elts[:50]]
        return StaticValue(
            texts=text_method(function.attr, base.texts, [a.texts for a in arguments])
        )


_GETTERS = frozenset({"builtins.getattr", "inspect.getattr_static"})
_RAW_GETTERS = frozenset({"__getattribute__", "__getattr__"})
_IMPORTERS = frozenset({"importlib.import_module", "builtins.__import__", "importlib.__import__"})
_LOCATORS = frozenset({"pydoc.locate", "pkgutil.resolve_name"})
_KEEPING = frozenset(
    {
        "functools.partial",
        "functools.lru_cache",
        "functools.cache",
        "builtins.staticmethod",
        "builtins.dict",
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.iter",
        "builtins.next",
        "builtins.reversed",
        "builtins.sorted",
        "builtins.zip",
        "builtins.enumerate",
        "builtins.str",
        "copy.copy",
        "copy.deepcopy",
        "types.SimpleNamespace",
    }
)
"""Calls that give back what they were given, or hold it."""


def _imported(texts: Sequence[str]) -> set[str]:
    """`import_module("torch.nn")` is that; `__import__("torch.nn")` is its root."""
    names = {text.lstrip(".")[:MAX_PATH] for text in texts}
    relative = {text for text in texts if text.startswith(".")}
    packages = names - {text.lstrip(".") for text in relative}
    joined = {f"{package}{text}"[:MAX_PATH] for package in packages for text in relative}
    return names | joined | {name.partition(".")[0] for name in names}


def _some(found: frozenset[str], most: int) -> frozenset[str]:
    return found if len(found) <= most else frozenset(sorted(found)[:most])
