"""Question 2: momentum, and how conditioning decides the speed."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def check_steps(steps, nesterov):
    """The parameters after each step are those of torch.optim.SGD."""
    for momentum in (random.uniform(0.3, 0.95), 0.0):
        settings = {"momentum": momentum, "nesterov": nesterov}
        theirs = settings if momentum else {}
        steps.check("Momentum", torch.optim.SGD, settings, theirs=theirs)


@pytest.mark.points(2)
def test_momentum(steps):
    """Momentum takes the right steps, with a learning rate that changes."""
    hint("Where exactly does η enter? And is the velocity of one step there in the next?")
    check_steps(steps, nesterov=False)


@pytest.mark.points(2)
def test_nesterov(steps):
    """With nesterov=True the steps go along g + μ v."""
    hint("v is the velocity after its update.")
    check_steps(steps, nesterov=True)


@pytest.mark.points(1)
def test_momentum_waits_with_a_parameter(steps):
    """A parameter whose gradient is None waits with its velocity; empty ones do no harm."""
    hint("One velocity for each parameter, none of which is the gradient's own tensor.")
    params = [*steps.draw(), torch.empty(0, dtype=torch.float64)]
    grads = [[*steps.draw(), torch.empty(0, dtype=torch.float64)] for _ in range(6)]
    for number, one in enumerate(grads):
        one[number % 3] = None
    theirs = {"momentum": 0.9}
    steps.check("Momentum", torch.optim.SGD, {}, params=params, grads=grads, theirs=theirs)


@pytest.mark.points(2)
def test_best_rate(student, reference, draw_hessian, close):
    """best_rate gives the best fixed rate on a quadratic, and the factor that it promises."""
    hint("The smallest and the largest eigenvalue decide. Are yours in the order that you think?")
    for d in (1, 2, random.randint(3, 8)):
        a = draw_hessian(0.1 + 30 * torch.rand(d))
        found = student.best_rate(a)
        assert len(found) == 2
        close([float(number) for number in found], reference.best_rate(a))


@pytest.mark.points(2)
def test_best_momentum(student, reference, draw_hessian, close):
    """best_momentum gives the best rate and momentum of Polyak's method on a quadratic."""
    hint("Roots of the eigenvalues; and both numbers are squares.")
    for d in (1, 2, random.randint(3, 8)):
        a = draw_hessian(0.1 + 30 * torch.rand(d))
        found = student.best_momentum(a)
        assert len(found) == 2
        close([float(number) for number in found], reference.best_momentum(a))
