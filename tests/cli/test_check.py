"""What `grader check` prints of the public tests."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.api import CheckedNotebook
from grader.cli import check
from grader.suite.results import TestOutcome, TestResult
from tests.helpers.verdicts import test_result


def case(name: str, title: str, outcome: TestOutcome = TestOutcome.PASSED) -> TestResult:
    points = Decimal(outcome is TestOutcome.PASSED)
    return test_result("q1", name, title, 1, outcome=outcome, points=points)


def shown(results: list[TestResult], capsys: pytest.CaptureFixture[str]) -> list[str]:
    found = CheckedNotebook(
        results=results,
        cells=[],
        notes=[],
        ahead=(),
        missing_modules=(),
        answers={},
        answer_places={},
        sandbox="local",
    )
    check._show(found)
    return [line for line in capsys.readouterr().out.splitlines() if line[:1] in "✓✗◐"]


def test_a_test_of_several_cases_is_one_line_where_all_passed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = [case(f"test_a[{k}]", "a is right.") for k in range(3)] + [case("test_b", "b, too.")]
    assert shown(results, capsys) == ["✓ a is right. (3 cases)", "✓ b, too."]


def test_else_each_case_says_which_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        case("test_a[single]", "a is right."),
        case("test_a[double]", "a is right.", TestOutcome.FAILED),
        case("test_b[1]", ""),
    ]
    assert shown(results, capsys) == [
        "✓ a is right. [single]",
        "✗ a is right. [double]",
        "✓ test_b",
    ]
