"""What is kept of a curve, whatever a notebook hands back as one."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.suite.curves import MAX_POINTS, curve_of

_NUMBERS = st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none(), st.booleans())


@pytest.mark.parametrize(
    "values",
    [
        [3, 2.5, 1.0],
        (3, 2.5, 1.0),
        torch.tensor([3, 2.5, 1.0], requires_grad=True),
        np.array([3, 2.5, 1.0], dtype=np.float32),
        [torch.tensor(3), np.float32(2.5), 1],
    ],
)
def test_a_curve_may_be_any_sequence_of_numbers(values: Any) -> None:
    assert curve_of(values) == (3.0, 2.5, 1.0)


@pytest.mark.parametrize(
    "values",
    [
        *(None, 3.5, "123", b"12", {1: 2}, iter([1.0]), range(3), torch.ones(2, 2)),
        *(torch.tensor(1.0), [], ["a", None], [[1.0], [2.0]], [math.nan, math.inf]),
        *([torch.ones(3)], [1j, 10**400]),
    ],
)
def test_what_is_no_curve_has_no_points(values: Any) -> None:
    assert curve_of(values) == ()


def test_what_is_no_finite_number_is_a_gap() -> None:
    assert curve_of([1.0, math.nan, -math.inf, 1e31, "x", 2]) == (1.0, None, None, None, None, 2.0)


def test_a_long_curve_is_thinned_out_and_keeps_its_ends() -> None:
    kept = curve_of(list(range(100_000)))
    assert len(kept) == MAX_POINTS
    assert (kept[0], kept[-1]) == (0.0, 100_000.0)  # to four digits
    gaps = [(b or 0) - (a or 0) for a, b in itertools.pairwise(kept)]
    assert max(gaps) - min(gaps) < 20


@given(st.lists(_NUMBERS, max_size=200))
def test_a_curve_is_bounded_and_never_raises(values: list[Any]) -> None:
    kept = curve_of(values)
    assert len(kept) <= MAX_POINTS
    assert len(msgspec.json.encode(kept)) <= 12 * MAX_POINTS + 2
    assert all(point is None or math.isfinite(point) for point in kept)
