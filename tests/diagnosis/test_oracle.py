"""A notebook that asks again and again learns kinds, and nothing of a number that it does not know.

The attackers here know all but one number of what is expected, choose each value by what was said
of those before, and may return any array. What they learn is how many of the numbers that it could
have been are left at the end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.diagnosis.explain import explain
from grader.report.marks import MOST_TRIES_DIAGNOSED

RNG = np.random.default_rng(11)
SECRETS = RNG.uniform(1.0, 2.0, size=60)
"""What an attacker knows of the number: it is one of these, to begin with."""
GUESSES = np.concatenate([RNG.uniform(0.5, 4.0, size=12), [1.01, 1.25, 1.5, 1.75, 1.99]])

Made = Callable[[float], Any]
ALONE: list[Made] = [
    float,
    lambda c: np.full(4, c),
    lambda c: np.full((3, 3), c),
    lambda c: np.array([0.0, c]),
    lambda c: np.array([c, c, 0.0, 0.0]),
]


def bits_learned(make: Made, tries: int) -> float:
    """How much the best of these guesses, chosen anew each time, tell of the number; on average."""
    learned = []
    for secret in SECRETS[::10]:
        left = list(SECRETS)
        for _ in range(tries):
            said = {g: [explain(make(g), make(c), rtol=1e-9) for c in left] for g in GUESSES}
            best = min(said, key=lambda g: max(Counter(said[g]).values()))
            answer = explain(make(best), make(secret), rtol=1e-9)
            kept = [c for c, kind in zip(left, said[best], strict=True) if kind == answer]
            if len(kept) == len(left):
                break
            left = kept
        learned.append(math.log2(len(SECRETS) / len(left)))
    return float(np.mean(learned))


@pytest.mark.parametrize("make", ALONE, ids=["number", "vector", "matrix", "zero", "zeros"])
def test_a_number_is_not_found_by_halves(make: Made) -> None:
    """Neither "offset" nor "factor" nor "nearly" says on which side, or how near, a guess is."""
    assert bits_learned(make, MOST_TRIES_DIAGNOSED) < 0.5


def test_a_named_factor_is_an_equality_and_no_interval() -> None:
    """Who guesses half of the number is told so, and nothing on the way there."""
    expected = 1.7
    assert explain(2 * expected, expected) == "factor-two"
    for near in (1.001, 0.999, 1.01, 1.1):
        assert explain(2 * expected * near, expected) == ""


def test_an_unnamed_factor_or_offset_says_nothing_of_its_size() -> None:
    expected = RNG.normal(size=(6, 5))
    factors = {explain(expected * g, expected) for g in (0.11, 0.37, 1.4, 3.3, 17.0, 1e5)}
    offsets = {explain(expected + g, expected) for g in (0.11, 0.37, 1.4, 3.3, 17.0, -5.0)}
    assert (factors, offsets) == ({"factor"}, {"offset"})


def test_of_several_unknown_numbers_all_must_be_near() -> None:
    """Else each could be found for itself."""
    expected = RNG.uniform(1, 2, size=8)
    for right in range(1, 7):
        guess = RNG.uniform(3, 9, size=8)
        guess[:right] = expected[:right] * 1.001
        assert explain(guess, expected, rtol=1e-9) != "nearly"
