"""Several runs of a test: what they give together, and that stopping early changes no mark."""

from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import InfrastructureError
from grader.suite.account import Account
from grader.suite.credit import Credit, at_least, bands
from grader.suite.outcomes import Ending, of_credit
from grader.suite.points import PlannedTest
from grader.suite.results import TestOutcome
from grader.suite.trials import ending_of_trials, is_decided
from tests.suite.workbench import Workbench

WORTH = Decimal(6)
SPOILT = Ending(outcome=TestOutcome.SUITE_ERROR)
DOUBTFUL = Ending(outcome=TestOutcome.FAILED, doubtful=True)
ERROR = Ending(outcome=TestOutcome.STUDENT_ERROR)


def planned(most: int, needed: int) -> PlannedTest:
    return PlannedTest(
        name="t",
        nodeid="t",
        function="t",
        question="q1",
        max_points=WORTH,
        trials=most,
        trials_needed=needed,
    )


def credited(share: float) -> Ending:
    return of_credit(Credit(Fraction(str(share)), measured=Decimal(str(share))), WORTH)


def stopped(endings: list[Ending], test: PlannedTest) -> list[Ending]:
    """The runs that are made: those up to the first after which it is decided."""
    made = (endings[:n] for n in range(1, len(endings)) if is_decided(endings[:n], test))
    return next(made, endings)


_SHARES = st.sampled_from([0, 0.25, 0.5, 1]).map(credited)
_ENDINGS = st.one_of(_SHARES, st.sampled_from([SPOILT, DOUBTFUL, ERROR]))


@st.composite
def _trials(
    draw: st.DrawFn, endings: st.SearchStrategy[Ending]
) -> tuple[PlannedTest, list[Ending]]:
    most = draw(st.integers(1, 9))
    test = planned(most, draw(st.integers(1, most)))
    return test, draw(st.lists(endings, min_size=most, max_size=most))


@given(_trials(_ENDINGS))
def test_stopping_early_gives_what_all_runs_would_have_given(
    trials: tuple[PlannedTest, list[Ending]],
) -> None:
    test, endings = trials
    early, whole = ending_of_trials(stopped(endings, test), test), ending_of_trials(endings, test)
    assert early.points(WORTH) == whole.points(WORTH)
    assert (early.outcome is TestOutcome.PASSED) == (whole.outcome is TestOutcome.PASSED)
    asked = [e.doubtful or e.outcome is TestOutcome.SUITE_ERROR for e in (early, whole)]
    assert asked[0] == asked[1]


@given(_trials(_ENDINGS))
def test_runs_go_on_only_while_one_of_them_could_change_the_mark(
    trials: tuple[PlannedTest, list[Ending]],
) -> None:
    test, endings = trials
    made = stopped(endings, test)[:-1]  # after these it went on
    left = test.trials - len(made)
    known = [e for e in made if e not in (SPOILT, DOUBTFUL)]
    unknown = len(made) - len(known)
    worst = known + [credited(0)] * (left + unknown)
    best = known + [credited(1)] * (left + unknown)
    results = {ending_of_trials(ends, test).points(WORTH) for ends in (worst, best)}
    assert len(results) == 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9).filter(lambda v: len(v) % 2))
def test_a_majority_gives_the_share_of_the_median(values: list[float]) -> None:
    test = planned(len(values), len(values) // 2 + 1)
    for share in (bands((0.2, 0), (0.9, 1)), at_least((0.3, 0.5), (0.6, 1))):
        endings = [of_credit(Credit(share(value)), WORTH) for value in values]
        wanted = of_credit(Credit(share(statistics.median(values))), WORTH)
        found = ending_of_trials(stopped(endings, test), test)
        assert found.points(WORTH) == wanted.points(WORTH)


@given(_trials(_SHARES), st.randoms())
def test_the_order_of_the_runs_changes_nothing(
    trials: tuple[PlannedTest, list[Ending]], random: object
) -> None:
    test, endings = trials
    shuffled = list(endings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    points = [
        ending_of_trials(stopped(ends, test), test).points(WORTH) for ends in (endings, shuffled)
    ]
    assert points[0] == points[1]


SUITE = """
    from grader.suite.credit import at_least, credit

    share = at_least((0.8, 0.5), (0.9, 1))

    @pytest.mark.points(4)
    @pytest.mark.trials({trials})
    def test_training(student):
        accuracy, losses = student.train()
        credit(share(accuracy), f"Accuracy {{accuracy:.0%}}.", curve=losses)
    """


def trained(*accuracies: float) -> str:
    return f"runs = iter({accuracies!r})\ndef train(): return next(runs), [2.0, 1.0, float('nan')]"


def test_every_run_is_recorded_with_what_it_measured_and_its_curve(bench: Workbench) -> None:
    bench.suite(SUITE.format(trials="5"))
    result = bench.judge_one(trained(0.95, 0.85, 0.7, 0.85, 0.92))  # the last can change nothing
    assert (result.points, result.outcome) == (2, TestOutcome.FAILED)
    assert [run.measured for run in result.trials] == [
        Decimal(text) for text in ("0.95", "0.85", "0.7", "0.85")
    ]
    assert {run.curve for run in result.trials} == {(2.0, 1.0, None)}
    assert (result.measured, result.most_trials, result.needed_trials) == (Decimal("0.85"), 5, 3)
    assert result.message == "Accuracy 85%. Median of 4 runs: 0.85, between 0.7 and 0.95."


def test_runs_stop_where_the_band_of_the_median_is_known(bench: Workbench) -> None:
    bench.suite(SUITE.format(trials="7"))
    assert len(bench.judge_one(trained(0.95, 0.96, 0.9, 0.91)).trials) == 4
    assert len(bench.judge_one(trained(0.5, 0.6, 0.1, 0.2)).trials) == 4
    half = bench.judge_one(trained(0.85, 0.86, 0.95, 0.81, 0.84))
    assert (len(half.trials), half.points) == (5, 2)


def test_a_run_that_comes_to_no_measurement_is_the_worst_of_all(bench: Workbench) -> None:
    bench.suite(SUITE.format(trials="3"))
    result = bench.judge_one(
        "runs = iter([0.95, 0, 0.85])\ndef train():\n"
        "    run = next(runs)\n    return 1 / (1 / run), [run]"
    )
    assert (len(result.trials), result.points) == (3, 2)
    assert result.message.endswith(
        "Median of 2 runs: 0.9, between 0.85 and 0.95; 1 came to no measurement."
    )


def test_a_single_run_is_kept_where_it_has_a_curve(bench: Workbench) -> None:
    bench.suite(SUITE.format(trials="1"))
    result = bench.judge_one(trained(0.95))
    assert [run.curve for run in result.trials] == [(2.0, 1.0, None)]


@pytest.mark.parametrize("losses", ["'x' * 9", "{1: 2}", "object()", "None", "lambda: 1", "3.5"])
def test_what_is_no_curve_costs_nothing(bench: Workbench, losses: str) -> None:
    bench.suite(SUITE.format(trials="1"))
    result = bench.judge_one(f"def train(): return 0.95, {losses}")
    assert (result.points, result.trials) == (4, ())


def test_with_a_right_answer_of_the_reference_no_curve_is_kept(bench: Workbench) -> None:
    bench.solution("def step(): return 7\n")
    suite = SUITE.format(trials="1").replace(
        "@pytest.mark.points(4)", '@pytest.mark.points(4)\n    @pytest.mark.with_right("step")'
    )
    bench.suite(suite)
    result = bench.judge_one("def train(): return 0.85, [7.0, 1.0]")
    assert (result.points, result.trials) == (2, ())


def test_an_object_trusted_in_any_run_that_earned_is_told_of(bench: Workbench) -> None:
    bench.suite(
        """
        from grader.suite.credit import credit

        @pytest.mark.points(4)
        @pytest.mark.trials(3, need=2)
        def test_f(student):
            found = student.f()
            assert found.allclose(torch.ones(2))
            credit(1 if student.last == 0 else 0.5)
        """
    )
    accounts: list[Account] = []
    result = bench.judge_one(
        "class Fake:\n    def allclose(self, other): return True\n"
        "tries = iter(range(3))\nlast = 0\n"
        "def f():\n    global last\n    last = next(tries)\n"
        "    if last == 2:\n        raise ValueError\n    return Fake()",
        on_result=lambda _, account: accounts.append(account),
    )
    assert (len(result.trials), result.points) == (3, 2)
    assert accounts[0].trusting


def test_trouble_of_ours_in_a_run_is_no_run(bench: Workbench) -> None:
    bench.suite(SUITE.format(trials="5"))
    with pytest.raises(InfrastructureError):
        bench.judge(
            "from grader.errors import InfrastructureError\nruns = iter([0.95, None, 0.95, 0.95])\n"
            "def train():\n    run = next(runs)\n"
            "    if run is None:\n        raise InfrastructureError('the engine is gone')\n"
            "    return run, [run]"
        )
