"""Question 3: projected gradient descent."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")


def network(weights):
    """A smooth network of two layers, for inputs of any shape."""

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(w.clone() for w in weights)

        def forward(self, x):
            a, b, c, d = self.weights
            return (x.flatten(1) @ a + b).tanh() @ c + d

    return Network()


def attack(pgd, weights, x, y, settings):
    """Adversarial examples, the traces that they leave, and x as it is afterwards."""
    model = network(weights)
    moved = pgd(model, x, y, **settings)
    traces = [moved.requires_grad, x.requires_grad, *(w.grad is not None for w in model.weights)]
    return moved.detach(), traces, x.detach()


def draw(shape, n, classes=4):
    return torch.rand(n, *shape, dtype=torch.float64), torch.randint(classes, (n,))


def both(student, reference, weights, x, y, settings):
    """What the student's attack and ours lead to; no traces may be left."""
    found, traces, after = student.run(attack, student.pgd, weights, x, y, settings)
    assert traces == [False] * 6
    assert_close(after, x)
    return found, attack(reference.pgd, weights, x, y, settings)[0]


@pytest.mark.points(4)
@pytest.mark.parametrize("shape", [(6,), (2, 3)], ids=str)
def test_linf(student, reference, draw_model, close, shape):
    """Without random start, pgd takes the right steps in the L∞ ball, and leaves no traces."""
    hint("The gradient is taken at x' anew for each step; the ball lies round x, not round x'.")
    weights = draw_model(shape)
    for n, eps in ((1, 0.3), (random.randint(3, 6), random.uniform(0.1, 0.2))):
        settings = {"eps": eps, "step": eps / 2.3, "steps": 5, "norm": "linf", "random": False}
        found, expected = both(student, reference, weights, *draw(shape, n), settings)
        close(found, expected)


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", [(6,), (2, 3)], ids=str)
def test_l2(student, reference, draw_model, close, shape):
    """Without random start, pgd takes the right steps in the L2 ball."""
    hint("Steps of length α along the normalised gradient; project each example for itself.")
    weights = draw_model(shape)
    for n, eps in ((1, 0.6), (random.randint(3, 6), random.uniform(0.3, 0.7))):
        settings = {"eps": eps, "step": eps / 2.3, "steps": 5, "norm": "l2", "random": False}
        found, expected = both(student, reference, weights, *draw(shape, n), settings)
        close(found, expected)


@pytest.mark.points(2)
def test_targeted(student, reference, draw_model, close):
    """With targeted, pgd goes down the loss of the classes that are wanted."""
    hint("The same as before, but for the sign of the step.")
    weights = draw_model((5,))
    for norm, eps in (("linf", 0.2), ("l2", 0.5)):
        settings = {"eps": eps, "step": eps / 3, "steps": 6, "norm": norm, "random": False}
        settings["targeted"] = True
        found, expected = both(student, reference, weights, *draw((5,), 4), settings)
        close(found, expected)


@pytest.mark.points(2)
def test_random_start_is_where_it_begins(student, draw_model):
    """With random, the default, pgd begins somewhere in the ball, elsewhere at each call."""
    hint("With no steps at all, the start is what is returned: x + δ₀, clipped to [0, 1].")
    weights, (x, y) = draw_model((6,)), draw((6,), 300)
    for norm, eps in (("linf", 0.2), ("l2", 0.4)):
        settings = {"eps": eps, "step": 0.1, "steps": 0, "norm": norm}
        starts = [student.run(attack, student.pgd, weights, x, y, settings)[0] for _ in range(2)]
        assert not torch.equal(*starts)
        for start in starts:
            delta = start - x
            assert start.min() >= 0 and start.max() <= 1
            sizes = delta.abs().amax(1) if norm == "linf" else delta.norm(dim=1)
            assert sizes.max() <= eps * (1 + 1e-9)
            assert (sizes > 0.6 * eps).double().mean() > 0.5
            inside = (x > 0.25) & (x < 0.75)
            assert abs((delta[inside] > 0).double().mean().item() - 0.5) < 0.1
    by_default = {"eps": 0.2, "step": 0.1, "steps": 0}
    start = student.run(attack, student.pgd, weights, x, y, by_default)[0]
    assert 0.19 < (start - x).abs().max() <= 0.2 * (1 + 1e-9)


@pytest.mark.points(2)
def test_it_stays_inside_and_finds_more_than_one_step(student, draw_model):
    """With random start, all examples stay within ball and box, and the losses become high."""
    hint("Clip to [0, 1] and project after each step, the last one too.")
    for norm, eps in (("linf", 0.15), ("l2", 0.5)):
        weights, (x, y) = draw_model((8,)), draw((8,), 60)
        x = x.round() if norm == "linf" else x  # many numbers at the border
        settings = {"eps": eps, "step": eps / 2, "steps": 12, "norm": norm}
        found, _, _ = student.run(attack, student.pgd, weights, x, y, settings)
        delta = found - x
        sizes = delta.abs().amax(1) if norm == "linf" else delta.norm(dim=1)
        assert sizes.max() <= eps * (1 + 1e-9)
        assert found.min() >= 0 and found.max() <= 1
        model = network(weights)
        with torch.no_grad():
            before, after = (
                torch.nn.functional.cross_entropy(model(z), y, reduction="none") for z in (x, found)
            )
        assert (after > before).double().mean() > 0.9
    found, _, _ = student.run(attack, student.pgd, weights, x[:0], y[:0], settings)
    assert tuple(found.shape) == (0, 8)
