"""Question 5: a denoising autoencoder.

The judge draws the noise, and keeps the clean digits. Bounds on what is drawn are five standard
deviations; those of the training are explained in the reference's note for instructors.
"""

import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")

RESTORED = bands((0.56, 0), (0.63, 1))


@pytest.mark.points(2)
def test_corrupt(call, student):
    """corrupt adds normal noise and kills pixels, each of them for itself, new ones each time."""
    hint("A dead pixel is exactly 0, and each pixel of each example has its own chance.")
    n, sigma, p = 20_000, random.uniform(0.3, 0.8), random.uniform(0.2, 0.6)
    x = torch.tensor([40.0, -60.0, 80.0], dtype=torch.float64).repeat(n, 1)
    spoilt = call(student.corrupt, x, sigma, p)
    assert tuple(spoilt.shape) == (n, 3)
    assert spoilt.dtype == torch.float64
    dead = spoilt == 0
    spread = (p * (1 - p) / n) ** 0.5
    assert bool(((dead.double().mean(dim=0) - p).abs() < 5 * spread).all())
    # Pairs of pixels die as often as chances that do not hang together say.
    pairs = (dead.double().T @ dead.double() / n)[[0, 0, 1], [1, 2, 2]]
    assert bool(((pairs - p**2).abs() < 5 * (p**2 * (1 - p**2) / n) ** 0.5).all())
    noise = (spoilt - x)[~dead] / sigma
    assert abs(noise.mean().item()) < 5 / len(noise) ** 0.5
    assert abs(noise.square().mean().item() - 1) < 5 * (2 / len(noise)) ** 0.5
    assert abs((noise**4).mean().item() - 3) < 5 * (96 / len(noise)) ** 0.5
    both = (~dead).all(dim=1)
    first, second, _ = ((spoilt - x)[both] / sigma).T
    assert abs((first * second).mean().item()) < 5 / len(first) ** 0.5
    again = call(student.corrupt, x, sigma, p)
    assert 0 < (spoilt == again).double().mean().item() < 0.9


@pytest.mark.points(1)
def test_corrupt_with_one_kind_of_damage(call, student, close):
    """Without noise what is alive stays as it is; with p = 0 all is alive, with 1 nothing."""
    hint("Nothing is clipped, and nothing is scaled by 1 / (1 - p): this is no dropout.")
    x = 3 * torch.randn(30, 4, 5, dtype=torch.float64)
    spoilt = call(student.corrupt, x, 0.0, 0.5)
    alive = spoilt != 0
    assert 0.3 < alive.double().mean().item() < 0.7
    close(spoilt, torch.where(alive, x, 0.0), atol=0)
    close(call(student.corrupt, x, 0.0, 0.0), x, atol=0)
    close(call(student.corrupt, x, 0.5, 1.0), torch.zeros_like(x), atol=0)


def ridge(noisy, clean, lam):
    """Ridge regression with a column of ones that has no penalty."""
    ones = torch.cat([noisy, torch.ones(len(noisy), 1, dtype=noisy.dtype)], dim=1)
    penalty = lam * torch.eye(ones.shape[1], dtype=noisy.dtype)
    penalty[-1, -1] = 0
    both = torch.linalg.solve(ones.T @ ones / len(ones) + penalty, ones.T @ clean / len(ones))
    return both[:-1], both[-1]


@pytest.mark.points(4)
@pytest.mark.parametrize("lam", [1e-3, 0.7, 1e6])
def test_ridge_denoiser(call, student, close, lam):
    """ridge_denoiser is the minimum of its loss, whose bias has no penalty."""
    hint("Centre both sides; the mean over examples makes λ N times as strong as a sum would.")
    for n in (4, random.randint(20, 40)):
        d, c = random.sample(range(2, 7), 2)
        noisy = torch.randn(n, d, dtype=torch.float64) + 2
        clean = noisy @ torch.randn(d, c, dtype=torch.float64) + torch.randn(c).double()
        clean = clean + 0.3 * torch.randn_like(clean)
        weight, bias = call(student.ridge_denoiser, noisy, clean, lam)
        expected = ridge(noisy, clean, lam)
        close(weight, expected[0], rtol=1e-9, atol=1e-13)
        close(bias, expected[1], rtol=1e-9, atol=1e-10)


@pytest.mark.points(5)
@pytest.mark.trials(3, need=2)
def test_train_denoiser_restores(student, reference, digits):
    """train_denoiser restores digits that it has never seen better than a linear map can."""
    hint(
        "New noise at each step; a learning rate that falls; does the network see the pixels only?"
    )
    train, unseen = digits
    denoiser = student.train_denoiser(train)
    restored = torch.as_tensor(denoiser(reference.corrupt(unseen, 0.2, 0.3)))
    assert restored.shape == unseen.shape
    share = reference.explained_variance(unseen.double(), restored.double())
    credit(RESTORED(share), f"It explains {share:.1%} of the variance.", measured=share)
