"""Question 5: adversarial training.

The judge makes the network from the weights alone and attacks it itself: a network that hides its
gradients gains nothing. The bounds are explained in the reference's note for instructors.
"""

import math
import random

import pytest
import torch
import torch.nn.functional as F

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")

EPS = 0.15
robust_share = bands((0.30, 0), (0.60, 0.5), (0.75, 1))
clean_share = bands((0.60, 0), (0.85, 1))


def recorded(adversarial_training, start, x, y, pushes, rate, settings):
    """Train a linear model with dropout of nothing, and note what happens.

    Returns the losses, the weights at the end, each call of the attack (whether the model was
    training, what it was given, the model's output there) and each output of a step of training
    (whether the model was training), and the mode at the end.
    """

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(start.clone())
            self.seen = []

        def forward(self, inputs):
            self.seen.append((self.training, inputs.detach().clone()))
            return inputs @ self.weight

    model = Model()
    model.weight.grad = torch.full_like(start, 100.0)
    attacks = []

    def attack(given, x, y):
        attacks.append((given.training, given.weight.detach().clone(), x.clone(), y.clone()))
        # It leaves gradients behind, as a careless attack does.
        torch.nn.functional.cross_entropy(given(x), y).backward()
        given.seen.pop()
        return x + pushes[len(attacks) - 1]

    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.5)
    losses = adversarial_training(model, x, y, attack, optimizer, **settings)
    return losses, model.weight.detach(), attacks, model.seen, model.training


def draw(n, d=4, classes=3):
    """Draw weights and examples."""
    start = torch.randn(d, classes, dtype=torch.float64)
    return start, torch.randn(n, d, dtype=torch.float64), torch.randint(classes, (n,))


@pytest.mark.points(3)
def test_steps(student, reference, close):
    """With one batch for each epoch, losses and weights are those of training on attacked data."""
    hint("The loss is that of the attacked batch. Reset gradients after the attack, not before.")
    for n in (1, random.randint(5, 9)):
        start, x, y = draw(n)
        pushes = [torch.randn(4, dtype=torch.float64) for _ in range(4)]
        args = start, x, y, pushes, random.uniform(0.1, 1), {"epochs": 4, "batch_size": n}
        found = student.run(recorded, student.adversarial_training, *args)
        expected = recorded(reference.adversarial_training, *args)
        assert len(found[0]) == 4
        losses = torch.tensor([float(loss) for loss in found[0]], dtype=torch.float64)
        close(losses, torch.tensor(expected[0], dtype=torch.float64))
        close(found[1], expected[1])
        for ours, theirs in zip(expected[2], found[2], strict=True):
            close(theirs[1], ours[1])


@pytest.mark.points(1)
@pytest.mark.needs("test_steps")
def test_modes(student):
    """The model is attacked in evaluation mode, trained in training mode, left in evaluation."""
    hint("model.eval() before the attack, model.train() before the step, of each mini-batch.")
    start, x, y = draw(8)
    args = start, x, y, [torch.zeros(4, dtype=torch.float64)] * 6, 0.1
    settings = {"epochs": 2, "batch_size": 3}
    _, _, attacks, seen, after = student.run(
        recorded, student.adversarial_training, *args, settings
    )
    assert [training for training, *_ in attacks] == [False] * 6
    assert [training for training, _ in seen] == [True] * 6
    assert after is False


@pytest.mark.points(2)
def test_batches(student, close):
    """Each epoch visits every example once, in a new random order, with its own label."""
    hint("torch.randperm inside the loop over epochs; the last mini-batch may be smaller.")
    n, size = random.choice([28, 31, 34]), 6
    start, x, y = draw(n)
    steps = math.ceil(n / size)
    pushes = [torch.randn(4, dtype=torch.float64) for _ in range(2 * steps)]
    args = start, x, y, pushes, 0.1, {"epochs": 2, "batch_size": size}
    epochs = []
    for _ in range(2):
        _, _, attacks, seen, _ = student.run(recorded, student.adversarial_training, *args)
        assert len(attacks) == len(seen) == 2 * steps
        orders = []
        for (_, _, batch, labels), (_, inputs), push in zip(attacks, seen, pushes, strict=True):
            close(inputs, batch + push)
            places = (batch[:, None] - x).abs().sum(-1).argmin(1)
            close(batch, x[places])
            assert torch.equal(labels, y[places])
            orders.append(places.tolist())
        lengths = [min(size, n - begin) for begin in range(0, n, size)]
        assert [len(order) for order in orders] == 2 * lengths
        epochs += [
            [k for order in part for k in order] for part in (orders[:steps], orders[steps:])
        ]
    for epoch in epochs:
        assert sorted(epoch) == list(range(n))
        assert epoch != list(range(n))
    assert len({tuple(epoch) for epoch in epochs}) == 4


def trained_weights(robust_model, x, y):
    """Weights of the network that robust_model trains."""
    return [param.detach() for param in robust_model(x, y).parameters()]


def judged_network(reference, weights):
    """The network of the text with these weights, in double precision."""
    model = reference.make_net().double()
    assert len(weights) == len(list(model.parameters()))
    with torch.no_grad():
        for param, value in zip(model.parameters(), weights, strict=True):
            assert param.shape == value.shape
            assert value.isfinite().all()
            param.copy_(value)
    return model


def margin_attack(model, x, y, step, steps):
    """Up the difference between the best wrong logit and the right one, from x on."""
    moved = x
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        logits = model(moved)
        own = logits.gather(1, y[:, None])[:, 0]
        wrong = logits.masked_fill(F.one_hot(y, logits.shape[1]).bool(), -math.inf).amax(1)
        (grad,) = torch.autograd.grad((wrong - own).sum(), moved)
        delta = (moved.detach() + step * grad.sign() - x).clamp(-EPS, EPS)
        moved = (x + delta).clamp(0, 1)
    return moved.detach()


def robust_accuracy(reference, model, x, y):
    """Share of the pictures that no attempt has turned."""
    right = model(x).argmax(1) == y
    for attempt in (
        lambda: reference.pgd(model, x, y, EPS, EPS / 6, 20),
        lambda: margin_attack(model, x, y, EPS / 6, 20),
        lambda: margin_attack(model, x, y, EPS / 2, 8),
    ):
        right = right & (model(attempt()).argmax(1) == y)
    return right.double().mean().item()


@pytest.mark.points(10)
@pytest.mark.trials(3, need=2)
def test_robust_model_withstands(student, reference):
    """robust_model trains a network that withstands attacks, and is right without one."""
    hint("Train on attacks of the size that is judged, in several steps; and for long enough.")
    x, y = reference.pictures(1500)
    unseen, right = reference.pictures(500)
    unseen = unseen.double()
    model = judged_network(reference, student.run(trained_weights, student.robust_model, x, y))
    clean = (model(unseen).argmax(1) == right).double().mean().item()
    robust = robust_accuracy(reference, model, unseen, right)
    share = 0.8 * robust_share(robust) + (0.2 * clean_share(clean) if robust > 0.30 else 0)
    credit(
        share,
        f"Right for {robust:.1%} of the pictures under attack, for {clean:.1%} without.",
        measured=robust,
    )
