"""Question 2: backpropagation through time."""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")

AUTOGRAD = {"backward", "grad"}
NAMES = ("xs", "h0", "w_ih", "w_hh", "b")
HINTS = {
    "x": "The input reaches the loss through w_ih; do not forget the slope of tanh.",
    "h": "The state before the step reaches the loss through w_hh; mind which way round.",
    "xs": "Each input belongs to one step: its gradient needs the whole gradient of that step.",
    "h0": "The first state is used by the first step alone; go on until you are there.",
    "w_ih": "The gradient sums over the batch (and over all steps); it has the weight's shape.",
    "w_hh": "Step t multiplied w_hh by the state *before* it: for the first step that is h0.",
    "b": "The bias is added in every row of the batch (and at every step).",
}


def problem(steps=6, batch=3, inputs=5, hidden=4):
    """A random sequence, first state and weights in float64, by name."""
    shapes = (
        (steps, batch, inputs),
        (batch, hidden),
        (hidden, inputs),
        (hidden, hidden),
        (hidden,),
    )
    return {
        name: torch.randn(shape, dtype=torch.float64) * 0.7
        for name, shape in zip(NAMES, shapes, strict=True)
    }


def autograd(function, args, upstream):
    """Gradients of <upstream, function(*args)> with respect to all arguments, by torch."""
    leaves = [arg.clone().requires_grad_() for arg in args]
    return torch.autograd.grad(function(*leaves), leaves, upstream)


def sequence_gradients(reference, values, upstream):
    """The arguments for rnn_backward, and the gradients expected of it."""
    hs = reference.rnn_forward(*values.values())
    args = (upstream, values["xs"], values["h0"], hs, values["w_ih"], values["w_hh"])
    return args, autograd(reference.rnn_forward, values.values(), upstream)


def arguments_after(function, args):
    function(*args)
    return args


@pytest.mark.points(5)
@pytest.mark.parametrize("name", ["x", "h", "w_ih", "w_hh", "b"])
def test_gradient_of_one_step(student, reference, by_hand, name):
    """rnn_step_backward gives the gradient of each input, state and weight of one step."""
    values = problem(steps=1)
    x, h, w_ih, w_hh, b = values["xs"][0], *list(values.values())[1:]
    h_new = reference.rnn_step(x, h, w_ih, w_hh, b)
    upstream = torch.randn_like(h_new)
    expected = autograd(reference.rnn_step, (x, h, w_ih, w_hh, b), upstream)
    hint(HINTS[name])
    args = (upstream, x, h, h_new, w_ih, w_hh)
    got = by_hand(student.rnn_step_backward, *args, without=AUTOGRAD)
    index = ["x", "h", "w_ih", "w_hh", "b"].index(name)
    assert_close(got[index], expected[index])


@pytest.mark.points(8)
@pytest.mark.parametrize("name", NAMES)
def test_gradient_of_sequence(student, reference, by_hand, name):
    """rnn_backward gives the gradient of all inputs, of the first state and of each weight."""
    values = problem()
    upstream = torch.randn(6, 3, 4, dtype=torch.float64)
    args, expected = sequence_gradients(reference, values, upstream)
    hint(HINTS[name])
    got = by_hand(student.rnn_backward, *args, without=AUTOGRAD)
    assert_close(got[NAMES.index(name)], expected[NAMES.index(name)])


@pytest.mark.points(1)
def test_loss_on_last_state_alone(student, reference, by_hand):
    """A loss that looks at the last state alone reaches every step before it."""
    values = problem(steps=5, batch=2)
    upstream = torch.zeros(5, 2, 4, dtype=torch.float64)
    upstream[-1].normal_()
    args, expected = sequence_gradients(reference, values, upstream)
    hint("Each state's gradient is the sum of two: from the loss, and from the step after it.")
    assert_close(tuple(by_hand(student.rnn_backward, *args, without=AUTOGRAD)), expected)


@pytest.mark.points(1)
def test_sequence_of_one_step_with_batch_of_one(student, reference, by_hand):
    """One step, one sequence, one unit: the gradients keep the shapes of what they belong to."""
    hint("What is the state before the first step?")
    for hidden in (4, 1):
        values = problem(steps=1, batch=1, hidden=hidden)
        upstream = torch.randn(1, 1, hidden, dtype=torch.float64)
        args, expected = sequence_gradients(reference, values, upstream)
        assert_close(tuple(by_hand(student.rnn_backward, *args, without=AUTOGRAD)), expected)


@pytest.mark.points(1)
def test_arguments_are_left_alone(student, reference):
    """Neither rnn_backward nor rnn_step_backward changes the tensors it is given."""
    values = problem()
    upstream = torch.randn(6, 3, 4, dtype=torch.float64)
    args, expected = sequence_gradients(reference, values, upstream)
    hint("`grad_hs[t] += …` changes the caller's gradients; so does += on a view of them.")
    after = student.run(arguments_after, student.rnn_backward, args)
    assert_close(tuple(after), args, rtol=0, atol=0)
    hs = args[3]
    step = (upstream[1], values["xs"][1], hs[0], hs[1], values["w_ih"], values["w_hh"])
    after = student.run(arguments_after, student.rnn_step_backward, step)
    assert_close(tuple(after), step, rtol=0, atol=0)
    # Who computes nothing leaves everything alone too: gradients are linear in those above them.
    once = student.rnn_backward(*args)
    twice = student.rnn_backward(2 * args[0], *args[1:])
    assert [grad.shape for grad in once] == [grad.shape for grad in expected]
    assert all(grad.abs().max() > 0 for grad in once)
    assert_close(tuple(twice), tuple(2 * grad for grad in once))
