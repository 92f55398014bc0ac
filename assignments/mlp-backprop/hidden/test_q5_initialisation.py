"""Question 5: initialisation.

The bounds are five standard deviations of what is measured: a right answer crosses one of them
less than once in a million runs, and every mistake below is dozens of deviations away.
"""

import math

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")

FAN_IN, FAN_OUT = 300, 500
COUNT = FAN_IN * FAN_OUT
NORMAL_KURTOSIS, UNIFORM_KURTOSIS = 3.0, 1.8


def weights(draw):
    """Draw one matrix with a rule of the student, and check its shape."""
    found = draw(FAN_IN, FAN_OUT)
    assert tuple(found.shape) == (FAN_IN, FAN_OUT)
    return found.detach().double()


def assert_mean_and_variance(w, variance, kurtosis):
    """The mean of n samples deviates by sigma/sqrt(n), their mean square by sqrt((k-1)/n)."""
    assert abs(w.mean().item()) < 5 * math.sqrt(variance / COUNT)
    relative = w.square().mean().item() / variance
    assert abs(relative - 1) < 5 * math.sqrt((kurtosis - 1) / COUNT)


def assert_share(inside, expected):
    """The share of n independent samples deviates by sqrt(p(1-p)/n)."""
    share = inside.double().mean().item()
    assert abs(share - expected) < 5 * math.sqrt(expected * (1 - expected) / COUNT)


@pytest.mark.points(1)
def test_xavier_variance(student, by_hand):
    """Weights drawn by xavier_uniform have mean zero and the variance of Xavier's rule."""
    by_hand("xavier_uniform")
    hint("Solve a²/3 = variance for a, and mind that the variance depends on both fans.")
    w = weights(student.xavier_uniform)
    assert_mean_and_variance(w, 2 / (FAN_IN + FAN_OUT), UNIFORM_KURTOSIS)


@pytest.mark.points(1)
def test_xavier_is_uniform(student, by_hand):
    """xavier_uniform draws evenly from an interval round zero, new weights at each call."""
    by_hand("xavier_uniform")
    hint("Uniform on (-a, a): both signs, never beyond a. And is the generator seeded in it?")
    w = weights(student.xavier_uniform)
    limit = math.sqrt(6 / (FAN_IN + FAN_OUT))
    assert w.abs().max() <= limit * (1 + 1e-6)
    assert_share(w.abs() < limit / 2, 0.5)
    assert_share(w > 0, 0.5)
    assert not torch.equal(w, weights(student.xavier_uniform))


@pytest.mark.points(1)
def test_kaiming_variance(student, by_hand):
    """Weights drawn by kaiming_normal have mean zero and the variance of Kaiming's rule."""
    by_hand("kaiming_normal")
    hint("Which fan counts? And does your factor set the variance, or the standard deviation?")
    w = weights(student.kaiming_normal)
    assert_mean_and_variance(w, 2 / FAN_IN, NORMAL_KURTOSIS)


@pytest.mark.points(1)
def test_kaiming_is_normal_and_new_each_time(student, by_hand):
    """kaiming_normal draws normally distributed weights, new ones at each call."""
    by_hand("kaiming_normal")
    hint("Is it a normal distribution? And is the generator seeded anew somewhere in it?")
    w = weights(student.kaiming_normal)
    sigma = math.sqrt(2 / FAN_IN)
    assert_share(w.abs() < sigma, math.erf(1 / math.sqrt(2)))
    assert_share(w.abs() < 2 * sigma, math.erf(2 / math.sqrt(2)))
    assert not torch.equal(w, weights(student.kaiming_normal))


@pytest.mark.points(1)
@pytest.mark.parametrize("sizes", [[7, 4], [5, 9, 6, 3]], ids=["one layer", "three layers"])
def test_init_mlp_makes_all_parameters(student, sizes):
    """init_mlp gives weights and zero biases of the right shapes, for any number of layers."""
    hint("One weight and one bias for each pair of neighbours in sizes; count from 1.")
    params = student.init_mlp(sizes)
    depth = len(sizes) - 1
    assert sorted(params) == sorted(f"{kind}{k}" for kind in "wb" for k in range(1, depth + 1))
    for k in range(1, depth + 1):
        assert tuple(params[f"w{k}"].shape) == (sizes[k - 1], sizes[k])
        assert tuple(params[f"b{k}"].shape) == (sizes[k],)
        assert params[f"w{k}"].unique().numel() > 1
        assert not params[f"b{k}"].any()


@pytest.mark.points(1)
def test_signal_survives_ten_layers(student):
    """With init_mlp's weights, a signal keeps its size through ten ReLU layers."""
    hint("Each layer multiplies the mean square of the signal by a factor. Which is yours?")
    width = 256
    params = student.init_mlp([width] * 11)
    x = torch.randn(100, width, dtype=torch.float64)
    for k in range(1, 11):
        x = (x @ params[f"w{k}"].detach().double()).clamp(min=0)
    # The logarithm of the mean square deviates by sqrt(10 * 5 / 256) = 0.44 after ten layers.
    assert abs(math.log(x.square().mean().item() + 1e-300)) < 5 * 0.44
