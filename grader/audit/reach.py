"""Which tests of a suite look at which names of a notebook, by their source alone.

Too much is harmless here: a test that is run in vain costs time. What a test can't name it can't
reach, but for code of the notebook that runs by itself; so a mutant that survives the tests found
here is run once more against all of them.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from grader.source.names import bound, taken_names

_MOST_OF_A_TEXT = 200
"""Of a text in a suite is read: enough for a name such as "MLP.forward"."""


def tests_by_name(
    hidden: Mapping[str, bytes], units: Collection[str], names: Collection[str]
) -> dict[str, set[str]]:
    """Map each name of the notebook to the units of the suite that mention it.

    Args:
        hidden: the files of the suite, by their path in it.
        units: as `suite.fingerprints` names them.
        names: what the notebook defines.
    """
    suite = _Suite(hidden)
    found: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        for word in suite.words_of(unit):
            if word in names:
                found[word].add(unit)
    return found


class _Suite:
    """The definitions of a suite: what a word stands for in a file, and in all the others."""

    def __init__(self, hidden: Mapping[str, bytes]) -> None:
        self._own: dict[str, dict[str, list[ast.stmt]]] = {}
        self._shared: dict[str, list[ast.stmt]] = defaultdict(list)
        for path, content in hidden.items():
            if path.endswith(".py"):
                own = self._own[path] = _definitions(ast.parse(content))
                for name, nodes in own.items():
                    self._shared[name] += nodes

    def words_of(self, unit: str) -> set[str]:
        """Every word in a test, and in the helpers and fixtures that it uses."""
        path, _, name = unit.partition("::")
        own = self._own.get(path, {})
        seen: set[str] = set()
        waiting = [name, *(word for word in self._shared if self._is_automatic(word))]
        while waiting:
            word = waiting.pop()
            if word in seen:
                continue
            seen.add(word)
            for node in own.get(word) or self._shared.get(word, []):
                waiting += _words(node)
        return seen

    def _is_automatic(self, word: str) -> bool:
        return any(
            isinstance(node, ast.FunctionDef)
            and any("autouse" in ast.unparse(d) for d in node.decorator_list)
            for node in self._shared[word]
        )


def _definitions(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = defaultdict(list)
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            for name in bound(node):
                found[name].append(node)
    return found


def _words(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield from part.value[:_MOST_OF_A_TEXT].replace(".", " ").split()


class NotebookNames:
    """What the cells of a notebook define, and which of that each needs."""

    def __init__(self, sources: Mapping[int, str]) -> None:
        """Read cells.

        Args:
            sources: of the code cells that are valid Python, by their index.
        """
        self._needs: dict[str, set[str]] = defaultdict(set)
        self._cells: dict[str, set[int]] = defaultdict(set)
        self._needs_of_cell: dict[int, set[str]] = {}
        for index, source in sources.items():
            tree = ast.parse(source)
            self._needs_of_cell[index] = taken_names(tree)
            for statement in tree.body:
                for name in bound(statement):
                    self._needs[name] |= taken_names(statement)
                    self._cells[name].add(index)

    @property
    def defined(self) -> frozenset[str]:
        """Every name that a cell binds."""
        return frozenset(self._cells)

    def dependents(self, name: str) -> set[str]:
        """The names whose code uses a name, itself among them, however many calls are between."""
        found = {name}
        while True:
            more = {n for n, needs in self._needs.items() if n not in found and needs & found}
            if not more:
                return found
            found |= more

    def cells_for(self, names: Collection[str]) -> set[int]:
        """The cells without which these names can't be made."""
        found: set[int] = set()
        waiting = list(names)
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for cell in self._cells.get(name, set()) - found:
                found.add(cell)
                waiting += self._needs_of_cell[cell]
        return found
