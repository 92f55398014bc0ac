"""A notebook's code as statements, and what each of them mentions of the libraries."""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from grader.rules.bindings import Binding, Bindings, BindingScope, TooMuch
from grader.rules.evaluation import Evaluation
from grader.rules.mentions import Mention, MentionPlace, Reader, Said
from grader.source.cells import read_cell

_ROUNDS = 3


@dataclass(eq=False)
class Unit:
    """One statement of the notebook, without the statements in it unless it is a definition."""

    cell: int
    number: int
    node: ast.stmt
    scope: BindingScope
    names: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()


@dataclass
class Program:
    """All units of a notebook.

    `unread` are places that can't be read, with the reason: what is there is not known.
    """

    units: list[Unit]
    bindings: Bindings
    evaluation: Evaluation
    lines: list[list[str]]
    unread: list[tuple[MentionPlace, str]] = field(default_factory=list)
    _said: dict[int, Said] = field(default_factory=dict)

    def defines(self, name: str) -> bool:
        """Say whether a statement of the notebook binds the name."""
        return name in self.bindings.module.names

    def text(self, place: MentionPlace) -> str:
        """The line of source that stands there; empty where there is none."""
        lines = self.lines[place.cell - 1] if 0 < place.cell <= len(self.lines) else []
        return lines[place.line - 1].strip() if 0 < place.line <= len(lines) else ""

    def line_of(self, place: MentionPlace) -> int:
        """The line of the cell as written for one of the cell as run: IPython drops empty ones."""
        lines = self.lines[place.cell - 1] if 0 < place.cell <= len(self.lines) else []
        empty = itertools.takewhile(lambda line: not line.strip(), lines)
        return place.line + sum(1 for _ in empty) if place.line else 0

    def said(self, unit: Unit) -> Said:
        """What a unit mentions."""
        if unit.number not in self._said:
            place = MentionPlace(unit.cell, unit.node.lineno)
            reader = Reader(self.bindings, self.evaluation, place)
            self._said[unit.number] = reader.read(unit.node, unit.scope)
        return self._said[unit.number]

    def reached(self, names: Iterable[str], *, but: Iterable[str] = ()) -> list[Unit]:
        """The units that define the names, and those that define or change what they use.

        Args:
            names: of the notebook.
            but: names that are not followed, unless they are among `names`.
        """
        waiting, seen = list(names), set[str]()
        stopped = set(but) - set(waiting)
        found: dict[int, Unit] = {}
        while waiting:
            name = waiting.pop()
            if name in seen or name in stopped:
                continue
            seen.add(name)
            for unit in self._of(name):
                if unit.number not in found:
                    found[unit.number] = unit
                    waiting += sorted(self.said(unit).names)
        return [found[number] for number in sorted(found)]

    def imported(self, name: str) -> list[Mention]:
        """Library names that the notebook gives its own name to by importing them."""
        found = []
        for binding in self.evaluation.effective(name):
            if binding.path:
                found.append(Mention(binding.path, self._place(binding)))
        if not self.defines(name):
            place = next(
                (MentionPlace(u.cell, u.node.lineno) for u in self.units if _is_star(u)), None
            )
            paths = self.evaluation.unbound(name).paths if place else frozenset()
            found += [Mention(p, place) for p in sorted(paths) if place and "builtins." not in p]
        return found

    def _place(self, binding: Binding) -> MentionPlace:
        unit = self.units[binding.unit]
        return MentionPlace(unit.cell, unit.node.lineno)

    def _of(self, name: str) -> list[Unit]:
        numbers = {b.unit for b in self.evaluation.effective(name)}
        return [self.units[number] for number in sorted(numbers | self._changing.get(name, set()))]

    @functools.cached_property
    def _changing(self) -> dict[str, set[int]]:
        """For each name the units that change its object."""
        found: dict[str, set[int]] = {}
        for unit in self.units:
            for name in unit.changes:
                found.setdefault(name, set()).add(unit.number)
        return found


def read_program(cells: Sequence[str]) -> Program:
    """Read a notebook's code cells; what can't be read is noted."""
    bindings = Bindings()
    program = Program([], bindings, Evaluation(bindings), [])
    for number, cell in enumerate(cells, start=1):
        read = read_cell(cell, thorough=True)
        # ast counts lines as Python does: form feeds and the like do not end one.
        program.lines.append(cell.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        if read.unread:
            program.unread.append((MentionPlace(number, 1), read.unread))
        _add_statements(program, number, read.tree.body, always=True)
    bindings.finish()
    for _ in range(_ROUNDS):
        if not _execute(program):
            break
    return program


def _add_statements(
    program: Program, cell: int, statements: Iterable[ast.stmt], *, always: bool
) -> None:
    for statement in statements:
        number = len(program.units)
        inner = _inner(statement)
        head = _without_inner(statement) if inner else statement
        unit = Unit(cell, number, head, program.bindings.module)
        program.units.append(unit)
        try:
            unit.scope = program.bindings.add_unit(head, number, always=always)
        except (RecursionError, TooMuch) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else "too long"
            program.unread.append(
                (MentionPlace(cell, statement.lineno), f"it is {reason} to be read")
            )
        unit.names, unit.changes = _binds(head)
        for body, sure in inner:
            _add_statements(program, cell, body, always=always and sure)


def _inner(node: ast.stmt) -> list[tuple[list[ast.stmt], bool]]:
    """The statements within a compound one; only those of a `with` are sure to run."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return []
    sure = isinstance(node, ast.With | ast.AsyncWith)
    blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    blocks += [part.body for name in ("handlers", "cases") for part in getattr(node, name, [])]
    return [(block, sure) for block in blocks if block]


def _without_inner(node: ast.stmt) -> ast.stmt:
    head = copy.copy(node)
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        if hasattr(head, name):
            setattr(head, name, [])
    return head


def _binds(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a statement binds, and those whose objects it changes."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Attribute):
            targets = [call.func]
        elif isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr"):
            targets = [ast.Starred(value=a) for a in call.args[:1]]
    bound: set[str] = set()
    changed: set[str] = set()
    for target in targets:
        for part in getattr(target, "elts", [target]):
            root = _root(part)
            if isinstance(part, ast.Name):
                bound.add(part.id)
            elif root is not None:
                changed.add(root)
    return frozenset(bound), frozenset(changed)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_star(unit: Unit) -> bool:
    return isinstance(unit.node, ast.ImportFrom) and any(a.name == "*" for a in unit.node.names)


def _execute(program: Program) -> bool:
    """Read the texts that the notebook executes; say whether there were new ones."""
    bindings, found = program.bindings, False
    waiting, bindings.executes = bindings.executes, []
    for call, scope in waiting:
        arguments = [*call.args, *(k.value for k in call.keywords)]
        for text in sorted(
            {t for a in arguments for t in program.evaluation.value(a, scope).texts}
        ):
            tree = _parsed(text)
            for node in ast.walk(tree):
                if hasattr(node, "lineno"):
                    node.lineno = call.lineno
            if tree.body:
                found = True
                try:
                    bindings.add_executed(call, scope, tree.body)
                except (RecursionError, TooMuch):
                    continue
    bindings.finish()
    program.evaluation.forget()
    return found


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])
