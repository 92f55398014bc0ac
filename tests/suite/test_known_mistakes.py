"""A test is run on the reference with one mistake after the other: the values that it refuses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from grader.diagnosis.kinds import is_vague
from grader.suite.known_mistakes import KnownMistake, MistakeRun
from grader.suite.mutated_reference import MutatedReference
from grader.suite.randomness import Seeds
from grader.suite.running import CollectedSuite
from tests.suite.workbench import Workbench

SOLUTION = """
# %%
import torch

SCALE = 2.0

# %%
def given(x):
    return SCALE * x

# %%
def helper(x, w):
    # BEGIN SOLUTION
    return given(x) @ w
    # END SOLUTION

def f(x, w, b):
    '''Text.'''
    # BEGIN SOLUTION
    if x.numel() == 0:
        return x.sum(1)
    out = helper(x, w) + b
    return out.mean(
        dim=0
    )
    # BEGIN STARTER
    # ...
    # END SOLUTION

class Layer:
    def forward(self, x):
        # BEGIN SOLUTION
        return x.softmax(dim=1)
        # END SOLUTION

class Other:
    def forward(self, x):
        # BEGIN SOLUTION
        return x.sum(dim=1)
        # END SOLUTION
"""
SUITE = """
    X, W, B = torch.randn(5, 5), torch.randn(5, 4), torch.randn(4)
    def test_f(student):
        x, w, b = torch.randn(6, 3), torch.randn(3, 4), torch.randn(4)
        assert_close(student.f(x, w, b), (2 * x @ w + b).mean(0))
    def test_layer(student):
        assert_close(student.Layer().forward(X), X.softmax(1))
    def test_plain_numbers(student):
        x, w, b = torch.randn(6, 3), torch.randn(3, 4), torch.randn(4)
        assert_close(student.f(x, w, b).tolist(), (2 * x @ w + b).mean(0).tolist())
    def test_more_than_a_solution_can(student):
        assert_close(student.trained, X)
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    bench = Workbench(tmp_path)
    bench.solution(SOLUTION)
    bench.suite(SUITE)
    return bench


def known(bench: Workbench, test: str, *, cpu_s: float = 60.0) -> list[KnownMistake]:
    found: list[KnownMistake] = []
    assert bench.reference is not None
    reference = MutatedReference(bench.reference)

    def run(suite: CollectedSuite) -> None:
        mistakes = MistakeRun(suite, reference, Seeds(1))
        found.extend(mistakes.known(test, time.process_time() + cpu_s).mistakes)

    bench.collect(run)
    return found


def kinds(bench: Workbench, test: str) -> set[str]:
    return {mistake.kind for mistake in known(bench, test)}


def test_the_mistakes_of_what_a_test_runs_are_known(bench: Workbench) -> None:
    """Also of what it runs through a helper; not those of lines that it does not reach."""
    found = kinds(bench, "test_f")
    assert {"another-axis", "over-everything", "no-bias", "summed", "sign-inside"} <= found
    assert "operand-transposed" not in found  # the shapes do not fit: it raises


def test_methods_of_one_name_are_told_apart(bench: Workbench) -> None:
    assert kinds(bench, "test_layer") == {"another-axis", "no-activation", "log-softmax"}


def test_the_same_draws_give_the_same_values(bench: Workbench) -> None:
    assert known(bench, "test_f") == known(bench, "test_f")


def test_plain_numbers_are_known_too(bench: Workbench) -> None:
    assert {"no-bias", "summed"} <= kinds(bench, "test_plain_numbers")


def test_of_what_the_solution_itself_does_not_pass_nothing_is_known(bench: Workbench) -> None:
    assert known(bench, "test_more_than_a_solution_can") == []


def test_without_time_nothing_is_known(bench: Workbench) -> None:
    assert known(bench, "test_f", cpu_s=0.0) == []


def test_what_was_left_is_run_from_where_it_was_left(bench: Workbench) -> None:
    assert bench.reference is not None
    reference = MutatedReference(bench.reference)

    def run(suite: CollectedSuite) -> None:
        mistakes = MistakeRun(suite, reference, Seeds(1))
        later = time.process_time() + 60.0
        whole = mistakes.known("test_f", later)
        none = mistakes.known("test_f", 0.0)
        assert (none.mistakes, whole.then) == ((), None)
        assert none.then is not None
        assert mistakes.known("test_f", later, since=none.then) == whole
        vague = [is_vague(mistake.kind) for mistake in whole.mistakes]
        assert vague == sorted(vague)
        assert len(set(vague)) > 1

    bench.collect(run)


def test_the_solution_without_a_mistake_is_the_reference(bench: Workbench) -> None:
    assert bench.reference is not None
    reference = MutatedReference(bench.reference)
    plain = reference.namespace()
    assert plain["given"](3) == 6
    (mistake,) = [m for m in reference.mistakes if m.function == "Other.forward"][:1]
    changed = reference.namespace(mistake)
    assert changed["f"].__globals__ is changed and plain["f"].__globals__ is plain


def test_a_mistake_knows_its_line_in_the_file(bench: Workbench) -> None:
    assert bench.reference is not None
    lines = bench.reference.read_text().splitlines()
    for mistake in MutatedReference(bench.reference).mistakes:
        assert "SOLUTION" not in lines[mistake.line - 1]
        if mistake.kind == "no-bias":
            assert lines[mistake.line - 1].strip() == "out = helper(x, w) + b"


def test_what_reaches_beyond_the_process_is_not_changed(bench: Workbench) -> None:
    bench.solution(
        """
        # %%
        import os

        # %%
        def f(x):
            # BEGIN SOLUTION
            os.remove("a" if x + 1 else "b")
            # END SOLUTION

        # %%
        def g(x):
            # BEGIN SOLUTION
            return x + 1
            # END SOLUTION
        """
    )
    assert bench.reference is not None
    assert {m.function for m in MutatedReference(bench.reference).mistakes} == {"g"}


def test_a_mistake_that_is_made_in_each_of_two_places_is_known(bench: Workbench) -> None:
    bench.solution(
        """
        # %%
        def f(x, y):
            # BEGIN SOLUTION
            a = x.mean(dim=0)
            b = y.mean(dim=0)
            return a + b
            # END SOLUTION
        """
    )
    assert bench.reference is not None
    reference = MutatedReference(bench.reference)
    x, y = torch.arange(9.0).reshape(3, 3) ** 2, torch.arange(9.0).reshape(3, 3) ** 3
    both = x.sum(0) + y.sum(0)
    found = {
        mistake.kind
        for mistake in reference.mistakes
        if torch.equal(reference.namespace(mistake)["f"](x, y), both)
    }
    assert found == {"summed"}


def test_the_same_mistake_is_made_twice_in_one_statement(bench: Workbench) -> None:
    """Also where more places of the function look alike."""
    bench.solution(
        """
        # %%
        import torch

        # %%
        def f(x, i, j, step):
            # BEGIN SOLUTION
            first = x[i * step, j * step]
            return first + x[i * step + 1, j * step + 1]
            # END SOLUTION
        """
    )
    assert bench.reference is not None
    reference = MutatedReference(bench.reference)
    x = torch.arange(36.0).reshape(6, 6) ** 2
    found = {
        float(reference.namespace(mistake)["f"](x, 1, 1, 2))
        for mistake in reference.mistakes
        if mistake.kind == "factor-missing"
    }
    right, wrong = (x[2, 2], x[3, 3]), (x[1, 1], x[2, 2])
    assert {float(wrong[0] + right[1]), float(right[0] + wrong[1]), float(sum(wrong))} <= found
