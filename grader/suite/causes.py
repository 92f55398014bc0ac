"""Why a notebook did not do what was meant, in sentences: the first cause first.

When the first cell stops at an import, every cell after it fails with a `NameError`; what the
student and the course staff need to know is the import. All texts here are the box's or the
student's, and are only quoted.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from grader.sandbox.base import CellResult
from grader.source.cells import read_cell
from grader.source.names import bound
from grader.suite.results import TestResult

MAX_CAUSES = 3
MAX_TWICE = 3
MAX_MODULES = 10
MAX_SOURCE = 400_000
"""Characters; what no honest notebook reaches is not read."""
_QUOTED = 80
_COMPILER_ADVICE = 'there is none here (`torch.compile(…, backend="eager")` needs none)'

_NO_MODULE = re.compile(r"No module named '([A-Za-z_][\w.]{0,80})'")
_NO_NAME = re.compile(r"name '(\w{1,80})' is not defined")
_NOT_DEFINED = re.compile(r"The notebook does not define (\w{1,200})\.")
_NO_GPU = re.compile(r"not compiled with CUDA|NVIDIA driver|No CUDA GPUs|CUDA is False")
_NO_COMPILER = re.compile(r"No working C\+\+ compiler found|InvalidCxxCompiler")
_INSTALLS = re.compile(r"^\s*[!%]\s*(?:\S*python\S*\s+-m\s+)?(?:uv\s+)?pip3?\s+install\b", re.M)
_BOUND_LINE = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=]+)?=(?!=)", re.M)


class Causes(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences, the first cause first, and the modules that the notebook asked for in vain."""

    notes: tuple[str, ...] = ()
    missing_modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Statement:
    node: ast.stmt
    names: tuple[str, ...]


@dataclass
class _Cell:
    """A cell, and what became of it."""

    number: int
    source: str
    result: CellResult
    text: str
    statements: list[_Statement]
    used: frozenset[str]

    @property
    def ended(self) -> bool:
        return self.result.status == "ok"

    @property
    def error(self) -> tuple[str, str]:
        """Name and text of the exception that ended it."""
        for output in reversed(self.result.outputs):
            if output.get("output_type") == "error":
                return str(output.get("ename", ""))[:100], str(output.get("evalue", ""))[:2000]
        return self.result.error[:100], ""

    def stopped_at(self) -> _Statement | None:
        """The statement at which it stopped; None where that is not known."""
        line = self.result.line
        if not line:
            return self._import_of(_module_in(self.error))
        # IPython drops the empty lines at the top of a cell, and counts without them.
        line += len(self.source) - len(self.source.lstrip("\n"))
        for statement in self.statements:
            if statement.node.lineno <= line <= (statement.node.end_lineno or 0):
                return statement
        return None

    def _import_of(self, module: str) -> _Statement | None:
        for statement in self.statements:
            if module and isinstance(statement.node, ast.Import | ast.ImportFrom):
                return statement
        return None

    def names_before(self) -> set[str]:
        """The names that it did give a value to."""
        if self.ended:
            return {name for s in self.statements for name in s.names}
        at = self.stopped_at()
        if at is None:
            return set()
        return {n for s in self.statements if s.node.lineno < at.node.lineno for n in s.names}

    def names_after(self) -> list[str]:
        """The names that it would have given a value to, had it not stopped."""
        if not self.statements:
            found = (match[1] or match[2] for match in _BOUND_LINE.finditer(self.text))
            return list(dict.fromkeys(found))
        at = self.stopped_at()
        since = at.node.lineno if at else 0
        named = (n for s in self.statements if s.node.lineno >= since for n in s.names)
        return list(dict.fromkeys(named))


def causes(
    sources: Sequence[str],
    results: Sequence[CellResult],
    tests: Sequence[TestResult] = (),
    *,
    not_taken: Collection[str] = (),
) -> Causes:
    """Say why cells stopped, what that cost, and what else is odd.

    Args:
        sources: of each cell, as `ReadNotebook.sources`.
        results: what came of each.
        tests: what the suite found.
        not_taken: files of the student's that do not lie beside the notebook in the box.
    """
    if sum(map(len, sources)) > MAX_SOURCE:
        return Causes()
    try:
        return _causes(sources, results, tests, not_taken)
    except RecursionError:  # a source that is made to be too deep to be read
        return Causes()


def _causes(
    sources: Sequence[str],
    results: Sequence[CellResult],
    tests: Sequence[TestResult],
    not_taken: Collection[str],
) -> Causes:
    cells = [_read(n, s, r) for n, (s, r) in enumerate(zip(sources, results, strict=True), 1)]
    missing = [match[1] for test in tests if (match := _NOT_DEFINED.match(test.message))]
    notes = [*_stops(cells, missing, not_taken), *_foreign(cells, tests, missing)]
    notes += _gpu_in_tests(tests, notes)
    notes += _compiler_in_tests(tests, notes)
    notes += _twice(cells)
    return Causes(notes=tuple(notes), missing_modules=_missing_modules(cells, tests))


def _read(number: int, source: str, result: CellResult) -> _Cell:
    read = read_cell(source)
    statements = [_Statement(node, _named(node)) for node in read.tree.body]
    used = frozenset(
        node.id
        for node in ast.walk(read.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    return _Cell(number, source, result, read.text or source, statements, used)


def _stops(
    cells: Sequence[_Cell], missing: Iterable[str], not_taken: Collection[str]
) -> Iterator[str]:
    """A sentence for each cell that stopped by itself and took something with it."""
    given = {name for cell in cells for name in cell.names_before()}
    asked = set(missing)
    readers = Counter(name for cell in cells for name in cell.used)
    lost: set[str] = set()
    installs = any(_INSTALLS.search(cell.source) for cell in cells)
    said = 0
    for cell in cells:
        if cell.ended or not cell.source.strip():
            continue
        absent = [name for name in cell.names_after() if name not in given]
        name, text = cell.error
        named = _NO_NAME.search(text) if name == "NameError" else None
        if named and named[1] in lost:  # the consequence of a stop before it
            lost |= set(absent)
            continue
        lost |= set(absent)
        needed = [n for n in absent if n in asked or readers[n] > (n in cell.used)]
        if said < MAX_CAUSES and (needed or _module_in((name, text))):
            said += 1
            yield _sentence(cell, needed, installs=installs, not_taken=not_taken)


def _sentence(
    cell: _Cell, needed: Sequence[str], *, installs: bool, not_taken: Collection[str]
) -> str:
    name, text = cell.error
    at = cell.stopped_at()
    place = f"stopped at `{_quoted(cell, at)}`" if at else "stopped"
    module = _module_in((name, text))
    if module and f"{module.partition('.')[0]}.py" in not_taken:
        why = ", which is next to the notebook, but is not requested and not used"
    elif module:
        alone = at is not None and _imported(at.node) == {module.partition(".")[0]}
        why = ", which is not installed here" if alone else f": {module} is not installed here"
        if installs:
            why += " (`!pip install` does nothing: there is no network)"
    elif _NO_GPU.search(text):
        why = ", which needs a GPU; there is none here"
    elif _NO_COMPILER.search(text):
        why = f", which needs a C++ compiler; {_COMPILER_ADVICE}"
    elif name == "StdinNotImplementedError":
        why = ", which waits for input; nobody can type any"
    elif name == "SyntaxError" or cell.result.status != "error":
        why = {"error": " with a syntax error"}.get(cell.result.status, " before its end")
    else:
        why = f" with {name}" if name.isidentifier() else " with an error"
    return f"cell {cell.number} {place}{why}{_never(needed)}"


def _imported(node: ast.stmt) -> set[str]:
    """The modules that a statement asks for by name; none where it is no import."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module.partition(".")[0]}
    return set()


def _never(names: Sequence[str]) -> str:
    if not names:
        return ""
    if len(names) == 1:
        return f"; `{names[0]}` was never defined"
    others = f"`{names[1]}`" if len(names) == 2 else f"{len(names) - 1} other names"
    return f"; `{names[0]}` and {others} were never defined"


def _quoted(cell: _Cell, statement: _Statement) -> str:
    lines = cell.text.splitlines()
    number = statement.node.lineno
    line = lines[number - 1].strip() if number <= len(lines) else ""
    line = line.replace("`", "'")
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED]}…"


def _foreign(
    cells: Sequence[_Cell], tests: Sequence[TestResult], missing: Sequence[str]
) -> Iterator[str]:
    """Whether the notebook has none of what is asked of it."""
    names = list(dict.fromkeys(missing))
    if not tests or len(missing) < len(tests):
        return
    meant = {name for cell in cells for name in (*cell.names_before(), *cell.names_after())}
    if meant.isdisjoint(names):
        shown = ", ".join(f"`{name}`" for name in names[:4])
        yield (
            f"the notebook defines none of the required names ({shown}"
            f"{', …' if names[4:] else ''}): is it another assignment's?"
        )


def _gpu_in_tests(tests: Iterable[TestResult], said: Iterable[str]) -> list[str]:
    texts = (f"{test.message} {test.traceback}" for test in tests)
    if any(map(_NO_GPU.search, texts)) and not any("needs a GPU" in note for note in said):
        return ["the required code needs a GPU, and there is none here"]
    return []


def _compiler_in_tests(tests: Iterable[TestResult], said: Iterable[str]) -> list[str]:
    """`torch.compile` works when what it made is called first, which may be in a test."""
    texts = (f"{test.message} {test.traceback}" for test in tests)
    if any(map(_NO_COMPILER.search, texts)) and not any("C++ compiler" in note for note in said):
        return [f"the required code needs a C++ compiler; {_COMPILER_ADVICE}"]
    return []


def _twice(cells: Iterable[_Cell]) -> list[str]:
    """Functions and classes that a later cell defines in another way."""
    found: dict[str, dict[int, str]] = {}
    for cell in cells:
        for statement in cell.statements:
            node = statement.node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.setdefault(node.name, {})[cell.number] = ast.dump(node)
    notes = []
    for name, places in found.items():
        if len(set(places.values())) > 1:
            numbers = [str(number) for number in places]
            listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
            notes.append(f"`{name}` is defined in cells {listed}; the last one counts")
    return notes[:MAX_TWICE]


def _missing_modules(cells: Iterable[_Cell], tests: Iterable[TestResult]) -> tuple[str, ...]:
    asked = [_module_in(cell.error) for cell in cells if not cell.ended]
    texts = [test.message for test in tests if "ModuleNotFoundError" in test.message]
    asked += [match[1] for text in texts if (match := _NO_MODULE.search(text))]
    tops = (module.partition(".")[0] for module in asked if module)
    return tuple(dict.fromkeys(tops))[:MAX_MODULES]


def _module_in(error: tuple[str, str]) -> str:
    name, text = error
    match = _NO_MODULE.search(text) if name == "ModuleNotFoundError" else None
    return match[1] if match else ""


def _named(node: ast.stmt) -> tuple[str, ...]:
    return tuple(sorted(name for name in bound(node) if name.isidentifier()))
