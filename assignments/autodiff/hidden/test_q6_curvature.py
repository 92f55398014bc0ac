"""Question 6: curvature without a Hessian."""

import numpy as np
import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def bowl(x):
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]])
    return 0.5 * (x * (a @ x)).sum()


def dome(x):
    a = np.array([[-5.0, 0.5], [0.5, 2.0]])
    return 0.5 * (x * (a @ x)).sum()


def wave(x):
    return (x.tanh() * x.exp() / (x * x + 1.0)).sum()


def product(x):
    left = np.array([[1.0, -1.0, 0.5]])
    return ((left @ x).tanh() ** 2 + (x**3).sum() * 0.1).sum()


def slanted(x):
    return (x * np.array([[1.0], [2.0], [-3.0]])).sum()


def of_torch(name, t):
    left = torch.tensor([[1.0, -1.0, 0.5]]).double()
    return {
        "wave": lambda: (torch.tanh(t) * torch.exp(t) / (t * t + 1)).sum(),
        "product": lambda: (torch.tanh(left @ t) ** 2 + (t**3).sum() * 0.1).sum(),
    }[name]()


def counted(hvp, x, v):
    """The product, and how often the function was run for it."""
    runs = 0

    def f(x):
        nonlocal runs
        runs += 1
        return (x**4).sum()

    return hvp(f, x, v), runs


@pytest.mark.points(1)
def test_quadratic(student, close):
    """The Hessian of a quadratic form is its matrix."""
    x, v = np.random.standard_normal((2, 3, 1))
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]])
    close(student.hvp(bowl, x, v), a @ v)


@pytest.mark.points(2)
@pytest.mark.parametrize("f", [wave, product])
def test_hessian_vector_product(student, close, f):
    """hvp is right where the Hessian changes from place to place, for arrays of any shape."""
    hint("Differentiate the sum of gradient times v; the gradient must be a Var.")
    x, v = np.random.standard_normal((2, 3, 2)) / 2
    _, expected = torch.autograd.functional.hvp(
        lambda t: of_torch(f.__name__, t), torch.tensor(x), torch.tensor(v)
    )
    close(student.hvp(f, x, v), expected)


@pytest.mark.points(1)
def test_straight_function(student, close):
    """A linear function has no curvature: zeros, of the shape of x, where a bowl has some."""
    x, v = np.random.standard_normal((2, 3, 1))
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]])
    close(student.hvp(bowl, x, v), a @ v)  # who has zeros for everything has found nothing out
    close(student.hvp(slanted, x, v), np.zeros((3, 1)))


@pytest.mark.points(1)
def test_the_function_runs_once(student, close):
    """hvp runs the function once, however many elements x has."""
    hint("No columns, no finite differences: two walks back are enough.")
    x, v = np.random.standard_normal((2, 7))
    found, runs = student.run(counted, student.hvp, x, v)
    close(found, 12 * x**2 * v)
    assert runs == 1


@pytest.mark.points(3)
@pytest.mark.parametrize(
    ("functions", "size"),
    [([bowl], 3), ([dome], 2), ([bowl, slanted], 3)],
    ids=["bowl", "saddle", "plane"],
)
def test_largest_curvature(student, reference, close, functions, size):
    """Power iteration finds the eigenvalue of largest absolute value, with its sign."""
    hint("Normalise v in each step, and divide by nothing that is zero.")
    x, start = np.random.standard_normal((2, size, 1))
    for f in functions:
        for steps in (1, 3, 200):
            found = student.largest_curvature(f, x, start, steps)
            close(float(found), reference.largest_curvature(f, x, start, steps), rtol=1e-7)
