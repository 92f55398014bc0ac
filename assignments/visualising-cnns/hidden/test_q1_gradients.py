"""Question 1: gradients of a score, and SmoothGrad."""

import random

import pytest
import torch
from networks import called
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

SHAPES = ((1, 7, 4), (2, 5, 8), (3, 6, 9))


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_input_gradient(student, reference, draw, close, shape):
    """input_gradient is each picture's own gradient of the logit that is asked about."""
    hint("The logit of target, no loss and no softmax; summed over the batch, not averaged.")
    for n in (1, random.randint(3, 5)):
        case = draw(n, *shape)
        found, _ = student.run(called, student.input_gradient, *case)
        close(found, called(reference.input_gradient, *case)[0])


@pytest.mark.points(2)
def test_input_gradient_leaves_no_traces(student, reference, draw, close):
    """The model and its gradients and modes are as before, x too; the result hangs on no graph."""
    hint("backward() adds to every p.grad. Evaluation mode, and then each module's own mode again.")
    case = draw(3, 2, 6, 5)
    found, traces = student.run(called, student.input_gradient, *case)
    close(found, called(reference.input_gradient, *case)[0])
    hint(f"Left behind: {', '.join(traces)}.")
    assert traces == []


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_saliency(student, reference, draw, close, shape):
    """saliency is the largest size of the gradient over the channels, for each pixel."""
    hint("The size first, then the largest over the channels: shape (N, H, W).")
    for n in (1, random.randint(3, 5)):
        case = draw(n, *shape)
        found, traces = student.run(called, student.saliency, *case)
        close(found, called(reference.saliency, *case)[0])
        assert traces == []


def smoothed(smooth_grad, shares, x, target, sigma, samples):
    """What smooth_grad makes of a sum of weighted squares, and every row that the model was asked.

    Its gradient for class k is 2 · shares[k] · x: it says which noise went in.
    """
    seen = []

    class Squares(torch.nn.Module):
        def forward(self, x):
            seen.append(x.detach().clone())
            return torch.einsum("nchw,kchw->nk", x**2, shares)

    found = smooth_grad(Squares(), x, target, sigma, samples)
    return found.detach(), torch.cat(seen)


def draw_apart(n, rows, columns):
    """Pictures that lie far from each other, each with a range of its own; shares and classes."""
    size = torch.linspace(1, 3, n, dtype=torch.float64)[torch.randperm(n)][:, None, None, None]
    x = size * torch.rand(n, 2, rows, columns, dtype=torch.float64)
    x[:, 1] = 0.2 * x[:, 1] + 0.4 * size[:, 0]  # a picture's range is not that of a channel
    x = x + 20 * torch.arange(n)[:, None, None, None]
    shares = torch.randn(4, 2, rows, columns, dtype=torch.float64)
    return shares, x, torch.randint(4, (n,))


def noise_of(seen, x):
    """The noise of each picture's copies: a list of (copies, C, H, W), rows without left out."""
    nearest = (seen.mean(dim=(1, 2, 3))[:, None] - x.mean(dim=(1, 2, 3))).abs().argmin(dim=1)
    parts = [seen[nearest == n] - x[n] for n in range(len(x))]
    return [part[part.abs().amax(dim=(1, 2, 3)) > 0] for part in parts]


@pytest.mark.points(3)
def test_smooth_grad_noise(student):
    """Each picture and sample has its own Gaussian noise, of a share of the picture's range."""
    hint("Standard deviation: sigma · (max - min) of each picture, not of the batch. No clipping.")
    shares, x, target = draw_apart(3, 30, 41)
    sigma = random.uniform(0.1, 0.3)
    calls = []
    for _ in range(2):
        found, seen = student.run(smoothed, student.smooth_grad, shares, x, target, sigma, 4)
        calls.append(noise_of(seen, x))
        # How the gradients are averaged is asked below; here, that it is they that come back.
        means = torch.stack([part.mean(dim=0) for part in calls[-1]])
        assert_close(found.abs(), (2 * shares[target] * (x + means)).abs(), rtol=0.1, atol=0.5)
    ranges = x.flatten(1).amax(1) - x.flatten(1).amin(1)
    everything = []
    for parts in calls:
        for noise, picture, width in zip(parts, x, ranges, strict=True):
            assert len(noise) == 4
            assert (picture + noise).min() < picture.min()
            assert (picture + noise).max() > picture.max()
            z = noise.flatten(1) / (sigma * width)
            everything.append(z)
            # 2460 numbers in each row.
            assert (z.std(dim=1) - 1).abs().max() < 0.09
            assert z.mean(dim=1).abs().max() < 0.12
            assert (z.abs() > 2).double().mean() > 0.02
            assert ((z**4).mean(dim=1) - 3).abs().max() < 1.5
    hint("Another noise for each picture, each channel, each sample and each call.")
    z = torch.cat(everything).reshape(-1, x[0, 0].numel())
    together = z @ z.T / z.shape[1]
    assert (together - torch.diag(together.diag())).abs().max() < 0.2


@pytest.mark.points(2)
def test_smooth_grad_mean(student, reference, draw, close):
    """smooth_grad is the mean, with signs, of the gradients at the noisy copies."""
    hint("Average the gradients themselves: no sizes, no squares.")
    for n, samples in ((1, 5), (3, random.randint(2, 7))):
        shares, x, target = draw_apart(n, 4, 7)
        found, seen = student.run(smoothed, student.smooth_grad, shares, x, target, 0.2, samples)
        means = torch.stack([part.mean(dim=0) for part in noise_of(seen, x)])
        close(found, 2 * shares[target] * (x + means), rtol=1e-6)
    hint("Without noise it is the gradient; and it leaves no traces, as input_gradient.")
    case = (*draw(3, 2, 6, 5), 0.0, 3)
    found, traces = student.run(called, student.smooth_grad, *case)
    close(found, called(reference.smooth_grad, *case)[0])
    assert traces == []
