"""Question 7: three functions, called with random inputs."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")


def rounded_beyond_one(factor, count=4):
    """Draw vectors whose cosine with a multiple of themselves is more than 1 or less than -1."""
    found = []
    while len(found) < count:
        a = torch.randn(5, dtype=torch.float64)
        b = factor * a
        if (a @ b / (a.norm() * b.norm())).abs() > 1:
            found.append(a)
    return found


@pytest.mark.points(6)
def test_angle(student, reference):
    """The angle of two vectors, also of parallel and of opposite ones."""
    for n in (2, 3, 9):
        a, b = torch.randn(n, dtype=torch.float64), torch.randn(n, dtype=torch.float64)
        assert float(student.angle(a, b)) == pytest.approx(reference.angle(a, b), abs=1e-6)
    hint("Rounding can make the cosine of parallel vectors a little more than 1.")
    for factor in (0.1, 3.0, -0.7):
        for a in rounded_beyond_one(factor):
            right = reference.angle(a, factor * a)
            assert float(student.angle(a, factor * a)) == pytest.approx(right, abs=1e-6)


@pytest.mark.points(6)
def test_signed_distances(student, reference):
    """Signed distances of several points at once."""
    hint("Divide by the length of w, and keep the sign.")
    for n in (1, 2, 7):
        x = torch.randn(random.randint(2, 6), n, dtype=torch.float64)
        w, b = torch.randn(n, dtype=torch.float64), random.uniform(-2, 2)
        # Each point and its mirror image, so that both signs are asked for whatever is drawn.
        length = w.norm()
        x = torch.cat((x, x - 2 * torch.outer((x @ w + b) / length, w / length)))
        torch.testing.assert_close(
            student.signed_distances(x, w, b), reference.signed_distances(x, w, b)
        )


@pytest.mark.points(6)
def test_posterior(student, reference):
    """The posterior of a coin's bias, for any flips and also for none."""
    hint("Multiply prior and likelihood, then divide by their sum.")
    for flips in (random.randint(1, 9), random.randint(1, 9), 0):
        seen = [random.randint(0, 1) for _ in range(flips)]
        biases = [random.uniform(0.1, 0.9) for _ in range(3)]
        weights = [random.uniform(0.1, 1) for _ in biases]
        prior = [weight / sum(weights) for weight in weights]
        right = reference.posterior(seen, biases, prior)
        assert list(student.posterior(seen, biases, prior)) == pytest.approx(right, abs=1e-6)
