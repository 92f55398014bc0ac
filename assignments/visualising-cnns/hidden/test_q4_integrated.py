"""Question 4: integrated gradients."""

import random

import pytest
import torch
from networks import called

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def powers(function, shares, power, *args):
    """Call a function with the model whose score is the sum of shares[k] · x^power."""

    class Powers(torch.nn.Module):
        def forward(self, x):
            return torch.einsum("nchw,kchw->nk", x**power, shares)

    return function(Powers(), *args).detach()


@pytest.mark.points(4)
@pytest.mark.parametrize("shape", [(1, 7, 4), (2, 5, 8)], ids=str)
def test_integrated_gradients(student, reference, draw, close, shape):
    """integrated_gradients is x - x', times the mean gradient at the midpoints of the way."""
    hint("From the baseline to x; t = (k - 1/2) / m. The factor is x - x', not x.")
    for n, steps in ((1, 1), (random.randint(3, 4), random.randint(2, 9))):
        weights, x, target = draw(n, *shape)
        baseline = 0.5 * torch.randn_like(x)
        case = weights, x, baseline, target, steps
        found, _ = student.run(called, student.integrated_gradients, *case)
        close(found, called(reference.integrated_gradients, *case)[0])


@pytest.mark.points(3)
def test_midpoint_rule(student, close):
    """Squares are integrated exactly with any number of steps; cubes with the rule's own gap."""
    hint("The midpoint rule: neither ends of the way nor the trapezium.")
    for n, steps in ((1, 1), (2, 2), (3, random.randint(3, 8))):
        x, baseline = (torch.randn(n, 2, 3, 4, dtype=torch.float64) for _ in range(2))
        shares, target = torch.randn(4, 2, 3, 4, dtype=torch.float64), torch.randint(4, (n,))
        own, way = shares[target], x - baseline
        args = x, baseline, target, steps
        found = student.run(powers, student.integrated_gradients, shares, 2, *args)
        close(found, own * (x**2 - baseline**2))
        found = student.run(powers, student.integrated_gradients, shares, 3, *args)
        close(found, own * (x**3 - baseline**3 - way**3 / (4 * steps**2)))


@pytest.mark.points(2)
def test_integrated_gradients_leave_no_traces(student, reference, draw, close):
    """The model, the pictures and the baseline stay as they were; from x itself no way leads."""
    weights, x, target = draw(3, 2, 6, 5)
    baseline = torch.rand_like(x)
    case = weights, x, baseline, target, 3
    found, traces = student.run(called, student.integrated_gradients, *case)
    close(found, called(reference.integrated_gradients, *case)[0])
    hint(f"Left behind: {', '.join(traces)}.")
    assert traces == []
    baseline[1] = x[1]
    case = weights, x, baseline, target
    found, _ = student.run(called, student.integrated_gradients, *case)
    assert (found[1] == 0).all()
    hint("32 steps unless it is said otherwise.")
    close(found, called(reference.integrated_gradients, *case, 32)[0])


@pytest.mark.points(2)
def test_completeness_gap(student, reference, draw, close):
    """completeness_gap is the sum of the attributions minus the rise of the score, per picture."""
    hint("All numbers of a picture, with signs; f(x) - f(x') with its sign; no traces.")
    for n, shape in ((1, (2, 6, 5)), (4, (1, 5, 7))):
        weights, x, target = draw(n, *shape)
        baseline, attributions = torch.rand_like(x), torch.randn_like(x)
        case = weights, x, baseline, target, attributions
        found, traces = student.run(called, student.completeness_gap, *case)
        close(found, called(reference.completeness_gap, *case)[0])
        assert traces == []
