"""The median of several runs, and how much its range is worth."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from grader.suite.credit import Credit, at_least
from grader.suite.experiment import Experiment, experiment_of, fewest_runs
from grader.suite.outcomes import of_credit
from grader.suite.points import PlannedTest
from grader.suite.results import TestOutcome, TestResult, Trial
from grader.suite.trials import is_decided

ONE = Decimal(1)


def trial(value: float | None) -> Trial:
    if value is None:
        return Trial(seed=1, outcome=TestOutcome.STUDENT_ERROR)
    return Trial(seed=1, outcome=TestOutcome.PASSED, measured=Decimal(str(value)))


def experiment(*values: float | None, most: int, needed: int) -> Experiment:
    return Experiment(runs=tuple(map(trial, values)), most=most, needed=needed)


@pytest.mark.parametrize(
    ("most", "needed", "fewest"), [(1, 1, 1), (3, 2, 2), (7, 4, 4), (5, 5, 1), (5, 1, 1)]
)
def test_the_fewest_runs_that_decide(most: int, needed: int, fewest: int) -> None:
    assert fewest_runs(most, needed) == fewest


def test_what_the_runs_say() -> None:
    found = experiment(0.9, 0.95, 0.91, 0.97, most=7, needed=4)
    assert found.median == pytest.approx(0.93)
    assert (found.left, found.lost, found.confidence) == (3, 0, 1 - 2 / 16)


def test_nothing_is_claimed_where_a_run_has_no_place_in_their_order() -> None:
    assert experiment(0.9, None, 0.91, 0.97, most=7, needed=4).confidence == 0
    assert experiment(0.9, 0.8, most=7, needed=4).confidence == 0


@pytest.mark.parametrize(("most", "edge"), [(3, 0.5), (5, 0.3), (7, 0.5), (7, 0.7), (9, 0.5)])
def test_the_range_holds_the_median_as_often_as_it_says_although_runs_stop_early(
    most: int, edge: float
) -> None:
    """Uniform draws, of which the median is 1/2, and a band that lets them stop in the middle."""
    rng = random.Random(most)
    needed = most // 2 + 1
    test = PlannedTest(
        name="t", nodeid="t", function="t", question="q", trials=most, trials_needed=needed
    )
    share = at_least((edge, 0.5), (0.8, 1))
    held, times = 0, 2000
    for _ in range(times):
        values: list[float] = []
        endings: list[object] = []
        while len(values) < most and not is_decided(endings, test):  # type: ignore[arg-type]
            values.append(rng.random())
            endings.append(of_credit(Credit(share(values[-1])), ONE))
        held += min(values) <= 0.5 <= max(values)
    claimed = experiment(*values, most=most, needed=needed).confidence
    assert held / times >= claimed - 0.03  # three standard deviations of 2000 draws


def test_a_test_that_measured_nothing_is_no_experiment() -> None:
    plain = TestResult(
        name="t",
        question="q",
        points=ONE,
        max_points=ONE,
        outcome=TestOutcome.PASSED,
        trials=(Trial(seed=1, outcome=TestOutcome.PASSED),),
    )
    assert experiment_of(plain) is None
