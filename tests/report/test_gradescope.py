"""Gradescope's results.json."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from grader.report.gradescope import results_json
from grader.suite.results import TestOutcome
from tests.helpers.verdicts import AFTER_DUE, SPEC, broken, graded, invalid, spoilt, test_result

ALLOWED = {
    "score", "execution_time", "output", "output_format", "test_output_format",
    "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
ALLOWED_IN_TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format",
    "tags", "visibility", "extra_data",
}  # fmt: skip


def test_the_fields_are_those_that_gradescope_reads() -> None:
    result = json.loads(
        json.dumps(results_json(graded("Ada", ability=0.5), spec=SPEC, now=AFTER_DUE))
    )
    assert set(result) == ALLOWED
    assert all(set(t) == ALLOWED_IN_TEST for t in result["tests"])
    assert result["stdout_visibility"] == "hidden"


def test_visibility_is_mapped_and_left_to_gradescopes_dates() -> None:
    result = results_json(graded("Ada"), spec=SPEC, now=AFTER_DUE)
    visibility = {t["extra_data"]["name"]: t["visibility"] for t in result["tests"]}
    assert visibility["test_linear_forward"] == "visible"
    assert visibility["test_loss_gradient"] == "after_due_date"
    assert visibility["test_batches_cover_all"] == "hidden"


def test_points_and_status_follow_the_verdict() -> None:
    lost = test_result("q1", "t", "Rows sum.", 3, points=Decimal("1.33"),
                       outcome=TestOutcome.FAILED, hints=("Try dim=1.",),
                       details="SECRET")  # fmt: skip
    result = results_json(
        graded("Ada", tests=(lost,), points=Decimal("1.33")), spec=SPEC, now=AFTER_DUE
    )
    (test,) = result["tests"]
    assert (result["score"], test["score"], test["max_score"]) == (1.33, 1.33, 3.0)
    assert (test["status"], test["tags"]) == ("failed", ["q1"])
    assert "Hint: Try dim=1." in test["output"] and "SECRET" not in json.dumps(result)


def test_an_infrastructure_error_is_never_a_score() -> None:
    result = results_json(broken("Ada"), spec=SPEC, now=AFTER_DUE)
    assert "score" not in result and "tests" not in result
    assert "not graded" in result["output"]
    assert "container engine" not in json.dumps(result)


def test_a_fault_of_the_suite_is_never_a_score_and_shows_nothing_of_it() -> None:
    result = results_json(spoilt("Ada"), spec=SPEC, now=AFTER_DUE)
    assert "score" not in result and "tests" not in result
    assert "a check of the assignment is broken, not your work" in result["output"]
    assert "oops" not in json.dumps(result)


def test_a_submission_that_could_not_be_read_scores_nothing_and_says_why() -> None:
    result = results_json(invalid("Ada"), spec=SPEC, now=AFTER_DUE)
    assert result["score"] == 0 and "The file is a PDF" in result["output"]


def test_text_is_never_html() -> None:
    result = results_json(
        graded("Ada", notes=("<script>x</script>\x1b[31m",)), spec=SPEC, now=AFTER_DUE
    )
    assert result["output_format"] == result["test_output_format"] == "text"
    assert "\x1b" not in result["output"]


def test_a_test_that_gives_a_part_of_its_points_says_so() -> None:
    part = test_result("q1", "t", "Accuracy.", 3, points=Decimal("1.33"),
                       outcome=TestOutcome.FAILED, message="Accuracy 71 %.")  # fmt: skip
    (test,) = results_json(graded("Ada", tests=(part,)), spec=SPEC, now=AFTER_DUE)["tests"]
    assert test["output"] == "This test partly passed.\nAccuracy 71 %."


@pytest.mark.parametrize(
    ("when", "shows", "visibility"),
    [
        ("always", "always", "visible"),
        ("after_due", "always", "after_due_date"),
        ("always", "after_due", "after_due_date"),
        ("never", "always", None),
        ("always", "never", None),
    ],
)
def test_what_a_value_looks_like_is_an_entry_that_is_seen_when_the_spec_says(
    when: Any, shows: Any, visibility: str | None
) -> None:
    lost = test_result(
        "q1", "t", "Rows sum.", 3, outcome=TestOutcome.FAILED, shows=shows, diagnosis="sign"
    )
    spec = msgspec.structs.replace(SPEC, diagnose=when)
    _, *entries = results_json(graded("Ada", tests=(lost,)), spec=spec, now=AFTER_DUE)["tests"]
    assert [entry["visibility"] for entry in entries] == ([visibility] if visibility else [])
    assert all(entry["output"] == "The sign is the other way round." for entry in entries)
    assert all(set(entry) <= ALLOWED_IN_TEST - {"score", "max_score"} for entry in entries)
