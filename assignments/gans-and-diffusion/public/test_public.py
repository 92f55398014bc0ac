"""The checks that you can run yourself: `grader check gans-and-diffusion.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_mmd(student):
    """Two equal points against two others, far away: 1 + 1 - 0."""
    hint("A point is not compared with itself, but with the other one of its set.")
    x, y = torch.zeros(2, 3), torch.full((2, 3), 50.0)
    assert_close(student.mmd(x, y, 1.0), torch.tensor(2.0))
    one = torch.tensor([[0.0], [2.0]])
    assert_close(student.mmd(one, one, 2.0), torch.tensor(math.exp(-0.5) - 1))


@pytest.mark.question("q1")
def test_frechet(student):
    """Means 3 apart, and standard deviations of 1 and 2: 9 + 1."""
    x, y = torch.tensor([[-1.0], [1.0]]), torch.tensor([[1.0], [5.0]])
    assert_close(student.frechet(x, y), torch.tensor(10.0))


@pytest.mark.question("q1")
def test_coverage(student):
    """Two modes: one has three quarters of the samples, the other a quarter."""
    centres = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    samples = torch.tensor([[0.0, 0.5], [0.5, 0.0], [0.0, 0.0], [4.0, 0.1]])
    assert student.coverage(samples, centres, 1.0) == pytest.approx(0.75)


@pytest.mark.question("q2")
def test_losses(student):
    """A discriminator that knows nothing says 0: log 2 for each mean."""
    nothing = torch.zeros(3)
    assert_close(student.discriminator_loss(nothing, nothing), torch.tensor(2 * math.log(2)))
    assert_close(student.generator_loss(nothing), torch.tensor(math.log(2)))
    assert_close(student.generator_loss(nothing, saturating=True), torch.tensor(-math.log(2)))


@pytest.mark.question("q2")
def test_best_discriminator(student):
    """A coin that is fair, and one that always shows heads."""
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
    assert_close(student.best_discriminator(p, q), torch.tensor([1 / 3, 1.0]))
    expected = math.log(2) + 0.25 * math.log(1 / 3) + 0.5 * math.log(2 / 3)
    assert_close(student.jensen_shannon(p, q), torch.tensor(expected))


def one_step(gan_step):
    """Losses and weights after a step of two players that have one weight each."""
    generator = torch.nn.Linear(1, 1, bias=False)
    critic = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Flatten(0))
    players = generator, critic
    for model in players:
        torch.nn.init.ones_(next(model.parameters()))
    optimizers = [torch.optim.SGD(model.parameters(), lr=1.0) for model in players]
    one = torch.ones(1, 1)
    losses = gan_step(*players, *optimizers, 0 * one, one, 2 * one)
    return losses, [next(model.parameters()).item() for model in players]


@pytest.mark.question("q2")
def test_gan_step(student):
    """Real is 0, fake is 1: the discriminator's weight falls by σ(1); the generator's rises."""
    losses, (generator, critic) = student.run(one_step, student.gan_step)
    half = 1 / (1 + math.exp(-1))
    right = 1 - half
    logit = 2 * right
    assert losses == pytest.approx(
        (math.log(2) - math.log(1 - half), math.log(1 + math.exp(-logit)))
    )
    assert critic == pytest.approx(right, abs=1e-6)
    assert generator == pytest.approx(1 + logit / (1 + math.exp(logit)), abs=1e-6)


@pytest.mark.question("q3")
def test_wasserstein_1d(student):
    """Two grains move by 1 each, in whatever order they are given."""
    x, y = torch.tensor([5.0, 1.0]), torch.tensor([2.0, 4.0])
    assert_close(student.wasserstein_1d(x, y), torch.tensor(1.0))


def penalty_of_a_slope(gradient_penalty, slope):
    """The penalty of a linear critic, whose slope is the same everywhere."""
    return gradient_penalty(lambda x: x @ slope, torch.randn(4, 2), torch.randn(4, 2)).detach()


@pytest.mark.question("q3")
def test_gradient_penalty(student):
    """A slope of 5 costs 16."""
    found = student.run(penalty_of_a_slope, student.gradient_penalty, torch.tensor([3.0, 4.0]))
    assert_close(found, torch.tensor(16.0))


def loss_of_a_slope(critic_loss, slope):
    """The loss of a linear critic."""
    return critic_loss(lambda x: x @ slope, torch.ones(4, 2), torch.zeros(4, 2), 0.5).detach()


@pytest.mark.question("q3")
def test_critic_loss(student):
    """0 for fakes, 7 for real ones, and half of 16."""
    found = student.run(loss_of_a_slope, student.critic_loss, torch.tensor([3.0, 4.0]))
    assert_close(found, torch.tensor(1.0))


@pytest.mark.question("q4")
def test_schedules(student):
    """Three even steps, their products, and a cosine that ends at the cap."""
    betas = student.linear_betas(3, 0.1, 0.5)
    assert_close(betas, torch.tensor([0.1, 0.3, 0.5], dtype=torch.float64))
    assert_close(student.products(torch.tensor([0.1, 0.5])), torch.tensor([0.9, 0.45]))
    cosine = student.cosine_betas(10)
    assert tuple(cosine.shape) == (10,)
    assert float(cosine[-1]) == pytest.approx(0.999)


@pytest.mark.question("q4")
def test_add_noise(student):
    """0.8 of the example and 0.6 of the noise."""
    x, noise = torch.tensor([[10.0, 0.0]]), torch.tensor([[0.0, 10.0]])
    alpha_bars = torch.tensor([0.64], dtype=torch.float64)
    found = student.add_noise(x, torch.tensor([0]), alpha_bars, noise)
    assert_close(found, torch.tensor([[8.0, 6.0]]))


@pytest.mark.question("q4")
def test_posterior(student):
    """Before the first step was the clean example."""
    betas = torch.tensor([0.2, 0.3], dtype=torch.float64)
    mean, variance = student.posterior(
        torch.ones(1, 2), torch.zeros(1, 2), torch.tensor([0]), betas
    )
    assert_close(mean, torch.ones(1, 2))
    assert_close(variance, torch.zeros(1))


@pytest.mark.question("q5")
def test_estimate_clean(student):
    """The way of the example above, back."""
    x_t, noise = torch.tensor([[8.0, 6.0]]), torch.tensor([[0.0, 10.0]])
    alpha_bars = torch.tensor([0.64], dtype=torch.float64)
    found = student.estimate_clean(x_t, torch.tensor([0]), noise, alpha_bars)
    assert_close(found, torch.tensor([[10.0, 0.0]]))


def loss_of_nothing(ddpm_loss, x, alpha_bars, t, noise):
    """The loss of a model that always guesses 0."""
    return ddpm_loss(lambda x_t, t: 0 * x_t, x, alpha_bars, t, noise)


@pytest.mark.question("q5")
def test_ddpm_loss(student):
    """Whoever guesses nothing pays the mean square of the noise."""
    noise = torch.tensor([[1.0, 3.0]])
    alpha_bars = torch.tensor([0.5], dtype=torch.float64)
    args = student.ddpm_loss, torch.ones(1, 2), alpha_bars, torch.tensor([0]), noise
    assert_close(student.run(loss_of_nothing, *args), torch.tensor(5.0))


@pytest.mark.question("q5")
def test_ideal_noise(student):
    """With a single data point there is no doubt."""
    alpha_bars = torch.tensor([0.64], dtype=torch.float64)
    data = torch.tensor([[10.0, 0.0]])
    found = student.ideal_noise(torch.tensor([[8.0, 6.0]]), torch.tensor([0]), data, alpha_bars)
    assert_close(found, torch.tensor([[0.0, 10.0]]))


@pytest.mark.question("q6")
def test_ddpm_step(student):
    """The last step back adds no noise: with the right guess it ends at the clean example."""
    betas = torch.tensor([0.36], dtype=torch.float64)
    x_t, noise = torch.tensor([[8.0, 6.0]]), torch.tensor([[0.0, 10.0]])
    assert_close(student.ddpm_step(x_t, 0, noise, betas), torch.tensor([[10.0, 0.0]]))


@pytest.mark.question("q6")
def test_ddim_step(student):
    """From 0.6 of the noise to 0.28 of it."""
    alpha_bars = torch.tensor([0.9216, 0.64], dtype=torch.float64)
    x_t, noise = torch.tensor([[8.0, 6.0]]), torch.tensor([[0.0, 10.0]])
    found = student.ddim_step(x_t, 1, 0, noise, alpha_bars)
    assert_close(found, torch.tensor([[9.6, 2.8]]))


def samples(draw, *args):
    """What a sampler draws with a model that always guesses 0."""
    return draw(lambda x, t: 0 * x, *args)


@pytest.mark.question("q6")
def test_samplers(student):
    """Shapes; and with a guess of 0 DDIM just undoes the shrinking."""
    betas = torch.tensor([0.1, 0.36], dtype=torch.float64)
    found = student.run(samples, student.ddpm_sample, 5, 3, betas)
    assert tuple(found.shape) == (5, 3)
    alpha_bars, start = torch.tensor([0.9, 0.64], dtype=torch.float64), torch.ones(2, 3)
    found = student.run(samples, student.ddim_sample, start, [1], alpha_bars)
    assert_close(found, start / 0.8)
