"""The part of a test that must happen beside the student's objects: autograd, hooks, optimisers.

Everything from the first to the last statement that needs it becomes a function that
`student.run` sends into the box. Assertions stay with the judge: the values that they look at are
handed out, and compared where the expected ones are.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.conversion.live import dotted
from grader.conversion.needs import COMPREHENSIONS, OF_CLASSES, Needs
from grader.conversion.scope import MODULES, DraftNames
from grader.conversion.source_text import Chunk, chunks, indented, replaced
from grader.source.names import bound, taken, taken_names


class CannotSplit(Exception):
    """The part can't be told from what the judge must keep: line (from 1), why, what instead."""

    def __init__(self, line: int, why: str, instead: str) -> None:
        self.line, self.why, self.instead = line, why, instead
        super().__init__(why)


@dataclass(frozen=True)
class SplitTest:
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

    def snapshot(self, value: ast.expr) -> str:
        """Have a value kept as it is at this place; returns the name under which."""
        if isinstance(value, ast.GeneratorExp):
            value = ast.ListComp(elt=value.elt, generators=value.generators)
        name = f"value_{len(self.snapshots) + 1}"
        self.lines.append(f"{name} = {ast.unparse(value)}")
        self.snapshots.append(name)
        return name


def split(statements: Sequence[Chunk], scope: DraftNames, local: set[str]) -> SplitTest | None:
    """Cut the statements of a test into what the judge does and what the box does.

    Returns:
        None where all of it can be done from outside.

    Raises:
        CannotSplit: an assertion can't be taken out of what must run in the box.
    """
    parts = list(statements)
    needs = Needs(scope, local)
    marked = [index for index, chunk in enumerate(parts) if needs.box(chunk.statement)]
    if not marked:
        return None
    last = marked[-1]
    first = needs.beginning(parts, marked)
    region = _Region()
    before = parts[:first]
    after: list[Chunk] = []
    for index in range(first, last + 1):
        chunk = _as_assertion(parts[index])
        rest = parts[index + 1 : last + 1]
        if chunk.finished:
            after.append(chunk)
        elif isinstance(chunk.statement, ast.Assert):
            after.append(_taken_out(chunk, chunk.statement, region, needs, rest))
        elif any(isinstance(node, ast.Assert) for node in ast.walk(chunk.statement)):
            raise CannotSplit(
                chunk.first + 1,
                "it asserts inside a block that must run in the student's process",
                "collect the values in a function for student.run, and assert on them afterwards",
            )
        elif _stands_alone(chunk.statement, region, needs):
            before.append(chunk)  # what the judge can make must not come out of the box
        else:
            region.lines.append(chunk.text)
            region.bound |= bound(chunk.statement)
            region.used |= taken_names(chunk.statement)
    after += parts[last + 1 :]
    return _assembled(before, region, tuple(after), parts[first].first + 1, local, needs.changed)


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
) -> SplitTest:
    inside = "\n".join(region.lines)
    tree = ast.parse(inside)
    used = taken_names(tree)
    wanted = {name for chunk in after for name in taken_names(chunk.statement)}
    known_before = {name for chunk in before for name in bound(chunk.statement)}
    handed = known_before & used & wanted & changed
    results = [n for n in sorted((bound(tree) | handed) & wanted) if n not in region.snapshots]
    return SplitTest(
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
    match chunk.statement:
        case ast.For(target=target, iter=all_of, body=[ast.Assert(test=test)], orelse=[]):
            each = f"for {ast.unparse(target)} in {ast.unparse(all_of)}"
            return Chunk.of(f"assert all([{ast.unparse(test)} {each}])", chunk.first)
    return chunk


def _taken_out(
    chunk: Chunk, assertion: ast.Assert, region: _Region, needs: Needs, rest: Sequence[Chunk]
) -> Chunk:
    """Leave an assertion to the judge, and take note of the values that it looks at."""
    new: dict[ast.expr, str] = {}
    rebound = {name for later in rest for name in bound(later.statement)}
    for part in needs.parts(assertion.test, calls=bool(rest)):
        new[part] = region.snapshot(part)
        if isinstance(part, (*COMPREHENSIONS, ast.Compare)) or (
            isinstance(part, ast.Call) and dotted(part.func) in OF_CLASSES
        ):
            region.decided.append(chunk.first + 1)
    covered = {id(n) for part in new for n in ast.walk(part)}
    for name in taken(assertion):
        if id(name) not in covered and name.id in rebound:
            new[name] = region.snapshot(name)
    return Chunk.of(replaced(chunk.text, assertion, new), chunk.first)


def box_function(name: str, made: SplitTest, scope: DraftNames) -> tuple[str, tuple[str, ...]]:
    """Write the function that runs in the box, and name the student's objects that it is given.

    Raises:
        CannotSplit: it uses a module that the box does not offer.
    """
    theirs, imported = [], {}
    inner = bound(ast.parse(made.inside))
    for used in sorted(made.inside_names - set(made.arguments)):
        home = scope.home(used)
        module = scope.dotted_import(used) if home == "import" else ""
        if home in ("student", "unknown") and used not in inner:
            theirs.append(used)
        elif module.startswith("torch.") and module not in MODULES:
            imported[used] = module
        elif module and not {module, module.rpartition(".")[0]} & MODULES:  # from math import sqrt
            raise CannotSplit(
                made.line,
                f"the box does not offer {module} to tests",
                "do that part after student.run, with the values that it returned",
            )
    body = made.inside
    if imported:
        parts = []
        for chunk in chunks(body):
            there = [name for name in taken(chunk.statement) if name.id in imported]
            new: dict[ast.expr, str] = {name: imported[name.id] for name in there}
            parts.append(replaced(chunk.text, chunk.statement, new))
        body = "\n".join(parts)
    parameters = ", ".join([*theirs, *made.arguments])
    lines = [f"def {name}({parameters}):", indented(body)]
    lines += [f"    return {', '.join(made.results)}"] if made.results else []
    return "\n".join([*lines, ""]), tuple(theirs)
