"""Question 4: softmax and cross-entropy."""

import random

import pytest
import torch
from torch.nn.functional import cross_entropy

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def draw():
    """Draw logits, targets that are not all alike, for more classes than examples or fewer."""
    n, classes = random.sample(range(3, 9), 2)
    logits = torch.randn(n, classes, dtype=torch.float64)
    targets = torch.randint(classes, (n,))
    targets[0], targets[1] = 0, classes - 1
    return logits, targets


def arguments_afterwards(softmax_cross_entropy, logits, targets):
    """Return the loss, and the arguments as they are after it was taken."""
    loss, _ = softmax_cross_entropy(logits, targets)
    return loss, logits, targets


@pytest.mark.points(1)
def test_log_softmax(student, by_hand, close):
    """log_softmax gives the logarithms of the probabilities of each row."""
    by_hand("log_softmax")
    hint("Each row is a distribution of its own: over which axis do you take maximum and sum?")
    logits, _ = draw()
    close(student.log_softmax(logits), logits.log_softmax(dim=1))


@pytest.mark.points(1)
@pytest.mark.parametrize("shift", [1e4, -1e4])
def test_log_softmax_of_extreme_logits(student, by_hand, shift):
    """log_softmax stays finite and right for logits far from zero, positive or negative."""
    by_hand("log_softmax")
    hint("What is exp of such a logit? Choose m so that no exponent is too large, for each row.")
    logits, _ = draw()
    logits[0] += shift
    logits[1, 0] += abs(shift)
    found = student.log_softmax(logits)
    torch.testing.assert_close(found, logits.log_softmax(dim=1), rtol=1e-9, atol=1e-9)


@pytest.mark.points(1)
def test_loss(student, by_hand, close):
    """softmax_cross_entropy gives the mean loss of the batch."""
    by_hand("softmax_cross_entropy")
    hint("Which probability of each row counts? And how does the loss depend on the batch size?")
    logits, targets = draw()
    close(student.softmax_cross_entropy(logits, targets)[0], cross_entropy(logits, targets))


@pytest.mark.points(1)
def test_loss_of_a_confident_mistake(student, by_hand, close):
    """The loss is finite and right when the right class has almost no probability."""
    by_hand("softmax_cross_entropy")
    hint("A probability may round to zero, while its logarithm is an ordinary number.")
    logits, targets = draw()
    logits[0, 1] += random.uniform(1000, 2000)
    close(student.softmax_cross_entropy(logits, targets)[0], cross_entropy(logits, targets))


@pytest.mark.points(2)
@pytest.mark.parametrize("batch", ["many", "one"])
def test_gradient(student, by_hand, close, batch):
    """softmax_cross_entropy gives the gradient of the mean loss by the logits."""
    by_hand("softmax_cross_entropy")
    hint("Derive the loss of one example by z_c, once for the right class and once for another.")
    hint("The loss is a mean over the batch; what does that do to its gradient?")
    logits, targets = draw()
    if batch == "one":
        logits, targets = logits[:1], targets[:1]
    found = student.softmax_cross_entropy(logits, targets)[1]
    leaf = logits.clone().requires_grad_()
    (expected,) = torch.autograd.grad(cross_entropy(leaf, targets), leaf)
    close(found, expected)


@pytest.mark.points(1)
def test_arguments_are_left_alone(student, close):
    """softmax_cross_entropy leaves logits and targets as they were."""
    hint("Subtracting with -= changes the logits of whoever called you.")
    logits, targets = draw()
    loss, logits_after, targets_after = student.run(
        arguments_afterwards, student.softmax_cross_entropy, logits, targets
    )
    close(loss, cross_entropy(logits, targets))
    assert torch.equal(logits_after, logits)
    assert torch.equal(targets_after, targets)
