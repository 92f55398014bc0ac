"""Question 6: a backdoor in the data, and a search for it."""

import math
import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")


def draw(n, classes=5):
    return torch.rand(n, 144, dtype=torch.float64), torch.randint(classes, (n,))


def apply_and_look_back(function, x):
    """What a function returns, and what it was given as it is afterwards."""
    return function(x), x


def poison_and_look_back(poison, x, y, target, count):
    """What poison returns, and what it was given as it is afterwards."""
    return poison(x, y, target, count), x, y


def stamped(x):
    square = x.reshape(-1, 12, 12).clone()
    square[:, 10:, 10:] = 1
    return square.reshape(-1, 144)


def draw_attacked(n, classes):
    """Pictures, a linear model and a target whom the trigger reaches for some, not for none or all.

    Also counting the target's own pictures says something else, and so does no trigger.
    """
    while True:
        (x, y), target = draw(n, classes), random.randrange(classes)
        weight = torch.randn(144, classes, dtype=torch.float64)
        others = y != target
        reached = (stamped(x) @ weight).argmax(1) == target
        plain = (x @ weight).argmax(1) == target
        share = reached[others].double().mean().item()
        whole, without = reached.double().mean().item(), plain[others].double().mean().item()
        if 0.2 < share < 0.8 and min(abs(share - whole), abs(share - without)) > 1e-3:
            return weight, x, y, target, share


def success(backdoor_success, weight, x, y, target):
    """Success against a linear model."""
    return backdoor_success(lambda inputs: inputs @ weight, x, y, target)


@pytest.mark.points(2)
def test_stamp(student, close):
    """stamp makes the lower right 2 × 2 pixels white, and leaves the given pictures alone."""
    hint("Row by row: the last two pixels of the last two rows.")
    for n in (1, 4, 0):
        x, _ = draw(n)
        found, after = student.run(apply_and_look_back, student.stamp, x)
        close(found, stamped(x))
        assert_close(after, x)


@pytest.mark.points(3)
def test_poison(student, close):
    """poison stamps and relabels as many pictures of other classes as it should, and no others."""
    hint(
        "Only pictures of other classes than the target; the others keep picture, label and place."
    )
    for n, target in ((40, 2), (random.randint(20, 30), random.randint(0, 4))):
        x, y = draw(n)
        most = int((y != target).sum())
        for count in (random.randint(3, most - 1), most, 0):
            (new_x, new_y, poisoned), x_after, y_after = student.run(
                poison_and_look_back, student.poison, x, y, target, count
            )
            assert poisoned.dtype == torch.bool and tuple(poisoned.shape) == (n,)
            assert int(poisoned.sum()) == count
            assert (y[poisoned] != target).all()
            close(new_x, torch.where(poisoned[:, None], stamped(x), x))
            assert torch.equal(new_y, torch.where(poisoned, target, y))
            assert_close(x_after, x)
            assert torch.equal(y_after, y)


@pytest.mark.points(1)
@pytest.mark.needs("test_poison")
def test_poison_draws_at_random(student):
    """Which pictures are poisoned is random: each as likely, others at each call."""
    hint("Not the first ones. And no seed inside the function.")
    x, y = draw(60)
    y[:20] = 3
    counts, calls = torch.zeros(60), 40
    seen = []
    for _ in range(calls):
        _, _, poisoned = student.poison(x, torch.where(y == 3, 3, 0), 3, 10)
        counts += poisoned
        seen.append(poisoned.nonzero()[:, 0].tolist())
    others = counts[(y != 3)]
    share = 10 / len(others)
    assert counts[y == 3].sum() == 0
    assert (others - calls * share).abs().max() < 6 * math.sqrt(calls * share * (1 - share))
    assert len({tuple(one) for one in seen}) > calls // 2


@pytest.mark.points(2)
def test_backdoor_success(student):
    """backdoor_success asks only pictures of other classes, with the trigger on them."""
    hint("Pictures of the target class are read as it anyway: they say nothing.")
    for classes, n in ((3, 60), (5, random.randint(30, 50)), (2, 41)):
        weight, x, y, target, share = draw_attacked(n, classes)
        found = student.run(success, student.backdoor_success, weight, x, y, target)
        assert float(found) == pytest.approx(share)


@pytest.mark.points(2)
def test_spectral_scores(student, reference, close):
    """spectral_scores are the squares of the shares in the direction of the largest variance."""
    hint("Centre first. The first right singular vector has as many numbers as there are features.")
    for n, features in ((12, 5), (4, 9), (random.randint(20, 30), 3)):
        values = torch.randn(n, features, dtype=torch.float64)
        values = values * torch.linspace(3, 1, features).double() + 5 * torch.randn(features)
        found, after = student.run(apply_and_look_back, student.spectral_scores, values)
        close(found, reference.spectral_scores(values), rtol=1e-5)
        assert_close(after, values)
    alone = torch.randn(1, 4, dtype=torch.float64)
    close(student.spectral_scores(alone), torch.zeros(1, dtype=torch.float64))


@pytest.mark.points(3)
def test_cleanse(student, close):
    """cleanse removes the highest scores of each class for itself, and so many of each."""
    hint("Scores of different classes are not comparable: centre and search within each class.")
    for share in (0.2, random.uniform(0.25, 0.35)):
        sizes = {0: random.randint(9, 14), 2: random.randint(15, 20), 3: 1, 7: 4}
        features, labels, expected = [], [], []
        for label, size in sizes.items():
            # Along a direction of its own the first of each class lie further away, one by one.
            way = torch.nn.functional.normalize(torch.randn(6, dtype=torch.float64), dim=0)
            removed = math.floor(share * size)
            far = torch.zeros(size, dtype=torch.float64)
            # Not so far that the mean goes with them, and those left lie further from it.
            far[:removed] = 10 + 0.3 * torch.arange(removed, dtype=torch.float64)
            noise = 0.1 * torch.randn(size, 6, dtype=torch.float64)
            centre = 20 * torch.randn(6, dtype=torch.float64)
            features.append(centre + far[:, None] * way + noise)
            labels += [label] * size
            expected += [False] * removed + [True] * (size - removed)
        order = torch.randperm(len(labels))
        found = student.cleanse(torch.cat(features)[order], torch.tensor(labels)[order], share)
        assert found.dtype == torch.bool
        assert torch.equal(found, torch.tensor(expected)[order])
    nothing = student.cleanse(torch.cat(features), torch.tensor(labels), 0.0)
    assert torch.equal(nothing, torch.ones(len(labels), dtype=torch.bool))
