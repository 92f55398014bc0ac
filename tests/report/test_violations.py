"""Violations of rules on the pages: what is shown, to whom, and escaped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from grader.grading.verdict import Verdict
from grader.report.class_page import class_page
from grader.report.gradescope import results_json
from grader.report.student_page import student_page
from grader.rules.violation import Violation
from tests.helpers.verdicts import AFTER_DUE, BEFORE_DUE, SPEC, graded


def violation(**more: Any) -> Violation:
    fields: dict[str, Any] = {
        "rule": "torch.nn.functional.softmax",
        "found": "torch.softmax",
        "seen": "source",
        "cost": "points",
        "cell": 3,
        "line": 2,
        "text": "return torch.softmax(x, 1)  # <script>alert(1)</script>",
    }
    return Violation(**{**fields, **more})


def verdict_with(*violations: Violation) -> Verdict:
    return msgspec.structs.replace(graded("ada"), violations=violations)


def page(verdict: Verdict, audience: Any = "student", now: Any = AFTER_DUE) -> str:
    return student_page(verdict, None, spec=SPEC, audience=audience, now=now)


def test_the_student_reads_where_it_is_and_what_it_cost() -> None:
    shown = next(t.name for t in graded("ada").tests if t.shows == "always")
    html = page(verdict_with(violation(tests=(shown,), points=Decimal(3))))
    assert "cell 3, line 2" in html
    assert "It cost 3 points." in html
    assert "<script>alert" not in html
    assert "return torch.softmax(x, 1)" in html


def test_a_test_that_is_held_back_is_not_told_by_what_a_violation_cost() -> None:
    hidden = next(t.name for t in graded("ada").tests if t.shows != "always")
    verdict = verdict_with(violation(tests=(hidden,), points=Decimal("1.25")))
    assert "It cost 1.25" not in page(verdict, now=BEFORE_DUE)
    assert hidden not in page(verdict, now=BEFORE_DUE)
    traced = verdict_with(violation(tests=(hidden,), seen="trace"))
    assert "cell 3, line 2" not in page(traced, now=BEFORE_DUE)
    assert "cell 3, line 2" in page(traced, "instructor", BEFORE_DUE)


def test_what_cannot_be_told_is_for_a_person() -> None:
    verdict = verdict_with(violation(unclear="the name is made when it runs", found=""))
    assert "made when it runs" not in page(verdict)
    assert "made when it runs" in page(verdict, "instructor")


def test_the_class_page_and_gradescope_hold_the_evidence() -> None:
    verdict = verdict_with(violation(cost="flag"))
    html = class_page([verdict], spec=SPEC, links={})
    assert "What the rules found" in html
    assert "a person will look at it" in html
    assert "<script>alert" not in html
    (told,) = results_json(verdict, spec=SPEC, now=AFTER_DUE)["extra_data"]["breaches"]
    assert told["cost"] == "flag"
    assert "cell 3, line 2" in told["what"]
