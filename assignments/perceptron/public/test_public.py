"""The checks that you can run yourself: `grader check perceptron.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_threshold(student):
    """A unit fires above its threshold and at it, and not below."""
    x = torch.tensor([[3.0], [2.0], [1.0]])
    assert_close(student.threshold(x, torch.tensor([1.0]), -2.0), torch.tensor([1.0, 1.0, 0.0]))


@pytest.mark.question("q1")
@pytest.mark.parametrize(("k", "table"), [(1, [0, 1, 1, 1]), (2, [0, 0, 0, 1])], ids=["or", "and"])
def test_or_and_and(student, k, table):
    """at_least(1, 2) is OR and at_least(2, 2) is AND."""
    w, b = student.at_least(k, 2)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    assert (x @ w + b >= 0).long().tolist() == table


@pytest.mark.question("q1")
def test_two_layers_have_the_right_shapes(student):
    """A table of two bits with a single 1 needs a single unit in the first layer."""
    hint("W1 has a row for each input and a column for each unit.")
    w1, b1, w2, _ = student.two_layers(torch.tensor([0.0, 0.0, 1.0, 0.0], dtype=torch.float64))
    assert (tuple(w1.shape), tuple(b1.shape), tuple(w2.shape)) == ((2, 1), (1,), (1,))


@pytest.mark.question("q2")
def test_hebb(student):
    """For a single example, Hebb's weights are its label times its input."""
    x, y = torch.tensor([[1.0, -2.0]]), torch.tensor([-1.0])
    assert_close(student.hebb(x, y), torch.tensor([-1.0, 2.0]))


@pytest.mark.question("q2")
def test_one_mistake(student):
    """From zero, the first example is a mistake, and a second one like it is none."""
    hint("After the first update, is the second example right?")
    x, y = torch.tensor([[1.0, 2.0], [1.0, 2.0]]), torch.tensor([-1.0, -1.0])
    w, mistakes = student.perceptron_epoch(torch.zeros(2), x, y)
    assert_close(w, torch.tensor([-1.0, -2.0]))
    assert mistakes == 1


@pytest.mark.question("q2")
def test_training_ends(student):
    """With one example, the second epoch has no mistake and is the last."""
    _, history = student.train_perceptron(torch.ones(1, 2), torch.ones(1))
    assert list(history) == [1, 0]


@pytest.mark.question("q3")
def test_margin(student):
    """The margin of one point is its distance to the line, whatever the length of the weights."""
    x, y = torch.tensor([[0.0, 3.0]]), torch.tensor([1.0])
    assert student.margin(torch.tensor([0.0, 5.0]), x, y) == pytest.approx(3)


@pytest.mark.question("q3")
def test_bound_of_one_point(student):
    """For one point straight ahead, the perceptron makes one mistake at most."""
    x, y = torch.tensor([[0.0, 3.0]]), torch.tensor([1.0])
    assert student.mistake_bound(torch.tensor([0.0, 5.0]), x, y) == pytest.approx(1)


@pytest.mark.question("q4")
def test_quadratic(student):
    """Two inputs have six monomials."""
    found = student.quadratic(torch.tensor([[3.0, 10.0]]))
    assert_close(found, torch.tensor([[1.0, 3.0, 10.0, 9.0, 30.0, 100.0]]))


@pytest.mark.question("q5")
@pytest.mark.parametrize(("name", "loss"), [("hinge_loss", 1.0), ("logistic_loss", math.log(2))])
def test_losses_at_zero(student, name, loss):
    """With weights of zero the hinge loss is 1 and the logistic loss log 2."""
    x, y = torch.randn(5, 3), torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0])
    found, grad = student[name](torch.zeros(3), x, y)
    assert float(found) == pytest.approx(loss, rel=1e-5)
    assert tuple(grad.shape) == (3,)


def half_square(w, x, y):
    """A loss with its minimum at zero, and its gradient."""
    return (w * w).sum() / 2, w


@pytest.mark.question("q5")
def test_gradient_descent(student):
    """With a rate of a half, each step halves the weights of a simple loss."""
    w, losses = student.gradient_descent(
        half_square, torch.tensor([4.0]), torch.zeros(1, 1), torch.ones(1), 0.5, 2
    )
    assert_close(w, torch.tensor([1.0]))
    assert list(losses) == pytest.approx([8.0, 2.0])


@pytest.mark.question("q6")
def test_relu_network_of_one_unit(student):
    """One unit: flat, then straight."""
    one = torch.ones(1)
    found = student.relu_network(torch.tensor([-2.0, 0.0, 1.0]), one, one, 3 * one, 5.0)
    assert_close(found, torch.tensor([5.0, 8.0, 11.0]))


@pytest.mark.question("q6")
def test_a_straight_line_needs_one_unit(student):
    """From 1 at x = 0 to 5 at x = 2."""
    knots = torch.tensor([0.0, 2.0], dtype=torch.float64)
    u, c, v, b2 = student.interpolate(knots, 1 + 2 * knots)
    assert len(u) == 1
    middle = float(b2) + v.item() * max(0.0, u.item() * 1.0 + c.item())
    assert middle == pytest.approx(3)


@pytest.mark.question("q6")
def test_order(student):
    """An error that falls to a quarter when the width doubles has the order -2."""
    assert student.order([10, 20], [0.4, 0.1]) == pytest.approx(-2)


@pytest.mark.question("q7")
def test_association(student):
    """Two units, one of which is silent, and the one."""
    w, b = torch.tensor([[1.0, -1.0]]), torch.tensor([0.5, 0.5])
    found = student.association(torch.tensor([[2.0]]), w, b)
    assert_close(found, torch.tensor([[2.5, 0.0, 1.0]]))


@pytest.mark.question("q7")
def test_machine_is_there(student):
    """The name `machine` holds three tensors that fit each other and 64 pixels."""
    w, b, r = student.machine
    assert w.shape[0] == 64
    assert w.shape[1] == len(b) == len(r) - 1
