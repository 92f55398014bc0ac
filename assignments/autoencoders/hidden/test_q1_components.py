"""Question 1: principal components."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

# Examples, dimensions, components: tall, wide, all that there are.
SIZES = ((40, 7, 3), (5, 12, 4), (30, 4, 4))


def draw(n, d, smallest=0.1):
    """Draw examples whose variances differ, in directions at random, far from zero."""
    axes = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64)).Q
    scale = torch.logspace(0, torch.tensor(smallest).log10().item(), d).double()
    centre = 5 + 5 * torch.rand(d, dtype=torch.float64)
    return scale * torch.randn(n, d, dtype=torch.float64) @ axes + centre


@pytest.mark.points(3)
@pytest.mark.parametrize(("n", "d", "k"), SIZES)
def test_fit_pca_finds_the_subspace(reference, student, call, close, n, d, k):
    """fit_pca gives the mean, and orthonormal rows that span where the data vary most."""
    hint("Centre the data first. Components are rows: how does torch.linalg.svd return V?")
    x = draw(n, d)
    mean, components, _ = call(student.fit_pca, x, k)
    close(mean, x.mean(dim=0))
    assert tuple(components.shape) == (k, d)
    close(components @ components.T, torch.eye(k, dtype=torch.float64))
    _, expected, _ = reference.fit_pca(x, k)
    close(components.T @ components, expected.T @ expected)


@pytest.mark.points(3)
@pytest.mark.parametrize(("n", "d", "k"), SIZES)
def test_fit_pca_gives_variances_in_order(student, call, close, n, d, k):
    """Each component is that of the next largest variance, and the variance is its mean square."""
    hint("s² / N: neither s, nor s² / (N - 1). Largest first.")
    x = draw(n, d)
    _, components, variances = call(student.fit_pca, x, k)
    centred = x - x.mean(dim=0)
    expected = torch.linalg.eigvalsh(centred.T @ centred / n).flip(0)[:k]
    close(variances, expected)
    close((centred @ components.T).square().mean(dim=0), expected)
    first = call(student.fit_pca, x, 1)
    close(first[2], expected[:1])


@pytest.mark.points(1)
def test_fit_pca_keeps_small_directions(student, close):
    """Directions that are 10⁻⁹ as long as the longest one keep their digits."""
    hint("A covariance matrix squares the singular values. Take the SVD of the data themselves.")
    x = draw(60, 3, smallest=1e-9)
    x = x - x.mean(dim=0)
    _, components, variances = student.fit_pca(x, 3)
    expected = torch.linalg.svdvals(x - x.mean(dim=0)) ** 2 / 60
    # Not closer: who divides by N - 1 has lost points for it already.
    close(variances / expected, torch.ones(3, dtype=torch.float64), rtol=0.05)
    close(components @ components.T, torch.eye(3, dtype=torch.float64))


@pytest.mark.points(2)
def test_codes_and_back(student, call, close):
    """pca_encode and pca_decode are what the formulas say, for any mean and any rows."""
    hint("Subtract the mean before, and add it after.")
    for n in (1, random.randint(3, 8)):
        d, k = random.sample(range(2, 9), 2)
        x, mean, components = (
            torch.randn(shape, dtype=torch.float64) for shape in ((n, d), (d,), (k, d))
        )
        close(call(student.pca_encode, x, mean, components), (x - mean) @ components.T)
        codes = torch.randn(n, k, dtype=torch.float64)
        close(call(student.pca_decode, codes, mean, components), codes @ components + mean)


@pytest.mark.points(2)
def test_explained_variance(student, call):
    """explained_variance is 1 minus what is missed, as a share of the variance of the examples."""
    hint("Sums over all numbers; the mean is that of the true examples, for each column.")
    for noise in (0.1, 3.0):
        x = draw(random.randint(8, 14), random.randint(3, 6))
        x_hat = x + noise * torch.randn_like(x) * torch.logspace(0, 1, x.shape[1]) + 0.2
        found = call(student.explained_variance, x, x_hat)
        missed = ((x - x_hat) ** 2).sum() / ((x - x.mean(dim=0)) ** 2).sum()
        assert isinstance(found, float)
        assert found == pytest.approx(1 - missed.item(), rel=1e-9)
    nothing = x.mean(dim=0).expand_as(x).contiguous()
    assert_close(float(student.explained_variance(x, nothing)), 0.0, rtol=0, atol=1e-9)
