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
    hidden: Mapping[str, bytes],
    units: Collection[str],
    names: Collection[str],
    asked_by_text: Collection[str],
) -> dict[str, set[str]]:
    """Map each name of the notebook to the units of the suite that mention it.

    Args:
        hidden: the files of the suite, by their path in it.
        units: as `suite.fingerprints` names them.
        names: what the notebook defines.
        asked_by_text: those of them that a text may stand for: "h" is a text of many suites, and
            in a notebook a line that draws something.
    """
    suite = _Suite(hidden)
    found: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        attributes, texts = suite.words_of(unit)
        for word in (attributes & set(names)) | (texts & set(asked_by_text)):
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

    def words_of(self, unit: str) -> tuple[set[str], set[str]]:
        """What may reach into a notebook, of a test and of what it uses of the suite.

        Returns:
            attributes, as in `student.softmax`, and the words of texts, as in
            `student["softmax"]`. A name that stands alone is one of the suite's own.
        """
        path, _, name = unit.partition("::")
        own = self._own.get(path, {})
        attributes: set[str] = set()
        texts: set[str] = set()
        seen: set[str] = set()
        waiting = [name, *(word for word in self._shared if self._is_automatic(word))]
        while waiting:
            word = waiting.pop()
            if word in seen:
                continue
            seen.add(word)
            for node in own.get(word) or self._shared.get(word, []):
                more = set(_attributes(node)), set(_words_of_texts(node))
                attributes |= more[0]
                texts |= more[1]
                waiting += [*more[0], *more[1], *_names(node)]
        return attributes, texts

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


def _names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.arg):
            yield part.arg


def _attributes(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr


def _words_of_texts(node: ast.AST) -> Iterator[str]:
    """The words of all texts but those that name parameters, or are only said to people."""
    said = {id(text) for part in ast.walk(node) for text in _said(part)}
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in said:
            yield from part.value[:_MOST_OF_A_TEXT].replace(".", " ").split()


def _said(node: ast.AST) -> Iterator[ast.AST]:
    """The texts of a docstring, of a hint, and of a parametrization's names."""
    if isinstance(node, ast.Expr):
        yield node.value
    elif isinstance(node, ast.Call) and node.args:
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in ("hint", "parametrize"):
            yield from ast.walk(node.args[0])


class NotebookNames:
    """What the cells of a notebook define, and which of that each needs."""

    def __init__(self, sources: Mapping[int, str], written: Collection[int]) -> None:
        """Read cells.

        Args:
            sources: of the code cells that are valid Python, by their index.
            written: those of them that students write in.
        """
        self._asked_for: set[str] = set()
        self._needs: dict[str, set[str]] = defaultdict(set)
        self._cells: dict[str, set[int]] = defaultdict(set)
        self._needs_of_cell: dict[int, set[str]] = {}
        for index, source in sources.items():
            tree = ast.parse(source)
            self._needs_of_cell[index] = taken_names(tree)
            for statement in tree.body:
                # A loop's `_` is nobody's name, and would bring in the cell with the training.
                for name in bound(statement) - {"_"}:
                    self._needs[name] |= taken_names(statement)
                    self._cells[name].add(index)
                    if index in written or isinstance(statement, ast.FunctionDef | ast.ClassDef):
                        self._asked_for.add(name)

    @property
    def defined(self) -> frozenset[str]:
        """Every name that a cell binds."""
        return frozenset(self._cells)

    @property
    def asked_for(self) -> frozenset[str]:
        """Functions, classes, and what is assigned in a cell that students write in."""
        return frozenset(self._asked_for)

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
