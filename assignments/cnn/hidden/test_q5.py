"""Question 5: batch normalisation."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")

BY_HAND = "test_batch_norm_is_written_by_hand"
BACKWARD = "test_batch_norm_backward_is_written_by_hand"
STATE = ("weight", "bias", "running_mean", "running_var")


def agree(ours, theirs):
    assert_close(theirs, ours, rtol=1e-4, atol=1e-4, check_dtype=False)


def random_state(channels):
    return {
        "weight": torch.randn(channels),
        "bias": torch.randn(channels),
        "running_mean": torch.randn(channels),
        "running_var": 0.5 + torch.rand(channels),
    }


def images(shape=(3, 4, 5, 7)):
    """Make images with a mean and a scale of its own for each channel."""
    scale, mean = 0.5 + 2 * torch.rand(shape[1]), 3 * torch.randn(shape[1])
    return torch.randn(shape) * scale[:, None, None] + mean[:, None, None]


def apply_layer(layer_class, state, batches, training, eps=1e-5, momentum=0.1):
    """Run on both sides: load a state, apply the layer to each batch, return outputs and state."""
    layer = layer_class(len(state["weight"]), eps=eps, momentum=momentum)
    layer.train(training)
    with torch.no_grad():
        for name, value in state.items():
            getattr(layer, name).copy_(value)
    outputs = [layer(batch).detach() for batch in batches]
    return outputs, {name: getattr(layer, name).detach().clone() for name in state}


def input_gradients(layer_class, state, batches, upstream):
    """Run on both sides: backpropagate each batch in turn through one layer in training mode."""
    layer = layer_class(len(state["weight"]))
    with torch.no_grad():
        layer.weight.copy_(state["weight"])
    found = []
    for batch, dout in zip(batches, upstream, strict=True):
        x = batch.clone().requires_grad_()
        layer(x).backward(dout)
        found.append(x.grad)
    tracked = layer.running_mean.requires_grad or layer.running_var.requires_grad
    return [*found, layer.weight.grad, layer.bias.grad], tracked


def state_names(layer_class):
    """Run in the box."""
    layer = layer_class(3)
    return [name for name, _ in layer.named_parameters()], [n for n, _ in layer.named_buffers()]


@pytest.mark.points(1)
def test_batch_norm_is_written_by_hand(student, by_hand):
    """A new layer in training mode gives each channel mean 0 and variance 1, by your own work."""
    x = images()
    y = by_hand(student.BatchNorm2d(4), x)
    hint("Over which dims do you reduce? One mean and one variance for each channel.")
    assert_close(y.mean(dim=(0, 2, 3)), torch.zeros(4), rtol=0, atol=0.03, check_dtype=False)
    assert_close(y.std(dim=(0, 2, 3)), torch.ones(4), rtol=0, atol=0.03, check_dtype=False)
    # Of these images, not of any: large pixels stay large.
    highest = x.transpose(0, 1).flatten(1).argmax(dim=1)
    assert torch.equal(y.transpose(0, 1).flatten(1).argmax(dim=1), highest)


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_batch_norm_is_exact(student):
    """The layer divides by the root of the biased variance, also in a small batch."""
    hint("Which variance does the formula want: divided by m, or by m - 1?")
    for shape in ((3, 4, 5, 7), (1, 4, 3, 5)):
        x = images(shape)
        agree(nn.BatchNorm2d(4)(x).detach(), student.BatchNorm2d(4)(x))


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_batch_norm_holds_parameters_and_buffers(student):
    """weight and bias are parameters, running_mean and running_var are buffers."""
    hint("nn.Parameter for what is trained, self.register_buffer for what is only kept.")
    parameters, buffers = student.run(state_names, student.BatchNorm2d)
    assert set(parameters) == {"weight", "bias"}
    assert {"running_mean", "running_var"} <= set(buffers)
    layer = student.BatchNorm2d(3)
    for name, ours in nn.BatchNorm2d(3).state_dict().items():
        if name in STATE:
            agree(ours, getattr(layer, name))


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_batch_norm_scales_and_shifts(student):
    """The normalised values are multiplied by weight and moved by bias."""
    hint("Gamma multiplies and beta is added, each in its own channel.")
    case = (random_state(5), [images((3, 5, 4, 6))], True)
    ours, _ = apply_layer(nn.BatchNorm2d, *case)
    theirs, _ = student.run(apply_layer, student.BatchNorm2d, *case)
    agree(ours[0], theirs[0])


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_batch_norm_uses_eps(student, training):
    """eps is taken from the constructor and stands where the formula has it."""
    hint("Is eps added to the variance, or to its root? It counts in both modes.")
    case = (random_state(4), [0.3 * images()], training, 0.2)
    ours, _ = apply_layer(nn.BatchNorm2d, *case)
    theirs, _ = student.run(apply_layer, student.BatchNorm2d, *case)
    agree(ours[0], theirs[0])


@pytest.mark.points(2)
@pytest.mark.needs(BY_HAND)
@pytest.mark.parametrize("name", ["running_mean", "running_var"])
def test_batch_norm_keeps_running_estimates(student, name):
    """The running estimates follow three batches of training as the formulas say."""
    hint("Which of old and new is weighted by momentum? Which of the variances is unbiased?")
    batches = [images((2, 4, 2, 3)) for _ in range(3)]
    case = (random_state(4), batches, True, 1e-5, 0.3)
    _, ours = apply_layer(nn.BatchNorm2d, *case)
    _, theirs = student.run(apply_layer, student.BatchNorm2d, *case)
    agree(ours[name], theirs[name])


@pytest.mark.points(2)
@pytest.mark.needs(BY_HAND)
def test_batch_norm_in_evaluation_mode(student):
    """In evaluation mode the running estimates normalise, for a batch of one too, and stay put."""
    hint("self.training tells the mode. What may depend on the batch at test time? Nothing.")
    state = random_state(4)
    case = (state, [images(), images((1, 4, 3, 2))], False)
    ours, _ = apply_layer(nn.BatchNorm2d, *case)
    theirs, kept = student.run(apply_layer, student.BatchNorm2d, *case)
    for our, their in zip(ours, theirs, strict=True):
        agree(our, their)
    for name in ("running_mean", "running_var"):
        agree(state[name], kept[name])


@pytest.mark.points(1)
@pytest.mark.needs(BY_HAND)
def test_batch_norm_lets_autograd_through(student):
    """Gradients flow through mean and variance, batch after batch, but not into the estimates."""
    hint("Detach what goes into the running estimates, and only that.")
    batches = [images(), images()]
    case = (random_state(4), batches, [torch.randn_like(batch) for batch in batches])
    ours, _ = input_gradients(nn.BatchNorm2d, *case)
    theirs, tracked = student.run(input_gradients, student.BatchNorm2d, *case)
    for our, their in zip(ours, theirs, strict=True):
        agree(our, their)
    assert not tracked


def make_backward_case(eps):
    """Make float64 inputs with a random upstream gradient, and what autograd finds."""
    layer = nn.BatchNorm2d(4, eps=eps).double()
    nn.init.normal_(layer.weight)
    x = images().double().requires_grad_()
    y = layer(x)
    dout = torch.randn_like(y)
    expected = torch.autograd.grad(y, (x, layer.weight, layer.bias), dout)
    return (dout, x.detach(), layer.weight.detach(), eps), expected


@pytest.mark.points(1)
def test_batch_norm_backward_is_written_by_hand(student, by_hand):
    """batch_norm_backward returns the gradients of weight and bias, without autograd."""
    hint("dweight needs x-hat, not x; both sum over batch, height and width.")
    inputs, (_, *expected) = make_backward_case(1e-5)
    dx, *found = by_hand(student.batch_norm_backward, *inputs)
    assert dx.shape == inputs[1].shape
    for ours, theirs in zip(expected, found, strict=True):
        assert_close(theirs, ours, rtol=1e-8, atol=1e-8)


@pytest.mark.points(1)
@pytest.mark.needs(BACKWARD)
@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_batch_norm_backward_of_the_input(student, leaves_inputs_alone, eps):
    """dx takes into account that mean and variance depend on every pixel."""
    hint("Does each channel of dx sum to zero? If not, the way through the mean is missing.")
    inputs, (expected, *_) = make_backward_case(eps)
    dx, *_ = student.batch_norm_backward(*inputs)
    assert_close(dx, expected, rtol=1e-8, atol=1e-8)
    assert leaves_inputs_alone(student.batch_norm_backward, *inputs)
