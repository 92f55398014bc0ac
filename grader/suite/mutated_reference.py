"""The reference with one mistake in it, as names that a suite can ask for.

Its statements are compiled once, each for itself; of a mutant only the one is new that is changed.
"""

from __future__ import annotations
import __future__

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from grader.diagnosis.kinds import kind_of_mistake
from grader.mutation.code import names_in
from grader.mutation.habits import HABITS
from grader.mutation.mutants import OPERATORS, Mutant, mutants_of
from grader.release.percent import SourceCell, read_percent
from grader.release.regions import find_regions, solution_source, student_source

MODULE = "reference_with_a_mistake"
_OUTSIDE = frozenset(
    {
        *("open", "os", "shutil", "subprocess", "pathlib", "Path", "socket", "urllib", "requests"),
        *("exec", "eval", "compile", "save", "savez", "to_csv", "remove", "unlink", "rmtree"),
    }
)
"""A function that uses one of these is left as it is: who knows what it does with a mistake."""


@dataclass(frozen=True)
class Mistake:
    """One change of the reference: its kind, where, and the statement that it makes of which."""

    kind: str
    function: str
    line: int
    statement: int
    changed: ast.stmt


class MutatedReference:
    """A reference solution, and what it becomes by one mistake."""

    def __init__(self, path: Path) -> None:
        """Read a reference.

        Raises:
            SpecError: it is none.
            SyntaxError: it is no Python.
        """
        self.path = path
        self._cells = read_percent(path)
        self._tree = ast.parse(path.read_text(encoding="utf-8"))
        self._flags = _future_flags(self._tree)
        self._codes = [self._compiled(statement) for statement in self._tree.body]

    @cached_property
    def notebook(self) -> dict[str, Any]:
        """The solution as a notebook that was never run: what a suite reads of sources."""
        cells = [
            {"cell_type": cell.kind, "source": solution_source(cell), "metadata": {}, "outputs": []}
            for cell in self._cells
        ]
        return {"cells": cells}

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Every mistake that has a name, in the lines that students write."""
        return tuple(
            mistake
            for index, cell in enumerate(self._cells)
            if cell.kind == "code" and not cell.for_instructors and not cell.only_in_notebook
            for mistake in self._of_cell(cell, index)
        )

    def namespace(self, mistake: Mistake | None = None) -> dict[str, Any]:
        """Return the names of the reference, with a mistake or with none.

        What it raises while it is made goes through.
        """
        module = ModuleType(MODULE)
        module.__file__ = str(self.path)
        sys.modules[MODULE] = module  # where classes look for their own
        for index, code in enumerate(self._codes):
            own = mistake is not None and mistake.statement == index
            made = self._compiled(mistake.changed) if mistake is not None and own else code
            exec(made, module.__dict__)  # noqa: S102 - the course's own code
        return module.__dict__

    def _of_cell(self, cell: SourceCell, index: int) -> Iterator[Mistake]:
        solved = solution_source(cell)
        given = set(student_source(cell).splitlines())
        written = {n for n, text in enumerate(solved.splitlines(), 1) if text not in given}
        if not written:
            return
        lines = _lines_of_solution(cell)
        places = self._places(lines)
        before = ast.parse(solved).body
        mutants = mutants_of(solved, written, cell=index, operators=_MISTAKES)
        for mutant in (*mutants, *_repeated(solved, mutants)):
            kind = kind_of_mistake(mutant.mistake)
            found = _changed_statement(before, mutant) if kind else None
            if found is None or found[0] >= len(places) or names_in(found[1]) & _OUTSIDE:
                continue
            yield Mistake(kind, mutant.function, lines[mutant.line - 1], places[found[0]], found[1])

    def _places(self, lines: list[int]) -> list[int]:
        """The statements of the file that a cell has made, in order."""
        within = set(lines)
        return [i for i, node in enumerate(self._tree.body) if node.lineno in within]

    def _compiled(self, statement: ast.stmt) -> CodeType:
        module = ast.Module([statement], [])
        code: CodeType = compile(module, str(self.path), "exec", self._flags, dont_inherit=True)
        return code


def _repeated(source: str, mutants: Sequence[Mutant]) -> Iterator[Mutant]:
    """The same mistake in each of several places that look alike, at once.

    Whoever forgets the correction of one moment of two forgets it of both, and whoever forgets the
    stride of the rows forgets that of the columns. The places are those of a function, or of one
    statement in it.
    """
    statement = _first_lines(source)
    groups: dict[tuple[str, ...], list[Mutant]] = {}
    for mutant in mutants:
        if kind_of_mistake(mutant.mistake):
            groups.setdefault(_looks(mutant), []).append(mutant)
    for looks, group in groups.items():
        parts: dict[int, list[Mutant]] = {}
        for mutant in group:
            parts.setdefault(statement[mutant.line], []).append(mutant)
        for alike in (group, *parts.values()) if len(parts) > 1 else (group,):
            if 1 < len(alike) <= _MOST_ALIKE:
                yield from _at_once(looks, alike)


def _at_once(looks: tuple[str, ...], alike: Sequence[Mutant]) -> Iterator[Mutant]:
    mutant = alike[0]
    for line in [other.line for other in alike[1:]]:
        again = mutants_of(mutant.source, [line], operators=_MISTAKES, mistake=mutant.mistake)
        found = next((m for m in again if _looks(m) == looks and m.line == line), None)
        if found is None:
            return
        mutant = found
    yield replace(mutant, line=alike[0].line)


def _first_lines(source: str) -> dict[int, int]:
    """For each line the one where its innermost statement begins."""
    found: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            found |= dict.fromkeys(range(node.lineno, _last_line(node) + 1), node.lineno)
    return found


_MISTAKES = (*OPERATORS, *HABITS)
_MOST_ALIKE = 4
_OWN = re.compile(r"'[^']*'|\d[\d.e-]*")


def _looks(mutant: Mutant) -> tuple[str, ...]:
    """A mistake without the names and numbers of the place where it was made."""
    begins, ends = mutant.before.startswith(mutant.after), mutant.before.endswith(mutant.after)
    before = _OWN.sub("", _dumped(mutant.before))
    return mutant.function, mutant.mistake, before, f"{begins:d}{ends:d}"


def _dumped(source: str) -> str:
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return source


def _changed_statement(before: Sequence[ast.stmt], mutant: Mutant) -> tuple[int, ast.stmt] | None:
    after = ast.parse(mutant.source).body
    if len(after) != len(before):
        return None
    within = (i for i, old in enumerate(before) if old.lineno <= mutant.line <= _last_line(old))
    return next(((i, after[i]) for i in within), None)


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _lines_of_solution(cell: SourceCell) -> list[int]:
    """For each line of the solved cell its line in the file, from 1."""
    count = len(cell.source.splitlines())
    dropped: set[int] = set()
    for region in find_regions(cell):
        dropped |= set(range(region.begin, region.end + 1)) - set(region.solution)
    return [cell.line + i for i in range(count) if i not in dropped]


def _future_flags(tree: ast.Module) -> int:
    names = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    features = (getattr(__future__, name, None) for name in names)
    return sum(feature.compiler_flag for feature in features if feature is not None)
