"""Question 8: learn to read digits."""

import random
from pathlib import Path

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q8")

HELD_OUT = Path(__file__).parent / "held_out.npz"  # digits that students do not have


def draw(n, sizes=(5, 6, 3)):
    """Draw parameters of a two-layer network and n examples."""
    shapes = {"w1": sizes[:2], "b1": sizes[1:2], "w2": sizes[1:], "b2": sizes[2:]}
    params = {name: torch.randn(s, dtype=torch.float64) for name, s in shapes.items()}
    return params, torch.randn(n, sizes[0], dtype=torch.float64), torch.randint(sizes[2], (n,))


def train_and_look_back(train, params, x, y, settings):
    """Return what train returns, and the parameters that it was given as they are afterwards."""
    trained, losses = train(params, x, y, **settings)
    return trained, losses, params


def assert_same(theirs, ours, close):
    """The same keys and values."""
    assert sorted(theirs) == sorted(ours)
    for name in ours:
        close(theirs[name], ours[name])


def held_out_accuracy(student, reference):
    """Share of the held-out digits that the student's parameters get right."""
    hint("`trained` must hold the parameters that train returned: w1, b1, w2, …")
    trained = student.trained
    assert isinstance(trained, dict)
    params = {name: value.detach().double() for name, value in trained.items()}
    x, y = reference.load_digits(HELD_OUT)
    return reference.accuracy(params, x.double(), y)


@pytest.mark.points(1)
@pytest.mark.parametrize(("n", "size"), [(23, 5), (12, 4), (3, 8), (5, 1)])
def test_minibatches_hold_every_index_once(student, n, size):
    """The mini-batches hold every index exactly once; only the last may be shorter."""
    hint("Does it work when the batch size does not divide n, and when it is larger than n?")
    batches = [torch.as_tensor(batch) for batch in student.minibatches(n, size)]
    assert torch.cat(batches).sort().values.tolist() == list(range(n))
    lengths = [len(batch) for batch in batches]
    assert lengths == [min(size, n - start) for start in range(0, n, size)]


@pytest.mark.points(1)
def test_minibatches_are_in_a_new_random_order(student):
    """Each call of minibatches gives a random order, a new one every time."""
    hint("Shuffle the indices, not only the batches, and do not seed inside the function.")
    calls = [student.minibatches(60, 60) for _ in range(2)]
    orders = [torch.as_tensor(batches[0]).tolist() for batches in calls]
    assert orders[0] != orders[1]
    assert list(range(60)) not in orders


@pytest.mark.points(2)
def test_train_takes_the_right_steps(student, reference, close):
    """With one batch for each epoch, train gives the right parameters and losses."""
    hint("The velocity starts at zero once, before the first epoch, and is then carried along.")
    hint("Each loss is taken before its step; weight_decay must reach the gradients.")
    params, x, y = draw(8)
    settings = {"epochs": 4, "batch_size": 8, "lr": 0.1, "momentum": 0.8, "weight_decay": 0.1}
    trained, losses, given = student.run(train_and_look_back, student.train, params, x, y, settings)
    expected, expected_losses = reference.train(params, x, y, **settings)
    assert_same(trained, expected, close)
    close(losses, expected_losses)
    hint("The parameters that train was given must keep their values.")
    assert_same(given, params, close)


@pytest.mark.points(1)
def test_train_uses_all_batches(student, reference, close):
    """Every mini-batch of an epoch gives a step, the last and smaller one too."""
    hint("How many steps does an epoch take when the batch size does not divide N?")
    params, x, y = draw(1)
    n = random.choice([7, 10, 13])
    # All examples are alike, so that the order and the making of the batches change nothing.
    x, y = x.expand(n, -1).clone(), y.expand(n).clone()
    settings = {"epochs": 2, "batch_size": 3, "lr": 0.05, "momentum": 0.7, "weight_decay": 0.0}
    trained, losses = student.train(params, x, y, **settings)
    expected, expected_losses = reference.train(params, x, y, **settings)
    assert_same(trained, expected, close)
    close(losses, expected_losses)


@pytest.mark.points(1)
def test_network_reads_most_digits(student, reference):
    """The trained network reads at least 85 % of digits that it has never seen."""
    assert held_out_accuracy(student, reference) >= 0.85


@pytest.mark.points(2)
def test_network_reads_digits_well(student, reference):
    """The trained network, with a hidden layer, reads at least 95 % of digits never seen."""
    hint("Does the loss still fall at the end? Look at learning rate, epochs and width.")
    accuracy = held_out_accuracy(student, reference)
    assert "w2" in student.trained
    assert accuracy >= 0.95
