"""Question 3: ReLU."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")


def draw():
    """Draw an input of both signs with one to three dimensions, and an upstream gradient."""
    shape = [random.randint(3, 6) for _ in range(random.randint(1, 3))]
    x, grad_out = torch.randn(2, *shape, dtype=torch.float64)
    x.view(-1)[:2] = torch.tensor([-1.0, 1.0])
    return x, grad_out


def there_and_back(forward, backward, x, grad_out):
    """Run both passes, with autograd switched off: return the output and the gradient."""
    with torch.no_grad():
        out, cache = forward(x)
        return out, backward(grad_out, cache)


def inputs_afterwards(forward, backward, x, grad_out):
    """Return the output, and both inputs as they are after both passes."""
    out, cache = forward(x)
    out = out.clone()
    backward(grad_out, cache)
    return out, x, grad_out


@pytest.mark.points(1)
def test_forward(student, by_hand, close):
    """relu_forward keeps what is positive and replaces the rest by zero."""
    by_hand("relu_forward")
    x, _ = draw()
    close(student.relu_forward(x)[0], x.clamp(min=0))


@pytest.mark.points(1)
def test_backward(student, by_hand, close):
    """relu_backward hands the upstream gradient on where the input was positive."""
    by_hand("relu_backward")
    hint("Which sign decides: that of the input, or that of the upstream gradient?")
    x, grad_out = draw()
    _, found = student.run(there_and_back, student.relu_forward, student.relu_backward, x, grad_out)
    close(found, torch.where(x > 0, grad_out, 0.0))


@pytest.mark.points(1)
def test_backward_at_zero(student, close):
    """At an input of exactly zero the gradient is zero."""
    hint("The text says which derivative we take at zero.")
    x = torch.randint(-1, 2, (6, 5)).double()
    x[0, :3] = torch.tensor([-1.0, 0.0, 1.0])
    grad_out = torch.randn(6, 5, dtype=torch.float64)
    _, found = student.run(there_and_back, student.relu_forward, student.relu_backward, x, grad_out)
    close(found, torch.where(x > 0, grad_out, 0.0))


@pytest.mark.points(1)
def test_inputs_are_left_alone(student, close):
    """Both passes leave the tensors they are given as they were."""
    hint("x[x < 0] = 0 changes x itself, and whoever gave it to you may still need it.")
    x, grad_out = draw()
    functions = student.relu_forward, student.relu_backward
    out, x_after, grad_after = student.run(inputs_afterwards, *functions, x, grad_out)
    close(out, x.clamp(min=0))
    assert torch.equal(x_after, x)
    assert torch.equal(grad_after, grad_out)
