"""Question 2: a linear autoencoder."""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def without_autograd(function, *args):
    """Run in the box: what a function returns with autograd switched off, and its arguments."""
    with torch.inference_mode():
        found = function(*args)
    return [value.clone() for value in found], args


def draw(n=None):
    """Draw centred examples, an encoder and a decoder of three different sizes."""
    d, k = random.sample(range(2, 8), 2)
    x = torch.randn(n or random.randint(8, 12), d, dtype=torch.float64)
    encoder, decoder = (torch.randn(s, dtype=torch.float64) for s in ((d, k), (k, d)))
    return (x - x.mean(dim=0) if n is None else x), encoder, decoder


@pytest.mark.points(4)
@pytest.mark.parametrize("n", [None, 1, 3])
def test_loss_and_gradients(student, close, n):
    """linear_autoencoder gives the loss and both gradients, with autograd switched off."""
    hint("The mean over examples of a sum over numbers. By the chain rule, from the right end.")
    x, encoder, decoder = draw(n)
    found, after = student.run(without_autograd, student.linear_autoencoder, x, encoder, decoder)
    encoder.requires_grad_()
    decoder.requires_grad_()
    loss = ((x @ encoder @ decoder - x) ** 2).sum(dim=1).mean()
    expected = loss, *torch.autograd.grad(loss, [encoder, decoder])
    assert len(found) == 3
    for mine, right in zip(found, expected, strict=True):
        close(mine, right)
    for left, given in zip(after, (x, encoder, decoder), strict=True):
        close(left, given, rtol=0, atol=0)


@pytest.mark.points(3)
@pytest.mark.parametrize("steps", [1, 7])
def test_training(student, reference, call, close, steps):
    """train_linear_autoencoder takes plain steps, both from one point, and notes the losses."""
    hint("Compute both gradients before you move either matrix; the loss is that before the step.")
    x, encoder, decoder = draw()
    lr = random.uniform(0.002, 0.01)
    found = call(student.train_linear_autoencoder, x, encoder, decoder, lr, steps)
    expected = reference.train_linear_autoencoder(x, encoder, decoder, lr, steps)
    for mine, right in zip(found[:2], expected[:2], strict=True):
        close(mine, right)
    assert len(found[2]) == steps
    assert [float(loss) for loss in found[2]] == pytest.approx(expected[2], rel=1e-9)


def pair_of_subspaces(k, d, angles):
    """Draw orthonormal rows of two subspaces with these angles between them, mixed at random."""
    axes = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64)).Q
    first = axes[:k]
    c, s = (torch.tensor([f(angle) for angle in angles]).double() for f in (math.cos, math.sin))
    second = c[:, None] * first + s[:, None] * axes[k : 2 * k]
    return tuple(
        (torch.randn(k, k, dtype=torch.float64) + 3 * torch.eye(k, dtype=torch.float64)) @ rows
        for rows in (first, second)
    )


@pytest.mark.points(2)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_subspace_distance(student, call, k):
    """subspace_distance is the sine of the largest angle, whatever rows span the subspaces."""
    hint("Make the rows orthonormal first. The largest of the angles counts, not their mean.")
    for largest in (random.uniform(0.2, 1.3), math.pi / 2):
        angles = [largest * random.uniform(0.1, 0.8) for _ in range(k - 1)] + [largest]
        a, b = pair_of_subspaces(k, 2 * k + random.randint(0, 2), angles)
        found = call(student.subspace_distance, a, 5 * b)
        assert isinstance(found, float)
        assert found == pytest.approx(math.sin(largest), rel=1e-7)
    mixed = torch.randn(k, k, dtype=torch.float64) + 3 * torch.eye(k, dtype=torch.float64)
    assert student.subspace_distance(a, mixed @ a) == pytest.approx(0, abs=1e-6)


@pytest.mark.points(1)
@pytest.mark.needs("test_subspace_distance")
def test_small_angles_keep_their_digits(student):
    """An angle of 10⁻⁹ is not 0, and comes out right to some digits."""
    hint("The cosine of a small angle is 1 to all digits. Look at what lies outside.")
    for small in (1e-5, 1e-9):
        a, b = pair_of_subspaces(2, 5, [small / 3, small])
        assert student.subspace_distance(a, b) / small == pytest.approx(1, rel=1e-3)
