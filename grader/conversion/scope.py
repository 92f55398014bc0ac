"""What each name of a notebook is: an import, something given, or the student's own."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal

from grader.conversion.draft import Draft, DraftCell
from grader.conversion.live import dotted, is_live
from grader.source.names import bound, imports, taken_names

# What a suite's function may use by name in the box; a test holds it against the suite's own list.
MODULES = frozenset(
    {
        *("torch", "torch.nn", "torch.nn.functional", "numpy", "pandas"),
        *("math", "random", "itertools", "functools", "collections", "time", "copy"),
    }
)
Home = Literal["builtin", "import", "given", "student", "unknown"]


@dataclass(frozen=True)
class Definition:
    """A statement of the notebook that binds a name; `position` counts the draft's cells."""

    position: int
    cell: DraftCell
    statement: ast.stmt


@dataclass(frozen=True)
class Star:
    """A `from … import *`."""

    position: int
    cell: DraftCell
    statement: ast.ImportFrom

    @property
    def module(self) -> str:
        """From where."""
        return self.statement.module or ""

    @property
    def names(self) -> frozenset[str] | None:
        """What it brings; None where that is not known without running what is not ours."""
        return _public_names(self.module) if self.module in MODULES else None

    def import_of(self, name: str) -> ast.ImportFrom:
        """The import of one name alone."""
        return ast.ImportFrom(module=self.module, names=[ast.alias(name)], level=0)


@cache
def _public_names(module: str) -> frozenset[str] | None:
    try:
        found = import_module(module)
    except ImportError:
        return None
    public = [name for name in vars(found) if not name.startswith("_")]
    return frozenset(getattr(found, "__all__", public))


class DraftNames:
    """The names of a draft's notebook."""

    def __init__(self, draft: Draft) -> None:
        self._definitions: dict[str, list[Definition]] = {}
        self.stars: list[Star] = []
        for position, cell in enumerate(draft.cells):
            if isinstance(cell, DraftCell):
                self._read(position, cell)
        self._pure: dict[str, bool] = {}

    def _read(self, position: int, cell: DraftCell) -> None:
        for statement in cell.statements:
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                self.stars.append(Star(position, cell, statement))
                continue
            for name in bound(statement):
                definition = Definition(position, cell, statement)
                self._definitions.setdefault(name, []).append(definition)

    @property
    def unread_stars(self) -> list[Star]:
        """Those of the `import *` of which is not known what they bring."""
        return [star for star in self.stars if star.names is None]

    def definitions(self, name: str) -> list[Definition]:
        """The statements that bind a name, in the order of the notebook."""
        found = self._definitions.get(name)
        if found is None:
            found = self._definitions[name] = [
                Definition(star.position, star.cell, star.import_of(name))
                for star in self.stars
                if name in (star.names or ())
            ]
        return found

    def is_defined(self, name: str) -> bool:
        """Say whether a name is a function or class of the notebook."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return any(isinstance(d.statement, kinds) for d in self.definitions(name))

    def home(self, name: str) -> Home:
        """Say whose a name is."""
        found = self.definitions(name)
        if not found:
            return "builtin" if hasattr(builtins, name) else "unknown"
        if all(isinstance(d.statement, ast.Import | ast.ImportFrom) for d in found):
            return "import"
        if self.given_function(name) or self.given_constant(name):
            return "given"
        return "student"

    def import_line(self, name: str) -> str:
        """The statement that imports a name, alone; nothing where none does."""
        for definition in reversed(self.definitions(name)):
            statement = definition.statement
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            kept = [a for a in statement.names if name in (a.asname, a.name.partition(".")[0])]
            if isinstance(statement, ast.Import):
                return ast.unparse(ast.Import(names=kept))
            return ast.unparse(
                ast.ImportFrom(module=statement.module, names=kept, level=statement.level)
            )
        return ""

    def dotted_import(self, name: str) -> str:
        """What a name stands for: `F` is torch.nn.functional, `SGD` is torch.optim.SGD."""
        found = [imports(d.statement) for d in self.definitions(name)]
        return next((names[name] for names in reversed(found) if name in names), name)

    def resolved(self, node: ast.expr, local: set[str]) -> str:
        """The dotted name that an expression stands for, imports resolved; "" for none."""
        name = dotted(node)
        root, dot, rest = name.partition(".")
        if root and root not in local and self.home(root) == "import":
            return f"{self.dotted_import(root)}{dot}{rest}"
        return name

    def given_function(self, name: str) -> ast.FunctionDef | None:
        """The function of that name which students are given, if it needs nothing of theirs."""
        found = self.definitions(name)
        if len(found) != 1 or not isinstance(found[0].statement, ast.FunctionDef):
            return None
        left_open = _is_left_open(found[0].statement)
        if found[0].cell.has_solution or left_open or not self._is_pure(name):
            return None
        return found[0].statement

    def given_constant(self, name: str) -> ast.expr | None:
        """The value of a given name that is written out in the notebook and never changed."""
        found = self.definitions(name)
        if len(found) != 1 or found[0].cell.has_solution:
            return None
        statement = found[0].statement
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return None
        if _is_left_open(statement):
            return None
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        return statement.value

    def bound_again_after(self, name: str, position: int) -> DraftCell | None:
        """The cell behind a position that gives a name, which stands before it, another value."""
        found = self.definitions(name)
        later = [d for d in found if d.position > position]
        if any(d.position < position for d in found) and later:
            return later[0].cell
        return None

    def _is_pure(self, name: str) -> bool:
        if name not in self._pure:
            self._pure[name] = True  # a function that calls itself is as pure as the rest of it
            statement = self.definitions(name)[0].statement
            self._pure[name] = is_live([statement]) and all(
                self.home(used) in ("builtin", "import", "given") for used in taken_names(statement)
            )
        return self._pure[name]


def _is_left_open(statement: ast.stmt) -> bool:
    """Whether students are to fill it in, though nothing marks it as theirs: `x = ...`."""
    for node in ast.walk(statement):
        match node:
            case (
                ast.Expr(value=ast.Constant(value=value))
                | ast.Assign(value=ast.Constant(value=value))
                | ast.Return(value=ast.Constant(value=value))
            ) if value is ...:
                return True
            case ast.Raise(exc=exc) if exc is not None and "NotImplementedError" in ast.dump(exc):
                return True
            case ast.FunctionDef(body=[*_, ast.Pass()]):
                return True
    return False
