"""The runs of a test as curves: what is drawn, on which scale, and what is said of them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from grader.grading.reference_runs import Band
from grader.report.run_pictures import HEIGHT, WIDTH, shown_runs
from grader.report.student_page import student_page
from grader.suite.experiment import Experiment
from grader.suite.results import Curve, TestOutcome, Trial
from tests.helpers.verdicts import (
    AFTER_DUE,
    BEFORE_DUE,
    SPEC,
    graded,
    reference_runs,
    test_result,
)


def run(value: str | None = "0.9", curve: Curve = (2.0, 1.0), **more: Any) -> Trial:
    measured = msgspec.UNSET if value is None else Decimal(value)
    return Trial(
        **{"seed": 1, "outcome": TestOutcome.PASSED, "measured": measured, "curve": curve} | more
    )


def said(*runs: Trial, most: int = 7, needed: int = 4, band: Band | None = None) -> str:
    shown = shown_runs(Experiment(runs=runs, most=most, needed=needed), band)
    return " ".join(shown.sentences)


def test_it_says_how_many_runs_were_made_and_what_their_range_is_worth() -> None:
    text = said(run("0.9"), run("0.8"), run("0.95"), run("0.91"))
    assert "4 of at most 7 runs" in text
    assert "The other 3 could not have changed the points." in text
    assert "In at least 87 of 100 such experiments" in text
    assert "The curves lie between 1 and 2." in text


def test_runs_that_were_not_made_for_want_of_time_are_not_called_needless() -> None:
    slow = run(None, (), outcome=TestOutcome.TIMEOUT)
    text = said(slow, slow)
    assert "The other 5 were not made." in text
    assert "of 100" not in text


def test_a_run_without_a_value_says_how_it_ended() -> None:
    runs = run(), run(None, (), outcome=TestOutcome.STUDENT_ERROR)
    pictures = shown_runs(Experiment(runs=runs, most=3, needed=2), None).pictures
    assert [(p.told, p.bad, bool(p.curve)) for p in pictures] == [
        ("0.9", False, True),
        ("raised an error", True, False),
    ]


@pytest.mark.parametrize(
    "curve",
    [
        (1.0,),
        (1.0, 1.0),
        (None, 1.0, None, 2.0),
        (1e30, -1e30),
        (5e-324, 1e30),
        tuple(map(float, range(60))),
    ],
)
def test_every_curve_stays_within_its_picture(curve: Curve) -> None:
    band = Band(runs=3, values=None, lows=(0.0, -9.0), highs=(3.0, 4.0))
    shown = shown_runs(Experiment(runs=(run(curve=curve),), most=1, needed=1), band)
    places = re.findall(r"(-?\d+\.\d),(-?\d+\.\d)", str(shown.pictures[0].curve))
    assert len(places) == sum(point is not None for point in curve) + 4
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in places)


def test_a_gap_breaks_the_line() -> None:
    shown = shown_runs(Experiment(runs=(run(curve=(3.0, None, 2.0, 1.0)),), most=1, needed=1), None)
    assert str(shown.pictures[0].curve).count("M") == 2


def test_runs_on_a_page_are_bounded() -> None:
    """Fifty runs of the longest curves, as much as a test can have."""
    runs = tuple(run(curve=tuple(float(i) for i in range(60))) for _ in range(50))
    shown = shown_runs(Experiment(runs=runs, most=50, needed=26), None)
    assert sum(len(picture.curve) for picture in shown.pictures) < 60_000


PLAIN = test_result("q5", "test_loss_falls", "Fifty steps must bring the loss down.", 4)


def page(when: str = "after_due", audience: str = "student", now: Any = AFTER_DUE) -> str:
    spec = msgspec.structs.replace(SPEC, reference_runs=when)
    return student_page(
        graded("Ada"),
        None,
        spec=spec,
        audience=audience,  # type: ignore[arg-type]
        now=now,
        reference_runs=reference_runs("test_loss_falls"),
    )


def test_a_page_draws_every_run_of_a_training() -> None:
    assert page().count('class="spark"') == 4
    assert "4 of at most 7 runs" in page()


def test_a_student_sees_the_references_runs_when_the_spec_says_so() -> None:
    told = "nine of ten runs of the reference"
    assert told in page("always", now=BEFORE_DUE)
    assert told in page("after_due") and told not in page("after_due", now=BEFORE_DUE)
    assert told not in page("never") and told in page("never", "instructor")
    assert 'class="among"' not in page("never")


def test_the_references_runs_are_shown_only_beside_a_verdict_of_the_same_suite() -> None:
    verdict = graded("Ada")
    made = msgspec.structs.replace(verdict.provenance, suite={"": "another"})
    html = student_page(
        msgspec.structs.replace(verdict, provenance=made),
        None,
        spec=SPEC,
        audience="instructor",
        now=AFTER_DUE,
        reference_runs=reference_runs("test_loss_falls"),
    )
    assert "runs of the reference" not in html
    assert html.count('class="spark"') == 4
