"""Find the tests of a module: python -m tests.finding grader/report/charts.py

A module's tests are `tests/ROOM/test_MODULE.py`. A module without a file of that name is a part of
others, and tested through them: its tests are those of its room that name it or use a helper which
does, then those of other rooms, and else those of the modules that import it. What runs in the box
is tested by the contract of all sandboxes.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
PACKAGE = ROOT / "grader"
_STEPS = 4
"""How many modules may stand between a module and the tests that are said to be its own."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package with code of its own, but for steps of the database."""
    paths = [
        path
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
        and "migrations" not in path.parts
        and (path.parent / "__init__.py").exists()  # else it is data, such as an attack's cells
    ]
    return {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sorted(paths)}


def find_tests(module: str) -> list[Path]:
    """The files with a module's tests; none where they can't be found."""
    named = _by_name(module)
    if module.startswith("grader.box."):
        return [*named, TESTS / "sandbox" / "test_contract.py"]
    if named:
        return named
    nearest, seen = {module}, {module}
    for _ in range(_STEPS):
        found = sorted({test for name in nearest for test in (*_by_name(name), *_naming(name))})
        if found:
            return found
        nearest = {name for name in modules() if _uses(modules()[name]) & nearest} - seen
        seen |= nearest
    return []


def _by_name(module: str) -> list[Path]:
    *rooms, name = module.split(".")[1:]
    places = [TESTS.joinpath(*rooms)]
    places += [TESTS / "cli"] if rooms == ["api"] else []  # what a command does is tried by it
    paths = [place / f"test_{name.strip('_')}.py" for place in places]
    return [path for path in paths if path.exists()][:1]


def _naming(module: str) -> list[Path]:
    """The files of tests that import a module, or call it as a command."""
    wanted = {module}
    if module.startswith("grader.cli."):
        wanted.add(module.removeprefix("grader.cli.").strip("_").replace("_", "-"))
    room = module.split(".")[1]
    close = [path for path in _test_files() if wanted & _uses(path)]
    ours = [path for path in _test_files() if path.relative_to(TESTS).parts[0] == room]
    own = [path for path in ours if path in close]
    own = own or [path for path in ours if wanted & _through_helpers(path)]
    return own or [path for path in close if room != "cli"]


@cache
def _through_helpers(path: Path) -> frozenset[str]:
    """What the helpers of its own room use that a file of tests imports."""
    names = {name.rpartition(".")[2] for name in _uses(path)}
    beside = (file for file in path.parent.glob("*.py") if not file.name.startswith("test_"))
    return frozenset[str]().union(*(_uses(file) for file in beside if file.stem in names))


@cache
def _test_files() -> list[Path]:
    return sorted(path for path in TESTS.rglob("test_*.py") if path.name != "test_finding.py")


@cache
def _uses(path: Path) -> frozenset[str]:
    """What a file imports, and what stands in it as a text of its own."""
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8"))))


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
            yield node.value.rpartition(".")[0]  # a function's full name


def selected(words: Iterable[str]) -> list[str]:
    """What pytest is given for each: the tests of a module of ours, anything else as it is."""
    found: list[str] = []
    for word in words:
        path = Path(word).resolve()
        name = next((name for name, place in modules().items() if place == path), word)
        tests = find_tests(name) if name in modules() else []
        found += [str(test.relative_to(ROOT)) for test in tests] or [word]
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    print(*selected(sys.argv[1:]))
