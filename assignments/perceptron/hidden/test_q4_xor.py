"""Question 4: quadratic inputs."""

import itertools

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def monomials(x):
    """All monomials up to degree two, column by column."""
    d = x.shape[1]
    pairs = itertools.combinations_with_replacement(range(d), 2)
    columns = [torch.ones(len(x), dtype=x.dtype), *x.T, *(x[:, i] * x[:, j] for i, j in pairs)]
    return torch.stack(columns, dim=1)


@pytest.mark.points(2)
@pytest.mark.parametrize("d", [2, 3, 6])
def test_quadratic(student, close, d):
    """quadratic gives every monomial up to degree two once, in the order of the text."""
    hint("One, then the inputs, then products: which comes after x₁x₁? Is any there twice?")
    x = torch.randn(7, d, dtype=torch.float64)
    close(student.quadratic(x), monomials(x))


@pytest.mark.points(1)
def test_quadratic_of_few(student):
    """quadratic works for one input, one example or none, in the precision of x."""
    hint("With D = 1 there are three columns: 1, x, x².")
    for n, d in ((5, 1), (1, 3), (0, 3)):
        x = torch.randn(n, d)
        torch.testing.assert_close(student.quadratic(x), monomials(x))


@pytest.mark.points(1)
def test_xor_weights(student):
    """The sign of the weighted monomials is XOR."""
    hint("XOR is x₁ + x₂ - 2 x₁x₂ for zeros and ones. Which number lies between 0 and 1?")
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    value = monomials(x) @ student.xor_weights().detach().double()
    assert value.shape == (4,)
    assert torch.equal(torch.sign(value), torch.tensor([-1.0, 1.0, 1.0, -1.0]).double())
