"""Tests that give a part of their points, and shares by bands."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SuiteError
from grader.suite.credit import Credit, at_least, at_most, bands, credit
from grader.suite.outcomes import of_credit
from grader.suite.results import TestOutcome, TestResult
from tests.suite.workbench import Workbench

SUITE = """
    from grader.suite.credit import bands, credit

    share = bands((0.6, 0), (0.75, 0.5), (0.9, 1))

    @pytest.mark.points(7)
    def test_accuracy(student):
        found = student.accuracy
        credit(share(found), f"Accuracy {found:.1%}.", measured=found)
        assert student.finished
    """


def judged(bench: Workbench, accuracy: str, finished: bool = True) -> TestResult:
    bench.suite(SUITE)
    return bench.judge_one(f"accuracy = {accuracy}\nfinished = {finished}")


def test_part_of_the_points_is_no_pass_and_says_why(bench: Workbench) -> None:
    result = judged(bench, "0.675")
    assert result.points == Decimal("1.75")
    assert (result.outcome, result.partly) == (TestOutcome.FAILED, True)
    assert result.message == "Accuracy 67.5%."
    assert result.measured == Decimal("0.675")


def test_all_of_the_points_is_a_pass(bench: Workbench) -> None:
    result = judged(bench, "0.93")
    assert (result.points, result.outcome, result.partly) == (7, TestOutcome.PASSED, False)
    assert result.message == "Accuracy 93.0%."


def test_no_part_of_the_points_is_a_failed_check(bench: Workbench) -> None:
    result = judged(bench, "0.6")
    assert (result.points, result.outcome, result.partly) == (0, TestOutcome.FAILED, False)


def test_a_test_that_fails_after_all_gives_nothing(bench: Workbench) -> None:
    result = judged(bench, "0.93", finished=False)
    assert (result.points, result.outcome) == (0, TestOutcome.FAILED)
    assert result.measured is None


def test_points_are_hundredths_and_print_as_they_are(bench: Workbench) -> None:
    bench.suite(
        """
        from fractions import Fraction
        from grader.suite.credit import credit

        @pytest.mark.points(1)
        @pytest.mark.parametrize("share", [0.1, Fraction(1, 3), Fraction(2, 3), "x"])
        def test_it(student, share):
            credit(0.29 if share == "x" else share)
        """
    )
    results = bench.judge("")
    assert [str(r.points) for r in results.values()] == ["0.03", "0.08", "0.17", "0.07"]


def test_a_wrong_share_breaks_the_check_and_gives_nothing(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.credit import credit

        @pytest.mark.points(4)
        @pytest.mark.parametrize("share", [1.01, -0.1, float("nan"), float("inf")])
        def test_it(student, share):
            credit(share)
        """
    )
    for result in bench.judge("").values():
        assert result.points == 0
        assert "broken" in result.message


def test_the_last_call_counts(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.credit import credit

        @pytest.mark.points(4)
        def test_it(student):
            credit(1)
            credit(0.25, "a quarter")
        """
    )
    assert bench.judge_one("").points == 1


def test_credit_of_one_test_is_not_the_next_ones(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.credit import credit

        @pytest.mark.points(2)
        def test_first(student):
            credit(0.5)

        @pytest.mark.points(2)
        def test_second(student):
            assert student.missing

        @pytest.mark.points(2)
        def test_third(student):
            pass
        """
    )
    assert [r.points for r in bench.judge("").values()] == [1, 0, 2]


def test_what_needs_a_test_needs_all_of_it(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.credit import credit

        def test_first(student):
            credit(0.5)

        @pytest.mark.needs("test_first")
        def test_second(student):
            pass
        """
    )
    assert bench.judge("")["test_second"].outcome is TestOutcome.NOT_RUN


@pytest.mark.parametrize(
    ("shares", "points"),
    [
        ([1, 1, 0], "6"),
        ([1, 0.5, 0], "3"),
        ([0.2, 0.4, 0.6], "2.4"),
        ([1, 0, 0], "0"),
        ([0, 0.9, 0], "0"),
    ],
)
def test_trials_give_what_as_many_as_are_needed_reach(
    bench: Workbench, shares: list[float], points: str
) -> None:
    bench.suite(
        f"""
        from grader.suite.credit import credit
        SHARES = iter({shares!r})

        @pytest.mark.points(6)
        @pytest.mark.trials(3, need=2)
        def test_it(student):
            credit(next(SHARES), "so far")
        """
    )
    result = bench.judge_one("")
    assert result.points == Decimal(points)
    assert (result.outcome is TestOutcome.PASSED) == (points == "6")


def test_credit_outside_a_test_does_nothing() -> None:
    credit(0.5, "nobody")


@pytest.mark.parametrize(
    "edges",
    [
        (),
        ((0.5, 1),),
        ((0.5, 0), (0.5, 1)),
        ((0.9, 0), (0.5, 1)),
        ((0.5, 0), (0.9, 1.5)),
        ((0.5, -1), (0.9, 1)),
        ((float("nan"), 0), (0.9, 1)),
    ],
)
def test_bands_that_make_no_sense_are_refused(edges: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(SuiteError, match="two or more edges"):
        bands(*edges)


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (0.1, 0),
        (0.6, 0),
        (0.675, Fraction(1, 4)),
        (0.75, Fraction(1, 2)),
        (0.8, Fraction(2, 3)),
        (0.9, 1),
        (1, 1),
        (float("inf"), 0),
        (float("-inf"), 0),
        (float("nan"), 0),
    ],
)
def test_bands_interpolate_between_their_edges(value: float, share: Fraction) -> None:
    assert bands((0.6, 0), (0.75, 0.5), (0.9, 1))(value) == share


def test_shares_of_bands_may_fall() -> None:
    assert bands((0.1, 1), (0.5, 0))(0.2) == Fraction(3, 4)


@given(
    st.floats(0, 1),
    st.decimals("0.01", "1000", places=2),
)
def test_points_are_never_less_than_nothing_nor_more_than_the_test_gives(
    share: float, worth: Decimal
) -> None:
    ending = of_credit(Credit(Fraction(str(share))), worth)
    points = ending.points(worth)
    assert 0 <= points <= worth
    assert points == points.quantize(Decimal("0.01"))
    assert (ending.outcome is TestOutcome.PASSED) == (points == worth)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_better_value_never_gives_less(values: list[float]) -> None:
    share = bands((0.2, 0), (0.3, 0.1), (0.8, 0.7), (0.95, 1))
    shares = [share(value) for value in sorted(values)]
    assert shares == sorted(shares)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_not_finite_is_worth_nothing(value: float) -> None:
    for share in (bands((0.1, 1), (0.5, 0)), at_least((-9, 1)), at_most((9, 1))):
        assert share(value) == 0


@pytest.mark.parametrize(
    ("value", "share"),
    [(0.84, 0), (0.85, Fraction(1, 2)), (0.949, Fraction(1, 2)), (0.95, 1), (torch.tensor(2.0), 1)],
)
def test_at_least_gives_the_share_of_the_highest_edge_reached(value: Any, share: Fraction) -> None:
    assert at_least((0.85, 0.5), (0.95, 1))(value) == share


@pytest.mark.parametrize(
    ("value", "share"), [(9.1, 0), (9, Fraction(2, 5)), (6.51, Fraction(2, 5)), (6.5, 1), (-3, 1)]
)
def test_at_most_gives_the_share_of_the_lowest_edge_reached(value: float, share: Fraction) -> None:
    assert at_most((9, 0.4), (6.5, 1))(value) == share


@pytest.mark.parametrize(
    ("make", "edges"),
    [
        (at_least, ()),
        (at_least, ((0.9, 0.5), (0.8, 1))),
        (at_least, ((0.8, 1), (0.9, 0.5))),
        (at_least, ((0.8, 0.5), (0.9, 0.5))),
        (at_least, ((0.8, 0),)),
        (at_least, ((0.8, 1.5),)),
        (at_least, ((float("nan"), 1),)),
        (at_most, ((6.5, 0.5), (9, 1))),
        (at_most, ((9, 1), (6.5, 0.5))),
    ],
)
def test_steps_that_make_no_sense_are_refused(make: Any, edges: Any) -> None:
    with pytest.raises(SuiteError, match="expected edges"):
        make(*edges)


def test_the_value_that_was_asked_for_its_step_is_what_was_measured(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.credit import at_most, credit

        @pytest.mark.points(5)
        def test_it(student):
            credit(at_most((9, 0.4), (6.5, 1))(student.perplexity), "Perplexity.")
        """
    )
    result = bench.judge_one("perplexity = 7.25")
    assert (result.points, result.measured) == (2, Decimal("7.25"))
