"""Question 5: Jacobians."""

import numpy as np
import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


def elementwise(x):
    return (x * x.exp()).tanh()


def to_a_matrix(x):
    return (np.array([[1.0, -2.0], [0.5, 0.25], [2.0, 1.0], [-1.0, 0.75]]) @ x) ** 3


def to_a_number(x):
    return (x * x * 0.5 + x.tanh()).sum()


def to_more(x):
    return x * np.array([[0.5], [1.5], [-2.0], [3.0]]) + x.tanh()


FUNCTIONS = {
    "vector to vector": (elementwise, (5,)),
    "matrix to matrix": (to_a_matrix, (2, 3)),
    "matrix to number": (to_a_number, (3, 2)),
    "vector to matrix": (to_more, (3,)),
    "number to number": (elementwise, ()),
}


def drawn(shape):
    """An input so near to zero that no tanh is flat there: a slope of zero is never right."""
    return np.array(np.random.uniform(-1.5, 1.5, shape))


def right_jacobian(f, x):
    """The same by PyTorch."""

    def of_torch(t):
        return {
            "elementwise": lambda: torch.tanh(t * torch.exp(t)),
            "to_a_matrix": lambda: (
                (torch.tensor([[1.0, -2.0], [0.5, 0.25], [2.0, 1.0], [-1.0, 0.75]]).double() @ t)
                ** 3
            ),
            "to_a_number": lambda: (t * t * 0.5 + torch.tanh(t)).sum(),
            "to_more": lambda: (
                t * torch.tensor([[0.5], [1.5], [-2.0], [3.0]]).double() + torch.tanh(t)
            ),
        }[f.__name__]()

    return torch.autograd.functional.jacobian(of_torch, torch.tensor(x))


def counted(jacobian, x):
    """A Jacobian, and how often the function was run for it."""
    runs = 0

    def f(x):
        nonlocal runs
        runs += 1
        return np.array([[1.0, -2.0, 0.5], [0.5, 0.25, 1.0]]) @ x.tanh()

    return jacobian(f, x), runs


@pytest.mark.points(3)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward(student, close, name):
    """jacobian_forward has the output's shape followed by the input's, and the right values."""
    hint("One unit vector for each element of x, in the shape of x.")
    f, shape = FUNCTIONS[name]
    x = drawn(shape)
    close(student.jacobian_forward(f, x), right_jacobian(f, x))


@pytest.mark.points(3)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_reverse(student, close, name):
    """jacobian_reverse has the output's shape followed by the input's, and the right values."""
    hint("One seed for each element of the output, in its shape.")
    f, shape = FUNCTIONS[name]
    x = drawn(shape)
    close(student.jacobian_reverse(f, x), right_jacobian(f, x))


@pytest.mark.points(2)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_how_often_the_function_runs(student, close, mode):
    """Forward mode runs f once for each element of x; reverse mode runs it once in all."""
    hint("Forward mode runs f for each column. What can reverse mode keep between its rows?")
    x = np.random.standard_normal((3, 4))
    found, runs = student.run(counted, student[f"jacobian_{mode}"], x)
    assert found.shape == (2, 4, 3, 4)
    weights = np.array([[1.0, -2.0, 0.5], [0.5, 0.25, 1.0]])
    slope = 1 - np.tanh(x) ** 2
    close(found, np.einsum("ab,bc,cd->acbd", weights, slope, np.eye(4)))
    assert runs == (12 if mode == "forward" else 1)
