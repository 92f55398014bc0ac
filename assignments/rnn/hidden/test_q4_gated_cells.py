"""Question 4: LSTM and GRU."""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")

TORCH_CELLS = {"lstm", "lstm_cell", "gru", "gru_cell"}


def random_cell(kind, inputs=3, hidden=5):
    """One of torch's cells in float64 with large random weights, and the weights alone."""
    cell = kind(inputs, hidden).double()
    for weight in cell.parameters():
        torch.nn.init.normal_(weight)
    weights = (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    return cell, [weight.detach().clone() for weight in weights]


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def run_cell(step, xs, state, weights):
    """Apply a cell to one input after the other; return the last state."""
    for x in xs:
        state = step(x, state, *weights)
    return state


def input_gradient(step, x, state, weights):
    """Gradient of the sum of all new states with respect to the input."""
    x = x.clone().requires_grad_()
    new = step(x, state, *weights)
    total = new.sum() if isinstance(new, torch.Tensor) else sum(part.sum() for part in new)
    return torch.autograd.grad(total, x)[0]


def torch_step(cell):
    """A cell of torch with the signature of ours; its weights are its own."""
    return lambda x, state, *weights: cell(x, state)


@pytest.mark.points(4)
@pytest.mark.parametrize("part", ["h", "c"])
def test_lstm_agrees_with_torch(student, by_hand, part):
    """lstm_step gives the same h and c as torch.nn.LSTMCell."""
    cell, weights = random_cell(torch.nn.LSTMCell)
    x, state = normal(4, 3), (normal(4, 5), normal(4, 5))
    hint("Check the order of the gates (i, f, g, o), how each is squashed, and that c comes first.")
    got = by_hand(student.lstm_step, x, state, *weights, without=TORCH_CELLS)
    index = "hc".index(part)
    assert_close(got[index], cell(x, state)[index].detach())


@pytest.mark.points(2)
def test_lstm_over_many_steps(student):
    """Twelve steps one after the other agree with torch's, to the precision of float64."""
    cell, weights = random_cell(torch.nn.LSTMCell)
    xs, state = normal(12, 2, 3), (normal(2, 5), normal(2, 5))
    hint("The result of one step must do as the state of the next one: a pair (h, c).")
    got = student.run(run_cell, student.lstm_step, xs, state, weights)
    expected = run_cell(torch_step(cell), xs, state, weights)
    assert_close(tuple(got), tuple(part.detach() for part in expected), rtol=1e-9, atol=1e-11)


@pytest.mark.points(1)
def test_lstm_of_one_unit_and_batch_of_one(student):
    """One sequence and one hidden unit: the state keeps its two dimensions."""
    cell, weights = random_cell(torch.nn.LSTMCell, inputs=2, hidden=1)
    x, state = normal(1, 2), (normal(1, 1), normal(1, 1))
    hint("Split the gates along the second dimension; do not squeeze.")
    expected = tuple(part.detach() for part in cell(x, state))
    assert_close(tuple(student.lstm_step(x, state, *weights)), expected)


@pytest.mark.points(1)
def test_lstm_lets_gradients_through(student):
    """Autograd can go through lstm_step, and finds torch's gradient."""
    cell, weights = random_cell(torch.nn.LSTMCell)
    x, state = normal(4, 3), (normal(4, 5), normal(4, 5))
    hint("No .detach(), .data, .item() or numpy on the way from x to the new state.")
    assert_close(
        student.run(input_gradient, student.lstm_step, x, state, weights),
        input_gradient(torch_step(cell), x, state, weights),
    )


@pytest.mark.points(4)
@pytest.mark.parametrize("batch", [4, 1])
def test_gru_agrees_with_torch(student, by_hand, batch):
    """gru_step gives the same state as torch.nn.GRUCell, for any batch."""
    cell, weights = random_cell(torch.nn.GRUCell)
    x, h = normal(batch, 3), normal(batch, 5)
    hint("Check the order of the gates (r, z, n), and what exactly r multiplies: is b_hn in it?")
    got = by_hand(student.gru_step, x, h, *weights, without=TORCH_CELLS)
    assert_close(got, cell(x, h).detach())


@pytest.mark.points(2)
def test_gru_over_many_steps(student):
    """Twelve steps one after the other agree with torch's, to the precision of float64."""
    cell, weights = random_cell(torch.nn.GRUCell)
    xs, h = normal(12, 2, 3), normal(2, 5)
    hint("Which of n and the old state does z keep?")
    expected = run_cell(torch_step(cell), xs, h, weights)
    got = student.run(run_cell, student.gru_step, xs, h, weights)
    assert_close(got, expected.detach(), rtol=1e-9, atol=1e-11)


@pytest.mark.points(1)
def test_gru_keeps_its_state_behind_a_closed_gate(student):
    """Where the update gate is wide open to the past the state stays, and elsewhere it does not."""
    _, weights = random_cell(torch.nn.GRUCell)
    x, h = normal(4, 3), normal(4, 5)
    weights[2][5:10] = torch.tensor([200.0, 200.0, 200.0, -200.0, -200.0])  # the bias of z
    hint("z near one means: keep the old state.")
    found = student.gru_step(x, h, *weights)
    assert_close(found[:, :3], h[:, :3])
    assert not torch.isclose(found[:, 3:], h[:, 3:]).any()


@pytest.mark.points(1)
def test_gru_lets_gradients_through(student):
    """Autograd can go through gru_step, and finds torch's gradient."""
    cell, weights = random_cell(torch.nn.GRUCell)
    x, h = normal(4, 3), normal(4, 5)
    hint("No .detach(), .data, .item() or numpy on the way from x to the new state.")
    assert_close(
        student.run(input_gradient, student.gru_step, x, h, weights),
        input_gradient(torch_step(cell), x, h, weights),
    )
