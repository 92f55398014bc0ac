"""The part of a test that must happen beside the student's objects: autograd, hooks, optimisers.

Everything from the first to the last statement that needs it becomes a function that
`student.run` sends into the box. Assertions stay with the judge: the values that they look at are
handed out, and compared where the expected ones are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.conversion.live import dotted
from grader.conversion.names import bound, taken, taken_names
from grader.conversion.scope import Scope
from grader.conversion.source_text import Chunk, indented, replaced

# What a suite's function may use by name in the box; a test holds it against the suite's own list.
MODULES = frozenset(
    {
        "torch",
        "torch.nn",
        "torch.nn.functional",
        "numpy",
        "math",
        "random",
        "itertools",
        "functools",
        "collections",
        "time",
        "copy",
    }
)
_AUTOGRAD = frozenset(
    {
        "grad",
        "backward",
        "grad_fn",
        "is_leaf",
        "retain_grad",
        "register_hook",
        "register_forward_hook",
        "register_full_backward_hook",
        "zero_grad",
    }
)
_BESIDE = ("torch.autograd.", "torch.func.", "torch.optim.", "torch.nn.utils.")
_OF_CLASSES = frozenset({"isinstance", "issubclass", "callable"})
_COPIES = frozenset({"clone", "copy", "deepcopy"})
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


class CannotSplit(Exception):
    """The part can't be told from what the judge must keep: line (from 1) and why."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        super().__init__(why)


@dataclass(frozen=True)
class Split:
    """A test in three parts: before the box, in the box, after it."""

    before: tuple[Chunk, ...]
    inside: str
    inside_names: frozenset[str]
    arguments: tuple[str, ...]
    results: tuple[str, ...]
    after: tuple[Chunk, ...]
    line: int
    works: bool = True
    decided: tuple[int, ...] = ()


@dataclass
class _Region:
    lines: list[str] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    snapshots: list[str] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)


def split(chunks: Sequence[Chunk], scope: Scope, local: set[str]) -> Split | None:
    """Cut the statements of a test into what the judge does and what the box does.

    Returns:
        None where all of it can be done from outside.

    Raises:
        CannotSplit: an assertion can't be taken out of what must run in the box.
    """
    chunks = list(chunks)
    needs = Needs(scope, local)
    marked = [index for index, chunk in enumerate(chunks) if needs.box(chunk.statement)]
    if not marked:
        return None
    last = marked[-1]
    first = needs.beginning(chunks, marked)
    region = _Region()
    before = chunks[:first]
    after: list[Chunk] = []
    for index in range(first, last + 1):
        chunk = _as_assertion(chunks[index])
        rest = chunks[index + 1 : last + 1]
        if isinstance(chunk.statement, ast.Assert):
            after.append(_taken_out(chunk, chunk.statement, region, needs, rest))
        elif any(isinstance(node, ast.Assert) for node in ast.walk(chunk.statement)):
            raise CannotSplit(
                chunk.first + 1, "it asserts within a block that must run beside the student's code"
            )
        elif _stands_alone(chunk.statement, region, needs):
            before.append(chunk)  # what the judge can make must not come out of the box
        else:
            region.lines.append(chunk.text)
            region.bound |= bound(chunk.statement)
            region.used |= taken_names(chunk.statement)
    after += chunks[last + 1 :]
    return _assembled(before, region, tuple(after), chunks[first].first + 1, local, needs.changed)


def _stands_alone(statement: ast.stmt, region: _Region, needs: Needs) -> bool:
    """Whether a statement neither needs the box nor what came before it there."""
    if not isinstance(statement, ast.Assign | ast.FunctionDef) or needs.touches(statement):
        return False
    names = bound(statement)
    return not (
        taken_names(statement) & (region.bound | needs.changed)
        or names & (region.bound | region.used)
    )


def _assembled(
    before: list[Chunk],
    region: _Region,
    after: tuple[Chunk, ...],
    line: int,
    local: set[str],
    changed: set[str],
) -> Split:
    inside = "\n".join(region.lines)
    tree = ast.parse(inside)
    inner = {name for statement in tree.body for name in bound(statement)}
    used = taken_names(tree)
    wanted = {name for chunk in after for name in taken_names(chunk.statement)}
    known_before = {name for chunk in before for name in bound(chunk.statement)}
    handed = known_before & used & wanted & changed
    results = [n for n in sorted((inner | handed) & wanted) if n not in region.snapshots]
    return Split(
        before=tuple(before),
        inside=inside,
        inside_names=frozenset(used),
        arguments=tuple(sorted((used & local & known_before) - _bound_before_read(tree))),
        results=(*results, *region.snapshots),
        after=after,
        line=line,
        works=len(region.lines) > len(region.decided),
        decided=tuple(region.decided),
    )


def _bound_before_read(tree: ast.Module) -> set[str]:
    seen: set[str] = set()
    first: set[str] = set()
    for statement in tree.body:
        seen |= taken_names(statement)
        first |= bound(statement) - seen
    return first


def _as_assertion(chunk: Chunk) -> Chunk:
    """Write `for p in …: assert …` as one assertion about all of them."""
    loop = chunk.statement
    if not isinstance(loop, ast.For) or loop.orelse or len(loop.body) != 1:
        return chunk
    inner = loop.body[0]
    if not isinstance(inner, ast.Assert):
        return chunk
    text = (
        f"assert all([{ast.unparse(inner.test)} for {ast.unparse(loop.target)} "
        f"in {ast.unparse(loop.iter)}])"
    )
    return Chunk(ast.parse(text).body[0], text, chunk.first)


def _taken_out(
    chunk: Chunk, assertion: ast.Assert, region: _Region, needs: Needs, rest: Sequence[Chunk]
) -> Chunk:
    """Leave an assertion to the judge, and take note of the values that it looks at."""
    new: dict[ast.expr, str] = {}
    rebound = {name for later in rest for name in bound(later.statement)}
    parts = list(needs.parts(assertion.test, calls=bool(rest)))
    for part in parts:
        snapshot = f"value_{len(region.snapshots) + 1}"
        source = part
        if isinstance(part, ast.GeneratorExp):
            source = ast.ListComp(elt=part.elt, generators=part.generators)
        region.lines.append(f"{snapshot} = {ast.unparse(source)}")
        region.snapshots.append(snapshot)
        new[part] = snapshot
        if isinstance(part, _COMPREHENSIONS) or (
            isinstance(part, ast.Call) and dotted(part.func) in _OF_CLASSES
        ):
            region.decided.append(chunk.first + 1)
    covered = {id(n) for part in parts for n in ast.walk(part)}
    for name in taken(assertion):
        if id(name) not in covered and name.id in rebound:
            snapshot = f"value_{len(region.snapshots) + 1}"
            region.lines.append(f"{snapshot} = {name.id}")
            region.snapshots.append(snapshot)
            new[name] = snapshot
    text = replaced(chunk.text, assertion, new)
    return Chunk(ast.parse(text).body[0], text, chunk.first)


class Needs:
    """Which expressions of a test need the student's objects themselves, and not their values."""

    def __init__(self, scope: Scope, local: set[str]) -> None:
        self._scope = scope
        self._local = local
        self._theirs: set[str] = set()
        self._modules: set[str] = set()
        self._functions: set[str] = set()
        self._copied: set[str] = set()
        self.changed: set[str] = set()

    def touches(self, statement: ast.stmt) -> bool:
        """Say whether a statement has anything to do with the student's objects."""
        return (
            any(True for _ in self._features(statement))
            or self._uses_theirs(statement)
            or bool(bound(statement) & (self._modules | self._functions))
        )

    def box(self, statement: ast.stmt) -> bool:
        """Say whether a statement needs the box; to be asked in the order of the source."""
        needed = any(True for _ in self._features(statement)) or self._only_changes(statement)
        self._learn(statement)
        return needed

    def beginning(self, chunks: Sequence[Chunk], marked: Sequence[int]) -> int:
        """Go back to where what the marked statements work on came from the student's code.

        A value that has crossed to the judge is a copy: it has no gradient to send back.
        """
        first = marked[0]
        wanted = {n for index in marked for n in taken_names(chunks[index].statement)}
        for index in range(marked[0] - 1, -1, -1):
            statement = chunks[index].statement
            if isinstance(statement, ast.Assert) or not bound(statement) & wanted:
                continue
            made_there = bound(statement) & (self._modules | self._functions)
            if made_there or any(map(self._is_their_call, _expressions(statement))):
                first = index
                wanted |= taken_names(statement)
        return first

    def _only_changes(self, statement: ast.stmt) -> bool:
        """Whether it calls the student's code for what that does to a value of the test's."""
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return False
        if not self._is_their_call(statement.value):
            return False
        names = {a.id for a in _arguments(statement.value) if isinstance(a, ast.Name)}
        given = names & (self._local - self._theirs)
        self.changed |= given
        return bool(given)

    def parts(self, test: ast.expr, *, calls: bool) -> Iterator[ast.expr]:
        """Yield the largest parts of an assertion that must be evaluated in the box.

        Args:
            test: what is asserted.
            calls: also what calls the student's objects, for those may change later on.
        """
        yield from self._parts(test, calls)

    def _parts(self, node: ast.expr, calls: bool) -> Iterator[ast.expr]:
        if isinstance(node, _COMPREHENSIONS):
            if any(True for _ in self._features(node)):
                yield node
                return
        elif self._is_feature(node) or (calls and self._is_their_call(node)):
            yield node
            return
        elif isinstance(node, ast.Attribute) and self._is_feature(node.value):
            yield node  # x.grad.shape
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # x.grad.tolist(): the gradient is handed out, and the judge calls its method
            yield from self._parts(node.func.value, calls)
            for argument in _arguments(node):
                yield from self._parts(argument, calls)
            return
        for child in ast.iter_child_nodes(node):
            for part in ast.walk(child) if not isinstance(child, ast.expr) else [child]:
                if isinstance(part, ast.expr):
                    yield from self._parts(part, calls)

    def _features(self, root: ast.AST) -> Iterator[ast.AST]:
        return (node for node in ast.walk(root) if self._is_feature(node))

    def _is_feature(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in _AUTOGRAD
        if not isinstance(node, ast.Call):
            return False
        name = self._resolved(node.func)
        if name in _OF_CLASSES:
            return name == "callable" or self._asks_for_their_class(node)
        if name.startswith(_BESIDE):
            return True
        if name == "copy.deepcopy":
            return any(self._is_theirs(argument) for argument in node.args)
        if self._is_their_call(node):
            return any(map(self._must_be_made_there, _arguments(node)))
        return False

    def _asks_for_their_class(self, call: ast.Call) -> bool:
        if len(call.args) != 2:
            return False
        kinds = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
        return any(
            self._resolved(kind).startswith(("torch.nn.", "types.", "collections.abc.", "typing."))
            or self._is_theirs(kind)
            for kind in kinds
        )

    def _must_be_made_there(self, argument: ast.expr) -> bool:
        """A network, a function that uses the student's names, a value that is compared later."""
        for node in ast.walk(argument):
            if isinstance(node, ast.Call) and self._makes_module(node):
                return True
            if isinstance(node, ast.Lambda) and self._uses_theirs(node):
                return True
        if not isinstance(argument, ast.Name):
            return False
        if argument.id in self._copied:
            self.changed.add(argument.id)
        return argument.id in self._modules | self._functions | self._copied

    def _makes_module(self, call: ast.Call) -> bool:
        name = self._resolved(call.func)
        return name.startswith("torch.nn.") and name.rpartition(".")[2][:1].isupper()

    def _is_their_call(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and self._is_theirs(node.func)

    def _is_theirs(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        if not isinstance(node, ast.Name):
            return False
        if node.id in self._local:
            return node.id in self._theirs
        return self._scope.home(node.id) in ("student", "unknown")

    def _uses_theirs(self, node: ast.AST) -> bool:
        return any(self._is_theirs(name) for name in taken(node))

    def _resolved(self, node: ast.expr) -> str:
        name = dotted(node)
        root, dot, rest = name.partition(".")
        if root and root not in self._local and self._scope.home(root) == "import":
            return f"{self._scope.dotted_import(root)}{dot}{rest}"
        return name

    def _learn(self, statement: ast.stmt) -> None:
        """Follow what the test's own names hold."""
        if isinstance(statement, ast.FunctionDef):
            if self._uses_theirs(statement):
                self._functions.add(statement.name)
            return
        value = getattr(statement, "value", None) or getattr(statement, "iter", None)
        if value is None:
            return
        names = bound(statement)
        if any(self._is_their_call(n) or self._is_theirs(n) for n in _expressions(value)):
            self._theirs |= names
        if any(isinstance(n, ast.Call) and self._makes_module(n) for n in ast.walk(value)):
            self._modules |= names
        if isinstance(value, ast.Lambda) and self._uses_theirs(value):
            self._functions |= names
        for node in ast.walk(value):
            if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _COPIES:
                sources = [*node.args, getattr(node.func, "value", None)]
                self._copied |= {s.id for s in sources if isinstance(s, ast.Name)}


def box_function(name: str, made: Split, scope: Scope) -> tuple[str, tuple[str, ...]]:
    """Write the function that runs in the box, and name the student's objects that it is given.

    Raises:
        CannotSplit: it uses a module that the box does not offer.
    """
    theirs, imported = [], {}
    for used in sorted(made.inside_names - set(made.arguments)):
        home = scope.home(used)
        if home in ("student", "unknown") and used not in _bound_in(made.inside):
            theirs.append(used)
        elif home == "import":
            module = scope.dotted_import(used)
            if module in MODULES:
                continue
            if not module.startswith("torch."):
                if module.rpartition(".")[0] in MODULES:  # from math import sqrt
                    continue
                raise CannotSplit(made.line, f"the box does not offer {module} to tests")
            imported[used] = module
    body = made.inside
    if imported:
        tree = ast.parse(body)
        chunks = []
        for statement in tree.body:
            new: dict[ast.expr, str] = {
                n: imported[n.id] for n in taken(statement) if n.id in imported
            }
            text = "\n".join(body.split("\n")[statement.lineno - 1 : statement.end_lineno])
            chunks.append(replaced(text, statement, new))
        body = "\n".join(chunks)
    result = f"return {', '.join(made.results)}" if made.results else ""
    parameters = ", ".join([*theirs, *made.arguments])
    text = f"def {name}({parameters}):\n{indented(body)}\n"
    return text + (f"    {result}\n" if result else ""), tuple(theirs)


def _bound_in(source: str) -> set[str]:
    return {name for statement in ast.parse(source).body for name in bound(statement)}


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    return (part for part in ast.walk(node) if isinstance(part, ast.expr))
