"""Every mutant of the code that students should write: the solution with one mistake in it."""

from __future__ import annotations

import ast
import difflib
import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from grader.mutation.change import Operator, SourceChange
from grader.mutation.code import Code, Function
from grader.mutation.general import GENERAL
from grader.mutation.tensors import TENSORS
from grader.mutation.training import TRAINING

OPERATORS: tuple[Operator, ...] = (*TENSORS, *TRAINING, *GENERAL)
"""Those of deep learning first: of two that write the same code, the first gives its name."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A cell with one mistake in it.

    Attributes:
        id: stays the same while the code that it changes does, such as
            "softmax:axis:1f0c22".
        cell: the index of the cell among those that were given.
        name: the function, class or value at the top of the cell that is changed.
        function: the innermost function round the change, with its class: "MLP.forward".
        kind: of the mistake, such as "axis".
        mistake: the same as a student would read it; may be empty.
        line: from 1, in the cell.
        before, after: the source that is changed, and what is there instead.
        source: the cell with the mistake.
        diff: between the cell and `source`.
    """

    id: str
    cell: int
    name: str
    function: str
    kind: str
    mistake: str
    line: int
    before: str
    after: str
    source: str
    diff: str


def mutants_of(
    source: str,
    lines: Collection[int],
    *,
    cell: int = 0,
    operators: Sequence[Operator] = OPERATORS,
    mistake: str = "",
) -> list[Mutant]:
    """List the mutants of a cell, in the order of its lines; none of what is no Python.

    Args:
        source: the cell.
        lines: those that may be changed, from 1; of a cell that students write all of.
        cell: what `Mutant.cell` says.
        operators: what makes them.
        mistake: only those of this mistake.
    """
    try:
        code = Code(source)
    except (SyntaxError, ValueError):
        return []
    found: list[Mutant] = []
    seen = {ast.dump(code.tree)}
    counts: Counter[str] = Counter()
    for change in _changes(code, lines, operators):
        if mistake and change.mistake != mistake:
            continue
        text = code.with_other(change.node, change.other, change.until)
        try:
            dumped = ast.dump(ast.parse(text))
        except SyntaxError:
            continue
        if dumped not in seen:
            seen.add(dumped)
            found.append(_mutant(code, change, text, cell, counts))
    return sorted(found, key=lambda mutant: mutant.line)


def chosen(mutants: Sequence[Mutant], most: int) -> list[Mutant]:
    """Choose so many, of every function and every kind alike, always the same ones."""
    if len(mutants) <= most:
        return list(mutants)
    groups: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for mutant in sorted(mutants, key=_digest):
        groups[mutant.function, mutant.kind].append(mutant)
    order = [m for turn in _turns(list(groups.values())) for m in turn]
    kept = {id(mutant) for mutant in order[:most]}
    return [mutant for mutant in mutants if id(mutant) in kept]


def _turns(groups: list[list[Mutant]]) -> Iterator[list[Mutant]]:
    for index in range(max(map(len, groups), default=0)):
        yield sorted((g[index] for g in groups if index < len(g)), key=_digest)


def _digest(mutant: Mutant) -> str:
    return hashlib.sha256(mutant.id.encode()).hexdigest()


def _changes(
    code: Code, lines: Collection[int], operators: Sequence[Operator]
) -> Iterator[SourceChange]:
    wanted = sorted(lines)
    nodes = [
        n
        for n in ast.walk(code.tree)
        if isinstance(n, ast.expr | ast.stmt) and _spans_any(n, wanted)
    ]
    for operator in operators:
        for node in nodes:
            for change in operator(node, code):
                if change.node.lineno in lines and not _is_annotation(change.node, code):
                    yield change


def _spans_any(node: ast.expr | ast.stmt, lines: Sequence[int]) -> bool:
    place = bisect_left(lines, node.lineno)
    return place < len(lines) and lines[place] <= (node.end_lineno or node.lineno)


def _is_annotation(node: ast.AST, code: Code) -> bool:
    """Whether a node is part of a type hint, a decorator, or the text of an error."""
    here: ast.AST = node
    while (above := code.parent(here)) is not None:
        if isinstance(above, ast.arg | ast.Raise):
            return True
        if isinstance(above, ast.AnnAssign) and above.annotation is here:
            return True
        if isinstance(above, Function) and (above.returns is here or here in above.decorator_list):
            return True
        here = above
    return False


def _mutant(code: Code, change: SourceChange, text: str, cell: int, counts: Counter[str]) -> Mutant:
    scopes = code.scopes(change.node)
    if isinstance(change.node, Function):
        scopes.append(change.node)
    function = ".".join(scope.name for scope in scopes)
    span = code.span_until(change.node, change.until)
    before = code.source[span.start : span.end]
    other = change.other
    after = other if isinstance(other, str) else ast.unparse(other)
    parts = "\0".join([function, change.kind, _parsed(before), after])
    counts[parts] += 1
    digest = hashlib.sha256(f"{parts}\0{counts[parts]}".encode()).hexdigest()[:6]
    return Mutant(
        id=f"{function or 'cell'}:{change.kind.replace(' ', '-')}:{digest}",
        cell=cell,
        name=scopes[0].name if scopes else _bound_name(code, change),
        function=function,
        kind=change.kind,
        mistake=change.mistake,
        line=change.node.lineno,
        before=before,
        after=after,
        source=text,
        diff=_diff(code.source, text),
    )


def _parsed(text: str) -> str:
    """The same for code that is laid out in another way."""
    try:
        return ast.unparse(ast.parse(text))
    except SyntaxError:
        return text


def _bound_name(code: Code, change: SourceChange) -> str:
    statement = code.statement(change.node)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return ""


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
