"""Question 7: small changes of the weights."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")


def network(state):
    """A network of two layers with given weights; it has seen a backward pass."""
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    model = model.double()
    with torch.no_grad():
        for param, value in zip(model.parameters(), state, strict=True):
            param.copy_(value)
            param.grad = torch.ones_like(value)
    return model


def after_move(move_weights, state, directions, rho):
    """Weights of what move_weights returns, and of what it was given."""
    model = network(state)
    moved = move_weights(model, directions, rho)
    return [[p.detach() for p in m.parameters()] for m in (moved, model)]


def after_worst(worst_weights, state, x, y, rho):
    """Weights of what worst_weights returns and was given, and the gradients of the latter."""
    model = network(state)
    moved = worst_weights(model, x, y, rho)
    weights = [[p.detach() for p in m.parameters()] for m in (moved, model)]
    return *weights, [p.grad for p in model.parameters()]


def after_random(random_weights, state, rho, times):
    """Weights of several moved models, and of the one that was given."""
    model = network(state)
    found = [[p.detach() for p in random_weights(model, rho).parameters()] for _ in range(times)]
    return found, [p.detach() for p in model.parameters()]


def draw_state():
    shapes = ((4, 5), (4,), (3, 4), (3,))
    return [torch.randn(shape, dtype=torch.float64) for shape in shapes]


def check_same(found, expected, close):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        close(one, other)


@pytest.mark.points(3)
def test_move_weights(student, close):
    """move_weights moves each parameter of a copy by the share rho of its own size."""
    hint("Each tensor has its own norm, over all of its numbers. The copy moves, the model stays.")
    state, rho = draw_state(), random.uniform(0.05, 0.8)
    directions = [7 * torch.randn_like(value) for value in state]
    directions[2] = torch.zeros_like(state[2])
    moved, given = student.run(after_move, student.move_weights, state, directions, rho)
    expected = []
    for value, way in zip(state, directions, strict=True):
        size = way.norm()
        expected.append(value + (rho * value.norm() / size * way if size > 0 else 0))
    check_same(moved, expected, close)
    check_same(given, state, close)


@pytest.mark.points(2)
def test_worst_weights(student, reference, close):
    """worst_weights moves the weights up the loss; the given model and its gradients stay."""
    hint("Up the loss, not down. backward() would add to the gradients of the model.")
    state, rho = draw_state(), random.uniform(0.05, 0.5)
    for n in (1, 7):
        x, y = torch.randn(n, 5, dtype=torch.float64), torch.randint(3, (n,))
        moved, given, grads = student.run(after_worst, student.worst_weights, state, x, y, rho)
        check_same(moved, after_worst(reference.worst_weights, state, x, y, rho)[0], close)
        check_same(given, state, close)
        check_same(grads, [torch.ones_like(value) for value in state], close)


@pytest.mark.points(2)
def test_random_weights(student, close):
    """random_weights moves every parameter as far, every way alike, another one each time."""
    hint("Standard normal directions: uniform ones prefer the corners. Each tensor its own.")
    state, rho, times = draw_state(), random.uniform(0.05, 0.5), 400
    found, given = student.run(after_random, student.random_weights, state, rho, times)
    check_same(given, state, close)
    assert len(found) == times
    for k, value in enumerate(state):
        ways = torch.stack([moved[k] for moved in found]) - value
        sizes = ways.flatten(1).norm(dim=1)
        assert_close(sizes, (rho * value.norm()).expand(times), rtol=1e-7, atol=1e-9)
        d = value.numel()
        units = ways.flatten(1) / sizes[:, None]
        # Each number of a random unit vector has mean 0 and variance 1/d.
        assert (units.mean(0).abs() < 5.5 * (1 / d / times) ** 0.5).all()
        # The mean of the fourth powers is 3 / (d (d + 2)) for directions that are all alike.
        fourth = (units**4).sum(1)
        assert abs(fourth.mean().item() - 3 / (d + 2)) < 5.5 * fourth.std().item() / times**0.5
