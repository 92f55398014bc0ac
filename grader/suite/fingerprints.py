"""What each test of a hidden suite is made of, so that one that has not changed need not run again.

A unit is a test function or a test class at the top of a test file. Its fingerprint covers its own
code; everything else (helpers, fixtures, constants, the reference, the data, the spec) is common to
all, and when that changes every test has changed. Code is compared as it is parsed: comments and
layout are nobody's. Where it can't be told who uses what, it is common.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

COMMON = ""
"""The name of what is common to all units."""

Fingerprints = dict[str, str]
"""By unit, such as `test_q1.py::test_softmax`, in the order in which the suite states them."""


def fingerprints(hidden: Mapping[str, bytes], others: Mapping[str, bytes]) -> Fingerprints:
    """Return the fingerprint of every unit, and of what is common under `COMMON`.

    Args:
        hidden: the files of the suite, by their path in it.
        others: what else can change a result, by any name; Python is compared as parsed.
    """
    common = hashlib.sha256()
    modules: dict[str, ast.Module] = {}
    for name, content in [*sorted(hidden.items()), *sorted(others.items())]:
        module = _parsed(name, content)
        if module is not None and name in hidden:
            modules[name] = module
        else:
            text = content if module is None else ast.dump(module).encode()
            common.update(f"{name}\0{hashlib.sha256(text).hexdigest()}\n".encode())
    shared = set(_names_used(modules.values()))
    found: Fingerprints = {}
    for name, module in modules.items():
        units = _units(name, module, shared)
        rest = [node for node in module.body if node not in units.values()]
        common.update(f"{name}\0{[ast.dump(node) for node in rest]}\n".encode())
        for unit, node in units.items():
            found[unit] = hashlib.sha256(ast.dump(node).encode()).hexdigest()[:16]
    return {COMMON: common.hexdigest(), **found}


def unit_of(nodeid: str) -> str:
    """The unit to which a collected test belongs."""
    file, _, inside = nodeid.partition("::")
    return f"{file}::{inside.partition('::')[0].partition('[')[0]}"


def unchanged_units(before: Fingerprints, now: Fingerprints) -> frozenset[str]:
    """The units of which all that they are made of is as it was; none where that is not known."""
    common = before.get(COMMON)
    if common is None or common != now.get(COMMON):
        return frozenset()
    kept = [unit for unit in before if unit in now]
    if kept != [unit for unit in now if unit in before]:
        return frozenset()  # in another order fixtures are made for other tests
    return frozenset(unit for unit in kept if before[unit] == now[unit])


def _parsed(name: str, content: bytes) -> ast.Module | None:
    if not name.endswith(".py"):
        return None
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _units(file: str, module: ast.Module, shared: set[str]) -> dict[str, ast.stmt]:
    """Tests that are stated once at the top of a test file and that nothing else names."""
    stem = PurePosixPath(file).stem
    if not (stem.startswith("test_") or stem.endswith("_test")):
        return {}
    kinds = (ast.FunctionDef, ast.ClassDef)
    stated = Counter(name for node in module.body for name in _bound(node))
    return {
        f"{file}::{node.name}": node
        for node in module.body
        if isinstance(node, kinds)
        and node.name.startswith(("test", "Test"))
        and stated[node.name] == 1
        and node.name not in shared
    }


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement at the top gives a meaning, roughly: too many do no harm."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            yield child.id
        elif isinstance(child, ast.alias):
            yield (child.asname or child.name).partition(".")[0]
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name


def _names_used(modules: Iterable[ast.Module]) -> Iterator[str]:
    """Every name that code of the suite reads, also as text, but for what `needs` names.

    `BY_HAND = "test_by_hand"` names no more than `needs(BY_HAND)` does, if nothing else reads it.
    """
    read: set[str] = set()
    only_for_needs: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        needed = {id(a) for node in ast.walk(module) for a in _arguments_of_needs(node)}
        texts = {id(node.value): name for name, node in _constants(module)}
        for node in ast.walk(module):
            if id(node) in needed:
                continue
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                read.add(node.id)
            elif isinstance(node, ast.Attribute):
                read.add(node.attr)
            elif isinstance(node, ast.alias):
                read.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) in texts:
                    only_for_needs[texts[id(node)]].add(node.value)
                else:
                    read.add(node.value)
    yield from read
    for name, values in only_for_needs.items():
        if name in read:
            yield from values


def _constants(module: ast.Module) -> Iterator[tuple[str, ast.Assign]]:
    """What is given one name at the top of a module."""
    for node in module.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            (target,) = node.targets
            if isinstance(target, ast.Name):
                yield target.id, node


def _arguments_of_needs(node: ast.AST) -> list[ast.expr]:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return node.args if is_call and node.func.attr == "needs" else []  # type: ignore[attr-defined]


def files_of(folder: Path, paths: list[Path]) -> dict[str, bytes]:
    """Files by their path in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
