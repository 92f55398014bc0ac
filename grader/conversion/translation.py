"""A test cell as a pytest test that asks the student's notebook from outside."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from grader.conversion.boxed import CannotSplit
from grader.conversion.draft import Draft, DraftTest, Remark
from grader.conversion.scope import DraftNames
from grader.conversion.statements import CellTranslation
from grader.points import show
from grader.source.cells import parse_cell
from grader.source.names import taken_names


@dataclass
class Written:
    """One test as text, and what its file must hold beside it."""

    name: str
    text: str
    imports: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    finished: bool = True


class Translator:
    """Turns the test cells of one draft."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._scope = DraftNames(draft)
        self._titles = {question.id: question.title for question in draft.questions}

    @property
    def scope(self) -> DraftNames:
        """The names of the notebook."""
        return self._scope

    def hidden(self, test: DraftTest) -> Written:
        """Turn all of a test cell into a test that gives its points."""
        return self._written(test, test.source, "hidden")

    def visible(self, test: DraftTest) -> Written | None:
        """Turn what students may see of a test cell; None where that is nothing, or can't be."""
        source = test.visible_source
        tree = parse_cell(source)
        nodes = ast.walk(tree) if tree else ()
        if not any(isinstance(node, ast.Call | ast.Assert) for node in nodes):
            return None
        made = self._written(test, source, "public")
        return made if made.finished else None

    def _written(self, test: DraftTest, source: str, suite: Literal["hidden", "public"]) -> Written:
        work = CellTranslation(self._draft, self._scope, test, source, suite)
        made = Written(name=f"test_{test.name}", text="")
        try:
            body = work.body()
        except CannotSplit as reason:
            work.stop(reason.line, reason.why, reason.instead)
            body = ""
        made.remarks, made.finished = [*work.unfinished, *work.remarks], not work.stopped
        if work.stopped:
            made.text = self._unfinished(test, source, work.unfinished)
            return made
        made.imports, made.given, made.functions = work.imports, work.given, work.functions
        head = self._head(test, suite, show(test.points))
        fixtures = [n for n in ("student", "notebook") if n in _names_in(body)]
        hint = ""
        if test.hint:
            made.imports.add("from grader.suite.hints import hint")
            hint = f"    hint({test.hint!r})\n"
        signature = f"def {made.name}({', '.join(fixtures)}):"
        made.text = f"{head}{signature}\n{self._docstring(test, work.title)}{hint}{body}\n"
        return made

    def _head(self, test: DraftTest, suite: str, points: str) -> str:
        marks = [f'@pytest.mark.question("{test.question}")']
        if suite == "hidden":
            marks.append(f"@pytest.mark.points({points})")
        else:
            marks.append("@pytest.mark.shows_details")
        return "\n".join(marks) + "\n"

    def _docstring(self, test: DraftTest, title: str = "") -> str:
        title = title or f"{self._titles.get(test.question, test.question)} ({test.name})."
        return f"    {docstring(title)}\n"

    def _unfinished(self, test: DraftTest, source: str, why: Sequence[Remark]) -> str:
        """A test without points: no suite with it in it can be graded with."""
        lines = [f"# UNFINISHED, worth {show(test.points)} points: rewrite it, then give it"]
        lines.append(f"# @pytest.mark.points({show(test.points)}). It stood in {test.place}:")
        for remark in why:
            lines += textwrap.wrap(
                f"{remark}.", 96, initial_indent="#   ", subsequent_indent="#     "
            )
        head = f'@pytest.mark.question("{test.question}")'
        quoted = textwrap.indent(source.strip("\n"), "    # ", lambda line: True)
        failing = f"    pytest.fail({f'{test.place} could not be turned'!r})"
        definition = f"def test_{test.name}():\n{self._docstring(test)}{failing}\n{quoted}\n"
        return "\n".join([*lines, head, definition])


def docstring(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"', "'")
    return f'"""{plain}"""'


def _names_in(body: str) -> set[str]:
    return taken_names(ast.parse(f"def f():\n{body}\n"))
