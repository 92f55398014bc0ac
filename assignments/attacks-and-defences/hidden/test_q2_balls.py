"""Question 2: balls, and how to move in them.

The bounds on what is drawn are five standard deviations: a right answer crosses one of them less
than once in a million runs.
"""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")

SHAPES = ((5,), (2, 3), (3, 2, 2))


def lengths(delta):
    return delta.flatten(1).norm(dim=1)


def apply_and_look_back(function, values, *args):
    """What a function returns, and what it was given as it is afterwards."""
    return function(values, *args), values


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_projection_on_the_l2_ball(student, close, shape):
    """project shortens what is too long to the radius, each example for itself, and no other."""
    hint("The norm of one example is taken over all of its numbers. What is inside stays as it is.")
    delta = torch.randn(8, *shape, dtype=torch.float64)
    delta = delta * torch.logspace(-3, 3, 8).double().reshape(-1, *[1] * len(shape))
    delta[3] = 0
    eps = random.uniform(0.5, 1.5)
    found, after = student.run(apply_and_look_back, student.project, delta.clone(), eps, "l2")
    expected = [one * min(1, eps / max(one.norm().item(), 1e-9)) for one in delta]
    close(found, torch.stack(expected))
    close(after, delta)
    hint("A radius of zero leaves only zero, and no NaN. No examples stay no examples.")
    close(student.project(delta, 0.0, "l2"), torch.zeros_like(delta))
    found = student.project(delta[:0], eps, "l2")
    assert tuple(found.shape) == (0, *shape)


@pytest.mark.points(2)
def test_projection_on_the_linf_ball(student, close):
    """project clips every number to the radius."""
    for shape in SHAPES:
        delta = torch.randn(6, *shape, dtype=torch.float64)
        eps = random.uniform(0.3, 0.9)
        found, after = student.run(apply_and_look_back, student.project, delta.clone(), eps, "linf")
        close(found, torch.where(delta.abs() > eps, eps * delta.sign(), delta))
        close(after, delta)
    assert tuple(student.project(delta[:0], eps, "linf").shape) == (0, *SHAPES[-1])


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_steepest_l2(student, close, shape):
    """steepest has length 1 for L2, for gradients of any size; of a zero gradient it is zero."""
    hint("Very small gradients still have a direction; only an exact zero has none.")
    grad = torch.randn(6, *shape, dtype=torch.float64)
    grad = grad * torch.logspace(-12, 6, 6).double().reshape(-1, *[1] * len(shape))
    grad[2] = 0
    found, after = student.run(apply_and_look_back, student.steepest, grad.clone(), "l2")
    expected = [one / one.norm() if one.any() else torch.zeros_like(one) for one in grad]
    close(found, torch.stack(expected))
    close(after, grad, atol=0)


@pytest.mark.points(1)
def test_steepest_linf(student, close):
    """steepest is the sign of each number for L∞; of zero it is zero."""
    for shape in SHAPES:
        grad = torch.randn(6, *shape, dtype=torch.float64)
        grad[0, 0] = 0
        found = student.steepest(grad, "linf")
        close(found, torch.sign(grad))


@pytest.mark.points(1)
def test_random_start_linf(student):
    """random_start draws every number evenly from [-eps, eps], new ones at each call."""
    hint("Both signs, up to eps and never beyond; and no seed inside the function.")
    n, eps = 20_000, random.uniform(0.1, 2)
    x = torch.ones(n, 2, dtype=torch.float64)
    start, after = student.run(apply_and_look_back, student.random_start, x, eps, "linf")
    assert torch.equal(after, x)
    assert start.dtype == x.dtype and start.shape == x.shape
    assert start.abs().max() <= eps
    inner = (start.abs() < eps / 2).double().mean().item()
    positive = (start > 0).double().mean().item()
    bound = 5 * 0.5 / math.sqrt(2 * n)
    assert abs(inner - 0.5) < bound and abs(positive - 0.5) < bound
    same = ((start[:, 0] > 0) == (start[:, 1] > 0)).double().mean().item()
    assert abs(same - 0.5) < 5 * 0.5 / math.sqrt(n)
    assert not torch.equal(start, student.random_start(x, eps, "linf"))


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [(1,), (2,), (2, 3)], ids=str)
def test_random_start_l2(student, shape):
    """random_start draws evenly from the L2 ball: each part of its volume is as likely."""
    hint("The share of the ball within radius r is (r / eps)^D. Is D that of one example?")
    n, eps = 6000, random.uniform(0.1, 2)
    x = torch.ones(n, *shape, dtype=torch.float64)
    start, after = student.run(apply_and_look_back, student.random_start, x, eps, "l2")
    assert torch.equal(after, x)
    assert start.dtype == x.dtype and start.shape == x.shape
    volume = (lengths(start) / eps) ** x[0].numel()  # uniform in [0, 1] where all is right
    assert volume.max() <= 1 + 1e-9
    assert abs(volume.mean().item() - 0.5) < 5 / math.sqrt(12 * n)
    assert abs((volume < 0.25).double().mean().item() - 0.25) < 5 * math.sqrt(0.1875 / n)
    positive = (start > 0).double().flatten(1).mean(0)
    assert (positive - 0.5).abs().max() < 5 * 0.5 / math.sqrt(n)
    first = start.flatten(1)[:, 0] ** 2 / lengths(start) ** 2
    assert abs(first.mean().item() - 1 / x[0].numel()) < 5 * 0.36 / math.sqrt(n)
    assert not torch.equal(start, student.random_start(x, eps, "l2"))
