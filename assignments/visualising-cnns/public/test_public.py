"""The checks that you can run yourself: `grader check visualising-cnns.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


def linear(weight):
    """A model whose logits are sums over the picture, weighted by (K, C, H, W)."""
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(weight[0].numel(), len(weight), bias=False)
    )
    with torch.no_grad():
        model[1].weight.copy_(weight.flatten(1))
    return model


def asked(function, weight, *args):
    """What a function makes of a linear model."""
    return function(linear(weight), *args).detach()


W = torch.tensor([[[[1.0, -2.0, 0.0]], [[3.0, 1.0, 0.0]]], [[[0.0, 4.0, 1.0]], [[0.0, -5.0, 1.0]]]])
X, Y = torch.tensor([[[[1.0, 2.0, 3.0]], [[1.0, 1.0, 1.0]]]]), torch.tensor([1])


@pytest.mark.question("q1")
def test_input_gradient(student):
    """The gradient of a linear score is its weights."""
    assert_close(student.run(asked, student.input_gradient, W, X, Y), W[1:])


@pytest.mark.question("q1")
def test_saliency(student):
    """The larger size of two channels."""
    assert_close(student.run(asked, student.saliency, W, X, Y), torch.tensor([[[0.0, 5.0, 1.0]]]))


@pytest.mark.question("q1")
def test_smooth_grad(student):
    """The gradient of a linear score is the same everywhere: noise changes nothing."""
    assert_close(student.run(asked, student.smooth_grad, W, X, Y, 0.3, 4), W[1:])


@pytest.mark.question("q2")
@pytest.mark.parametrize(
    ("rule", "expected"),
    [("gradient", [0, 2, -3]), ("deconvnet", [1, 2, 0]), ("guided", [0, 2, 0])],
)
def test_relu_backward(student, rule, expected):
    """What three rules let through."""
    x, grad = torch.tensor([-1.0, 1.0, 1.0]), torch.tensor([1.0, 2.0, -3.0])
    assert student.relu_backward(x, grad, rule).tolist() == expected


def behind_relu(modified_gradient, weight, x, y, rule):
    """modified_gradient of a ReLU and a linear model."""
    model = torch.nn.Sequential(torch.nn.ReLU(), linear(weight))
    return modified_gradient(model, x, y, rule).detach()


@pytest.mark.question("q2")
def test_modified_gradient(student):
    """Where the picture is positive, the positive weights come back."""
    found = student.run(behind_relu, student.modified_gradient, W, X, Y, "guided")
    assert_close(found, W[1:].clamp(min=0))


@pytest.mark.question("q3")
def test_occlusion(student):
    """A window of one pixel: the drop is weight times number, over both channels."""
    hint("The pixels' drops are 0 + 0, 4 · 2 - 5 · 1 and 1 · 3 + 1 · 1.")
    found = student.run(asked, student.occlusion, W, X, Y, (1, 1))
    assert_close(found, torch.tensor([[[0.0, 3.0, 4.0]]]))


def cam(grad_cam, weight, x, y):
    """Grad-CAM of a layer that does nothing, before a linear model."""
    model = torch.nn.Sequential(torch.nn.Identity(), linear(weight))
    return grad_cam(model, model[0], x, y).detach()


@pytest.mark.question("q3")
def test_grad_cam(student):
    """The mean weights are 5/3 and -4/3."""
    found = student.run(cam, student.grad_cam, W, X, Y)
    assert_close(found, torch.tensor([[[1.0, 6.0, 11.0]]]) / 3)


@pytest.mark.question("q4")
def test_integrated_gradients(student):
    """Of a linear score: weights times the way from the baseline. They are complete."""
    base = torch.ones_like(X)
    found = student.run(asked, student.integrated_gradients, W, X, base, Y, 3)
    assert_close(found, W[1:] * (X - 1))
    gap = student.run(asked, student.completeness_gap, W, X, base, Y, found)
    assert_close(gap, torch.zeros(1))


@pytest.mark.question("q5")
def test_share_inside(student):
    """One of four lies inside."""
    maps, region = torch.tensor([[[1.0, -3.0]]]), torch.tensor([[[True, False]]])
    assert_close(student.share_inside(maps, region), torch.tensor([0.25]))


@pytest.mark.question("q5")
def test_rank_correlation(student):
    """Orders alone count."""
    a = torch.tensor([[[1.0, 2.0, 30.0]], [[1.0, 2.0, 30.0]]])
    b = torch.tensor([[[1.0, 5.0, 6.0]], [[9.0, 8.0, -3.0]]])
    assert_close(student.rank_correlation(a, b), torch.tensor([1.0, -1.0]))


def changed(randomised, weight, count):
    """Whether a copy of a linear model has other weights, and whether the model has."""
    model = linear(weight)
    other = randomised(model, count)
    return [not torch.equal(one[1].weight, weight.flatten(1)) for one in (other, model)]


@pytest.mark.question("q5")
def test_randomised(student):
    """The copy's layer is drawn anew, the model's stays."""
    assert student.run(changed, student.randomised, W, 0) == [False, False]
    assert student.run(changed, student.randomised, W, 1) == [True, False]


@pytest.mark.question("q6")
def test_total_variation(student):
    """Differences of 1 and 1 in one channel, none in the other."""
    assert_close(student.total_variation(X), torch.tensor([2.0]))


@pytest.mark.question("q6")
def test_class_image(student):
    """One step of 0.1 along the weights, and back by 0.1 · 2 · 0.5 · x."""
    found = student.run(asked, student.class_image, W, Y, X, 1, 0.1, 0.5, 0.0)
    assert_close(found, X + 0.1 * (W[1:] - X))


def inverted(invert_features, wanted, start):
    return invert_features(lambda x: 2 * x, wanted, start).detach()


@pytest.mark.question("q6")
def test_invert_features(student):
    """Features that are twice the picture are easily inverted."""
    x = torch.rand(2, 1, 3, 4)
    found = student.run(inverted, student.invert_features, 2 * x, torch.full_like(x, 0.5))
    assert_close(found, x, atol=0.05, rtol=0)


def features_of(layer_features, weight, x):
    model = linear(weight)
    return [part.detach() for part in layer_features(model, [model[1], model[0]], x)]


@pytest.mark.question("q6")
def test_layer_features(student):
    """In the order in which the layers are named: logits, then the picture as a row."""
    found = student.run(features_of, student.layer_features, W, X)
    assert_close(found[0], X.flatten(1) @ W.flatten(1).T)
    assert_close(found[1], X.flatten(1))


@pytest.mark.question("q6")
def test_linear_probe(student):
    """Two groups that lie apart are told apart."""
    features = torch.tensor([[0.0, 1.0], [0.0, 1.5], [4.0, 1.0], [4.0, 1.2]])
    weight, bias = student.linear_probe(features, torch.tensor([0, 0, 1, 1]), 2)
    assert (features @ weight.T + bias).argmax(dim=1).tolist() == [0, 0, 1, 1]
