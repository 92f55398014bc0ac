"""Question 7: a variational autoencoder that draws digits.

The judge takes a model's weights alone. It computes the bound itself, with its own encoder,
decoder, price and draws, so that no method of the student's takes part: a decoder that remembers
the picture, an encoder without variance, a price below zero, a bound that is printed. The bounds
are explained in the reference's note for instructors.
"""

import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

BOUND = bands((-22.5, 0), (-20, 0.5), (-18.9, 1))
BOUND_OF_TWO = bands((-21.2, 0), (-21, 1))
DRAWS = 16


def encoded_and_decoded(make, sizes, state, x, z):
    """Run in the box: what a VAE with these weights makes of pictures, and of codes."""
    model = make(*sizes).double()
    model.load_state_dict(state)
    with torch.no_grad():
        mu, logvar = model.encode(x)
        return mu, logvar, model.decode(z)


@pytest.mark.points(3)
@pytest.mark.parametrize("n", [1, 5])
def test_encode_and_decode(student, reference, close, n):
    """encode gives means and log variances, decode logits, as the formulas say."""
    hint("Means are the first half of the outputs. No sigmoid: decode returns logits.")
    sizes = random.sample(range(3, 11), 3)
    ours = reference.VAE(*sizes).double()
    with torch.no_grad():
        for param in ours.parameters():
            param.copy_(torch.randn_like(param))
    x = torch.randn(n, sizes[0], dtype=torch.float64)
    z = torch.randn(n, sizes[2], dtype=torch.float64)
    state = ours.state_dict()
    found = student.run(encoded_and_decoded, student.VAE, sizes, state, x, z)
    expected = encoded_and_decoded(reference.VAE, sizes, state, x, z)
    for mine, right in zip(found, expected, strict=True):
        close(mine, right)


def pictures_of_a_line(draw_pictures, n, weight):
    """Run in the box: pictures of a model whose logits are a linear map of the code."""

    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(weight.clone())
            self.latents = len(weight)

        def decode(self, z):
            return z @ self.weight

    drawn = draw_pictures(Line(), n)
    return drawn.detach(), drawn.requires_grad


@pytest.mark.points(2)
def test_draw_pictures(student):
    """draw_pictures decodes codes from the prior, new ones each time, to probabilities."""
    hint("Codes are standard normal, as many numbers as model.latents; then decode and sigmoid.")
    n, k = 20_000, random.randint(2, 4)
    weight = torch.randn(k, k) / 4 + torch.eye(k)
    found, graph = student.run(pictures_of_a_line, student.draw_pictures, n, weight)
    assert tuple(found.shape) == (n, k)
    assert graph is False
    z = found.double().logit() @ torch.linalg.inv(weight.double())
    assert bool((z.mean(dim=0).abs() < 5 / n**0.5).all())
    assert bool(((z.square().mean(dim=0) - 1).abs() < 5 * (2 / n) ** 0.5).all())
    assert bool((((z**4).mean(dim=0) - 3).abs() < 5 * (96 / n) ** 0.5).all())
    assert abs((z[:, 0] * z[:, 1]).mean().item()) < 5 / n**0.5
    again, _ = student.run(pictures_of_a_line, student.draw_pictures, n, weight)
    assert not torch.equal(again, found)


def trained_weights(train_vae, x, *latents):
    """Run in the box: the weights of the model that train_vae trains, by name."""
    model = train_vae(x, *latents)
    return {name: value.detach() for name, value in model.state_dict().items()}


def judged_bound(student, reference, digits, *latents):
    """The ELBO of unseen digits, its likelihood and its price, from a trained model's weights."""
    train, unseen = ((x > 0.5).float() for x in digits)
    weights = student.run(trained_weights, student.train_vae, train, *latents)
    model = reference.VAE(64, 128, *latents)
    assert sorted(weights) == sorted(model.state_dict())
    for name, value in model.state_dict().items():
        assert weights[name].shape == value.shape, f"{name} has another shape"
        assert bool(weights[name].isfinite().all())
    model.load_state_dict(weights)
    model, unseen = model.double(), unseen.double()
    with torch.no_grad():
        mu, logvar = model.encode(unseen)
        likelihood = 0.0
        for _ in range(DRAWS):
            logits = model.decode(reference.reparameterise(mu, logvar))
            likelihood += reference.bernoulli_log_likelihood(unseen, logits).mean().item() / DRAWS
        price = reference.kl_to_standard_normal(mu, logvar).mean().item()
    return likelihood - price, likelihood, price


@pytest.mark.points(7)
@pytest.mark.trials(3, need=2)
def test_train_vae(student, reference, digits):
    """train_vae reaches a good ELBO on digits that it has never seen."""
    hint("Sum over pixels and over numbers of the code, mean over the batch; long enough.")
    bound, likelihood, price = judged_bound(student, reference, digits)
    credit(
        BOUND(bound),
        f"The ELBO is {bound:.2f} nats: {likelihood:.2f} for the pictures, "
        f"of which the price of the codes, {price:.2f}, is taken.",
        measured=round(bound, 3),
    )


@pytest.mark.points(1)
@pytest.mark.trials(3, need=2)
@pytest.mark.needs("test_train_vae")
def test_train_vae_with_two_latents(student, reference, digits):
    """train_vae makes a model with as many latents as it is asked for."""
    hint("VAE(latents=latents). What a plane of codes can tell is less, but not nothing.")
    bound, _, _ = judged_bound(student, reference, digits, 2)
    credit(BOUND_OF_TWO(bound), f"The ELBO is {bound:.2f} nats.", measured=round(bound, 3))
