"""Question 1: the vanilla cell."""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")

TORCH_CELLS = {"rnn_tanh", "rnn_tanh_cell", "rnn_relu", "rnn_relu_cell"}


def problem(steps=7, batch=3, inputs=5, hidden=4):
    """Random inputs, first state and weights, all of different sizes."""
    cell = torch.nn.RNN(inputs, hidden).double()
    weights = (cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0 + cell.bias_hh_l0)
    xs = torch.randn(steps, batch, inputs, dtype=torch.float64)
    h0 = torch.randn(batch, hidden, dtype=torch.float64)
    return cell, xs, h0, [w.detach().clone() for w in weights]


def arguments_after(function, args):
    function(*args)
    return args


@pytest.mark.points(3)
@pytest.mark.parametrize("batch", [6, 1])
def test_one_step(student, reference, by_hand, batch):
    """rnn_step gives the next state, for any batch."""
    _, xs, h0, weights = problem(batch=batch)
    hint(
        "Check which side each weight is multiplied from, and that all three terms are inside tanh."
    )
    assert_close(
        by_hand(student.rnn_step, xs[0], h0, *weights, without=TORCH_CELLS),
        reference.rnn_step(xs[0], h0, *weights),
    )


@pytest.mark.points(3)
def test_sequence_agrees_with_torch(student, by_hand):
    """rnn_forward gives the same states as torch.nn.RNN."""
    cell, xs, h0, weights = problem()
    hint("Does each step start from the state that the step before it left, and the first from h0?")
    expected, _ = cell(xs, h0[None])
    got = by_hand(student.rnn_forward, xs, h0, *weights, without=TORCH_CELLS)
    assert_close(got, expected.detach(), rtol=1e-9, atol=1e-11)


@pytest.mark.points(1)
def test_sequence_of_one_step(student, reference):
    """A sequence of one step gives one state, in a tensor with three dimensions."""
    _, xs, h0, weights = problem(steps=1, batch=1)
    hint("The result has shape (T, N, H) for T = 1 too; h0 is not part of it.")
    assert_close(student.rnn_forward(xs, h0, *weights), reference.rnn_forward(xs, h0, *weights))


@pytest.mark.points(1)
@pytest.mark.needs("test_sequence_of_one_step")
def test_arguments_are_left_alone(student):
    """rnn_forward changes none of the tensors it is given."""
    _, xs, h0, weights = problem()
    hint("An assignment into h0 or xs, or an operator such as +=, changes the caller's tensor.")
    args = [xs, h0, *weights]
    after = student.run(arguments_after, student.rnn_forward, args)
    assert_close(list(after), args, rtol=0, atol=0)
