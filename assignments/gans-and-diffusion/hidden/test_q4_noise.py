"""Question 4: from data to noise."""

import itertools
import math
import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")

SHAPES = ((1, 3), (4, 2), (3, 2, 4), (2, 1, 3, 2))


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


@pytest.mark.points(1)
def test_linear_betas(student, close):
    """linear_betas goes evenly from the first value to the last, both included."""
    hint("T values, in float64. A schedule of one step has the first value.")
    for steps in (1, 2, random.randint(5, 40)):
        first, last = random.uniform(1e-4, 0.01), random.uniform(0.02, 0.3)
        gap = (last - first) / max(steps - 1, 1)
        expected = torch.tensor([first + gap * i for i in range(steps)], dtype=torch.float64)
        close(student.linear_betas(steps, first, last), expected, rtol=1e-11, atol=0)
    found = student.linear_betas(1000)
    assert found.dtype == torch.float64
    assert found[[0, -1]].tolist() == pytest.approx([1e-4, 0.02])


@pytest.mark.points(2)
def test_cosine_betas(student, close):
    """cosine_betas has the products of a squared cosine, up to the cap."""
    hint("g(t + 1) / g(t) for t from 0 to T - 1: T + 1 values of g. At most 0.999.")
    for steps, offset in (
        (1, 0.008),
        (random.randint(5, 30), 0.008),
        (1000, 0.008),  # whose first values are small
        (50, random.uniform(0.02, 0.1)),
    ):
        kept = [
            math.cos((t / steps + offset) / (1 + offset) * math.pi / 2) ** 2
            for t in range(steps + 1)
        ]
        expected = [min(1 - b / a, 0.999) for a, b in itertools.pairwise(kept)]
        expected = torch.tensor(expected, dtype=torch.float64)
        close(student.cosine_betas(steps, offset), expected, rtol=1e-6)
        if offset == 0.008:
            close(student.cosine_betas(steps), expected, rtol=1e-6)


@pytest.mark.points(1)
def test_products(call, student, close, draw_betas):
    """products are those of all shares that were kept so far, the step itself included."""
    hint("1 - β first, then torch.cumprod.")
    for steps in (1, 8):
        betas = draw_betas(steps)
        kept, expected = 1.0, []
        for beta in betas.tolist():
            kept *= 1 - beta
            expected.append(kept)
        expected = torch.tensor(expected, dtype=torch.float64)
        close(call(student.products, betas), expected)
        close(student.products(betas.float()), expected.float(), rtol=1e-4)


def share_of(t, alpha_bars, x):
    """ᾱ of each example, in a shape that fits."""
    return alpha_bars[t].reshape(-1, *[1] * (x.dim() - 1))


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_add_noise(call, student, close, draw_betas, shape):
    """add_noise takes each example to its own step, for examples of any shape and precision."""
    hint("ᾱ of shape (N,) must be reshaped to (N, 1, …); roots of ᾱ and of 1 - ᾱ.")
    alpha_bars = (1 - draw_betas()).cumprod(0)
    x, noise = normal(*shape), normal(*shape)
    t = torch.randint(len(alpha_bars), shape[:1])
    share = share_of(t, alpha_bars, x)
    expected = share**0.5 * x + (1 - share) ** 0.5 * noise
    close(call(student.add_noise, x, t, alpha_bars, noise), expected, rtol=1e-10, atol=1e-11)
    single = call(student.add_noise, x.float(), t, alpha_bars, noise.float())
    close(single, expected.float(), rtol=1e-5, atol=1e-5)


@pytest.mark.points(2)
def test_add_noise_draws(student, draw_betas):
    """Without noise add_noise draws it: normal, for each number on its own, new each time."""
    hint("torch.randn_like(x): a number of its own for every number of x.")
    n = 20_000
    alpha_bars = (1 - draw_betas()).cumprod(0)
    x = normal(1, 2).repeat(n, 1)
    t = torch.randint(len(alpha_bars), (n,))
    share = share_of(t, alpha_bars, x)
    found = student.add_noise(x, t, alpha_bars)
    assert tuple(found.shape) == (n, 2)
    noise = (found - share**0.5 * x) / (1 - share) ** 0.5
    assert bool((noise.mean(dim=0).abs() < 5 / n**0.5).all())
    assert bool(((noise.square().mean(dim=0) - 1).abs() < 5 * (2 / n) ** 0.5).all())
    assert bool((((noise**4).mean(dim=0) - 3).abs() < 5 * (96 / n) ** 0.5).all())
    assert abs(float((noise[:, 0] * noise[:, 1]).mean())) < 5 / n**0.5
    assert abs(float((noise[1:, 0] * noise[:-1, 0]).mean())) < 5 / n**0.5
    assert not torch.equal(student.add_noise(x, t, alpha_bars), found)


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_posterior(call, student, close, draw_betas, shape):
    """posterior is what Bayes' rule says of x_{t-1}, for each example at its own step."""
    hint("ᾱ of the step before, which is 1 before the first. x, not x_t, has the factor β.")
    betas = draw_betas(6)
    alpha_bars = (1 - betas).cumprod(0)
    x, x_t = normal(*shape), normal(*shape)
    t = 1 + torch.randperm(5)[: shape[0]]
    # Two opinions on x_{t-1}, each as strong as its variance is small: from x, and from x_t.
    before, beta = share_of(t - 1, alpha_bars, x), share_of(t, betas, x)
    strong, back = 1 / (1 - before), (1 - beta) / beta
    both = strong + back
    expected = (strong * before**0.5 * x + back * x_t / (1 - beta) ** 0.5) / both
    mean, variance = call(student.posterior, x, x_t, t, betas)
    close(mean, expected, rtol=1e-10, atol=1e-11)
    close(variance, 1 / both.reshape(-1), rtol=1e-10, atol=1e-11)
    single = call(student.posterior, x.float(), x_t.float(), t, betas)
    close(single[0], expected.float(), rtol=1e-4, atol=1e-5)
    close(single[1], 1 / both.reshape(-1).float(), rtol=1e-4, atol=1e-6)


@pytest.mark.points(1)
def test_posterior_of_the_first_step(call, student, draw_betas):
    """At t = 0 it is the clean example, with variance 0, beside others at other steps."""
    hint("ᾱ before the first step is 1: don't let an index of -1 take the last one.")
    betas = draw_betas(5)
    x, x_t = normal(4, 3), normal(4, 3)
    t = torch.tensor([0, 3, 0, 1])
    mean, variance = call(student.posterior, x, x_t, t, betas)
    assert_close(mean[[0, 2]], x[[0, 2]], rtol=0, atol=1e-9)
    assert_close(variance[[0, 2]], torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-9)
    assert float(variance[[1, 3]].min()) > 0.01
