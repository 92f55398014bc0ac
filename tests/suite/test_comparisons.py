"""Comparisons are seen with what came from the box, whatever way a suite compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from grader.suite.comparisons import Compared, note, noted, share_used
from grader.suite.strictness import comparing_strictly, marked

MINE = torch.tensor([1.0, 2.0])
OTHER = torch.tensor([1.0, 2.5])


def seen(compare: Callable[[Any, Any], object], mine: Any = MINE, other: Any = OTHER) -> Compared:
    with noted() as comparisons, comparing_strictly():
        try:
            compare(marked(mine.copy() if isinstance(mine, np.ndarray) else mine.clone()), other)
        except AssertionError:
            pass
    # numpy also asks where something is infinite.
    return next((one for one in comparisons.seen if one.atol), comparisons.seen[-1])


@pytest.mark.parametrize(
    "compare",
    [
        lambda mine, other: torch.allclose(mine, other, rtol=0.0, atol=1.0),
        lambda mine, other: torch.allclose(other, mine, rtol=0.0, atol=1.0),
        lambda mine, other: torch.isclose(mine, other, 0.0, 1.0),
        lambda mine, other: assert_close(mine, other, rtol=0.0, atol=1.0),
        lambda mine, other: assert_close(mine.double().detach(), other.double(), rtol=0, atol=1),
    ],
)
def test_a_tolerant_comparison_knows_both_sides_and_its_tolerance(compare: Any) -> None:
    found = seen(compare)
    assert found.mine.tolist() == MINE.tolist()
    assert found.other.tolist() == OTHER.tolist()
    assert (found.rtol, found.atol) == (0.0, 1.0)
    assert share_used(found) == pytest.approx(0.5)


def test_arrays_are_seen_too() -> None:
    found = seen(
        lambda mine, other: np.testing.assert_allclose(mine, other, rtol=0, atol=1),
        np.array([1.0, 2.0]),
        np.array([1.0, 2.5]),
    )
    assert share_used(found) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "compare",
    [
        lambda mine, other: torch.equal(mine, other),
        lambda mine, other: (mine == other).all(),
        lambda mine, other: (other == mine).all(),
    ],
)
def test_a_comparison_for_equality_has_no_tolerance(compare: Any) -> None:
    found = seen(compare)
    assert found.mine.tolist() == MINE.tolist()
    assert share_used(found) is None


def test_assert_close_is_seen_where_shapes_differ() -> None:
    found = seen(assert_close, torch.zeros(2, 3), torch.zeros(3, 2))
    assert (tuple(found.mine.shape), tuple(found.other.shape)) == ((2, 3), (3, 2))


def test_what_did_not_come_from_the_box_is_not_kept() -> None:
    with noted() as comparisons, comparing_strictly():
        torch.allclose(torch.ones(2), torch.ones(2))
    assert comparisons.seen == []


def test_without_a_test_nothing_is_kept() -> None:
    note(Compared(1, 2))


@pytest.mark.parametrize(
    ("mine", "other", "share"),
    [
        (torch.tensor([1.0]), torch.tensor([1.0]), 0.0),
        (torch.tensor([1.0]), torch.tensor([3.0]), 2.0),
        (torch.tensor([float("inf")]), torch.tensor([1.0]), None),
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0]), None),
        ("text", torch.tensor([1.0]), None),
        (torch.zeros(0), torch.zeros(0), None),
    ],
)
def test_the_share_of_a_tolerance(mine: Any, other: Any, share: float | None) -> None:
    assert share_used(Compared(mine, other, 0.0, 1.0)) == share


def test_a_test_says_the_largest_share() -> None:
    with noted() as comparisons:
        note(Compared(torch.tensor([1.0]), torch.tensor([1.5]), 0.0, 1.0))
        note(Compared(torch.tensor([1.0]), torch.tensor([1.2]), 0.0, 1.0))
    assert comparisons.tolerance_used() == pytest.approx(0.5)


def test_a_difference_that_was_looked_for_uses_no_tolerance() -> None:
    with noted() as comparisons:
        note(Compared(torch.tensor([1.0]), torch.tensor([9.0]), 0.0, 1.0))
        note(Compared(torch.tensor([1.0]), torch.tensor([1.2]), 0.0, 1.0))
    assert comparisons.tolerance_used() == pytest.approx(0.2)


def test_a_test_that_ends_at_a_comparison_says_its_share() -> None:
    mine = marked(torch.tensor([1.0]))
    with noted() as comparisons, comparing_strictly():
        assert not torch.allclose(mine, torch.tensor([9.0]), rtol=0.0, atol=1.0)
        with pytest.raises(AssertionError) as ended:
            assert_close(mine, torch.tensor([4.0]), rtol=0.0, atol=1.0)
    assert comparisons.tolerance_used(ended.value) == pytest.approx(3.0)
    assert comparisons.tolerance_used(ValueError()) is None
