"""Question 7: checkpoints."""

import math
import random

import numpy as np
import pytest

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")


def run_chain(checkpointed_gradient, factors, x, grad_out, every):
    """Output and gradient; how many activations were alive at most; how often each layer ran."""

    class Activation:
        alive = most = 0

        def __init__(self, value):
            self.value = value
            Activation.alive += 1
            Activation.most = max(Activation.most, Activation.alive)

        def __del__(self):
            Activation.alive -= 1

    runs = [0] * len(factors)

    class Layer:
        def __init__(self, number):
            self.number = number

        def forward(self, x):
            runs[self.number] += 1
            return Activation(np.tanh(factors[self.number] * x.value))

        def backward(self, x, grad):
            slope = 1 - np.tanh(factors[self.number] * x.value) ** 2
            return grad * factors[self.number] * slope

    layers = [Layer(number) for number in range(len(factors))]
    out, grad = checkpointed_gradient(layers, Activation(x), grad_out, every)
    return out.value, grad, Activation.most, runs


def right_ones(factors, x, grad_out):
    """Output and gradient of the chain, with everything kept."""
    inputs = [x]
    for factor in factors:
        inputs.append(np.tanh(factor * inputs[-1]))
    grad = grad_out
    for factor, after in zip(reversed(factors), reversed(inputs[1:]), strict=True):
        grad = grad * factor * (1 - after**2)
    return inputs[-1], grad


def draw(n):
    """Factors of n layers, an input and a gradient."""
    factors = [random.choice([-1, 1]) * random.uniform(0.7, 1.5) for _ in range(n)]
    return factors, np.random.standard_normal(3), np.random.standard_normal(3)


@pytest.mark.points(4)
@pytest.mark.parametrize(
    ("n", "every"),
    [(12, 4), (11, 4), (9, 1), (7, 10), (1, 1)],
    ids=["even", "short segment", "every layer", "one segment", "one layer"],
)
def test_gradient(student, close, n, every):
    """Output and gradient are those of the whole chain, however it is cut."""
    hint("The last segment may be shorter. Each layer's backward needs the input of that layer.")
    factors, x, grad_out = draw(n)
    args = student.checkpointed_gradient, factors, x, grad_out, every
    out, grad, _, _ = student.run(run_chain, *args)
    right_out, right_grad = right_ones(factors, x, grad_out)
    close(out, right_out)
    close(grad, right_grad)


@pytest.mark.points(1)
def test_no_layers(student, close):
    """Without layers the input is the output, and the gradient is handed back."""
    _, x, grad_out = draw(0)
    out, grad, _, _ = student.run(run_chain, student.checkpointed_gradient, [], x, grad_out, 3)
    close(out, x)
    close(grad, grad_out)


@pytest.mark.points(3)
@pytest.mark.parametrize(("n", "every"), [(64, 8), (60, 16), (50, 3)])
def test_memory(student, close, n, every):
    """No more than n/k + k + 2 activations are alive at a time."""
    hint("What does a list, or a variable of a loop that is over, still hold?")
    factors, x, grad_out = draw(n)
    args = student.checkpointed_gradient, factors, x, grad_out, every
    _, grad, most, _ = student.run(run_chain, *args)
    close(grad, right_ones(factors, x, grad_out)[1])
    assert most <= math.ceil(n / every) + every + 2


@pytest.mark.points(2)
@pytest.mark.parametrize(("n", "every"), [(20, 5), (17, 4)])
def test_no_layer_runs_in_vain(student, close, n, every):
    """A layer runs forward twice at most, and the last of each segment once."""
    hint("Whose input does the last layer of a segment compute?")
    factors, x, grad_out = draw(n)
    args = student.checkpointed_gradient, factors, x, grad_out, every
    _, grad, _, runs = student.run(run_chain, *args)
    close(grad, right_ones(factors, x, grad_out)[1])
    assert len(runs) == n
    last = [number for number in range(n) if (number + 1) % every == 0 or number == n - 1]
    assert [number for number in range(n) if runs[number] > (1 if number in last else 2)] == []
