"""Question 6: class images, inversion, features and probes.

The bounds of inversion are explained in the reference's note for instructors.
"""

import math
import random

import pytest
import torch
import torch.nn.functional as F
from networks import called, called_at, hooks_after_failure, judged_network

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")

inversion_share = bands((0.1, 1), (0.5, 0))
sum_share = bands((0.1, 1), (0.2, 0))
probe_share = bands((0.001, 1), (0.02, 0))


def varied(total_variation, x, upstream):
    """Total variation, x afterwards, and what goes back through the function."""
    found = total_variation(x)
    inputs = x.clone().requires_grad_()
    (grad,) = torch.autograd.grad(total_variation(inputs), inputs, upstream)
    return found, x, grad


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [(2, 4, 7), (1, 6, 3), (3, 1, 5)], ids=str)
def test_total_variation(student, close, shape):
    """total_variation sums the squares of all differences of neighbours, for each picture."""
    hint("Neighbours down and to the right; no mean, no wrapping round; (N,).")
    for n in (1, random.randint(2, 4)):
        x, upstream = torch.randn(n, *shape).double(), torch.randn(n).double()
        expected, way = torch.zeros(n).double(), torch.zeros_like(x)
        for axis in (2, 3):
            for k in range(x.shape[axis] - 1):
                apart = x.select(axis, k + 1) - x.select(axis, k)
                expected += (apart**2).sum(dim=(1, 2))
                way.select(axis, k + 1).add_(2 * apart)
                way.select(axis, k).sub_(2 * apart)
        found, after, grad = student.run(varied, student.total_variation, x, upstream)
        close(found, expected)
        close(after, x)
        close(grad, upstream[:, None, None, None] * way)


@pytest.mark.points(3)
@pytest.mark.parametrize("settings", [(0.3, 0.0), (0.0, 0.2), (0.4, 0.1)], ids=str)
def test_class_image(student, reference, draw, close, settings):
    """class_image climbs the score, less λ times the squared size and μ times TV."""
    hint("Up, in plain steps; both gradients at the same x; each picture for itself; no clipping.")
    for n, steps in ((1, 1), (random.randint(2, 4), random.randint(3, 6))):
        weights, x, target = draw(n, 2, 6, 5)
        case = weights, target, 2 * x - 0.5, steps, random.uniform(0.02, 0.2), *settings
        found, _ = student.run(called, student.class_image, *case)
        close(found, called(reference.class_image, *case)[0], rtol=1e-6)


@pytest.mark.points(1)
@pytest.mark.needs("test_class_image")
def test_class_image_leaves_no_traces(student, reference, draw, close):
    """The model and the start stay as they were; no steps lead nowhere."""
    weights, x, target = draw(3, 2, 6, 5)
    for steps in (0, 2):
        case = weights, target, x, steps, 0.1, 0.1, 0.1
        found, traces = student.run(called, student.class_image, *case)
        close(found, called(reference.class_image, *case)[0])
        hint(f"Left behind: {', '.join(traces)}.")
        assert traces == []


def inverted(invert_features, state, depth, wanted, start, smooth):
    """What invert_features finds, what φ was asked about, start and gradients afterwards."""
    model = judged_network(state)
    calls = []

    def features(x):
        calls.append(x.detach().clone())
        return model[:depth](x)

    found = invert_features(features, wanted, start, smooth)
    traces = [found.requires_grad, start.requires_grad]
    traces += [p.grad is not None or not p.requires_grad for p in model.parameters()]
    return found.detach(), (calls[0] if calls else None, len(calls)), start.detach(), any(traces)


def misfit(state, depth, found, wanted):
    """The relative squared distance of the features, mean over the pictures."""
    with torch.no_grad():
        apart = (judged_network(state)[:depth](found) - wanted).flatten(1)
    return ((apart**2).sum(1) / (wanted.flatten(1) ** 2).sum(1)).mean().item()


def wanted_from(judged, depth, n):
    state, x, _, _ = judged
    with torch.no_grad():
        wanted = judged_network(state)[:depth](x[:n])
    return state, wanted, torch.full_like(x[:n], 0.5)


@pytest.mark.points(2)
@pytest.mark.parametrize("depth", [3, 6])
def test_inversion(student, reference, judged, depth):
    """invert_features finds pictures whose features are nearly those that are wanted."""
    hint("More steps, or larger ones at first? Each picture's error counts by its own size.")
    state, wanted, start = wanted_from(judged, depth, 4)
    found, (_, calls), _, _ = student.run(
        inverted, student.invert_features, state, depth, wanted, start, 0.0
    )
    assert found.shape == start.shape
    assert found.dtype == start.dtype
    assert found.min() >= 0
    assert found.max() <= 1
    assert calls <= 500
    error = misfit(state, depth, found, wanted)
    assert math.isfinite(error)
    # Some networks are harder to invert than others: the reference says how hard this one is.
    ours, *_ = inverted(reference.invert_features, state, depth, wanted, start, 0.0)
    excess = max(0.0, error - misfit(state, depth, ours, wanted))
    credit(inversion_share(excess), f"The features are {error:.2%} apart.", measured=error)


@pytest.mark.points(1)
@pytest.mark.needs("test_inversion")
def test_inversion_begins_at_its_start(student, judged):
    """φ is asked about start first; start, the network and its gradients are left alone."""
    hint("Gradients only for the picture: torch.autograd.grad. And start is not yours.")
    state, wanted, start = wanted_from(judged, 3, 1)  # of one picture, for once
    start = 0.2 + 0.6 * torch.rand_like(start)
    _, (first, _), after, traces = student.run(
        inverted, student.invert_features, state, 3, wanted, start, 0.0
    )
    assert torch.equal(after, start)
    assert not traces
    hint("Begin where `start` says, and nowhere else.")
    assert first is not None
    assert first.shape[1:] == start.shape[1:]
    assert 1 <= len(first) <= len(start)
    assert (first - start[: len(first)]).abs().max() < 0.05


def inverted_linear(invert_features, matrix, wanted, start, smooth):
    """What invert_features finds for features that are sums of pixels, weighted by a matrix."""
    return invert_features(lambda x: x.flatten(1) @ matrix, wanted, start, smooth).detach()


@pytest.mark.points(1)
@pytest.mark.needs("test_inversion")
def test_inversion_weighs_its_terms(student, reference):
    """With μ the sum of both terms is small, for each picture, however bright it is."""
    hint("Each picture's error by its own size, its variation by C · H · W; μ times the latter.")
    shape = (random.randint(1, 2), random.randint(4, 6), random.randint(7, 8))
    size = math.prod(shape)
    bright = torch.tensor([1.0, 0.3, 0.1], dtype=torch.float64)[torch.randperm(3)]
    x = (torch.rand(3, *shape) < 0.5) * bright[:, None, None, None]
    matrix = torch.eye(size, dtype=torch.float64)
    matrix += 0.2 * torch.randn_like(matrix) / size**0.5
    wanted, start = x.flatten(1) @ matrix, torch.full_like(x, 0.5)

    def sums(found):
        apart = ((found.flatten(1) @ matrix - wanted) ** 2).sum(1) / (wanted**2).sum(1)
        variation = sum((found.diff(dim=axis) ** 2).sum(dim=(1, 2, 3)) for axis in (2, 3))
        return apart + smooth * variation / size

    worst = 0.0
    for smooth in (0.1, 10.0):
        args = matrix, wanted, start, smooth
        found = student.run(inverted_linear, student.invert_features, *args)
        assert found.shape == start.shape
        assert found.min() >= 0
        assert found.max() <= 1
        excess = sums(found) - sums(inverted_linear(reference.invert_features, *args))
        assert excess.isfinite().all()
        worst = max(worst, excess.max().item())
    credit(sum_share(worst), f"A sum is {worst:.3f} above the reference's.", measured=worst)


def features_at(layer_features, weights, places, x):
    """Features at some places, joined; their widths; and the traces."""
    widths = []

    def joined(model, layers, x):
        found = layer_features(model, layers, x)
        widths.extend(part.shape[1] for part in found)
        return torch.cat(list(found), dim=1)

    return *called_at(joined, weights, places, x), widths


def features_after_failure(layer_features, weights, x):
    """How many hooks are left when the model fails."""
    return hooks_after_failure(lambda model, x: layer_features(model, list(model), x), weights, x)


@pytest.mark.points(2)
@pytest.mark.parametrize("places", [["0"], ["7", "1", "5"], ["2", "1.0", "4"]], ids=str)
def test_layer_features(student, reference, draw, close, places):
    """layer_features gives what each layer puts out, flattened, in the order asked for."""
    hint("The order of `layers`, not of the model. Evaluation mode: dropout drops nothing.")
    for n in (1, random.randint(3, 5)):
        weights, x, _ = draw(n, 2, 7, 5)
        found, _, widths = student.run(features_at, student.layer_features, weights, places, x)
        expected = features_at(reference.layer_features, weights, places, x)
        close(found, expected[0])
        assert widths == expected[2]


@pytest.mark.points(1)
@pytest.mark.needs("test_layer_features")
def test_layer_features_leaves_no_traces(student, draw):
    """No hook stays, also when the model fails; nothing else has changed."""
    weights, x, _ = draw(3, 2, 7, 5)
    _, traces, _ = student.run(features_at, student.layer_features, weights, ["2", "0"], x)
    hint(f"Left behind: {', '.join(traces)}.")
    assert traces == []
    hint("try … finally: the hooks go whatever happens.")
    many = torch.rand(2, 5, 7, 5, dtype=torch.float64)
    assert student.run(features_after_failure, student.layer_features, weights, many) == 0


def objective(weight, bias, features, y, decay):
    """J of the text."""
    return F.cross_entropy(features @ weight.T + bias, y) + decay / 2 * (weight**2).sum()


def probed(linear_probe, features, y, classes, *decay):
    """What linear_probe finds, what it hangs on, and the features afterwards."""
    weight, bias = linear_probe(features, y, classes, *decay)
    return weight.detach(), bias.detach(), weight.requires_grad or bias.requires_grad, features


@pytest.mark.points(3)
@pytest.mark.parametrize("decay", [0.05, 0.3])
def test_linear_probe(student, reference, decay):
    """linear_probe comes close to the minimum of J; a class that is never seen has a row, too."""
    hint("λ/2 times the sum of the squares of V, the mean of the cross-entropy; b is free.")
    n, d, classes = random.randint(40, 60), random.randint(3, 7), random.randint(3, 5)
    y = torch.randint(classes - 1, (n,))
    centres = 2 * torch.randn(classes, d, dtype=torch.float64)
    features = 2 + centres[y] + torch.randn(n, d, dtype=torch.float64)
    weight, bias, hangs, after = student.run(
        probed, student.linear_probe, features, y, classes, decay
    )
    assert weight.shape == (classes, d)
    assert bias.shape == (classes,)
    assert weight.dtype == bias.dtype == torch.float64
    assert not hangs
    assert torch.equal(after, features)
    best = objective(*reference.linear_probe(features, y, classes, decay), features, y, decay)
    excess = (objective(weight, bias, features, y, decay) - best).item()
    assert excess == excess
    credit(probe_share(excess), f"J is {excess:.4f} above the least.", measured=excess)
