"""Question 6: the way back.

Samplers are asked with models whose samples can be computed: for normal data the best guess of the
noise is a linear map. Bounds on what is drawn are five standard deviations.
"""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")

SHAPES = ((1, 2), (5, 3), (3, 2, 2))


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


def kept_shares(betas):
    """ᾱ of each step as numbers, and 1 at the end, where an index of -1 finds it."""
    return [*(1 - betas).cumprod(0).tolist(), 1.0]


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ddpm_step(call, student, close, draw_betas, shape):
    """ddpm_step is the posterior of Question 4 with the clean example that the guess stands for."""
    hint("√α divides both. The variance is β̃, not β; its root times the noise. None at t = 0.")
    betas = draw_betas(5)
    kept = kept_shares(betas)
    x_t, guess, noise = normal(*shape), normal(*shape), normal(*shape)
    for t in (0, random.randint(1, 3), 4):
        beta, after, before = float(betas[t]), kept[t], kept[t - 1]
        clean = (x_t - (1 - after) ** 0.5 * guess) / after**0.5
        mean = before**0.5 * beta * clean + (1 - beta) ** 0.5 * (1 - before) * x_t
        variance = (1 - before) / (1 - after) * beta
        expected = mean / (1 - after) + variance**0.5 * noise
        found = call(student.ddpm_step, x_t, t, guess, betas, noise)
        close(found, expected, rtol=1e-10, atol=1e-11)
        single = call(student.ddpm_step, x_t.float(), t, guess.float(), betas, noise.float())
        close(single, expected.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.points(1)
def test_ddpm_step_draws(student, draw_betas):
    """Without noise ddpm_step draws it, but at t = 0."""
    hint("The last step back has variance 0.")
    n, betas = 10_000, draw_betas(4)
    kept = kept_shares(betas)
    x_t, guess = normal(1, 2).repeat(n, 1), normal(1, 2).repeat(n, 1)
    t = random.randint(1, 3)
    found = student.ddpm_step(x_t, t, guess, betas)
    assert tuple(found.shape) == (n, 2)
    variance = (1 - kept[t - 1]) / (1 - kept[t]) * float(betas[t])
    noise = found - (x_t - float(betas[t]) / (1 - kept[t]) ** 0.5 * guess) / (
        (1 - float(betas[t])) ** 0.5
    )
    noise = noise / variance**0.5
    assert bool((noise.mean(dim=0).abs() < 5 / n**0.5).all())
    assert bool(((noise.square().mean(dim=0) - 1).abs() < 5 * (2 / n) ** 0.5).all())
    assert abs(float((noise[:, 0] * noise[:, 1]).mean())) < 5 / n**0.5
    assert not torch.equal(student.ddpm_step(x_t, t, guess, betas), found)
    last = student.ddpm_step(x_t, 0, guess, betas)
    assert bool(last.isfinite().all())
    assert torch.equal(student.ddpm_step(x_t, 0, guess, betas), last)


def linear_model(alpha_bars, mean, spread, asked):
    """The best guess of the noise if the data are normal; notes what it is asked."""

    def model(x, t):
        asked.append((x.detach().clone(), t))
        share = alpha_bars[t][:, None].to(x.dtype)
        middle = share**0.5 * mean.to(x.dtype)
        return (1 - share) ** 0.5 * (x - middle) / (share * spread.to(x.dtype) ** 2 + 1 - share)

    return model


def sampled(ddpm_sample, n, size, betas, mean, spread):
    """Run in the box: samples, whether they hang on a graph, first and last input, the steps."""
    asked = []
    # A network asks for gradients: so does this model.
    factor = torch.ones((), requires_grad=True)
    inner = linear_model((1 - betas).cumprod(0), mean, spread, asked)
    found = ddpm_sample(lambda x, t: factor * inner(x, t), n, size, betas)
    steps = [(tuple(t.shape), t.dtype, int(t.min()), int(t.max())) for _, t in asked]
    return found.detach(), found.requires_grad, [asked[0][0], asked[-1][0]], steps


def check_normal(x, mean, spread):
    """Check that samples are normal, with these means and deviations, and independent numbers."""
    n, noise = len(x), (x.double() - mean) / spread
    assert bool((noise.mean(dim=0).abs() < 5 / n**0.5).all())
    assert bool(((noise.square().mean(dim=0) - 1).abs() < 5 * (2 / n) ** 0.5).all())
    assert abs(float((noise[:, 0] * noise[:, 1]).mean())) < 5 / n**0.5


@pytest.mark.points(2)
@pytest.mark.parametrize("n", [1, 20_000])
def test_ddpm_sample_takes_all_steps(student, close, draw_betas, n):
    """ddpm_sample begins with normal noise, and takes each step with the model's guess for it."""
    hint("From T - 1 down to 0; the model wants a step for each example; torch.no_grad.")
    betas = draw_betas()
    size = random.randint(2, 4)
    mean, spread = normal(size) + 1, 0.3 + torch.rand(size, dtype=torch.float64)
    args = student.ddpm_sample, n, size, betas, mean, spread
    found, graph, (start, last), steps = student.run(sampled, *args)
    assert tuple(found.shape) == (n, size)
    assert found.dtype == torch.float32
    assert graph is False
    assert steps == [((n,), torch.int64, t, t) for t in reversed(range(len(betas)))]
    # The last step back draws nothing.
    beta = float(betas[0])
    model = linear_model((1 - betas).cumprod(0), mean, spread, [])
    guess = model(last, torch.zeros(n, dtype=torch.int64))
    close(found, (last - beta**0.5 * guess) / (1 - beta) ** 0.5, rtol=1e-4, atol=1e-4)
    if n > 1:
        check_normal(start, torch.zeros(size), torch.ones(size))
        # The mean does not hang on how much noise a step adds: that is judged below.
        gap = found.double().mean(dim=0) - after_all_steps(betas, mean, spread)[0]
        assert bool((gap.abs() <= 5 * found.double().std(dim=0) / n**0.5).all())
    assert not torch.equal(student.run(sampled, *args)[2][0], start)


def after_all_steps(betas, mean, spread):
    """Mean and standard deviation of ancestral samples with the linear model: all is normal."""
    kept = kept_shares(betas)
    middle, variance = torch.zeros_like(mean), torch.ones_like(mean)
    for t in reversed(range(len(betas))):
        beta, after, before = float(betas[t]), kept[t], kept[t - 1]
        pull = beta / (after * spread**2 + 1 - after)
        root = (1 - beta) ** 0.5
        middle = ((1 - pull) * middle + pull * after**0.5 * mean) / root
        variance = ((1 - pull) / root) ** 2 * variance + (1 - before) / (1 - after) * beta
    return middle, variance**0.5


@pytest.mark.points(1)
def test_ddpm_sample_ends_where_its_steps_lead(student, draw_betas):
    """With a model of normal data, samples have the means and variances that all steps lead to."""
    hint("Each step is ddpm_step with a guess for where the examples are now.")
    n, betas = 20_000, draw_betas()
    size = random.randint(2, 4)
    mean, spread = normal(size) + 1, 0.3 + torch.rand(size, dtype=torch.float64)
    args = student.ddpm_sample, n, size, betas, mean, spread
    found, *_ = student.run(sampled, *args)
    assert tuple(found.shape) == (n, size)
    check_normal(found, *after_all_steps(betas, mean, spread))


@pytest.mark.points(3)
@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_ddim_step(call, student, close, draw_betas, eta):
    """ddim_step goes to any earlier step, with as much new noise as η asks for."""
    hint("ᾱ is 1 at step -1. σ² is taken from what the guessed noise gets.")
    betas = draw_betas(6)
    alpha_bars, kept = (1 - betas).cumprod(0), kept_shares(betas)
    for shape in SHAPES:
        x_t, guess, noise = normal(*shape), normal(*shape), normal(*shape)
        for t, earlier in ((5, 4), (4, 1), (3, 0), (2, -1), (0, -1)):
            now, then = kept[t], kept[earlier]
            variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
            clean = (x_t - (1 - now) ** 0.5 * guess) / now**0.5
            known = max(1 - then - variance, 0) ** 0.5 * guess
            expected = then**0.5 * clean + known + variance**0.5 * noise
            found = call(student.ddim_step, x_t, t, earlier, guess, alpha_bars, eta, noise)
            close(found, expected, rtol=1e-10)
            single = [z.float() for z in (x_t, guess, noise)]
            found = student.ddim_step(single[0], t, earlier, single[1], alpha_bars, eta, single[2])
            close(found, expected.float(), rtol=1e-4, atol=1e-4)
    # Without noise given: drawn for η > 0, and for η = 0 not needed.
    again = [student.ddim_step(x_t, 4, 1, guess, alpha_bars, eta) for _ in range(2)]
    assert torch.equal(*again) is (eta == 0)
    if eta == 0:
        close(student.ddim_step(x_t, 4, 1, guess, alpha_bars), again[0])


def few_steps(ddim_sample, start, times, alpha_bars, mean, spread):
    """Run in the box: samples by DDIM, whether they hang on a graph, start, and what was asked."""
    asked = []
    factor = torch.ones((), requires_grad=True)
    inner = linear_model(alpha_bars, mean, spread, asked)
    found = ddim_sample(lambda x, t: factor * inner(x, t), start, times, alpha_bars)
    steps = [(tuple(t.shape), t.dtype, int(t.min()), int(t.max())) for _, t in asked]
    return found.detach(), found.requires_grad, (start, times), steps


@pytest.mark.points(3)
@pytest.mark.parametrize("times", [[5, 4, 3, 2, 1, 0], [5, 2], [3], [4, 3, 0]], ids=str)
def test_ddim_sample(student, close, draw_betas, times):
    """ddim_sample asks the model at the given steps alone, and ends at the clean example."""
    hint("Pairs of neighbours, and -1 after the last one. η = 0: nothing is drawn.")
    betas = draw_betas(6)
    alpha_bars, kept = (1 - betas).cumprod(0), kept_shares(betas)
    for n in (1, 6):
        mean, spread = normal(3), 0.5 + torch.rand(3, dtype=torch.float64)
        start = normal(n, 3)
        args = student.ddim_sample, start, times, alpha_bars, mean, spread
        found, graph, given, steps = student.run(few_steps, *args)
        x = start
        for i, t in enumerate(times):
            now, then = kept[t], kept[times[i + 1]] if i + 1 < len(times) else 1.0
            guess = (1 - now) ** 0.5 * (x - now**0.5 * mean) / (now * spread**2 + 1 - now)
            clean = (x - (1 - now) ** 0.5 * guess) / now**0.5
            x = then**0.5 * clean + (1 - then) ** 0.5 * guess
        close(found, x)
        assert graph is False
        assert steps == [((n,), torch.int64, t, t) for t in times]
        assert given[1] == times
        close(given[0], start, rtol=0, atol=0)
