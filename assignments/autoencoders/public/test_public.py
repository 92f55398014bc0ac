"""The checks that you can run yourself: `grader check autoencoders.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_fit_pca(student):
    """Four points on a line: one component, along the line, with their mean square."""
    hint("Divide by N. The sign of a component is free.")
    x = torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0], [6.0, 1.0]])
    mean, components, variances = student.fit_pca(x, 1)
    assert_close(mean, torch.tensor([3.0, 1.0]))
    assert_close(components.abs(), torch.tensor([[1.0, 0.0]]))
    assert_close(variances, torch.tensor([5.0]))


@pytest.mark.question("q1")
def test_pca_codes(student):
    """Along the second axis, from a mean of (1, 1), the point (5, 3) is at 2."""
    mean, components = torch.ones(2), torch.tensor([[0.0, 1.0]])
    codes = student.pca_encode(torch.tensor([[5.0, 3.0]]), mean, components)
    assert_close(codes, torch.tensor([[2.0]]))
    assert_close(student.pca_decode(codes, mean, components), torch.tensor([[1.0, 3.0]]))


@pytest.mark.question("q1")
def test_explained_variance(student):
    """Of a variance of 8 in all, an error of 2 leaves three quarters."""
    x = torch.tensor([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0], [2.0, 0.0]])
    x_hat = x + torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert student.explained_variance(x, x_hat) == pytest.approx(0.75)


@pytest.mark.question("q2")
def test_linear_autoencoder(student):
    """x = 1, E = 2, W = 3: the loss is (6 - 1)² = 25."""
    hint("The gradients are 2 · 5 · 3 and 2 · 5 · 2.")
    one = torch.ones(1, 1)
    loss, grad_encoder, grad_decoder = student.linear_autoencoder(one, 2 * one, 3 * one)
    assert_close(loss, torch.tensor(25.0))
    assert_close(grad_encoder, 30 * one)
    assert_close(grad_decoder, 20 * one)


@pytest.mark.question("q2")
def test_train_linear_autoencoder(student):
    """From there, a step of 0.1 leads to E = -1 and W = 1."""
    one = torch.ones(1, 1)
    encoder, decoder, losses = student.train_linear_autoencoder(one, 2 * one, 3 * one, 0.1, 1)
    assert_close(encoder, -one)
    assert_close(decoder, one)
    assert losses == pytest.approx([25.0])


@pytest.mark.question("q2")
def test_subspace_distance(student):
    """Two lines with an angle of 30 degrees between them."""
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[3.0**0.5, 1.0]])
    assert student.subspace_distance(a, b) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.question("q3")
def test_soft_threshold(student):
    """A number is pulled by 1 towards zero, and no further."""
    v = torch.tensor([-2.5, -0.5, 0.5, 3.0])
    assert_close(student.soft_threshold(v, 1.0), torch.tensor([-1.5, 0.0, 0.0, 2.0]))


@pytest.mark.question("q3")
def test_sparse_objective(student):
    """Half of 4, and a half of 3."""
    one = torch.ones(1, 1)
    found = student.sparse_objective(5 * one, 3 * one, one, 0.5)
    assert_close(found, torch.tensor(3.5))


@pytest.mark.question("q3")
def test_ista(student):
    """With a single atom of length 2, one step is enough: (2 · 3 - 1) / 4."""
    found = student.ista(torch.tensor([[3.0]]), torch.tensor([[2.0]]), 1.0, 1)
    assert_close(found, torch.tensor([[1.25]]))


@pytest.mark.question("q3")
def test_update_dictionary(student):
    """The best atom for one example is the example itself, if it is no longer than 1."""
    codes, dictionary = torch.ones(1, 1), torch.tensor([[1.0, 0.0]])
    found = student.update_dictionary(torch.tensor([[0.3, 0.4]]), codes, dictionary)
    assert_close(found, torch.tensor([[0.3, 0.4]]))
    found = student.update_dictionary(torch.tensor([[3.0, 4.0]]), codes, dictionary)
    assert_close(found, torch.tensor([[0.6, 0.8]]))


@pytest.mark.question("q4")
def test_kl_sparsity(student):
    """A mean that is ρ costs nothing; another one does."""
    h = torch.tensor([[0.0], [0.4]])
    assert_close(student.kl_sparsity(h, 0.2), torch.tensor(0.0), rtol=0, atol=1e-6)
    expected = 0.5 * math.log(0.5 / 0.2) + 0.5 * math.log(0.5 / 0.8)
    assert_close(student.kl_sparsity(h, 0.5), torch.tensor(expected))


@pytest.mark.question("q4")
def test_top_k(student):
    """The two largest of four stay."""
    found = student.top_k(torch.tensor([[1.0, 4.0, -5.0, 2.0]]), 2)
    assert_close(found, torch.tensor([[0.0, 4.0, 0.0, 2.0]]))


@pytest.mark.question("q4")
def test_topk_autoencoder(student):
    """A new one has the shapes that it was asked for, and uses two atoms at most."""
    x_hat, h = student.TopKAutoencoder(6, 9, 2)(torch.randn(4, 6))
    assert tuple(x_hat.shape) == (4, 6)
    assert tuple(h.shape) == (4, 9)
    used = (h > 0).sum(dim=1)
    assert used.max() <= 2


@pytest.mark.question("q5")
def test_corrupt(student):
    """About half of the numbers die, and the others get some noise."""
    found = student.corrupt(torch.full((1000,), 9.0), 0.1, 0.5)
    alive = found[found != 0]
    assert 400 < len(alive) < 600
    assert 0.05 < alive.std() < 0.2


@pytest.mark.question("q5")
def test_ridge_denoiser(student):
    """One number, of variance 1, with λ = 1: half of the slope is left."""
    noisy, clean = torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [6.0]])
    weight, bias = student.ridge_denoiser(noisy, clean, 1.0)
    assert_close(weight, torch.tensor([[1.0]]))
    assert_close(bias, torch.tensor([2.0]))


@pytest.mark.question("q6")
def test_reparameterise(student):
    """Two standard deviations of 3 above 1."""
    z = student.reparameterise(
        torch.ones(1, 1), torch.full((1, 1), math.log(9.0)), torch.full((1, 1), 2.0)
    )
    assert_close(z, torch.full((1, 1), 7.0))


@pytest.mark.question("q6")
def test_kl(student):
    """The standard normal distribution is free; a mean of (1, 1) costs 1 nat."""
    mu = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    found = student.kl_to_standard_normal(mu, torch.zeros(2, 2))
    assert_close(found, torch.tensor([0.0, 1.0]))


@pytest.mark.question("q6")
def test_elbo(student):
    """A coin for each of two pixels, and a price of 1 nat."""
    x, logits = torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2)
    assert_close(student.bernoulli_log_likelihood(x, logits), torch.tensor([-2 * math.log(2)]))
    found = student.elbo(x, logits, torch.ones(1, 2), torch.zeros(1, 2))
    assert_close(found, torch.tensor([-2 * math.log(2) - 1]))


@pytest.mark.question("q6")
def test_importance_bound(student):
    """The mean of 1 and 3 is 2; and the density of a normal at its mean."""
    log_weights = torch.tensor([[0.0], [math.log(3.0)]])
    assert_close(student.importance_bound(log_weights), torch.tensor([math.log(2.0)]))
    zero = torch.zeros(1, 1)
    found = student.normal_log_density(zero, zero, zero)
    assert_close(found, torch.tensor([-0.5 * math.log(2 * math.pi)]))


@pytest.mark.question("q7")
def test_shapes(student):
    """Codes of 3 numbers for 4 pictures of 10 pixels, and back."""
    model = student.VAE(pixels=10, hidden=6, latents=3)
    mu, logvar = model.encode(torch.rand(4, 10))
    assert tuple(mu.shape) == tuple(logvar.shape) == (4, 3)
    assert tuple(model.decode(mu).shape) == (4, 10)
    drawn = student.draw_pictures(model, 5)
    assert tuple(drawn.shape) == (5, 10)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
