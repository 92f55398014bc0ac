"""Question 5: guess the noise.

The judge takes the weights of the network alone, and walks back from noise by itself. The bounds
are explained in the reference's note for instructors.
"""

import math
import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")

NEAR = bands((0.004, 1), (0.02, 0))


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


def share_of(t, alpha_bars, x):
    """ᾱ of each example, in a shape that fits."""
    return alpha_bars[t].reshape(-1, *[1] * (x.dim() - 1))


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [(1, 2), (5, 3), (3, 1, 4)], ids=str)
def test_estimate_clean(call, student, close, draw_betas, shape):
    """estimate_clean takes the guessed noise away, and undoes the shrinking."""
    hint("Solve the formula of add_noise for x.")
    alpha_bars = (1 - draw_betas()).cumprod(0)
    x_t, noise = normal(*shape), normal(*shape)
    t = torch.randint(len(alpha_bars), shape[:1])
    share = share_of(t, alpha_bars, x_t)
    expected = (x_t - (1 - share) ** 0.5 * noise) / share**0.5
    found = call(student.estimate_clean, x_t, t, noise, alpha_bars)
    close(found, expected, rtol=1e-10, atol=1e-11)
    single = call(student.estimate_clean, x_t.float(), t, noise.float(), alpha_bars)
    close(single, expected.float(), rtol=1e-4, atol=1e-4)


def loss_and_gradient(ddpm_loss, weight, x, alpha_bars, t, noise):
    """Run in the box: the loss of a small model, its gradient, and what the model was asked."""
    asked = []
    weight = weight.clone().requires_grad_()

    def model(x_t, steps):
        asked.append((x_t.detach(), steps))
        return (x_t.flatten(1) @ weight * (1 + steps[:, None])).reshape(x_t.shape)

    loss = ddpm_loss(model, x, alpha_bars, t, noise)
    (slope,) = torch.autograd.grad(loss, weight)
    return loss.detach(), slope, asked


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [(1, 3), (6, 2), (3, 2, 2)], ids=str)
def test_ddpm_loss(student, close, draw_betas, shape):
    """ddpm_loss asks the model about noisy examples, and compares with the noise that was added."""
    hint("The mean over all numbers. The model gets x_t and the steps, and guesses the noise.")
    alpha_bars = (1 - draw_betas()).cumprod(0)
    x, noise = normal(*shape), normal(*shape)
    t = torch.randint(len(alpha_bars), shape[:1])
    size = x[0].numel()
    weight = normal(size, size)
    found = student.run(loss_and_gradient, student.ddpm_loss, weight, x, alpha_bars, t, noise)
    loss, slope, asked = found
    share = share_of(t, alpha_bars, x)
    x_t = share**0.5 * x + (1 - share) ** 0.5 * noise
    assert len(asked) == 1
    close(asked[0][0], x_t)
    assert torch.equal(asked[0][1], t)
    inputs = x_t.flatten(1) * (1 + t[:, None])
    error = inputs @ weight - noise.flatten(1)
    close(loss, error.square().mean())
    close(slope, 2 * inputs.T @ error / error.numel())


@pytest.mark.points(2)
def test_ddpm_loss_draws(student, draw_betas):
    """Without t and noise each example has its own step, all as likely, and normal noise."""
    hint("torch.randint(T, (N,)): from 0 to T - 1. One step for the whole batch is not enough.")
    n, steps = 20_000, random.randint(3, 5)
    alpha_bars = (1 - draw_betas(steps)).cumprod(0)
    x, weight = 3 * torch.ones(n, 2, dtype=torch.float64), normal(2, 2)
    losses = []
    for _ in range(2):
        args = student.ddpm_loss, weight, x, alpha_bars, None, None
        loss, _, asked = student.run(loss_and_gradient, *args)
        assert len(asked) == 1
        x_t, t = asked[0]
        assert tuple(t.shape) == (n,)
        assert t.dtype == torch.int64
        counts = torch.bincount(t, minlength=steps)
        assert len(counts) == steps
        chance = 1 / steps
        assert bool(((counts / n - chance).abs() < 5 * (chance * (1 - chance) / n) ** 0.5).all())
        same = (t[1:] == t[:-1]).double().mean()
        assert abs(float(same) - chance) < 5 * (chance * (1 - chance) / n) ** 0.5
        share = alpha_bars[t][:, None]
        noise = (x_t - 3 * share**0.5) / (1 - share) ** 0.5
        assert bool((noise.mean(dim=0).abs() < 5 / n**0.5).all())
        assert bool(((noise.square().mean(dim=0) - 1).abs() < 5 * (2 / n) ** 0.5).all())
        assert abs(float((noise[:, 0] * noise[:, 1]).mean())) < 5 / n**0.5
        losses.append(float(loss))
    assert losses[0] != losses[1]


def expected_noise(x_t, share, data):
    """The ideal guess for one noisy example, one data point after the other."""
    logs = [-float((x_t - share**0.5 * d).square().sum()) / (2 * (1 - share)) for d in data]
    weights = [math.exp(value - max(logs)) for value in logs]
    clean = sum(w * d for w, d in zip(weights, data, strict=True)) / sum(weights)
    return (x_t - share**0.5 * clean) / (1 - share) ** 0.5


@pytest.mark.points(2)
@pytest.mark.parametrize(("n", "m", "d"), [(1, 4, 2), (5, 3, 3), (4, 1, 1), (3, 8, 2)])
def test_ideal_noise(call, student, close, draw_betas, n, m, d):
    """ideal_noise weighs the data points by how likely each has become x_t."""
    hint("Distances to √ᾱ d, not to d. Weights add up to 1 over the data, for each example.")
    alpha_bars = (1 - draw_betas()).cumprod(0)
    x_t, data = normal(n, d), 1.5 * normal(m, d)
    t = torch.randint(len(alpha_bars), (n,))
    rows = [
        expected_noise(row, float(alpha_bars[step]), data)
        for row, step in zip(x_t, t.tolist(), strict=True)
    ]
    close(call(student.ideal_noise, x_t, t, data, alpha_bars), torch.stack(rows))
    single = student.ideal_noise(x_t.float(), t, data.float(), alpha_bars)
    close(single, torch.stack(rows).float(), rtol=1e-3, atol=1e-3)


@pytest.mark.points(1)
def test_ideal_noise_where_weights_vanish(student, close):
    """With hardly any noise the nearest point takes all, however far away it is."""
    hint("softmax of the exponents: exp of each, then a division, is 0/0.")
    alpha_bars = torch.tensor([1 - 1e-7, 0.5], dtype=torch.float64)
    data = torch.tensor([[4.0, 0.0], [0.0, 4.0], [-4.0, -4.0]], dtype=torch.float64)
    x_t = data[[2, 0, 1]] + random.uniform(0.5, 1) * torch.rand(3, 2).double()
    found = student.ideal_noise(x_t, torch.zeros(3, dtype=torch.int64), data, alpha_bars)
    share = 1 - 1e-7
    close(found, (x_t - share**0.5 * data[[2, 0, 1]]) / (1 - share) ** 0.5, rtol=1e-6)


@torch.no_grad()
def walked_back(model, betas, n):
    """Draw points of the plane by all steps of the ancestral sampler."""
    alpha_bars = (1 - betas).cumprod(0)
    x = torch.randn(n, 2)
    for t in reversed(range(len(betas))):
        beta, after = float(betas[t]), float(alpha_bars[t])
        guess = model(x, torch.full((n,), t))
        x = (x - beta / (1 - after) ** 0.5 * guess) / (1 - beta) ** 0.5
        if t:
            x = x + ((1 - float(alpha_bars[t - 1])) / (1 - after) * beta) ** 0.5 * torch.randn(n, 2)
    return x


@pytest.mark.points(6)
@pytest.mark.trials(3, need=2)
def test_train_diffusion_finds_the_curve(student, reference, trained):
    """train_diffusion returns a network with which noise walks back to a curve."""
    hint("Long enough, with a rate that falls; a new step and new noise for each example.")
    betas = reference.linear_betas(100, 5e-4, 0.08)
    curve = random.uniform(0, 6.28), random.random() < 0.5
    x, unseen = reference.spiral(4096, *curve), reference.spiral(2000, *curve)
    args = student.train_diffusion, x, reference.products(betas)
    drawn = walked_back(trained(reference.Denoiser(), *args), betas, 2000)
    assert bool(drawn.isfinite().all())
    far = float(reference.mmd(drawn.double(), unseen.double(), 0.15))
    credit(NEAR(far), f"MMD² to points of the curve is {far:.4f}.", measured=far)
