"""Question 1: how far apart are two sets of samples?"""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def draw(n, d):
    """Draw examples whose numbers hang together, around another place each time."""
    mix = torch.randn(d, d, dtype=torch.float64)
    return torch.randn(n, d, dtype=torch.float64) @ mix + torch.randn(d, dtype=torch.float64)


def pairs(x, y, width, skip):
    """The mean kernel over pairs of points, one after the other; without i = j where asked."""
    values = [
        math.exp(-sum((s - t) ** 2 for s, t in zip(a, b, strict=True)) / (2 * width**2))
        for i, a in enumerate(x.tolist())
        for j, b in enumerate(y.tolist())
        if not skip or i != j
    ]
    return sum(values) / len(values)


@pytest.mark.points(3)
@pytest.mark.parametrize(("n", "m", "d"), [(2, 3, 1), (7, 4, 3), (5, 9, 2)])
def test_mmd_is_the_unbiased_estimate(call, student, close, n, m, d):
    """mmd compares each point with all others of its set, and with all of the other set."""
    hint("Without the diagonal: divide by N (N - 1). The width is squared, and doubled.")
    x, y = torch.randn(n, d, dtype=torch.float64), torch.randn(m, d, dtype=torch.float64)
    for width in (random.uniform(0.4, 0.8), random.uniform(1.5, 3)):
        expected = pairs(x, x, width, True) + pairs(y, y, width, True)
        expected -= 2 * pairs(x, y, width, False)
        close(call(student.mmd, x, y, width), torch.tensor(expected, dtype=torch.float64))
    # A point that occurs twice is still another point.
    twice = x[:1].repeat(3, 1)
    expected = 1 + pairs(y, y, 1.0, True) - 2 * pairs(twice, y, 1.0, False)
    close(call(student.mmd, twice, y, 1.0), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.points(1)
def test_mmd_far_from_the_origin(student, close):
    """mmd of points that are all moved far away is what it was."""
    hint("Subtract before you square. What does torch.cdist do with more than 25 points?")
    x, y = torch.randn(60, 3, dtype=torch.float64), torch.randn(40, 3, dtype=torch.float64) + 1
    near = pairs(x, x, 1.0, True) + pairs(y, y, 1.0, True) - 2 * pairs(x, y, 1.0, False)
    far = random.uniform(1e6, 1e7)
    found = student.mmd(x + far, y - -far, 1.0)
    close(found, torch.tensor(near, dtype=torch.float64), rtol=1e-6, atol=1e-7)
    assert float(student.mmd(x, x + far, 1.0)) > 0.05  # nothing in common


def by_products(x, y):
    """The Fréchet distance, by eigenvalues of the product of both covariances."""
    cov_x, cov_y = (torch.cov(z.T, correction=0).reshape(z.shape[1], -1) for z in (x, y))
    roots = torch.linalg.eigvals(cov_x @ cov_y).real.clamp(min=0).sqrt().sum()
    gap = x.mean(dim=0) - y.mean(dim=0)
    return gap @ gap + cov_x.trace() + cov_y.trace() - 2 * roots


@pytest.mark.points(3)
@pytest.mark.parametrize(("n", "m", "d"), [(20, 9, 1), (12, 30, 3), (40, 25, 5)])
def test_frechet(call, student, close, n, m, d):
    """frechet compares means and covariances as the formula says, in both directions."""
    hint("Covariances divided by N. A matrix root, not the root of each number.")
    x, y = draw(n, d), draw(m, d)
    expected = by_products(x, y)
    close(call(student.frechet, x, y), expected, rtol=1e-6, atol=1e-6)
    close(call(student.frechet, y, x), expected, rtol=1e-6, atol=1e-6)
    close(student.frechet(x, x + 2), torch.tensor(4.0 * d, dtype=torch.float64), atol=1e-6)


@pytest.mark.points(1)
def test_frechet_of_singular_covariances(student, close):
    """frechet is finite and right for points on a line, and for a single point."""
    hint("Rounding makes zeros negative: clamp eigenvalues at 0 before the root.")
    for d in (2, 4):
        direction = torch.randn(1, d, dtype=torch.float64)
        along = torch.randn(15, 1, dtype=torch.float64)
        x, scale = along @ direction, random.uniform(2, 3)
        # On one line all is one-dimensional: the difference of the standard deviations counts.
        spread = (along - along.mean()).square().mean() * (direction**2).sum()
        gap = ((scale - 1) * along.mean() * direction).square().sum()
        close(student.frechet(x, scale * x), gap + (scale - 1) ** 2 * spread, rtol=1e-5, atol=1e-5)
        close(student.frechet(x, x), torch.zeros((), dtype=torch.float64), atol=1e-5)
        point = torch.randn(1, d, dtype=torch.float64)
        expected = (x.mean(dim=0) - point[0]).square().sum() + spread
        close(student.frechet(point, x), expected, rtol=1e-5, atol=1e-5)


def counted(samples, centres, radius):
    """Coverage, one sample after the other."""
    counts = [0] * len(centres)
    for sample in samples:
        distances = (centres - sample).square().sum(dim=1).sqrt()
        if distances.min() <= radius:
            counts[int(distances.argmin())] += 1
    return sum(min(count / len(samples), 1 / len(centres)) for count in counts)


@pytest.mark.points(2)
@pytest.mark.parametrize(("modes", "d"), [(1, 3), (3, 2), (7, 1), (6, 4)])
def test_coverage(call, student, modes, d):
    """coverage counts for each mode the share of samples near it, up to what is its due."""
    hint("A share of all samples, those astray included; at most 1/K; the nearest centre alone.")
    centres = 3 * torch.randn(modes, d, dtype=torch.float64)
    chances = torch.rand(modes) + 0.05
    chances[0] = 3.0  # more than its due
    for n in (1, 150):
        owner = torch.multinomial(chances, n, replacement=True)
        samples = centres[owner] + torch.randn(n, d, dtype=torch.float64)
        radius = random.uniform(0.7, 1.2) * d**0.5
        found = call(student.coverage, samples, centres, radius)
        assert isinstance(found, float)
        assert found == pytest.approx(counted(samples, centres, radius), abs=1e-6)


@pytest.mark.points(1)
def test_coverage_at_the_edges(student):
    """A sample at exactly r counts; one mode alone is worth 1/K; all astray are worth nothing."""
    hint("At most r. The nearest of two centres that are both near has the sample.")
    modes = random.randint(4, 7)
    centres = torch.zeros(modes, 2, dtype=torch.float64)
    centres[:, 0] = 10 * torch.arange(modes)
    samples = centres[-1:].repeat(30, 1)
    samples[:, 1] = 2.0
    assert student.coverage(samples, centres, 2.0) == pytest.approx(1 / modes)
    assert student.coverage(samples, centres, 1.9) == 0
    everywhere = centres.repeat(9, 1)
    assert student.coverage(everywhere, centres, 0.5) == pytest.approx(1)
    assert student.coverage(everywhere[:-1], centres, 1e6) == pytest.approx(
        1 - 1 / modes + 8 / (9 * modes - 1)
    )
