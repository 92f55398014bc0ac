"""A solution in the student's place answers as a box does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from grader.suite.box_link import BoxLink
from grader.suite.failures import MissingName, StudentError
from grader.suite.local_box import LocalBox
from grader.suite.student import Remote, Student


class Model(torch.nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(size, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def numbers() -> Iterator[int]:
    yield from (1, 2)


def draw() -> torch.Tensor:
    return torch.rand(3)


def fail() -> None:
    raise ValueError("no")


def change(x: torch.Tensor) -> torch.Tensor:
    return x.add_(1)


def applied(function: Any, x: torch.Tensor) -> torch.Tensor:
    return function(x) * 2


SOLUTION = {
    "Model": Model,
    "numbers": numbers,
    "draw": draw,
    "fail": fail,
    "change": change,
    "n": 5,
}


@pytest.fixture
def link() -> BoxLink:
    return BoxLink(LocalBox(SOLUTION))


@pytest.fixture
def student(link: BoxLink) -> Student:
    return Student(link)


def test_values_functions_objects_and_generators(student: Student) -> None:
    assert student.n == 5
    assert student.names() == sorted(SOLUTION)
    model = student.Model(3)
    assert isinstance(model, Remote)
    assert model(torch.ones(2, 3)).shape == (2, 3)
    assert set(model.state_dict()) == {"layer.weight", "layer.bias"}
    assert list(student.numbers()) == [1, 2]


def test_values_cross_by_value(student: Student) -> None:
    x = torch.ones(2)
    assert student.change(x).tolist() == [2, 2]
    assert x.tolist() == [1, 1]


def test_a_function_of_the_suite_runs_beside_the_solution(student: Student) -> None:
    assert student.run(applied, student.change, torch.ones(2)).tolist() == [4, 4]


def test_what_it_raises_and_lacks_is_the_students(student: Student) -> None:
    with pytest.raises(StudentError, match="no"):
        student.fail()
    with pytest.raises(MissingName):
        _ = student.other


def test_its_draws_are_its_own(link: BoxLink, student: Student) -> None:
    """Else a test would draw other inputs than with a notebook in a box."""
    torch.manual_seed(1)
    expected = torch.rand(2, 3)
    torch.manual_seed(1)
    link.begin_test(seed=7, until=None)
    first = torch.rand(3)
    one = student.draw()
    second = torch.rand(3)
    two = student.draw()
    assert torch.equal(torch.stack([first, second]), expected)
    assert not torch.equal(one, two)
    link.begin_test(seed=7, until=None)
    assert torch.equal(student.draw(), one)
