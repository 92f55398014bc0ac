"""The checks that you can run yourself: `grader check attacks-and-defences.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


def linear(weight):
    """A linear model without bias."""
    model = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    with torch.no_grad():
        model.weight.copy_(weight)
    return model


def attacked(attack, weight, x, y, settings):
    """What an attack makes of x against a linear model."""
    return attack(linear(weight), x, y, **settings).detach()


W = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
X, Y = torch.tensor([[0.5, 0.5], [0.95, 0.5]]), torch.tensor([0, 0])


@pytest.mark.question("q1")
def test_input_gradient(student):
    """Between two equal logits, the gradient is that of half of the difference of weights."""
    hint("With z = 0 both classes have probability 1/2: the gradient is (w₁ - w₀) / 2.")
    found = student.run(attacked, student.input_gradient, W, X, Y, {})
    assert_close(found[0], torch.tensor([-1.0, 1.0]))


@pytest.mark.question("q1")
def test_fgsm(student):
    """Class 1 likes the second number: it rises, and the first falls."""
    found = student.run(attacked, student.fgsm, W, X, Y, {"eps": 0.1})
    assert_close(found, torch.tensor([[0.4, 0.6], [0.85, 0.6]]))


@pytest.mark.question("q1")
def test_certified_margin(student):
    """With x = (1, 0) the margin is 2; each 0.1 of eps takes 0.4 of it."""
    x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([0])
    found = student.certified_margin(W, torch.zeros(2), x, y, 0.1)
    assert_close(found, torch.tensor([1.6]))


@pytest.mark.question("q2")
def test_project(student):
    """(3, 4) is 5 long: in the ball of radius 1 it becomes (0.6, 0.8), or (1, 1) by clipping."""
    delta = torch.tensor([[3.0, 4.0]])
    assert_close(student.project(delta, 1.0, "l2"), torch.tensor([[0.6, 0.8]]))
    assert_close(student.project(delta, 1.0, "linf"), torch.tensor([[1.0, 1.0]]))


@pytest.mark.question("q2")
def test_steepest(student):
    """A direction of size 1, in either norm."""
    grad = torch.tensor([[3.0, -4.0]])
    assert_close(student.steepest(grad, "l2"), torch.tensor([[0.6, -0.8]]))
    assert_close(student.steepest(grad, "linf"), torch.tensor([[1.0, -1.0]]))


@pytest.mark.question("q2")
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_random_start(student, norm):
    """The start lies in the ball, and has the shape of the input."""
    start = student.random_start(torch.zeros(50, 3, 2), 0.5, norm)
    assert tuple(start.shape) == (50, 3, 2)
    sizes = start.flatten(1).abs().amax(1) if norm == "linf" else start.flatten(1).norm(dim=1)
    assert 0.25 < sizes.max() <= 0.5001


@pytest.mark.question("q3")
def test_pgd(student):
    """Three steps of 0.1 go no further than the ball of 0.2, and no further than 1."""
    settings = {"eps": 0.2, "step": 0.1, "steps": 3, "random": False}
    found = student.run(attacked, student.pgd, W, X, torch.tensor([0, 1]), settings)
    assert_close(found, torch.tensor([[0.3, 0.7], [1.0, 0.3]]))


@pytest.mark.question("q3")
def test_targeted(student):
    """With a target, the steps go the other way."""
    settings = {"eps": 0.2, "step": 0.1, "steps": 3, "random": False, "targeted": True}
    found = student.run(attacked, student.pgd, W, X, torch.tensor([0, 1]), settings)
    assert_close(found, torch.tensor([[0.7, 0.3], [0.75, 0.7]]))


def table(transfer):
    """Two models that know opposite things, and an attack that knows neither."""
    models = [linear(torch.tensor([[1.0], [-1.0]])), linear(torch.tensor([[-1.0], [1.0]]))]
    return transfer(
        models, lambda model, x, y: x, torch.tensor([[1.0], [2.0]]), torch.tensor([0, 0])
    )


@pytest.mark.question("q4")
def test_transfer(student):
    """Columns are the models that are asked."""
    found = student.run(table, student.transfer)
    assert_close(found, torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64))


def losses_of_training(adversarial_training):
    """Losses of a linear model, without an attack, on two clouds of points."""
    model = torch.nn.Linear(2, 2)
    x = torch.cat([torch.randn(20, 2) + 3, torch.randn(20, 2) - 3])
    y = torch.arange(40) // 20
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return adversarial_training(model, x, y, lambda model, x, y: x, optimizer, 5, 16)


@pytest.mark.question("q5")
def test_training_lowers_the_loss(student):
    """Five epochs of three mini-batches give fifteen losses, and the last ones are small."""
    losses = student.run(losses_of_training, student.adversarial_training)
    assert len(losses) == 15
    assert sum(losses[-3:]) < sum(losses[:3])


@pytest.mark.question("q6")
def test_stamp(student):
    """Four pixels of a black picture become white: those of the lower right corner."""
    found = student.stamp(torch.zeros(1, 144)).reshape(12, 12)
    assert found.sum() == 4
    assert found[10:, 10:].sum() == 4


@pytest.mark.question("q6")
def test_poison(student):
    """Two of four pictures of other classes get the target's label."""
    y = torch.tensor([0, 0, 1, 1, 2])
    _, labels, poisoned = student.poison(torch.rand(5, 144), y, 2, 2)
    assert int(poisoned.sum()) == 2
    assert int((labels == 2).sum()) == 3


@pytest.mark.question("q6")
def test_spectral_scores(student):
    """Along a line, the score is the square of the distance from the mean."""
    features = torch.tensor([[0.0, 2.0], [0.0, 2.0], [3.0, 2.0]])
    assert_close(student.spectral_scores(features), torch.tensor([1.0, 1.0, 4.0]))


@pytest.mark.question("q6")
def test_cleanse(student):
    """Of three examples a third is removed: the one that lies far from the others."""
    features = torch.tensor([[0.0, 2.0], [0.0, 2.0], [3.0, 2.0]])
    found = student.cleanse(features, torch.tensor([4, 4, 4]), 0.34)
    assert found.tolist() == [True, True, False]


def moved_weight(move_weights, weight, direction, rho):
    return move_weights(linear(weight), [direction], rho).weight.detach()


@pytest.mark.question("q7")
def test_move_weights(student):
    """A tenth of its own size, along the direction, however long that is."""
    hint("W has the norm 2, and the direction the norm 5.")
    direction = torch.tensor([[5.0, 0.0], [0.0, 0.0]])
    found = student.run(moved_weight, student.move_weights, W, direction, 0.1)
    assert_close(found, torch.tensor([[1.2, -1.0], [-1.0, 1.0]]))
