"""A cell as Python: what IPython alone understands is taken out, and no line moves."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.source.cells import commands, parse_cell, read_cell

MAGICS = (
    "%matplotlib inline",
    "!pip install torch",
    "_ = !true",
    "files = %ls",
    "softmax?",
    "torch.nn.Linear??",
    "?softmax",
)


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_magic_costs_its_own_line_only(magic: str, indent: str) -> None:
    head = "if True:\n" if indent else ""
    source = f"{head}{indent}a = 1\n{indent}{magic}\n{indent}b = 2\ndef f():\n    return a + b"
    read = read_cell(source)
    assert read.is_python
    assert [n.name for n in ast.walk(read.tree) if isinstance(n, ast.FunctionDef)] == ["f"]
    assert read.text.count("\n") == source.count("\n")
    assert commands(source) == [3 if indent else 2]


def test_what_time_measures_is_read() -> None:
    read = read_cell("if True:\n    %time x = softmax(y)\n")
    assert "softmax" in {n.id for n in ast.walk(read.tree) if isinstance(n, ast.Name)}
    assert not read.magics


def test_lines_that_held_nothing_else_are_known() -> None:
    assert read_cell("a = 1\n%matplotlib inline\n\n!ls\n").magics == {2, 4}


def test_a_cell_of_another_language_holds_no_python() -> None:
    read = read_cell("%%bash\necho hi there\n")
    assert read.is_python and not read.tree.body


@pytest.mark.parametrize(
    "source", ["a = (b\n  % c)", 's = """\n%time 1\n!ls\n"""', "x = a if b else c"]
)
def test_python_that_only_looks_like_a_magic_is_left_alone(source: str) -> None:
    read = read_cell(source)
    assert read.text == source and not read.magics and not commands(source)


@pytest.mark.parametrize("source", ["def f(:", "x = = 1", "if True:\n", "(" * 5000])
def test_what_is_no_python_is_none(source: str) -> None:
    assert parse_cell(source) is None


@given(
    st.lists(st.sampled_from([*MAGICS, "a = 1", "def f():", "    %time 1", "    pass", "(", ""]))
)
def test_no_line_ever_moves(lines: list[str]) -> None:
    source = "\n".join(lines)
    read = read_cell(source)
    if read.text:
        assert read.text.count("\n") == source.count("\n")
