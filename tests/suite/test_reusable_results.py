"""Results stand unless a test that they hang together with has changed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.suite.results import TestOutcome, TestResult
from grader.suite.running import CollectedSuite, collect_suite

SUITE = """\
import pytest

pytestmark = [pytest.mark.question("q1"), pytest.mark.points(1)]


@pytest.fixture(scope="module")
def noise():
    return 3


@pytest.fixture
def own():
    return 4


@pytest.fixture
def through(noise):
    return noise


def test_alone(student, own):
    pass


def test_also_alone(student, own):
    pass


def test_shares(noise):
    pass


def test_shares_through_another(through):
    pass


@pytest.mark.needs("test_alone")
def test_needs(student):
    pass


@pytest.mark.needs("test_needs")
def test_needs_what_needs(student):
    pass


@pytest.mark.parametrize("n", [1, 2])
def test_cases(student, n):
    pass
"""
ALL = {
    "test_alone",
    "test_also_alone",
    "test_shares",
    "test_shares_through_another",
    "test_needs",
    "test_needs_what_needs",
    "test_cases",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("suite")
    (made / "test_q1.py").write_text(SUITE)
    return made


def stands(folder: Path, changed: set[str], **other: object) -> set[str]:
    """The functions whose results stand when these have changed."""
    found: set[str] = set()

    def look(suite: CollectedSuite) -> None:
        before = [
            TestResult(
                name=t.name,
                question=t.question,
                points=Decimal(0),
                max_points=t.max_points,
                outcome=TestOutcome.FAILED,
            )
            for t in suite.plan.tests
        ]
        before[0] = msgspec.structs.replace(before[0], **other)
        unchanged = {f"test_q1.py::{name}" for name in ALL - changed}
        found.update(r.name.partition("[")[0] for r in suite.standing(unchanged, before))

    collect_suite(folder, reference_path=None, on_ready=look)
    return found


@pytest.mark.parametrize(
    ("changed", "fall"),
    [
        ({"test_also_alone"}, {"test_also_alone"}),
        ({"test_cases"}, {"test_cases"}),
        ({"test_shares"}, {"test_shares", "test_shares_through_another"}),
        ({"test_shares_through_another"}, {"test_shares", "test_shares_through_another"}),
        ({"test_needs"}, {"test_needs", "test_needs_what_needs"}),
        ({"test_alone"}, {"test_alone", "test_needs", "test_needs_what_needs"}),
        (ALL, ALL),
        (set(), set()),
    ],
)
def test_what_hangs_together_falls_together(
    folder: Path, changed: set[str], fall: set[str]
) -> None:
    assert stands(folder, changed) == ALL - fall


@pytest.mark.parametrize("other", [{"max_points": Decimal(2)}, {"question": "q2"}, {"name": "x"}])
def test_a_result_that_does_not_fit_its_test_falls(folder: Path, other: dict[str, object]) -> None:
    assert stands(folder, set(), **other) == ALL - {
        "test_alone",
        "test_needs",
        "test_needs_what_needs",
    }
