"""Question 2: a linear layer."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def draw(batch=None):
    """Draw x, w, b and an upstream gradient; the three dimensions differ."""
    n, d, m = random.sample(range(2, 10), 3)
    shapes = [(batch or n, d), (d, m), (m,), (batch or n, m)]
    return [torch.randn(shape, dtype=torch.float64) for shape in shapes]


def there_and_back(forward, backward, x, w, b, grad_out):
    """Run both passes, with autograd switched off: return the output and the gradients."""
    with torch.no_grad():
        out, cache = forward(x, w, b)
        grad_x, grad_w, grad_b = backward(grad_out, cache)
    return out, grad_x, grad_w, grad_b


def back_through_the_first(forward, backward, first, second, w, b, grad_out):
    """Go forward with two batches, then back through the first."""
    with torch.no_grad():
        _, cache = forward(first, w, b)
        forward(second, w, b)
        grad_x, grad_w, grad_b = backward(grad_out, cache)
    return grad_x, grad_w, grad_b


def inputs_afterwards(forward, backward, x, w, b, grad_out):
    """Return the output, and all inputs as they are after both passes."""
    out, cache = forward(x, w, b)
    out = out.clone()
    backward(grad_out, cache)
    return out, [x, w, b, grad_out]


def backward_of(student, x, w, b, grad_out):
    """The student's gradients by x, w and b."""
    forward, backward = student.linear_forward, student.linear_backward
    return student.run(there_and_back, forward, backward, x, w, b, grad_out)[1:]


@pytest.mark.points(1)
def test_forward(student, by_hand, close):
    """linear_forward computes X W + b for a batch."""
    by_hand("linear_forward")
    x, w, b, _ = draw()
    out = student.linear_forward(x, w, b)[0]
    close(out, torch.einsum("nd,dm->nm", x, w) + b)


@pytest.mark.points(1)
def test_gradient_by_x(student, by_hand, close):
    """linear_backward gives the gradient by the inputs."""
    by_hand("linear_backward")
    hint("x[n, d] reaches every output of its row, through w[d, m]. Sum over which index?")
    x, w, b, grad_out = draw()
    close(backward_of(student, x, w, b, grad_out)[0], torch.einsum("nm,dm->nd", grad_out, w))


@pytest.mark.points(2)
def test_gradient_by_w(student, by_hand, close):
    """linear_backward gives the gradient by the weights."""
    by_hand("linear_backward")
    hint("The formula in the text gives one element. Every example of the batch contributes.")
    x, w, b, grad_out = draw()
    close(backward_of(student, x, w, b, grad_out)[1], torch.einsum("nd,nm->dm", x, grad_out))


@pytest.mark.points(1)
@pytest.mark.parametrize("batch", [1, 7])
def test_gradient_by_b(student, by_hand, close, batch):
    """linear_backward gives the gradient by the biases, of their shape, for any batch size."""
    by_hand("linear_backward")
    hint("Broadcasting copies b to every row; what comes back from the copies is added.")
    for size in (batch, 3):  # of a single row the sum is the row, and many a function of it too
        x, w, b, grad_out = draw(size)
        expected = torch.einsum("nm->m", grad_out)
        close(backward_of(student, x, w, b, grad_out)[2], expected)


@pytest.mark.points(1)
def test_backward_belongs_to_its_forward(student, close):
    """A backward pass uses the cache it is given, also after another forward pass."""
    hint("Does linear_backward look at something other than its two arguments?")
    x, w, b, grad_out = draw()
    functions = student.linear_forward, student.linear_backward
    found = student.run(back_through_the_first, *functions, x, torch.randn_like(x), w, b, grad_out)
    close(found[0], grad_out @ w.T)
    close(found[1], x.T @ grad_out)
    close(found[2], grad_out.sum(0))


@pytest.mark.points(1)
def test_inputs_are_left_alone(student, close):
    """Both passes leave the tensors they are given as they were."""
    hint("Operations that end in _ and assignments such as x += … change the tensor itself.")
    inputs = draw()
    functions = student.linear_forward, student.linear_backward
    out, after = student.run(inputs_afterwards, *functions, *inputs)
    x, w, b, _ = inputs
    close(out, x @ w + b)
    for now, before in zip(after, inputs, strict=True):
        assert torch.equal(now, before)
