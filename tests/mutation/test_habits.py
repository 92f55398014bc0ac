"""Mistakes of more than one kind at once: what each makes of a function."""

from __future__ import annotations

import ast

import pytest

from grader.mutation.habits import HABITS
from grader.mutation.mutants import OPERATORS, Mutant, mutants_of


def mutants(source: str, *, mistake: str = "") -> list[Mutant]:
    lines = range(1, 1 + len(source.splitlines()))
    return mutants_of(source, lines, operators=HABITS, mistake=mistake)


def changed(kind: str, *lines: str, head: str = "def f(x, w, b, m):") -> set[str]:
    """What is left of the lines by each mutant of a kind, as Python writes it."""
    source = "\n".join([head, *(f"    {line}" for line in lines)])
    return {
        "\n".join(ast.unparse(s) for s in ast.parse(mutant.source).body[0].body)  # type: ignore[attr-defined]
        for mutant in mutants(source)
        if mutant.kind == kind
    }


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("parentheses", "return x * w + b", {"return x * (w + b)", "return (x + b) * w"}),
        ("parentheses", "return b - x / w", {"return (b - x) / w"}),
        ("parentheses", "return (x - w) / b", {"return x - w / b"}),
        ("parentheses", "return x / (w + b)", {"return x / w + b"}),
        ("parentheses", "return 1 - w ** b", {"return (1 - w) ** b"}),
        ("parentheses", "return (x - w) ** 2", {"return x - w ** 2"}),
        ("parentheses", "return x + w + b", set()),
        ("affine", "return x * w + b", {"return x", "return w"}),
        ("average", "return m * x + (1 - m) * w", {"return (1 - m) * x + m * w"}),
        ("average", "return x * (1 - m) + m * w", {"return m * x + (1 - m) * w"}),
        ("average", "return x.lerp(w, m)", {"return x.lerp(w, 1 - m)"}),
        ("average", "return m * x + (1 - b) * w", set()),
        ("accumulated", "x[m] += w", {"x[m] = torch.where(w != 0, w, x[m])"}),
    ],
)
def test_a_habit_of_each_kind(kind: str, line: str, expected: set[str]) -> None:
    assert changed(kind, line) == expected


def test_an_argument_is_ignored_for_its_default() -> None:
    head = "def f(x, stride=1, *, padding=0, unused=2, size):"
    line = "return x[stride:-padding:size]"
    assert changed("argument ignored", "'Text.'", line, head=head) == {
        f"'Text.'\nstride = 1\n{line}",
        f"'Text.'\npadding = 0\n{line}",
    }


def test_steps_change_places_where_the_second_reads_what_the_first_has_changed() -> None:
    first, second = "v = m * v + x", "w = w - b * v"
    assert changed("order", first, second) == {"w = w - b * v\nv = m * v + x"}
    assert changed("order", "if x:", f"    {first}", f"    {second}")
    assert not changed("order", "v = m + x", second)  # before, there was none
    assert not changed("order", first, "w = w - b")


def test_variables_that_are_given_together_are_taken_for_each_other() -> None:
    pair = "height, width = x.shape"
    assert changed("sister", pair, "return x / height") == {
        "height, width = x.shape\nreturn x / width"
    }
    twins = ("top = x * m", "left = w * m", "return top + b")
    assert changed("sister", *twins) == {"top = x * m\nleft = w * m\nreturn left + b"}
    assert not changed("sister", "top = x * m", "left = w + m", "return top + b")


def test_names_that_differ_in_one_part_are_taken_for_each_other() -> None:
    assert changed("sister", "return x @ w_ih", head="def f(x, w_ih, w_hh, b):") == {
        "return x @ w_hh"
    }
    source = """
class Norm:
    def __init__(self):
        self.running_mean, self.running_var = 0, 1

    def f(self, x):
        return x - self.running_mean
"""
    assert [m.after for m in mutants(source)] == ["self.running_var"]


def test_loops_that_look_alike_have_each_other_s_index() -> None:
    loops = ("for i in range(m):", "    for j in range(b):", "        w[i] = x")
    expected = "for i in range(m):\n    for j in range(b):\n        w[j] = x"
    assert changed("sister", *loops) == {expected}


def test_an_audit_does_not_ask_for_them() -> None:
    assert not set(HABITS) & set(OPERATORS)


def test_only_the_mutants_of_one_mistake_are_made() -> None:
    source = "def f(x, w, b):\n    return x * w + b"
    found = mutants(source, mistake="a part of the formula is missing")
    assert {m.kind for m in found} == {"affine"}
