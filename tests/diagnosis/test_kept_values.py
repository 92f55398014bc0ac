"""A value is known again by its shape and some of its numbers, if it tells something."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grader.diagnosis.kept_values import KeptValue, kept_value

RNG = np.random.default_rng(3)
X = RNG.normal(size=(5, 4))
LARGE = RNG.normal(size=(300, 100))


def taken(mine: Any, other: Any = None, place: int = 1, **options: Any) -> KeptValue:
    other = np.zeros_like(np.asarray(mine)) if other is None else other
    found = kept_value(mine, other, place=place, **options)
    assert found is not None
    return found


@pytest.mark.parametrize("value", [X, LARGE, torch.tensor(X), 0.37, X > 0, np.arange(5)])
def test_a_value_equals_itself(value: Any) -> None:
    assert taken(value).equals(taken(value))
    assert len(taken(value).numbers) <= 64


def test_rounding_does_not_matter_and_anything_else_does() -> None:
    assert taken(X.astype(np.float32)).equals(taken(X))
    assert not taken(X * 1.001).equals(taken(X))
    assert not taken(X.T).equals(taken(X))
    assert not taken(X, place=2).equals(taken(X))
    other = LARGE.copy()
    other[7, 3:90] += 1  # of what is between those that are kept the sum tells
    assert not taken(other).equals(taken(LARGE))


def test_small_mistakes_are_told_apart() -> None:
    """Two values that are both close to what was expected need not be the same."""
    one, two = X * (1 + 1e-6), X * (1 - 2e-6)
    assert taken(one, X).equals(taken(one * (1 + 1e-9), X))
    assert not taken(one, X).equals(taken(two, X))


@pytest.mark.parametrize(
    "value",
    [np.zeros(9), np.ones((3, 3)), 3.0, 0, True, X * np.nan, np.full(4, 0.5), np.zeros(0), "text"],
)
def test_what_anything_could_give_is_not_kept(value: Any) -> None:
    assert kept_value(value, np.ones(3), place=1) is None


def test_what_is_no_number_or_too_much_is_not_kept() -> None:
    assert kept_value(X * 1j, X, place=1) is None
    assert kept_value(np.arange(10**6), np.arange(10**6), place=1) is None
    assert kept_value(object(), X, place=1) is None


def test_where_nobody_knows_which_is_the_students_both_are_kept() -> None:
    """What was expected alone would be the same for every mistake."""
    expected = 0.25
    one, two = (taken(expected, mine, both=True) for mine in (0.5, 0.75))
    assert not one.equals(two)
    assert one.equals(taken(expected, 0.5, both=True))
