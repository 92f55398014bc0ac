"""A verdict as Gradescope's `results.json`."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

from grader.course.spec import AssignmentSpec
from grader.diagnosis.kinds import sentence_of
from grader.gradebook.whole_mark import Given, WholeMark, whole_mark
from grader.grading.verdict import Outcome, Verdict
from grader.report.marks import outcome_words, when_diagnosed
from grader.report.text import clean
from grader.suite.results import Shows, TestOutcome, TestResult, case_of

_VISIBILITY: dict[Shows, str] = {
    "always": "visible",
    "after_due": "after_due_date",
    "never": "hidden",
}


def results_json(
    verdict: Verdict,
    *,
    spec: AssignmentSpec,
    now: dt.datetime,
    given: Given | None = None,
    by_hand: tuple[Decimal, Decimal] | None = None,
) -> dict[str, Any]:
    """Return the fields of Gradescope's `results.json`; all text is of format "text".

    When a test shows is left to Gradescope, which knows each student's due date. An
    outcome that is no mark has neither score nor tests: Gradescope then reports a failed
    autograder, and not a mark of zero. The score is of machine and people together. What of it
    still waits is among the `extra_data`, which students do not see: in words it would tell them
    what the tests hide that are not shown yet. What kind of mistake a value shows is an entry of
    its own, as Gradescope hides whole entries until the due date.
    """
    mark = whole_mark(verdict, given or {}, by_hand=by_hand)
    result: dict[str, Any] = {
        "output": _overview(verdict),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(verdict.usage.wall_s, 3),
        "extra_data": _extra(verdict, mark, now),
    }
    if not verdict.outcome.is_mark or mark is None:
        return result
    cases = Counter((test.question, test.title) for test in verdict.tests)
    files = {q.id: f"{q.notebook}.ipynb" for q in verdict.questions if q.notebook}
    tests = [
        _test(
            test,
            i,
            case_of(test) if cases[test.question, test.title] > 1 else "",
            files.get(test.question, ""),
        )
        for i, test in enumerate(verdict.tests, 1)
    ]
    tests += [entry for test in verdict.tests if (entry := _diagnosis(test, spec)) is not None]
    return result | {"score": float(mark.points), "tests": tests, "leaderboard": []}


def _test(test: TestResult, number: int, case: str, file: str) -> dict[str, Any]:
    return {
        "name": clean(
            f"{test.title or test.name}{f' [{case}]' if case and test.title else ''}", 500
        ),
        "name_format": "text",
        "number": f"{number}",
        "score": float(test.points),
        "max_score": float(test.max_points),
        "status": "passed" if test.outcome is TestOutcome.PASSED else "failed",
        "output": _output(test),
        "output_format": "text",
        "tags": [test.question, *([file] if file else [])],
        "visibility": _VISIBILITY[test.shows],
        "extra_data": {"name": test.name, "outcome": test.outcome.value},
    }


def _diagnosis(test: TestResult, spec: AssignmentSpec) -> dict[str, Any] | None:
    """What a wrong value looks like, seen when both the spec and the test allow it; no points."""
    when = when_diagnosed(test, spec)
    sentence = sentence_of(test.diagnosis) if isinstance(test.diagnosis, str) else ""
    if not sentence or "never" in (when, test.shows):
        return None
    visible: Shows = "after_due" if "after_due" in (when, test.shows) else "always"
    return {
        "name": clean(f"What it looks like: {test.title or test.name}", 500),
        "name_format": "text",
        "output": sentence,
        "output_format": "text",
        "tags": [test.question],
        "visibility": _VISIBILITY[visible],
        "extra_data": {"name": test.name, "diagnosis": test.diagnosis},
    }


def _output(test: TestResult) -> str:
    """What the student may read: never `details`, which tell what was expected."""
    parts = [
        f"This test {outcome_words(test)}.",
        test.message,
        *(f"Hint: {hint}" for hint in test.hints),
        test.traceback,
        test.details if test.shows_details else "",
    ]
    return "\n".join(clean(part) for part in parts if part)


def _overview(verdict: Verdict) -> str:
    if verdict.outcome is Outcome.SUITE_ERROR:
        return (
            "This submission has no mark yet: a check of the assignment is broken, not your work. "
            "It will be run again."
        )
    if verdict.outcome is Outcome.INFRASTRUCTURE_ERROR:
        return "This submission was not graded, through a fault on our side. It will be run again."
    if verdict.outcome is Outcome.INVALID_SUBMISSION:
        return clean(f"The submission could not be read. {verdict.reason}")
    return clean("\n".join(verdict.notes))


def _extra(verdict: Verdict, mark: WholeMark | None, now: dt.datetime) -> dict[str, Any]:
    provenance = verdict.provenance
    return {
        "assignment": verdict.assignment,
        "outcome": verdict.outcome.value,
        "breaches": [
            {
                "rule": violation.rule,
                "what": clean(violation.sentence, 600),
                "source": clean(violation.text, 300),
                "seen": violation.seen,
                "cost": violation.cost,
                "points": float(violation.points),
                "tests": list(violation.tests),
            }
            for violation in verdict.violations
        ],
        "mark": mark.words if mark else None,
        "points": float(mark.points) if mark else None,
        "max_points": float(mark.max_points) if mark else None,
        "waits": float(mark.waits) if mark else None,
        "manual_points": float(verdict.manual_points),
        "by_hand": [
            {"question": q.id, "points": float(q.by_hand), "comment": clean(q.comment, 600)}
            for q in verdict.questions
            if q.by_hand or q.comment
        ],
        "extra_credit": [q.id for q in verdict.questions if q.extra_credit],
        "submission_sha256": verdict.submission.sha256,
        "bundle_sha256": provenance.bundle_sha256 if provenance else None,
        "written_at": now.isoformat(),
    }
