"""Question 1: the gradient of an input, one step, and a proof."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

SHAPES = ((7,), (2, 3), (1, 3, 2))


def network(weights):
    """A smooth network of two layers, for inputs of any shape; it has seen a backward pass."""

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(w.clone() for w in weights)

        def forward(self, x):
            a, b, c, d = self.weights
            return (x.flatten(1) @ a + b).tanh() @ c + d

    model = Network()
    for number, weight in enumerate(model.weights):
        weight.grad = torch.full_like(weight, float(number))
    return model


def gradient_and_traces(input_gradient, weights, x, y):
    """Gradient of the input, whether it hangs on a graph, and what has become of the rest."""
    model = network(weights)
    grad = input_gradient(model, x, y)
    left = [w.grad for w in model.weights]
    return grad.detach(), (grad.requires_grad, x.requires_grad), left, x.detach()


def fgsm_and_input(fgsm, weights, x, y, eps):
    """Adversarial examples, whether they hang on a graph, and the input as it is afterwards."""
    model = network(weights)
    moved = fgsm(model, x, y, eps)
    return moved.detach(), (moved.requires_grad, x.requires_grad), x.detach()


def draw(shape, n, classes=4):
    return torch.rand(n, *shape, dtype=torch.float64), torch.randint(classes, (n,))


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_input_gradient(student, reference, draw_model, close, shape):
    """input_gradient gives each example's own gradient, for inputs of any shape."""
    hint("Sum the losses of the batch instead of averaging them. Or is it a gradient of logits?")
    weights = draw_model(shape)
    for n in (1, random.randint(3, 6)):
        x, y = draw(shape, n)
        found, _, _, _ = student.run(gradient_and_traces, student.input_gradient, weights, x, y)
        expected = gradient_and_traces(reference.input_gradient, weights, x, y)[0]
        close(found, expected)


@pytest.mark.points(2)
def test_input_gradient_leaves_no_traces(student, reference, draw_model, close):
    """The model's own gradients and the input are left alone, and the result hangs on no graph."""
    hint("backward() adds to every p.grad; torch.autograd.grad does not. And x is not yours.")
    weights, (x, y) = draw_model((5,)), draw((5,), 3)
    found, graphs, left, after = student.run(
        gradient_and_traces, student.input_gradient, weights, x, y
    )
    close(found, gradient_and_traces(reference.input_gradient, weights, x, y)[0])
    assert graphs == (False, False)
    assert [grad is not None for grad in left] == [True] * 4
    for number, grad in enumerate(left):
        assert_close(grad, torch.full_like(weights[number], float(number)))
    assert_close(after, x)
    hint("A batch of no examples has a gradient of no examples.")
    found, _, _, _ = student.run(gradient_and_traces, student.input_gradient, weights, x[:0], y[:0])
    assert tuple(found.shape) == (0, 5)


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fgsm(student, reference, draw_model, close, shape):
    """fgsm moves every number by eps up its loss, within [0, 1], and leaves x alone."""
    hint("Up the loss, and then clip: to the range of pictures. What the model ignores stays.")
    weights = draw_model(shape)
    weights[0][-1] = 0  # the last number of each example
    for n, eps in ((1, 0.05), (random.randint(3, 6), random.uniform(0.1, 0.4))):
        x, y = draw(shape, n)
        found, graphs, after = student.run(fgsm_and_input, student.fgsm, weights, x, y, eps)
        close(found, fgsm_and_input(reference.fgsm, weights, x, y, eps)[0])
        assert graphs == (False, False)
        assert_close(after, x)


def worst_margin(weight, bias, x, y, eps, norm):
    """The margin of one example against each other class, with the worst perturbation put in."""
    margins = []
    for c in range(len(weight)):
        if c != y:
            apart = weight[y] - weight[c]
            worst = -eps * (apart.sign() if norm == "linf" else apart / apart.norm())
            margins.append(apart @ (x + worst) + bias[y] - bias[c])
    return torch.stack(margins).min()


@pytest.mark.points(3)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_certified_margin(student, close, norm):
    """certified_margin is the margin that the worst perturbation leaves, against any class."""
    hint("ε times a norm of the difference of weights: of w_y - w_c, for each c other than y.")
    # So many that for some the class that comes nearest is not the one with the largest logit.
    for classes, d, n in ((2, 3, 4), (5, random.randint(4, 8), 60), (6, 5, 60), (3, 1, 1)):
        weight = torch.randn(classes, d, dtype=torch.float64)
        bias = torch.randn(classes, dtype=torch.float64)
        x, y = torch.rand(n, d, dtype=torch.float64), torch.randint(classes, (n,))
        eps = random.uniform(0.3, 1)
        found = student.certified_margin(weight, bias, x, y, eps, norm)
        rows = zip(x, y, strict=True)
        close(found, torch.stack([worst_margin(weight, bias, *row, eps, norm) for row in rows]))


@pytest.mark.points(1)
@pytest.mark.needs("test_certified_margin")
def test_certified_margin_without_perturbation(student, close):
    """With eps = 0 it is the margin itself; L∞ is the default; no examples have no margins."""
    hint("Negative where the classifier is wrong anyway.")
    weight, bias = torch.randn(4, 6, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    x, y = torch.rand(9, 6, dtype=torch.float64), torch.randint(4, (9,))
    logits = x @ weight.T + bias
    own = logits.gather(1, y[:, None])[:, 0]
    others = logits.masked_fill(torch.nn.functional.one_hot(y, 4).bool(), -torch.inf)
    for norm in ("linf", "l2"):
        found = student.certified_margin(weight, bias, x, y, 0.0, norm)
        close(found, own - others.amax(1))
    by_default = student.certified_margin(weight, bias, x, y, 0.3)
    close(by_default, student.certified_margin(weight, bias, x, y, 0.3, "linf"))
    expected = [worst_margin(weight, bias, *row, 0.3, "linf") for row in zip(x, y, strict=True)]
    close(by_default, torch.stack(expected))
    assert tuple(student.certified_margin(weight, bias, x[:0], y[:0], 0.3).shape) == (0,)
