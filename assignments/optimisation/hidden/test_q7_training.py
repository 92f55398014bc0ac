"""Question 7: a training loop, and spirals."""

import math
import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

share = bands((0.60, 0), (0.78, 0.5), (0.92, 1))


def recorded(train, start, x, y, rates, settings):
    """Train a linear model with an optimiser that only records and goes downhill.

    Returns the losses, the learning rates and gradients at each step, and the weights after it.
    """

    class Recorder:
        def __init__(self, params):
            self.params, self.lr = list(params), None
            self.rates, self.grads = [], []

        def step(self, grads):
            self.rates.append(self.lr)
            self.grads.append([None if g is None else g.detach().clone() for g in grads])
            with torch.no_grad():
                for param, grad in zip(self.params, grads, strict=True):
                    if grad is not None:
                        param -= self.lr * grad

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(start.clone())
            self.unused = torch.nn.Parameter(torch.ones(2, dtype=start.dtype))

        def forward(self, inputs):
            return inputs @ self.weight

    model = Model()
    recorder = Recorder(model.parameters())
    losses = train(model, x, y, recorder, lambda t: rates[t], **settings)
    grads, unused = zip(*recorder.grads, strict=True)
    return losses, recorder.rates, list(grads), list(unused), model.weight.detach()


def draw(n, d=4, classes=3):
    """Draw weights and examples."""
    start = torch.randn(d, classes, dtype=torch.float64)
    return start, torch.randn(n, d, dtype=torch.float64), torch.randint(classes, (n,))


def rates_of(count):
    return [random.uniform(0.1, 1) for _ in range(count)]


@pytest.mark.points(3)
def test_train_takes_the_right_steps(student, reference, close):
    """With one batch for each epoch, rates, gradients, losses and weights are right."""
    hint("Are gradients of earlier steps still in those of this one? Is the loss a mean?")
    hint("Each loss is taken before its step. The rate is set before the step too, from t = 0.")
    for n in (1, random.randint(5, 9)):
        args = *draw(n), rates_of(5), {"epochs": 4, "batch_size": n}
        losses, rates, grads, _, weight = student.run(recorded, student.train, *args)
        expected = recorded(reference.train, *args)
        assert len(losses) == 4
        close(losses, expected[0])
        close(rates, expected[1])
        close(torch.stack(grads), torch.stack(expected[2]))
        close(weight, expected[4])


@pytest.mark.points(1)
@pytest.mark.needs("test_train_takes_the_right_steps")
def test_train_hands_on_none(student):
    """A parameter on which the loss does not depend has the gradient None."""
    hint("torch.autograd.grad has allow_unused; after backward(), param.grad is None.")
    args = *draw(6), rates_of(3), {"epochs": 3, "batch_size": 6}
    _, _, _, unused, _ = student.run(recorded, student.train, *args)
    assert unused == [None] * 3


@pytest.mark.points(2)
def test_train_uses_every_example_once_an_epoch(student, close):
    """Each epoch visits every example exactly once; the last mini-batch may be smaller."""
    hint("How many steps does an epoch take when the batch size does not divide N?")
    n, size, classes = random.choice([7, 10, 13]), 3, 3
    # From zero weights and with a rate of zero, the gradient tells which examples a batch holds.
    x, y = torch.eye(n, dtype=torch.float64), torch.randint(classes, (n,))
    start = torch.zeros(n, classes, dtype=torch.float64)
    steps = math.ceil(n / size)
    args = start, x, y, [0.0] * (2 * steps), {"epochs": 2, "batch_size": size}
    losses, _, grads, _, _ = student.run(recorded, student.train, *args)
    close(losses, [math.log(classes)] * (2 * steps))
    seen = [grad.abs().sum(1) > 0 for grad in grads]
    lengths = [min(size, n - begin) for begin in range(0, n, size)]
    assert [int(one.sum()) for one in seen] == 2 * lengths
    for epoch in (seen[:steps], seen[steps:]):
        assert torch.stack(epoch).sum(0).tolist() == [1] * n
    single = (1 / classes - torch.nn.functional.one_hot(y, classes).double()).abs().sum(1)
    for grad, one, length in zip(grads, seen, 2 * lengths, strict=True):
        close(grad.abs().sum(1)[one] * length, single[one])


@pytest.mark.points(1)
@pytest.mark.needs("test_train_uses_every_example_once_an_epoch")
def test_train_draws_a_new_order_for_each_epoch(student):
    """The order of the examples is random, and another one in each epoch."""
    hint("torch.randperm inside the loop over epochs; and no seed inside the function.")
    n, classes = 40, 3
    x, y = torch.eye(n, dtype=torch.float64), torch.randint(classes, (n,))
    start = torch.zeros(n, classes, dtype=torch.float64)
    args = start, x, y, [0.0] * (2 * n), {"epochs": 2, "batch_size": 1}
    orders = []
    for _ in range(2):
        _, _, grads, _, _ = student.run(recorded, student.train, *args)
        order = [int(grad.abs().sum(1).argmax()) for grad in grads]
        orders += [order[:n], order[n:]]
    for order in orders:
        assert sorted(order) == list(range(n))
        assert order != list(range(n))
        assert sum(order == other for other in orders) == 1


def logits_after_fit(fit, x, y, classes, fresh):
    """Fit a model; its logits for other points."""
    model = fit(x, y, classes)
    with torch.no_grad():
        return model(fresh)


@pytest.mark.points(6)
@pytest.mark.trials(3, need=2)
def test_fit_untangles_spirals(student, reference, notebook):
    """fit trains a network that is right for points of the same spirals that it has never seen."""
    ready_made = sorted(name for name in notebook.uses("fit") if name.startswith("torch.optim"))
    if ready_made:
        hint(f"fit uses {', '.join(ready_made)}. The rules ask you to write this yourself.")
    assert not ready_made
    hint("Does the loss still fall at the end? Look at the optimiser, its rate and the width.")
    angle, names = random.uniform(0, 2 * math.pi), torch.randperm(3)
    x, y = reference.spirals(450, angle=angle)
    fresh, right = reference.spirals(1000, angle=angle)
    logits = student.run(logits_after_fit, student.fit, x, names[y], 3, fresh)
    assert tuple(logits.shape) == (1000, 3)
    accuracy = (logits.argmax(1) == names[right]).double().mean().item()
    credit(share(accuracy), f"Right for {accuracy:.1%} of new points.", measured=accuracy)
