"""Question 1: the chain rule on a graph, and a gradient checker."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

STEP = 1e-2  # large, so that the error of a formula stands out from rounding


def random_neuron():
    """Draw w, b, x, t and lam: moderate, none of them near zero."""
    w, b, x = (random.choice([-1, 1]) * random.uniform(0.5, 2) for _ in range(3))
    return {"w": w, "b": b, "x": x, "t": random.uniform(0, 1), "lam": random.uniform(0.1, 1)}


def weighted_cubes(x):
    """A function whose third derivative is not zero, and differs from element to element."""
    weights = torch.arange(1, x.numel() + 1, dtype=x.dtype).reshape(x.shape)
    return (weights * x**3).sum()


def input_afterwards(numerical_gradient, x):
    """Return the gradient of the sum of squares, and x as it is after that was taken."""
    gradient = numerical_gradient(lambda x: (x**2).sum(), x)
    return gradient, x


@pytest.mark.points(1)
def test_neuron_loss(student, reference, close):
    """The loss of the neuron is that of the formula, decay included."""
    inputs = random_neuron()
    loss, _ = student.neuron(**inputs)
    close(loss, reference.neuron(**inputs)[0])


@pytest.mark.points(1)
def test_neuron_gradients_by_b_and_x(student, reference, close):
    """The derivatives of the loss by b and by x are right."""
    hint("Multiply along the path: loss, a, z, then b or x. What is dz/db, and what is dz/dx?")
    inputs = random_neuron()
    (_, theirs), (_, ours) = student.neuron(**inputs), reference.neuron(**inputs)
    close(theirs["b"], ours["b"])
    close(theirs["x"], ours["x"])


@pytest.mark.points(1)
def test_neuron_gradient_by_w(student, reference, close):
    """The derivative of the loss by w is right."""
    hint("Draw the graph: how many arrows leave w? What comes back along each is added.")
    inputs = random_neuron()
    (_, theirs), (_, ours) = student.neuron(**inputs), reference.neuron(**inputs)
    close(theirs["w"], ours["w"])


@pytest.mark.points(2)
def test_numerical_gradient_is_the_central_difference(student):
    """numerical_gradient gives the central difference with step h, for tensors of any shape."""
    hint("Look both ways: one step of h forward and one backward. How far apart are the two?")
    x = torch.randn(*random.sample([2, 3, 4], 3), dtype=torch.float64)
    weights = torch.arange(1, 25, dtype=torch.float64).reshape(x.shape)
    found = student.numerical_gradient(weighted_cubes, x, h=STEP)
    # (x + h)^3 - (x - h)^3 = 2h (3 x^2 + h^2)
    central = weights * (3 * x**2 + STEP**2)
    torch.testing.assert_close(found, central, rtol=1e-7, atol=1e-7, check_dtype=False)


@pytest.mark.points(1)
def test_numerical_gradient_leaves_its_input_alone(student):
    """After numerical_gradient, x holds the same values as before."""
    hint("If you step within x itself, step back before you go on to the next element.")
    x = torch.randn(3, 2, dtype=torch.float64)
    gradient, after = student.run(input_afterwards, student.numerical_gradient, x)
    torch.testing.assert_close(after, x, rtol=0, atol=1e-12)
    # Roughly, so that the formula is marked once: who computes nothing leaves the input alone too.
    # But x itself, handed back, must not do.
    torch.testing.assert_close(gradient, 2 * x, rtol=0.1, atol=0.1, check_dtype=False)
