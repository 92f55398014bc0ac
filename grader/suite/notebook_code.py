"""What a notebook's source says, read without running it: definitions, calls, uses.

The source is a student's: it may be broken, huge or absurd. A cell that can't be read is left out.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.rules.libraries import is_module
from grader.rules.program import Program, read_program
from grader.source.cells import read_cell
from grader.source.names import imports

MAX_FOLLOWED = 200
_LIBRARIES = ("torch.", "numpy.")

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class _Defined:
    node: _Definition
    source: str


class NotebookCode:
    """The definitions of all cells; where a name is defined twice, the last one counts."""

    def __init__(self, cells: Iterable[str]) -> None:
        self._defined: dict[str, _Defined] = {}
        self._aliases: dict[str, str] = {}
        self._cells = list(cells)
        for cell in self._cells:
            read = read_cell(cell)
            self._aliases |= imports(read.tree)
            for node in _statements(read.tree.body):
                for name in _names(node):
                    self._defined[name] = _Defined(node, _segment(read.text, node))

    def defines(self, name: str) -> bool:
        """Say whether a top-level statement of a readable cell defines the name."""
        return name in self._defined

    def source(self, name: str) -> str | None:
        """Return the source of the definition that counts, decorators included."""
        found = self._defined.get(name)
        return found.source if found is not None else None

    def calls(self, name: str) -> set[str]:
        """Return the dotted names that `name` and the notebook's own names it uses call."""
        return self._gather(name, calls_only=True)

    def uses(self, name: str) -> set[str]:
        """Return the dotted names that `name` and the notebook's own names it uses mention."""
        return self._gather(name, calls_only=False)

    def _gather(self, name: str, *, calls_only: bool) -> set[str]:
        found: set[str] = set()
        used: set[str] = set()
        seen: set[str] = set()
        waiting = [name]
        while waiting and len(seen) < MAX_FOLLOWED:
            current = waiting.pop()
            if current in seen or current not in self._defined:
                continue
            seen.add(current)
            node = self._defined[current].node
            aliases = self._aliases | imports(node)
            mentioned = set(_mentioned(node, aliases, calls_only=False))
            used |= mentioned
            found |= set(_mentioned(node, aliases, calls_only=True)) if calls_only else mentioned
            waiting += sorted({text.partition(".")[0] for text in mentioned} & set(self._defined))
        return found | (self._hidden(name) - used)

    def _hidden(self, name: str) -> set[str]:
        """What is named in other ways than by its name: `getattr(torch, "softmax")`."""
        program = self._program
        said = [m for unit in program.reached([name]) for m in program.said(unit).mentions]
        return {m.path for m in said if m.path.startswith(_LIBRARIES) and not is_module(m.path)}

    @functools.cached_property
    def _program(self) -> Program:
        return read_program(self._cells)


def _statements(body: list[ast.stmt]) -> Iterator[_Definition]:
    """The definitions at the top level, also within `if`, `try`, `with` and loops."""
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Definition):
            yield node
            continue
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        handlers = getattr(node, "handlers", [])
        inner += [statement for handler in handlers for statement in handler.body]
        waiting += reversed(inner)


def _names(node: _Definition) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [part for target in targets for part in getattr(target, "elts", [target])]
    return [part.id for part in parts if isinstance(part, ast.Name)]


def _segment(text: str, node: _Definition) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    # ast counts lines as Python does: form feeds and the like do not end one.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(lines[first - 1 : node.end_lineno])


def _mentioned(node: ast.AST, aliases: dict[str, str], *, calls_only: bool) -> Iterator[str]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
        node.value, ast.Name | ast.Attribute
    ):
        # `softmax = torch.softmax`: whoever calls the one calls the other.
        yield _dotted(node.value, aliases)
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            yield _dotted(part.func, aliases)
        elif not calls_only and isinstance(part, ast.Attribute):
            yield _dotted(part, aliases)
        elif not calls_only and isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield aliases.get(part.id, part.id)


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """A dotted name with its import resolved; "?" stands for what is no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    root = aliases.get(node.id, node.id) if isinstance(node, ast.Name) else "?"
    return ".".join([root, *reversed(parts)])
