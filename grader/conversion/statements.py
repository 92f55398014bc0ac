"""The statements of a test cell as those of a test that asks from outside."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from grader.conversion.boxed import CannotSplit, SplitTest, box_function, split
from grader.conversion.draft import Draft, DraftTest, Remark, RemarkKind
from grader.conversion.live import dotted
from grader.conversion.needs import shown_instances
from grader.conversion.obstacles import (
    BY_SOLUTION,
    COMMAND,
    SHOWN_OBJECT,
    Reason,
    late_values,
    obstacles,
    partial_credit,
)
from grader.conversion.removed_helpers import as_use_checks
from grader.conversion.scope import DraftNames
from grader.conversion.source_text import Chunk, chunks, indented, replaced, unparsed
from grader.points import show
from grader.source.cells import commands
from grader.source.names import bound, read_first, reads, taken, taken_names

_FIXTURES = frozenset({"student", "reference", "notebook"})
_OF_STUDENT = frozenset({"run", "seed", "has", "names"})
_SEEDS = frozenset({"torch.manual_seed", "numpy.random.seed", "random.seed"})
# What our own suites offer: where a test that is made here may use it.
_OURS = {
    "shown": "grader.suite.showing",
    "share_shown": "grader.suite.showing",
    "credit": "grader.suite.credit",
}
_GIVEN = "points_given"
# Commands of IPython that change nothing of what a test finds.
_HARMLESS = re.compile(
    r"\s*(%%(time|capture)|%(time|matplotlib|config|load_ext|reload_ext|autoreload|precision))\b"
)


class CellTranslation:
    """The way of one cell."""

    def __init__(
        self, draft: Draft, scope: DraftNames, test: DraftTest, source: str, suite: str
    ) -> None:
        self._draft, self._scope, self._test, self._source = draft, scope, test, source
        self._suite = suite
        self._position = draft.cells.index(test)
        self.remarks: list[Remark] = []
        self.stopped: dict[Reason, set[int]] = {}
        self.imports: set[str] = set()
        self.given: list[str] = []
        self.functions: list[str] = []
        self.title = ""
        self._local: set[str] = set()
        self._theirs: set[str] = set()

    def stop(self, line: int, why: str, instead: str) -> None:
        """Take note of what keeps the test from being turned."""
        self.stopped.setdefault(Reason(why, instead), set()).add(line)

    def _note(self, kind: RemarkKind, what: str, *lines: int) -> None:
        place = self._test.place
        self.remarks.append(Remark(kind, place.lines(*lines) if lines else str(place), what))

    @property
    def unfinished(self) -> list[Remark]:
        """What keeps the test from being turned, each reason once with its lines."""
        return [
            Remark("unfinished", self._test.place.lines(*sorted(lines)), f"{why}; instead: {do}")
            for (why, do), lines in self.stopped.items()
        ]

    def body(self) -> str:
        """Write the test's statements, indented; `stopped` says where they could not be."""
        own = self._without_title(self._with_credit(self._own_chunks()))
        earlier = self._of_earlier_tests(own)
        statements = [*earlier, *own]
        self._local = {name for chunk in statements for name in bound(chunk.statement)}
        self._local |= self._ours(own)
        self._look(own)
        if self.stopped:
            return ""
        first = self._read_first([c.statement for c in statements])
        parted = split(statements, self._scope, self._local)
        if parted is None:
            lines = [*first, *map(self._line, statements)]
        else:
            lines = [*first, *map(self._line, parted.before), self._call(parted)]
            lines += map(self._line, parted.after)
        # To import is a part of the work where only a solution does it.
        asked = [f'assert student.has("{name}")' for name in sorted(self._theirs)]
        return indented("\n".join([*asked, *lines]) or "pass")

    def _without_title(self, own: list[Chunk]) -> list[Chunk]:
        """Take the text that a cell begins with for what the test is about."""
        match own[:1]:
            case [Chunk(statement=ast.Expr(value=ast.Constant(value=str(text))), first=line)]:
                # What students may not see must not become what they are told.
                if text.strip() and line not in self._test.hidden:
                    self.title = " ".join(text.split())
                    return own[1:]
        return own

    def _ours(self, own: Sequence[Chunk]) -> set[str]:
        """The names of our suites that the test uses; they are imported from where they are."""
        used = {name for chunk in own for name in taken_names(chunk.statement)} & set(_OURS)
        for name in sorted(used):
            if self._scope.definitions(name):
                self.stop(
                    1,
                    f"the notebook has a {name} of its own, as our suites do",
                    "give the notebook's another name",
                )
            self.imports.add(f"from {_OURS[name]} import {name}")
        return used

    def _with_credit(self, own: list[Chunk]) -> list[Chunk]:
        """Let the last value of a test of nbgrader's give its part of the points."""
        line = partial_credit([c.statement for c in own]) if self._test.value_counts else None
        if line is None:
            return own
        last = own[-1]
        value = ast.unparse(last.statement)
        credited = f"credit(share_shown({_GIVEN}, {show(self._test.points)}))"
        return [
            *own[:-1],
            *(Chunk.of(text, last.first) for text in (f"{_GIVEN} = {value}", credited)),
        ]

    def _own_chunks(self) -> list[Chunk]:
        if self._test.by_solution:
            self.stop(1, *BY_SOLUTION)
        lines = self._source.split("\n")
        for number in commands(self._source):
            if not _HARMLESS.match(lines[number - 1]):
                self.stop(number, *COMMAND)
        if self.stopped:
            return []
        try:
            return as_use_checks(chunks(self._source), self._scope)
        except SyntaxError as error:
            why = f"it is not valid Python: {error.msg}"
            self.stop(error.lineno or 1, why, "fix the line")
            return []

    def _look(self, own: Sequence[Chunk]) -> None:
        for name in sorted(self._local & _FIXTURES):
            why = f"it has a variable called {name}, as a fixture of our tests is called"
            self.stop(1, why, "give the variable another name")
        for line in shown_instances([chunk.statement for chunk in own], self._scope, self._local):
            self.stop(line, *SHOWN_OBJECT)
        for chunk in own:
            if chunk.finished or any(map(_getsource, ast.walk(chunk.statement))):
                continue
            found = obstacles(chunk.statement, self._scope, self._local)
            late = late_values(chunk.statement, self._scope, self._position, self._local)
            for line, reason in (*found, *late):
                self.stop(line, *reason)
            for used in taken(chunk.statement):
                if used.id not in self._local and self._scope.home(used.id) == "unknown":
                    self._look_for(used)

    def _look_for(self, used: ast.Name) -> None:
        """A name that the notebook only can have from an `import *` is asked of the notebook."""
        if not self._scope.unread_stars:
            why = f"it uses {used.id}, which nothing in the notebook defines"
            self.stop(used.lineno, why, "name what the notebook defines, or define it in the test")
            return
        modules = ", ".join(sorted({star.module for star in self._scope.unread_stars}))
        what = f"{used.id} is asked of the notebook: only `from {modules} import *` can have it"
        self._note("weaker", what, used.lineno)

    def _of_earlier_tests(self, own: Sequence[Chunk]) -> list[Chunk]:
        """Repeat what earlier test cells left behind and this one uses."""
        bound_here: set[str] = set()
        wanted: set[str] = set()
        for chunk in own:
            wanted |= reads(chunk.statement) - bound_here
            bound_here |= bound(chunk.statement)
        wanted = {name for name in wanted if self._scope.home(name) == "unknown"}
        found: list[Chunk] = []
        for test in reversed(self._earlier_tests()):
            source = test.source if self._suite == "hidden" else test.visible_source
            try:
                statements = chunks(source)
            except SyntaxError:
                continue
            for chunk in reversed(statements):
                if bound(chunk.statement) & wanted and not _asserts(chunk.statement):
                    wanted -= bound(chunk.statement)
                    needed = reads(chunk.statement)
                    wanted |= {n for n in needed if self._scope.home(n) == "unknown"}
                    # What the cell binds for itself comes from it too.
                    wanted |= needed & {n for c in statements for n in bound(c.statement)}
                    text = "\n".join(
                        line for line in chunk.text.split("\n") if not line.startswith("#")
                    )
                    found.insert(0, Chunk(chunk.statement, text, chunk.first))
                    names = ", ".join(sorted(bound(chunk.statement)))
                    where = f"the test in cell {test.place.cell}"
                    self._note("look", f"{names} came from {where}, whose line is repeated here")
        return found

    def _earlier_tests(self) -> list[DraftTest]:
        before = self._draft.cells[: self._position]
        return [cell for cell in before if isinstance(cell, DraftTest)]

    def _read_first(self, statements: list[ast.stmt]) -> list[str]:
        """Fetch what the test reads of the notebook before it binds a name of its own to it."""
        names = sorted(
            n for n in read_first(statements) if self._scope.home(n) in ("student", "given")
        )
        return [f"{name} = {self._of_student(name)}" for name in names]

    def _line(self, chunk: Chunk) -> str:
        if chunk.finished:
            return chunk.text
        new: dict[ast.expr, str] = {}
        covered: set[int] = set()
        for node in ast.walk(chunk.statement):
            source = _getsource(node)
            if source is not None and isinstance(node, ast.expr):
                new[node] = f'notebook.source("{source}")'
                covered |= {id(n) for n in ast.walk(node)}
        needs_run = self._helpers_that_run_there(chunk.statement)
        for name in taken(chunk.statement):
            if id(name) in covered or name.id in self._local:
                continue
            text = self._outside(name.id)
            call = needs_run.get(id(name))
            if call is not None:
                given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
                new[call] = f"student.run({', '.join([name.id, *map(self._argument, given)])})"
                covered |= {id(n) for n in ast.walk(call)}
            elif text != name.id:
                new[name] = text
        new = {node: text for node, text in new.items() if not _within(node, new)}
        return replaced(chunk.text, chunk.statement, new) + self._seed(chunk.statement)

    def _argument(self, node: ast.expr | ast.keyword) -> str:
        value = node.value if isinstance(node, ast.keyword) else node
        text = unparsed(
            value, {n: self._outside(n.id) for n in taken(value) if n.id not in self._local}
        )
        return f"{node.arg}={text}" if isinstance(node, ast.keyword) and node.arg else text

    def _outside(self, name: str) -> str:
        """What a name of the notebook is called in the suite; notes what its file needs."""
        match self._scope.home(name):
            case "student":
                return self._of_student(name)
            case "unknown" if self._scope.unread_stars:
                return self._of_student(name)
            case "import":
                self.imports.add(self._scope.import_line(name))
                if all(d.cell.has_solution for d in self._scope.definitions(name)):
                    self._theirs.add(name)
            case "given":
                self._copy(name)
        return name

    def _of_student(self, name: str) -> str:
        return f'student["{name}"]' if name in _OF_STUDENT else f"student.{name}"

    def _copy(self, name: str) -> None:
        """Have a given function or constant in the suite too, with all that it uses."""
        if name in self.given:
            return
        self.given.append(name)
        function = self._scope.given_function(name)
        for used in sorted(taken_names(function)) if function else ():
            if used != name:
                self._outside(used)

    def _helpers_that_run_there(self, statement: ast.stmt) -> dict[int, ast.Call]:
        """The calls of given functions that work on the student's objects with autograd."""
        found: dict[int, ast.Call] = {}
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                function = self._scope.given_function(node.func.id)
                if function is None or node.func.id in self._local:
                    continue
                inner = [Chunk.of(ast.unparse(part), 0) for part in function.body]
                parameters = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
                if _works_inside(inner, self._scope, parameters):
                    found[id(node.func)] = node
        return found

    def _seed(self, statement: ast.stmt) -> str:
        """Seed the box as well: the student's code draws its random numbers there."""
        match statement:
            case (
                ast.Expr(value=ast.Call(func=func, args=[seed]))
                | ast.Assign(value=ast.Call(func=func, args=[seed]))
            ) if self._scope.resolved(func, self._local) in _SEEDS:
                return f"\nstudent.seed({ast.unparse(seed)})"
        return ""

    def _call(self, parted: SplitTest) -> str:
        """Write the call of what runs in the box, and its function."""
        name = f"steps_of_{self._test.name}"
        text, theirs = box_function(name, parted, self._scope)
        for used in sorted(parted.inside_names - self._local):
            if self._scope.home(used) in ("import", "given"):
                self._outside(used)
            if self._scope.dotted_import(used).startswith("torch."):
                self.imports.add("import torch")
        self.functions.append(text)
        if parted.works:
            what = "the following runs in the student's process, which could read and forge it"
            self._note("weaker", what, parted.line)
        for line in parted.decided:
            what = "what it asserts about a student's object is evaluated in the box"
            self._note("weaker", what, line)
        arguments = [*(self._of_student(n) for n in theirs), *parted.arguments]
        call = f"student.run({', '.join([name, *arguments])})"
        return f"{', '.join(parted.results)} = {call}" if parted.results else call


def _asserts(statement: ast.stmt) -> bool:
    """Whether a statement can fail a test: by `assert`, `assert_equal(…)`; a definition can't."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    nodes = list(ast.walk(statement))
    called = [dotted(node.func).rpartition(".")[2] for node in nodes if isinstance(node, ast.Call)]
    return any(isinstance(node, ast.Assert) for node in nodes) or any(
        name.startswith("assert") for name in called
    )


def _works_inside(inner: list[Chunk], scope: DraftNames, parameters: set[str]) -> bool:
    local = parameters | set().union(*(bound(c.statement) for c in inner))
    try:
        return split(inner, scope, local) is not None
    except CannotSplit:
        return True


def _getsource(node: ast.AST) -> str | None:
    """The name whose source is asked for: `inspect.getsource(softmax)`."""
    match node:
        case ast.Call(func=func, args=[ast.Name(id=name)]) if dotted(func) == "inspect.getsource":
            return name
    return None


def _within(node: ast.expr, others: dict[ast.expr, str]) -> bool:
    return any(other is not node and node in set(ast.walk(other)) for other in others)
