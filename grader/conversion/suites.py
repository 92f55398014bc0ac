"""The two suites of a draft, as files: one for each question."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from grader.conversion.draft import Draft, Remark
from grader.conversion.scope import DraftNames
from grader.conversion.translation import Translator, Written, docstring
from grader.source.names import imports


@dataclass(frozen=True)
class Suites:
    """File name → text, for each suite; and what was found on the way."""

    hidden: dict[str, str]
    public: dict[str, str]
    remarks: tuple[Remark, ...]
    modules: dict[str, str]
    """The modules that the tests import, and a place where one does."""


def suites_of(draft: Draft) -> Suites:
    """Turn every test of a draft."""
    translator = Translator(draft)
    hidden, public = {}, {}
    modules: dict[str, str] = {}
    remarks: list[Remark] = [
        Remark(
            "look",
            str(star.cell.place),
            f"from {star.module} import *: which names come from it is not seen",
        )
        for star in translator.scope.unread_stars
    ]
    for question in draft.questions:
        tests = [test for test in draft.tests if test.question == question.id]
        file = f"test_{re.sub('[^a-z0-9]', '_', question.id.lower())}.py"
        if tests:
            written = [translator.hidden(test) for test in tests]
            for test, made in zip(tests, written, strict=True):
                for module in _modules(made):
                    modules.setdefault(module, str(test.place))
            remarks += [remark for made in written for remark in made.remarks]
            title = f"{question.title}: what gives the points."
            hidden[file] = _file(title, written, translator.scope)
            shown = [found for test in tests if (found := translator.visible(test))]
            if shown:
                title = f"{question.title}: what you can try yourself."
                public[file] = _file(title, shown, translator.scope)
    return Suites(hidden, public, tuple(dict.fromkeys(remarks)), modules)


def _modules(made: Written) -> set[str]:
    """The roots of what a test imports, at the head of its file or within itself."""
    text = "\n".join([*sorted(made.imports), made.text])
    return {name.partition(".")[0] for name in imports(ast.parse(text)).values()}


def _file(title: str, tests: list[Written], scope: DraftNames) -> str:
    lines = {"import pytest"}.union(*(test.imports for test in tests))
    given = list(dict.fromkeys(name for test in tests for name in test.given))
    future = sorted(line for line in lines if line.startswith("from __future__"))
    others = sorted(lines - set(future), key=lambda line: (line.startswith("from"), line))
    constants = [_given(name, scope) for name in given if scope.given_constant(name)]
    helpers = [_given(name, scope) for name in given if not scope.given_constant(name)]
    functions = [function for test in tests for function in test.functions]
    parts = [
        docstring(title),
        *(["\n".join(future)] if future else []),
        "\n".join(others),
        *(["\n".join(constants)] if constants else []),
    ]
    blocks = [*helpers, *functions, *(test.text for test in tests)]
    return "\n\n".join(parts) + "\n\n\n" + "\n\n\n".join(b.strip("\n") for b in blocks) + "\n"


def _given(name: str, scope: DraftNames) -> str:
    definition = scope.definitions(name)[-1]
    statement = definition.statement
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    lines = definition.cell.source.split("\n")[first - 1 : statement.end_lineno]
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except SyntaxError:
        return ast.unparse(statement)
    return text
