"""Functions of a suite as source: what they use goes with them, and nothing that must not."""

from __future__ import annotations

import functools
import importlib
import itertools
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from grader.errors import SuiteError
from grader.suite.box_link import BoxLink
from grader.suite.function_source import function_source
from grader.suite.reference import load_reference
from grader.suite.student import Student
from tests.suite.fake_box import FakeBox

SCALE = 3.0


class Own:
    pass


EXPECTED_ELSEWHERE = torch.ones(3)
helper_table: dict[str, object] = {"model": nn.Linear(1, 1)}


def scaled(x: torch.Tensor) -> torch.Tensor:
    """Docstring with a SECRET."""
    # comment with a SECRET
    return SCALE * x


def loss_and_grads(module: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor | None]:
    loss = F.mse_loss(module(scaled(x)), torch.zeros(len(x), 1))
    loss.backward()
    return {name: p.grad for name, p in module.named_parameters()}


def factorial(n: int) -> int:
    return 1 if n == 0 else n * factorial(n - 1)


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


def run(function: Any, *args: Any, source: str = "") -> Any:
    return Student(BoxLink(FakeBox(source))).run(function, *args)


def test_function_runs_beside_the_students_objects() -> None:
    box = FakeBox("model = torch.nn.Linear(2, 1)")
    student: Any = Student(BoxLink(box))
    grads = student.run(loss_and_grads, student.model, torch.ones(4, 2))
    assert set(grads) == {"weight", "bias"}
    assert grads["weight"].shape == (1, 2)


def test_comments_docstrings_and_annotations_stay_here() -> None:
    source = function_source(scaled)
    assert source.source == "def scaled(x):\n    return SCALE * x\n"
    assert source.globals == {"SCALE": 3.0}


def test_names_that_are_not_used_stay_here() -> None:
    assert set(function_source(loss_and_grads).globals) == {"F", "scaled", "torch"}


def test_attribute_of_the_name_of_a_global_does_not_send_the_global() -> None:
    def f(x: Any) -> Any:
        return x.EXPECTED_ELSEWHERE

    assert function_source(f).globals == {}


def test_recursion_works_and_a_circle_is_refused() -> None:
    assert run(factorial, 5) == 120
    with pytest.raises(SuiteError, match="call each other"):
        function_source(even)


def test_closure_over_plain_values_goes_along() -> None:
    sizes = [1, 2]

    def total(x: int) -> int:
        return x + sum(sizes)

    assert run(total, 1) == 4


def test_closure_over_a_module_is_refused() -> None:
    model = nn.Linear(1, 1)

    def call(x: torch.Tensor) -> torch.Tensor:
        return model(x)

    with pytest.raises(SuiteError, match=r"it uses model: a torch\.nn"):
        function_source(call)


def test_modules_classes_and_functions_of_the_offered_libraries_are_imported() -> None:
    def f(x: list[int]) -> tuple[Any, ...]:
        pairs = list(itertools.pairwise(x))
        return math.pi, Counter(x)[1], nn.Linear(1, 2).out_features, np.sum(x), len(pairs)

    assert run(f, [1, 1, 2]) == (math.pi, 2, 2, 4, 2)
    assert function_source(f).globals["nn"] == "module:torch.nn"


def test_module_that_is_not_offered_is_refused() -> None:
    def f() -> Any:
        return importlib.import_module("os")

    with pytest.raises(SuiteError, match="module importlib, which the box does not offer"):
        function_source(f)


def test_decorator_and_defaults_run_in_the_box() -> None:
    @torch.no_grad()
    def f(x: torch.Tensor, scale: float = SCALE) -> Any:
        return (scale * x).requires_grad

    assert run(f, torch.ones(1).requires_grad_()) is False


def test_lambda_is_found_in_its_line() -> None:
    functions = [lambda x: x + 1, lambda x: x * 7]
    assert [run(f, 3) for f in functions] == [4, 21]


def test_two_lambdas_that_cannot_be_told_apart_are_refused() -> None:
    functions = [lambda x: x + 1, lambda y: y + 1]
    with pytest.raises(SuiteError, match="can't be told apart"):
        function_source(functions[0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: functools.partial(scaled), "only plain functions"),
        (lambda: [].append, "only plain functions"),
        (lambda: Path("x").exists, "only plain functions"),
        (lambda: eval("lambda x: x"), "source can't be found"),
        (lambda: Own, "only plain functions"),
    ],
)
def test_what_is_no_function_of_the_suite_is_refused(make: Any, words: str) -> None:
    with pytest.raises(SuiteError, match=words):
        function_source(make())


def test_undefined_name_is_said_at_once() -> None:
    def f() -> Any:
        return no_such_name  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(SuiteError, match="uses no_such_name, which is not defined"):
        function_source(f)


def test_text_that_looks_like_a_module_is_refused() -> None:
    marker = "module:os"

    def f() -> str:
        return marker

    with pytest.raises(SuiteError, match="may not begin with"):
        function_source(f)


def test_reference_never_enters_the_box(tmp_path: Path) -> None:
    path = tmp_path / "solution.py"
    path.write_text("def softmax(x):\n    return x\n\nclass Model:\n    def f(self): return 1\n")
    reference = load_reference(path)
    solve = reference.softmax

    def by_helper(x: int) -> Any:
        return solve(x)

    def by_module(x: int) -> Any:
        return reference.softmax(x)

    def by_class() -> Any:
        return model()

    model = reference.Model
    for function in (solve, by_helper, by_module, by_class, reference.Model, model().f):
        with pytest.raises(SuiteError):
            function_source(function)
    box = FakeBox("def apply(f): return f(1)")
    with pytest.raises(SuiteError, match="reference solution never enters the box"):
        Student(BoxLink(box)).apply(solve)
    with pytest.raises(SuiteError, match="reference solution never enters the box"):
        Student(BoxLink(box)).run(solve, 1)
    assert all("softmax" not in repr(request) for request in box.requests)


def test_value_that_is_no_plain_value_is_refused() -> None:
    def f() -> Any:
        return helper_table["model"]

    with pytest.raises(SuiteError, match="it uses helper_table"):
        function_source(f)
