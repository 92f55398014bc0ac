"""Question 6: a multilayer perceptron."""

import itertools

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")

BATCH = 6
EARLIER = (
    "linear_forward",
    "linear_backward",
    "relu_forward",
    "relu_backward",
    "log_softmax",
    "softmax_cross_entropy",
)
DEPTHS = pytest.mark.parametrize(
    "sizes", [[5, 7, 3], [4, 8, 5, 3]], ids=["two layers", "three layers"]
)


def draw(sizes):
    """Draw parameters, biases included, and a batch: inputs and right classes."""
    params = {}
    for k, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"w{k}"] = torch.randn(fan_in, fan_out, dtype=torch.float64)
        params[f"b{k}"] = torch.randn(fan_out, dtype=torch.float64)
    x = torch.randn(BATCH, sizes[0], dtype=torch.float64)
    return params, x, torch.randint(sizes[-1], (BATCH,))


def there_and_back(forward, backward, params, x, grad_logits):
    """Run both passes, with autograd switched off: return logits and gradients."""
    with torch.no_grad():
        logits, cache = forward(params, x)
        return logits, backward(grad_logits, cache)


def loss_without_autograd(mlp_loss, *args):
    """Return the loss and the gradients, with autograd switched off."""
    with torch.no_grad():
        loss, grads = mlp_loss(*args)
    return loss, grads


def backward_on_both_sides(student, reference, sizes):
    """Gradients for the same random upstream gradient: the student's and ours."""
    params, x, _ = draw(sizes)
    upstream = torch.randn(BATCH, sizes[-1], dtype=torch.float64)
    theirs = student.run(
        there_and_back, student.mlp_forward, student.mlp_backward, params, x, upstream
    )
    ours = there_and_back(reference.mlp_forward, reference.mlp_backward, params, x, upstream)
    return theirs[1], ours[1]


def assert_same_gradients(theirs, ours, close):
    """The same keys, and for each the same shape and values."""
    assert sorted(theirs) == sorted(ours)
    for name in ours:
        close(theirs[name], ours[name])


@pytest.mark.points(2)
@DEPTHS
def test_forward(student, reference, by_hand, close, sizes):
    """mlp_forward gives the logits, with ReLU between the layers and not after the last."""
    by_hand("mlp_forward", besides=EARLIER)
    hint("Logits may be negative. And is each layer's bias added?")
    params, x, _ = draw(sizes)
    close(student.mlp_forward(params, x)[0], reference.mlp_forward(params, x)[0])


@pytest.mark.points(1)
def test_single_layer(student, reference, by_hand, close):
    """A network of a single linear layer works, forward and backward."""
    by_hand("mlp_backward", besides=EARLIER)
    hint("With one layer there is no ReLU at all.")
    params, x, _ = draw([4, 3])
    close(student.mlp_forward(params, x)[0], x @ params["w1"] + params["b1"])
    theirs, ours = backward_on_both_sides(student, reference, [4, 3])
    assert_same_gradients(theirs, ours, close)


@pytest.mark.points(3)
@DEPTHS
def test_backward(student, reference, by_hand, close, sizes):
    """mlp_backward gives the gradient of every parameter, under its key."""
    by_hand("mlp_backward", besides=EARLIER)
    hint("Go through the layers in reverse. Each gets the gradient that the one above hands down.")
    theirs, ours = backward_on_both_sides(student, reference, sizes)
    assert_same_gradients(theirs, ours, close)


@pytest.mark.points(1)
def test_loss(student, reference, by_hand, close):
    """mlp_loss gives the cross-entropy, plus the weight decay where it is asked for."""
    by_hand("mlp_loss", besides=EARLIER)
    hint("The decay is λ/2 times a sum of squares, over the weights of all layers.")
    params, x, y = draw([5, 6, 4])
    close(student.mlp_loss(params, x, y)[0], reference.mlp_loss(params, x, y)[0])
    theirs, ours = student.mlp_loss(params, x, y, 0.3)[0], reference.mlp_loss(params, x, y, 0.3)[0]
    close(theirs, ours)


@pytest.mark.points(2)
def test_gradients_of_the_loss(student, reference, by_hand, close):
    """mlp_loss gives the gradients of its own loss: decay for the weights, none for the biases."""
    by_hand("mlp_loss", besides=EARLIER)
    hint("Derive the decay by a weight: what is left of the one half? Do biases decay?")
    args = (*draw([5, 6, 4]), 0.3)
    _, theirs = student.run(loss_without_autograd, student.mlp_loss, *args)
    assert_same_gradients(theirs, reference.mlp_loss(*args)[1], close)
