"""Question 6: dropout."""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")

BY_HAND = "test_dropout_is_written_by_hand"
P = (0.2, 0.7)


def values(*shape):
    """Make values of which none is zero, so that every zero has been dropped."""
    return (1 + torch.rand(shape)) * (2.0 * torch.randint(2, shape) - 1)


def output_and_gradient(layer, x):
    """Run in the box: what comes out, the gradient of its sum, and whether x is as it was."""
    leaf = x.clone().requires_grad_()
    y = layer(leaf)
    y.sum().backward()
    return y, leaf.grad, torch.equal(leaf, x)


@pytest.mark.points(2)
@pytest.mark.parametrize("p", P)
def test_dropout_is_written_by_hand(student, by_hand, p):
    """In training mode a share of p of the elements is zero, without torch's own dropout."""
    x = values(300, 200)
    y = by_hand(student.Dropout(p), x)
    hint("p is the probability to be dropped, not to be kept.")
    # 60,000 draws: the share is within 0.02 of p but for one case in 10**18.
    assert abs((y == 0).double().mean().item() - p) < 0.02
    assert (y * x >= 0).all()  # what survives is x's own


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("p", [*P, 0.0])
def test_dropout_scales_the_survivors(student, p):
    """Survivors are scaled so that the expected value stays; with p = 0 nothing changes."""
    hint("A share of 1 - p survives: by what must it be divided?")
    x = values(60, 50)
    y = student.Dropout(p)(x)
    kept = y != 0
    assert kept.sum() > 300
    assert_close(y[kept], x[kept] / (1 - p), rtol=1e-5, atol=1e-6)


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_dropout_in_evaluation_mode(student):
    """In evaluation mode the output is the input."""
    hint("Inverted dropout has already scaled in training: nothing is left to do.")
    layer = student.Dropout(0.6)
    layer.eval()
    x = values(4, 3, 5, 6)
    assert_close(layer(x), x)


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_dropout_draws_each_element_anew(student):
    """Elements are dropped independently of each other, and anew at each call."""
    hint("One draw for each element and each call: is a mask kept, or shared along a dimension?")
    x, layer = values(40, 5, 6, 7), student.Dropout(0.5)
    first, second = layer(x) == 0, layer(x) == 0
    assert 0.4 < (first != second).double().mean() < 0.6
    for dim in range(x.dim()):
        neighbours = first.narrow(dim, 0, x.shape[dim] - 1) != first.narrow(
            dim, 1, x.shape[dim] - 1
        )
        assert 0.4 < neighbours.double().mean() < 0.6


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_dropout_passes_gradients_to_survivors(student):
    """Gradients pass where values pass, with the same scale, and x stays as it was."""
    hint("Multiply x by a mask, out of place: autograd does the rest.")
    x = values(30, 20)
    y, gradient, unchanged = student.run(output_and_gradient, student.Dropout(0.3), x)
    assert_close(gradient, y / x, rtol=1e-5, atol=1e-6)
    assert (y == 0).any()
    assert unchanged
