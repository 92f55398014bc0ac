"""Question 4: sparse autoencoders."""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def value_and_gradient(function, h, *args):
    """Run in the box: the value, and the gradient of its weighted sum with respect to h."""
    h = h.clone().requires_grad_()
    value = function(h, *args)
    weights = torch.arange(1, value.numel() + 1, dtype=h.dtype).reshape(value.shape)
    (grad,) = torch.autograd.grad((weights * value).sum(), h)
    return value.detach(), grad


def by_the_formula(h, rho):
    mean = h.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    return (
        rho * (math.log(rho) - mean.log()) + (1 - rho) * (math.log(1 - rho) - (1 - mean).log())
    ).sum()


@pytest.mark.points(2)
def test_kl_sparsity(call, student, close):
    """kl_sparsity is the sum over units of a divergence of the means over the batch."""
    hint("The mean over examples comes first, then the logarithm; then the sum over units.")
    for n in (1, random.randint(3, 7)):
        h, rho = torch.rand(n, 4, dtype=torch.float64), random.uniform(0.05, 0.4)
        close(call(student.kl_sparsity, h, rho), by_the_formula(h, rho))
    hint("Clamp the means: a unit may be off, or on, for every example.")
    h[:, 1], h[:, 2] = 0, 1
    close(call(student.kl_sparsity, h, rho), by_the_formula(h, rho))


@pytest.mark.points(1)
def test_gradient_of_kl_sparsity(student, close):
    """The penalty's gradient reaches every activation, those that are 0 or 1 included."""
    hint("Don't detach the means. It is they that are clamped, not the activations.")
    h, rho = torch.rand(5, 3, dtype=torch.float64), random.uniform(0.05, 0.4)
    h[0, 1], h[3, 2] = 0, 1
    _, grad = student.run(value_and_gradient, student.kl_sparsity, h, rho)
    close(grad, value_and_gradient(by_the_formula, h, rho)[1])


@pytest.mark.points(2)
def test_top_k(call, student, close):
    """top_k keeps the k largest numbers of each row, and gradients flow to these alone."""
    hint("Of each row, and largest, not largest in size; a mask does it, too.")
    for n, width, k in ((1, 4, 2), (6, 7, 3), (3, 5, 1), (4, 3, 3)):
        h = torch.randn(n, width, dtype=torch.float64)
        least = h.sort(dim=1, descending=True).values[:, k - 1 : k]
        expected = torch.where(h >= least, h, 0.0)
        close(call(student.top_k, h, k), expected)
        weights = torch.arange(1, h.numel() + 1, dtype=torch.float64).reshape(h.shape)
        _, grad = student.run(value_and_gradient, student.top_k, h, k)
        close(grad, torch.where(h >= least, weights, 0.0))


def forward(make, sizes, values, x):
    """Run in the box: what a sparse autoencoder with these parameters makes of x.

    Returns the reconstruction, the code, the parameters' gradients of the squared error, and x as
    it is afterwards.
    """
    model = make(*sizes).double()
    for name, value in values.items():
        getattr(model, name).data = value.clone()
    before = x.clone()
    x_hat, h = model(x)
    grads = torch.autograd.grad(
        ((x_hat - before) ** 2).sum(), [getattr(model, name) for name in values]
    )
    return x_hat.detach(), h.detach(), grads, x


@pytest.mark.points(2)
def test_topk_autoencoder(student, reference, close):
    """TopKAutoencoder codes and decodes as its formulas say, with gradients to all parameters."""
    hint("The centre is subtracted before and added after; ReLU, then the k largest.")
    for n in (1, 6):
        d, atoms = random.sample(range(3, 9), 2)
        k = random.randint(1, atoms - 1)
        shapes = {
            "encoder": (d, atoms),
            "bias": (atoms,),
            "decoder": (atoms, d),
            "centre": (d,),
        }
        values = {name: torch.randn(s, dtype=torch.float64) for name, s in shapes.items()}
        x = torch.randn(n, d, dtype=torch.float64)
        found = student.run(forward, student.TopKAutoencoder, (d, atoms, k), values, x)
        h = ((x - values["centre"]) @ values["encoder"] + values["bias"]).clamp(min=0)
        kept = h >= h.sort(dim=1, descending=True).values[:, k - 1 : k]
        h = torch.where(kept, h, 0.0)
        close(found[1], h)
        close(found[0], h @ values["decoder"] + values["centre"])
        expected = forward(reference.TopKAutoencoder, (d, atoms, k), values, x.clone())
        assert len(found[2]) == 4
        for grad, right in zip(found[2], expected[2], strict=True):
            close(grad, right)
        close(found[3], x, rtol=0, atol=0)
