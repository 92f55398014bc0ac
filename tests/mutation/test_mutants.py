"""Mutants of a cell: valid Python, each once, with a name that lasts."""

from __future__ import annotations

import ast

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.mutation.code import Code
from grader.mutation.mutants import chosen, mutants_of

CELL = '''\
def softmax(x):
    """Return the softmax of each row."""
    # stays
    shifted = x - x.max(dim=1, keepdim=True).values
    weights = shifted.exp()
    return weights / weights.sum(dim=1, keepdim=True)


class Layer:
    def forward(self, x):
        return (x + self.b) * 2
'''


def test_each_is_valid_python_with_one_change() -> None:
    found = mutants_of(CELL, range(1, 20))
    dumps = {ast.dump(ast.parse(mutant.source)) for mutant in found}
    assert len(dumps) == len(found) > 15
    assert ast.dump(ast.parse(CELL)) not in dumps
    for mutant in found:
        changed = [line for line in mutant.diff.splitlines() if line[:1] in "+-"]
        assert 1 <= len(changed) <= 4
        assert "    # stays" in mutant.source


def test_only_lines_of_the_solution_are_changed() -> None:
    assert {m.line for m in mutants_of(CELL, [6])} == {6}
    assert mutants_of(CELL, []) == []


def test_what_is_no_python_has_none() -> None:
    assert mutants_of("%%bash\nls", [1, 2]) == []
    assert mutants_of("def f(:", [1]) == []


def test_it_is_known_by_its_function_and_what_is_changed() -> None:
    found = mutants_of(CELL, range(1, 20))
    assert {m.name for m in found} == {"softmax", "Layer"}
    assert {m.function for m in found} == {"softmax", "Layer.forward"}
    assert len({m.id for m in found}) == len(found)


def test_its_name_stays_when_other_code_or_the_layout_changes() -> None:
    before = {m.id for m in mutants_of(CELL, range(1, 30)) if m.name == "softmax"}
    moved = "import torch\n\n\n" + CELL.replace("x - x.max", "x  -  x.max")
    after = {m.id for m in mutants_of(moved, range(1, 30)) if m.name == "softmax"}
    assert before == after


def test_so_many_are_chosen_of_every_function_and_always_the_same() -> None:
    found = mutants_of(CELL, range(1, 20))
    some = chosen(found, 8)
    assert some == chosen(list(found), 8)
    assert len(some) == 8
    assert {m.function for m in some} == {"softmax", "Layer.forward"}
    assert len({m.kind for m in some}) >= 5
    assert chosen(found, 1000) == found


def test_offsets_count_characters_and_not_bytes() -> None:
    code = Code('größe = "ä" * 2 + f(x)')
    call = next(n for n in ast.walk(code.tree) if isinstance(n, ast.Call))
    assert code.with_other(call, "g") == 'größe = "ä" * 2 + g'


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    mutants_of(text, range(1, 50))
