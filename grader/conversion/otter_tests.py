"""Test cells of Otter: doctests in all but looks, or functions that raise."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import yaml

from grader.conversion.draft import Remark, wrong
from grader.conversion.fitted_questions import points_of
from grader.conversion.notebook_file import ForeignCell, text_of
from grader.points import HUNDREDTH

_CONFIG_BEGIN = re.compile(r'(?:.\s*=\s*)?""?"?\s*#\s*BEGIN\s*TEST\s*CONFIG', re.IGNORECASE)
_CONFIG_END = re.compile(r'""?"?;?\s*#\s*END\s*TEST\s*CONFIG', re.IGNORECASE)
_SHOWN = "shown"
_HIDDEN = re.compile(r"\bhidden\b", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"""\benv\[["'](\w+)["']\]|\benv\.get\(["'](\w+)["']\)""")


@dataclass(frozen=True)
class Case:
    """One test case; `source` asserts what it showed when the instructor ran it."""

    cell: ForeignCell
    source: str
    hidden: bool
    points: Decimal | None
    hint: str = ""


def load_yaml(text: str, where: object) -> Any:
    """Read YAML as plain data.

    Raises:
        SpecError: it is none.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise wrong(f"this is no YAML: {' '.join(str(error).split())[:200]}", where) from error


def read_case(cell: ForeignCell, *, doctests: bool) -> tuple[Case, list[Remark]]:
    """Read a cell of a block of tests."""
    lines = cell.source.split("\n")
    hidden = lines[0].lstrip().startswith("#") and bool(_HIDDEN.search(lines[0]))
    if hidden:
        lines[0] = ""
    config: dict[str, Any] = {}
    if _CONFIG_BEGIN.match(lines[0]):
        end = next((i for i, line in enumerate(lines) if _CONFIG_END.match(line)), len(lines) - 1)
        loaded = load_yaml("\n".join(lines[1:end]), cell.place)
        config = loaded if isinstance(loaded, dict) else {}
        lines = [""] * (end + 1) + lines[end + 1 :]
    stated = config.get("points")
    source = "\n".join(lines)
    remarks: list[Remark] = []
    doctests = doctests and not _is_function_alone(source)
    source = _asserting(source, _shown(cell), cell, remarks) if doctests else _body(source)
    case = Case(
        cell=cell,
        source=source,
        hidden=bool(config.get("hidden", hidden)),
        points=None if stated is None else points_of(stated, cell.place),
        hint=" ".join(str(config.get("failure_message") or "").split()),
    )
    return case, remarks


def with_points(cases: Sequence[Case], stated: Any, where: object) -> list[Case]:
    """Share a question's points among its cases as Otter does, exact in hundredths.

    Raises:
        SpecError: the cases state more points than the question has.
    """
    cases = list(cases)
    if isinstance(stated, dict):
        stated = points_of(stated.get("each", 1), where) * len(cases)
    if isinstance(stated, list):
        if len(stated) != len(cases):
            raise wrong(f"{len(stated)} points are stated for {len(cases)} tests", where)
        each = [None if p is None else points_of(p, where) for p in stated]
        cases = [replace(case, points=p) for case, p in zip(cases, each, strict=True)]
        stated = None
    known = sum((case.points for case in cases if case.points is not None), Decimal(0))
    open_cases = [i for i, case in enumerate(cases) if case.points is None]
    total = points_of(1 if stated is None else stated, where)
    if stated is None and known:
        total = known  # cases without points of their own are then worth nothing
    if known > total:
        raise wrong(f"the tests have {known} points, and the question {total}", where)
    given = Decimal(0)
    for number, index in enumerate(open_cases, 1):
        # Rounded where they add up, so that a run of cases is off by one hundredth at most.
        reached = ((total - known) * number / len(open_cases)).quantize(HUNDREDTH)
        cases[index] = replace(cases[index], points=reached - given)
        given = reached
    return cases


def _shown(cell: ForeignCell) -> str:
    """What the cell showed, as Otter puts it into its doctest."""
    text = ""
    for output in cell.outputs:
        text += text_of(output.get("text"))
        data = output.get("data")
        text += text_of(data.get("text/plain")) if isinstance(data, dict) else ""
    return text.strip("\n")


def _asserting(source: str, shown: str, cell: ForeignCell, remarks: list[Remark]) -> str:
    """Assert that the last expression is shown as it was."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return source
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr) or isinstance(last.value, ast.Constant):
        if shown:
            what = f"it shows {shown[:60]!r}, and how is not seen: that it does is not tested"
            remarks.append(Remark("weaker", str(cell.place), what))
        return source
    segment = ast.get_source_segment(source, last.value) or ast.unparse(last.value)
    lines = source.split("\n")
    head = "\n".join([*lines[: last.lineno - 1], lines[last.lineno - 1][: last.col_offset]])
    tail = "\n".join(lines[(last.end_lineno or last.lineno) :])
    return "\n".join([head + _assertion(last.value, segment, shown), *([tail] if tail else [])])


def _assertion(value: ast.expr, text: str, shown: str) -> str:
    if (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == "print"
    ):
        if len(value.args) == 1 and not value.keywords and "\n" not in text:
            return f'assert {_SHOWN}({ast.unparse(value.args[0])}).strip("\'") == {shown!r}'
        return text
    if not shown:
        called = isinstance(value, ast.Call)
        return text if called else f"assert ({text}) is None"
    if shown in ("True", "False"):
        # What numpy calls True is shown as np.True_ by some of its versions.
        return f"assert {_SHOWN}({text}) in ({shown!r}, 'np.{shown}_')"
    return f"assert {_SHOWN}({text}) == {shown!r}"


def _is_function_alone(source: str) -> bool:
    """Whether it only defines a function: as a doctest it would test nothing."""
    try:
        return [type(statement) for statement in ast.parse(source).body] == [ast.FunctionDef]
    except SyntaxError:
        return False


def _body(source: str) -> str:
    """The statements of a test that is written as a function of the notebook's names."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return source
    if not body or not isinstance(body[0], ast.FunctionDef):
        return source
    first, final = body[0].body[0], body[0].body[-1]
    lines = source.split("\n")
    inner = textwrap.dedent("\n".join(lines[first.lineno - 1 : final.end_lineno]))
    parameters = {arg.arg for arg in body[0].args.args}
    if "env" in parameters:
        inner = _ENVIRONMENT.sub(lambda m: m[1] or m[2], inner)
    return "\n" * (first.lineno - 1) + inner
