"""Question 1: bandits.

The bounds on what is drawn are five and a half standard deviations: a right answer crosses one of
them less than once in ten million draws.
"""

import math
import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def pulls(update_mean, shape, dtype, arms, rewards):
    """Values and counts after each pull, and whether the tables before it have stayed."""
    values, counts = torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=torch.int64)
    history = []
    for arm, reward in zip(arms, rewards, strict=True):
        given = values.clone(), counts.clone()
        new = update_mean(values, counts, arm, reward)
        stayed = torch.equal(values, given[0]) and torch.equal(counts, given[1])
        values, counts = new
        history.append((values.clone(), counts.clone(), stayed))
    return history


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_update_mean(student, close, dtype):
    """update_mean keeps the mean of what each arm has given, and changes nothing that is given."""
    hint("Divide by the count that includes this pull. Clone before you write into a table.")
    for n, k in ((1, 3), (random.randint(4, 7), random.randint(2, 5))):
        arms, rewards = torch.randint(k, (12, n)), 5 * torch.randn(12, n, dtype=dtype)
        history = student.run(pulls, student.update_mean, (n, k), dtype, list(arms), list(rewards))
        assert len(history) == 12
        for t, (values, counts, stayed) in enumerate(history, 1):
            pulled = torch.nn.functional.one_hot(arms[:t], k)
            number = pulled.sum(0)
            mean = (pulled * rewards[:t, :, None].double()).sum(0) / number.clamp(min=1)
            assert counts.dtype == torch.int64
            assert torch.equal(counts, number)
            close(values, mean.to(dtype), rtol=1e-5 if dtype == torch.float32 else 1e-9, atol=1e-5)
            assert stayed is True


def near(share, expected, n):
    """Whether a share of n draws is what it should be."""
    return abs(share - expected) <= 5.5 * math.sqrt(max(expected * (1 - expected), 1e-4) / n)


@pytest.mark.points(1)
def test_epsilon_greedy_without_exploration(student, and_inputs):
    """With ε = 0 only the largest are taken, and ties are broken evenly."""
    hint("argmax always takes the same one of several. Each row has its own largest; no noise.")
    n, k = 24_000, random.randint(3, 6)
    order = torch.rand(n, k).argsort(1)
    # The third is worse by so little that dice thrown onto the values would hide it.
    values = torch.tensor([2.5, 2.5, 2.49999, *[-1.0] * (k - 3)], dtype=torch.float64)[order]
    values = values - 3 * torch.rand(n, 1, dtype=torch.float64)
    (found, (after, _)) = student.run(and_inputs, student.epsilon_greedy, values, 0.0)
    assert found.dtype == torch.int64
    assert tuple(found.shape) == (n,)
    assert torch.equal(after, values)
    taken = order.gather(1, found[:, None])[:, 0]
    assert (taken <= 1).all()
    # Of the two best, in the order of their places: the first as often as the second.
    places = (order <= 1).int()
    first = places.argmax(1) == found
    assert near(first.double().mean().item(), 0.5, n)
    assert student.epsilon_greedy(torch.tensor([[0.0, 3.0]]), 0.0).tolist() == [1]


@pytest.mark.points(2)
def test_epsilon_greedy_explores(student):
    """With probability ε, drawn for each row, any of the actions is taken, the best one too."""
    hint("One coin for each row. Of K actions each gets ε/K, and the best the rest on top of that.")
    n, k = 24_000, random.randint(3, 6)
    for epsilon in (0.25, 1.0):
        values = torch.rand(n, k, dtype=torch.float64)
        found = student.epsilon_greedy(values, epsilon)
        assert found.dtype == torch.int64
        assert tuple(found.shape) == (n,)
        apart = (found - values.argmax(1)) % k  # 0 for the best one
        shares = (torch.bincount(apart, minlength=k).double() / n).tolist()
        assert near(shares[0], 1 - epsilon + epsilon / k, n)
        assert all(near(share, epsilon / k, n) for share in shares[1:])
        both = (apart[:-1] != 0) & (apart[1:] != 0)  # neighbours explore independently
        assert near(both.double().mean().item(), (epsilon * (1 - 1 / k)) ** 2, n / 3)
        again = student.epsilon_greedy(values, epsilon)
        assert not torch.equal(again, found)


@pytest.mark.points(2)
def test_ucb(student, and_inputs):
    """ucb takes the arm with the largest bound, and one that was never pulled before any other."""
    hint("t is the number of pulls of this bandit. The first of the arms that were never pulled.")
    for n, k in ((1, 2), (60, random.randint(3, 6))):
        for c in (0.0, random.uniform(0.3, 3)):
            values = torch.randn(n, k, dtype=torch.float64)
            counts = torch.randint(1, 30, (n, k))
            counts[n // 2 :: 5, k // 2] = 0
            counts[n // 3 :: 7] = 0
            counts[n // 4 :: 6, 0] = 500
            found, after = student.run(and_inputs, student.ucb, values, counts, c)
            expected = []
            for q, m in zip(values.tolist(), counts.tolist(), strict=True):
                if 0 in m:
                    expected.append(m.index(0))
                    continue
                t = sum(m)
                bounds = [a + c * math.sqrt(math.log(t) / b) for a, b in zip(q, m, strict=True)]
                expected.append(max(range(k), key=bounds.__getitem__))
            assert found.dtype == torch.int64
            assert found.tolist() == expected
            assert torch.equal(after[0], values)
            assert torch.equal(after[1], counts)


@pytest.mark.points(2)
def test_cumulative_regret(student, and_inputs, close):
    """cumulative_regret adds up what each pull has lost against the best arm of its own bandit."""
    hint("The best arm of each row; a running sum over the pulls, along the second dimension.")
    for n, k, t in ((1, 2, 1), (random.randint(3, 5), random.randint(2, 6), 9)):
        means, arms = torch.randn(n, k, dtype=torch.float64), torch.randint(k, (n, t))
        (found, after) = student.run(and_inputs, student.cumulative_regret, means, arms)
        expected = torch.zeros(n, t, dtype=torch.float64)
        for i in range(n):
            lost = 0.0
            for j in range(t):
                lost += max(means[i].tolist()) - means[i, arms[i, j]].item()
                expected[i, j] = lost
        close(found, expected)
        assert_close(after[0], means)
