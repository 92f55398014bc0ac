"""Question 4: windows, subsampling, noise.

The bounds on what is drawn are more than five standard deviations: a right answer crosses one of
them less than once in a million runs.
"""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def apply_and_look_back(function, values, *args):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*values, *args), values


@pytest.mark.points(2)
def test_keep_probabilities(student, close):
    """keep_probabilities is the root of threshold over share, at most 1."""
    hint("A share is a count divided by the sum of all. A word that does not occur is kept.")
    for n in (1, 5, random.randint(8, 14)):
        counts = torch.randint(1, 4, (n,)) ** 6
        if n > 1:
            counts[random.randrange(n)] = 0
        threshold = random.uniform(0.001, 0.1)
        args = (counts,)
        found, after = student.run(apply_and_look_back, student.keep_probabilities, args, threshold)
        total = counts.sum().item()
        right = [min(1, math.sqrt(threshold * total / c)) if c else 1 for c in counts.tolist()]
        close(found, torch.tensor(right, dtype=torch.float64))
        assert torch.equal(after[0], counts)


@pytest.mark.points(2)
def test_subsample(student):
    """subsample drops each token with its word's probability, new ones each time, in order."""
    hint("One random number for each token, not for each word; places and sentences go together.")
    n = 20_000
    # Every place is told by its sentence, so that what is left can be looked up.
    tokens, sentences = torch.randint(4, (n,)), torch.arange(n) + 7
    keep = torch.tensor([0.0, 1.0, 0.5, random.uniform(0.1, 0.9)], dtype=torch.float64)
    runs = [
        student.run(apply_and_look_back, student.subsample, (tokens, sentences), keep)
        for _ in range(2)
    ]
    for (kept, places), after in runs:
        assert torch.equal(after[0], tokens)
        assert torch.equal(after[1], sentences)
        assert places.dtype == torch.int64
        assert kept.shape == places.shape
        assert (places[1:] > places[:-1]).all()
        assert torch.equal(kept, tokens[places - 7])
        for word, share in enumerate(keep.tolist()):
            m = int((tokens == word).sum())
            stayed = int((kept == word).sum())
            assert abs(stayed - m * share) <= 5.5 * math.sqrt(m * share * (1 - share))
        # Of neighbouring tokens of one word, one stays whatever becomes of the other.
        mask = torch.zeros(n, dtype=torch.bool)
        mask[places - 7] = True
        both = (tokens[1:] == 2) & (tokens[:-1] == 2)
        together, m = int((mask[1:] & mask[:-1] & both).sum()), int(both.sum())
        assert abs(together - m / 4) < 6.5 * math.sqrt(m * 3 / 16)
    assert runs[0][0][1].tolist() != runs[1][0][1].tolist()


@pytest.mark.points(3)
def test_pairs(student, draw_text):
    """pairs lists every pair of neighbours within a sentence, both ways, as often as it occurs."""
    hint("Each of two neighbours is once the centre. No pairs across sentences.")
    for n_words, window in ((3, 1), (30, 3), (9, 2), (20, 4), (6, random.randint(4, 9))):
        text = draw_text(n_words, 10)
        found, after = student.run(apply_and_look_back, student.pairs, text, window)
        tokens, sentences = (one.tolist() for one in text)
        right = [
            [tokens[t], tokens[u]]
            for t in range(len(tokens))
            for u in range(len(tokens))
            if 0 < abs(t - u) <= window and sentences[t] == sentences[u]
        ]
        assert found.dtype == torch.int64
        assert sorted(found.tolist()) == sorted(right)
        assert torch.equal(after[0], text[0])
        assert torch.equal(after[1], text[1])
        for length in (0, 1):
            few = student.pairs(text[0][:length], text[1][:length], window)
            assert tuple(few.shape) == (0, 2)


@pytest.mark.points(1)
def test_noise_distribution(student, close):
    """noise_distribution is the power of the counts, divided by its sum."""
    hint("0.75 by default. A word that never occurs is no noise, whatever the power.")
    for n in (2, 7, random.randint(10, 20)):
        counts = torch.randint(1, 500, (n,))
        counts[0] = 0
        for power in (0.75, 0.0, 1.0, random.uniform(0.2, 0.6)):
            raised = [c**power if c else 0 for c in counts.tolist()]
            right = torch.tensor([r / sum(raised) for r in raised], dtype=torch.float64)
            close(student.noise_distribution(counts, power), right)
            if power == 0.75:
                close(student.noise_distribution(counts), right)


@pytest.mark.points(1)
def test_draw_negatives(student):
    """draw_negatives draws from the distribution, with replacement, each for itself."""
    hint("The same noise word may come twice for one example. No seed inside the function.")
    shares = torch.rand(5, dtype=torch.float64) + 0.1
    noise = torch.cat([torch.zeros(1, dtype=torch.float64), shares / shares.sum()])
    n, k = random.choice([5000, 6000]), 7
    found = student.draw_negatives(noise, n, k)
    assert found.dtype == torch.int64
    assert tuple(found.shape) == (n, k)
    for word, share in enumerate(noise.tolist()):
        for column in (found, found[:, :1], found[:, -1:]):
            m = column.numel()
            drawn = int((column == word).sum())
            assert abs(drawn - m * share) <= 5.5 * math.sqrt(m * share * (1 - share))
    # Two draws of one example are equal as often as two independent ones.
    equal, chance = (found[:, 0] == found[:, 1]).double().mean().item(), (noise**2).sum().item()
    assert abs(equal - chance) < 5.5 * math.sqrt(chance * (1 - chance) / n)
    assert found.tolist() != student.draw_negatives(noise, n, k).tolist()
