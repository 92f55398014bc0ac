"""Which names a piece of code binds, imports, and takes from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, *_COMPREHENSIONS)


def bound(node: ast.AST) -> set[str]:
    """The names that a statement binds in its own scope; inner functions keep theirs."""
    names: set[str] = set()
    for part in _own(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del):
            names.add(part.id)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
            names.add(part.name)
        elif isinstance(part, ast.MatchMapping) and part.rest:
            names.add(part.rest)
        elif isinstance(part, _COMPREHENSIONS):  # `:=` binds outside of its comprehension
            names |= {w.target.id for w in ast.walk(part) if isinstance(w, ast.NamedExpr)}
    return names


def imports(tree: ast.AST) -> dict[str, str]:
    """What the imports below a node call things: {"F": "torch.nn.functional"}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.asname:
                    found[name.asname] = name.name
                else:
                    root = name.name.partition(".")[0]
                    found[root] = root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                found[name.asname or name.name] = f"{node.module}.{name.name}"
    return found


def taken(node: ast.AST) -> list[ast.Name]:
    """The places where code uses a name of the scope round it, in the order of the source."""
    found = list(_taken(node, frozenset()))
    return sorted(found, key=lambda name: (name.lineno, name.col_offset))


def taken_names(node: ast.AST) -> set[str]:
    """The names that code uses of the scope round it."""
    return {name.id for name in taken(node)}


def reads(statement: ast.stmt) -> set[str]:
    """The names of which a statement needs a value from before it.

    Order within a block is not followed: what it binds, it mostly binds first.
    """
    names = taken_names(statement)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        names.add(statement.target.id)
    blocks = (ast.For, ast.While, ast.With, ast.If, ast.Try, ast.FunctionDef)
    return names - bound(statement) if isinstance(statement, blocks) else names


def read_first(statements: list[ast.stmt]) -> set[str]:
    """The names that statements read before, or in, the statement that first binds them."""
    seen: set[str] = set()
    early: set[str] = set()
    everywhere = set().union(*(bound(s) for s in statements)) if statements else set()
    for statement in statements:
        early |= (reads(statement) & everywhere) - seen
        seen |= bound(statement)
    return early


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement without entering the bodies of inner scopes."""
    yield node
    if isinstance(node, _COMPREHENSIONS):
        return
    children: Iterator[ast.AST] | list[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Lambda):
        children = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        children = list(outer_parts(node))
    for child in children:
        yield from _own(child)


def outer_parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a definition that are evaluated in the scope round it."""
    if isinstance(node, ast.ClassDef):
        yield from (*node.decorator_list, *node.bases, *(k.value for k in node.keywords))
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        yield from _signature(node.args)
        if node.returns:
            yield node.returns
    elif isinstance(node, ast.Lambda):
        yield from _signature(node.args)


def _signature(args: ast.arguments) -> Iterator[ast.AST]:
    yield from (*args.defaults, *(d for d in args.kw_defaults if d))
    yield from (arg.annotation for arg in _parameters(args) if arg.annotation)


def _parameters(args: ast.arguments) -> list[ast.arg]:
    more = [arg for arg in (args.vararg, args.kwarg) if arg]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *more]


def _taken(node: ast.AST, inner: frozenset[str]) -> Iterator[ast.Name]:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id not in inner:
            yield node
    elif isinstance(node, _COMPREHENSIONS):
        # The first iterable is evaluated outside; that it is looked up inside here is harmless
        # unless the loop's own variable has its name.
        first = node.generators[0].iter
        yield from _taken(first, inner)
        local = inner | {n for g in node.generators for n in bound(g.target)}
        for child in ast.iter_child_nodes(node):
            for part in (
                ast.iter_child_nodes(child) if isinstance(child, ast.comprehension) else [child]
            ):
                if part is not first:
                    yield from _taken(part, local)
    elif isinstance(node, _SCOPES):
        for part in outer_parts(node):
            yield from _taken(part, inner)
        yield from _taken_by_body(node, inner)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _taken(child, inner)


def _taken_by_body(node: ast.AST, inner: frozenset[str]) -> Iterator[ast.Name]:
    if isinstance(node, ast.Lambda):
        local = inner | {arg.arg for arg in _parameters(node.args)}
        yield from _taken(node.body, local)
        return
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    own = {name for statement in node.body for name in bound(statement)}
    own -= {n for s in ast.walk(node) if isinstance(s, ast.Global | ast.Nonlocal) for n in s.names}
    if not isinstance(node, ast.ClassDef):
        own |= {arg.arg for arg in _parameters(node.args)}
    for statement in node.body:
        yield from _taken(statement, inner | own)
