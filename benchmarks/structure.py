"""How a source tree is built: modules, lines, import cycles, functions and classes written twice.

    python benchmarks/structure.py                    # of this tree
    python benchmarks/structure.py /tmp/before        # of another checkout

Prints one line of JSON. The desk, the audit of assignments and the mutants that it makes are left
out, so that trees from before and after they were added can be compared; so are the cells of
attacks, which are data.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEFT_OUT = ("desk", "migrations", "audit", "mutation")
MIN_STATEMENTS = 3
"""Shorter functions look alike by chance."""


def read(root: Path) -> dict[str, ast.Module]:
    """The package's modules by their dotted names."""
    found = {}
    for path in sorted((root / "grader").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if "cells" in parts or any(part.startswith(LEFT_OUT) for part in parts):
            continue
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def imported(name: str, tree: ast.Module, modules: Mapping[str, ast.Module]) -> Iterator[str]:
    """The modules of the package that a module imports, at its top or in a function."""
    for node in _statements(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found = whole if whole in modules else node.module
                if found in modules and found != name:
                    yield found
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name in modules and a.name != name)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Everything but what only a type checker reads."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.If) and "TYPE_CHECKING" in ast.dump(part.test):
            continue
        yield part
        yield from _statements(part)


def cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other."""

    def reached(start: str) -> set[str]:
        seen, todo = set[str](), [start]
        while todo:
            for other in graph[todo.pop()] - seen:
                seen.add(other)
                todo.append(other)
        return seen

    reach = {name: reached(name) for name in graph}
    groups = {
        frozenset(o for o in reach[name] if name in reach[o])
        for name in graph
        if name in reach[name]
    }
    return sorted(sorted(group) for group in groups)


def rooms_of(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same between rooms, which are folders of the package."""
    between: dict[str, set[str]] = defaultdict(set)
    for name, others in graph.items():
        for other in others:
            rooms = [module.split(".")[1] if "." in module else "" for module in (name, other)]
            between[rooms[1]] |= set()
            between[rooms[0]] |= {rooms[1]} - {rooms[0]}
    return between


def shape(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """A function's body, whatever its names and texts are."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if sum(isinstance(node, ast.stmt) for part in body for node in ast.walk(part)) < MIN_STATEMENTS:
        return ""
    names: dict[str, str] = {}
    tree = ast.parse(ast.unparse(ast.Module(body=body, type_ignores=[])))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.setdefault(node.id, f"n{len(names)}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def measure(root: Path) -> dict[str, object]:
    """All figures of a tree."""
    modules = read(root)
    graph = {name: set(imported(name, tree, modules)) for name, tree in modules.items()}
    shapes, classes = Counter[str](), Counter[str]()
    for tree in modules.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (form := shape(node)):
                shapes[form] += 1
        classes.update(
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        )
    sources = [path.read_text("utf-8") for path in _paths(root, modules)]
    return {
        "modules": len(sources),
        "lines": sum(text.count("\n") for text in sources),
        "cycles of modules": cycles(graph),
        "cycles of rooms": cycles(rooms_of(graph)),
        "functions written twice": sum(count - 1 for count in shapes.values()),
        "class names twice": sorted(name for name, count in classes.items() if count > 1),
    }


def _paths(root: Path, modules: Mapping[str, ast.Module]) -> list[Path]:
    """The files of modules with code of their own."""
    paths = [root.joinpath(*name.split(".")).with_suffix(".py") for name in modules]
    return [path for path in paths if path.exists()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=ROOT)
    print(json.dumps(measure(parser.parse_args().root)))


if __name__ == "__main__":
    main()
