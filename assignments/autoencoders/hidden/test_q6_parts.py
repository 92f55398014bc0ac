"""Question 6: the parts of a variational autoencoder."""

import math
import random

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def gradients(function, first, second, *args):
    """Run in the box: gradients of a weighted sum of a result with respect to two arguments."""
    first, second = first.clone().requires_grad_(), second.clone().requires_grad_()
    value = function(first, second, *args)
    weights = torch.arange(1, value.numel() + 1, dtype=value.dtype).reshape(value.shape)
    return torch.autograd.grad((weights * value).sum(), [first, second])


def drawn_and_gradients(function, mu, logvar):
    """Run in the box: a draw, and the gradients of its sum with respect to mean and variance."""
    mu, logvar = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = function(mu, logvar)
    return z.detach(), torch.autograd.grad(z.sum(), [mu, logvar])


def draw(*shape):
    """Draw a mean and a log variance."""
    return torch.randn(shape, dtype=torch.float64), 2 * torch.randn(shape, dtype=torch.float64)


@pytest.mark.points(2)
def test_reparameterise(call, student, close):
    """reparameterise is μ + σ ε, with gradients to both, and new ε if none is given."""
    hint("σ is exp(½ logvar). The draw must be a function of mu and logvar: nothing is detached.")
    for shape in ((1, 2), (5, 3), (2, 3, 4)):
        mu, logvar = draw(*shape)
        eps = torch.randn(shape, dtype=torch.float64)
        close(call(student.reparameterise, mu, logvar, eps), mu + (logvar / 2).exp() * eps)
        found = student.run(gradients, student.reparameterise, mu, logvar, eps)
        weights = torch.arange(1, mu.numel() + 1, dtype=torch.float64).reshape(shape)
        close(found[0], weights)
        close(found[1], weights * (logvar / 2).exp() * eps / 2)
        z, found = student.run(drawn_and_gradients, student.reparameterise, mu, logvar)
        close(found[0], torch.ones_like(mu))
        close(found[1], (z - mu) / 2)
    n = 20_000
    mu, logvar = (row.expand(n, 3).contiguous() for row in draw(1, 3))
    z = call(student.reparameterise, mu, logvar)
    assert tuple(z.shape) == (n, 3)
    assert z.dtype == torch.float64
    eps = (z - mu) / (logvar / 2).exp()
    assert bool((eps.mean(dim=0).abs() < 5 / n**0.5).all())
    assert bool(((eps.square().mean(dim=0) - 1).abs() < 5 * (2 / n) ** 0.5).all())
    assert bool((((eps**4).mean(dim=0) - 3).abs() < 5 * (96 / n) ** 0.5).all())
    assert abs((eps[:, 0] * eps[:, 1]).mean().item()) < 5 / n**0.5
    assert not torch.equal(student.reparameterise(mu, logvar), z)


@pytest.mark.points(2)
def test_kl(call, student, close):
    """kl_to_standard_normal is the divergence of each example, summed over its numbers."""
    hint("logvar is log σ², so σ² is exp(logvar). One number for each example, and the ½.")
    for n, k in ((1, 1), (1, 4), (5, 3)):
        mu, logvar = draw(n, k)
        expected = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
        close(call(student.kl_to_standard_normal, mu, logvar), expected)
    mu, logvar = torch.tensor([[0.0, 0.0], [3.0, -100.0]]).double().chunk(2, dim=1)
    expected = torch.tensor([0.0, 0.5 * (9 + math.exp(-100) - 1 + 100)], dtype=torch.float64)
    close(call(student.kl_to_standard_normal, mu, logvar), expected)


@pytest.mark.points(2)
def test_bernoulli_log_likelihood(call, student, close):
    """bernoulli_log_likelihood is a sum over pixels, and stays finite for logits of any size."""
    hint("log sigmoid(a) is -softplus(-a): never the logarithm of a rounded probability.")
    for n, d in ((1, 3), (6, 4)):
        x = torch.randint(2, (n, d)).double()
        logits = 3 * torch.randn(n, d, dtype=torch.float64)
        right = torch.where(x == 1, logits.sigmoid(), 1 - logits.sigmoid()).log().sum(dim=1)
        close(call(student.bernoulli_log_likelihood, x, logits), right)
    size = random.uniform(800, 900)
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    logits = torch.tensor([[-size, 0.0], [size, 40.0]], dtype=torch.float64)
    expected = torch.tensor([-size - math.log(2), -math.exp(-40)], dtype=torch.float64)
    close(call(student.bernoulli_log_likelihood, x, logits), expected, atol=1e-12)


@pytest.mark.points(1)
def test_elbo(call, student, close):
    """elbo is the log likelihood of each example, minus the price of its code."""
    hint("A bound for each example. The price is subtracted, whole: no mean over numbers.")
    for n, d, k in ((1, 5, 2), (4, 3, 6)):
        x = torch.randint(2, (n, d)).double()
        logits = 2 * torch.randn(n, d, dtype=torch.float64)
        mu, logvar = draw(n, k)
        price = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
        right = torch.where(x == 1, logits.sigmoid(), 1 - logits.sigmoid()).log().sum(dim=1)
        close(call(student.elbo, x, logits, mu, logvar), right - price)


@pytest.mark.points(1)
def test_normal_log_density(call, student, reference, close):
    """normal_log_density is that of a normal distribution with independent numbers."""
    hint("(z - μ)² is divided by σ²; and log 2π counts once for each number.")
    for shape in ((3,), (1, 4), (2, 3, 4)):
        mu, logvar = draw(*shape)
        z = torch.randn(shape, dtype=torch.float64)
        expected = Normal(mu, (logvar / 2).exp()).log_prob(z).sum(dim=-1)
        close(call(student.normal_log_density, z, mu, logvar), expected)
        found = student.run(gradients, student.normal_log_density, z, mu, logvar)
        right = gradients(reference.normal_log_density, z, mu, logvar)
        for grad, wanted in zip(found, right, strict=True):
            close(grad, wanted)


@pytest.mark.points(2)
def test_importance_bound(call, student, close):
    """importance_bound is the logarithm of the mean weight, for weights of any size."""
    hint("The mean of weights, over draws, not of their logarithms. torch.logsumexp is exact.")
    for s, n in ((1, 3), (7, 4), (40, 1)):
        log_weights = torch.randn(s, n, dtype=torch.float64)
        expected = log_weights.exp().mean(dim=0).log()
        close(call(student.importance_bound, log_weights), expected)
        far = random.uniform(1500, 2500)
        # The examples need not be equally probable: the largest weight of one is none of another.
        for shift in (-far, far, torch.linspace(-far, far, n, dtype=torch.float64)):
            close(call(student.importance_bound, log_weights + shift), expected + shift)
