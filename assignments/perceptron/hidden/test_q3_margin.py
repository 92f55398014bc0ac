"""Question 3: the margin, and Novikoff's bound."""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")


def margin_and_arguments(margin, w, x, y):
    """Return the margin, and its arguments as they are afterwards."""
    found = margin(w, x, y)
    return found, w, x, y


@pytest.mark.points(2)
@pytest.mark.parametrize("n", [1, 20])
def test_margin(student, close, separable, n):
    """margin is the distance of the nearest point to the plane of weights that separate."""
    hint("The nearest point decides, not the average. And a distance does not grow with ‖w‖.")
    for number, d in enumerate(random.sample(range(2, 9), 2)):
        x, y, w = separable(n, d)
        side = y[0] * (-1) ** number  # one point lies on one side, and then on the other
        x, y = side * torch.cat([x, 2 * x]), side * torch.cat([y, y])
        distances = (x @ w / w.norm()).abs()
        found, *after = student.run(margin_and_arguments, student.margin, w, x, y)
        close(found, distances.min())
        for now, before in zip(after, (w, x, y), strict=True):
            assert torch.equal(now, before)


@pytest.mark.points(1)
def test_margin_of_wrong_weights(student, close, labelled):
    """margin is negative where a point is on the wrong side: that of the worst one."""
    hint("Not the absolute value: the label decides which side is right.")
    for _ in range(4):  # in every third draw the worst one is that without labels, too
        x, y = labelled(30, 3)
        w = 4 * torch.randn(3, dtype=torch.float64)
        close(student.margin(w, x, y), min((y * (x @ w)).tolist()) / math.sqrt((w * w).sum()))


@pytest.mark.points(2)
def test_bound(student, close, separable):
    """mistake_bound is R² / γ², whatever the length of the weights."""
    hint("R is the length of the longest input: a norm over each row, then the largest.")
    for d in random.sample(range(2, 9), 2):
        x, y, w = separable(12, d)
        gamma = (x @ w / w.norm()).abs().min()
        expected = (x * x).sum(1).max() / gamma**2
        close(student.mistake_bound(w, x, y), expected)
        close(student.mistake_bound(random.uniform(3, 9) * w, x, y), expected)


@pytest.mark.points(1)
def test_no_bound_without_a_margin(student, close, separable):
    """mistake_bound is infinite where weights do not separate, or a point is on the plane."""
    hint("γ² hides the sign of γ. And what of γ = 0?")
    x, y, w = separable(10, 3)
    gamma = (x @ w / w.norm()).abs().min()
    close(student.mistake_bound(w, x, y), (x * x).sum(1).max() / gamma**2)
    assert student.mistake_bound(-w, x, y) == math.inf
    x[random.randrange(10)] = 0.0
    assert student.mistake_bound(w, x, y) == math.inf
