"""What the reference measured: gathered, kept with what it was made of, and its band."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.course.directory import Course
from grader.grading.reference_runs import (
    MOST_RUNS,
    ReferenceRun,
    ReferenceRuns,
    keep_reference_runs,
    kept_reference_runs,
    runs_of,
)
from grader.grading.verdict import Verdict
from grader.suite.results import TestOutcome, Trial
from tests.helpers.verdicts import graded, reference_runs, test_result


def trained(*values: float) -> Verdict:
    runs = tuple(
        Trial(seed=1, outcome=TestOutcome.PASSED, measured=Decimal(str(v)), curve=(v + 1, v))
        for v in values
    )
    tests = (
        test_result("q1", "trained", "", 1, trials=runs),
        test_result("q1", "plain", "", 1),
        test_result("q1", "single", "", 1, measured=Decimal("0.5")),
    )
    return graded("reference", tests=tests)


def test_every_run_that_measured_something_is_gathered() -> None:
    found = runs_of([trained(0.1, 0.2), trained(0.3)])
    assert {name: len(runs) for name, runs in found.items()} == {"trained": 3, "single": 2}
    assert found["trained"][2] == ReferenceRun(measured=0.3, curve=(1.3, 0.3))
    assert len(runs_of([trained(*[0.1] * 50)] * 9)["trained"]) == MOST_RUNS


def test_the_band_holds_nine_of_ten_runs() -> None:
    runs = tuple(ReferenceRun(measured=n / 100, curve=(float(n), 2.0 * n, 0.0)) for n in range(101))
    band = ReferenceRuns(tests={"t": runs}).band("t")
    assert band is not None
    assert band.values == pytest.approx((0.05, 0.5, 0.95))
    assert (band.lows[0], band.highs[0]) == pytest.approx((5, 95))
    assert (band.lows[-1], band.highs[-1]) == (0, 0)
    middle = len(band.highs) // 2
    assert 180 < band.highs[middle] < 190


def test_a_test_without_runs_has_no_band() -> None:
    assert ReferenceRuns().band("t") is None
    whole = ReferenceRuns(tests={"t": (ReferenceRun(measured=1.0),)}).band("t")
    assert whole is not None and whole.lows == ()


def test_runs_of_another_suite_do_not_fit() -> None:
    verdict = graded("Ada")
    assert reference_runs("t").fit(verdict)
    assert not ReferenceRuns(suite={"": "another"}).fit(verdict)
    assert not ReferenceRuns().fit(verdict)
    assert not reference_runs("t").fit(msgspec.structs.replace(verdict, provenance=None))


@pytest.fixture
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(
        "grader.grading.reference_runs.fingerprints_of", lambda assignment: {"": assignment.made_of}
    )
    return Course(tmp_path)


class Assignment:
    name = "hw"

    def __init__(self, made_of: str) -> None:
        self.made_of = made_of


def keep(course: Course, made_of: str, *verdicts: Verdict) -> ReferenceRuns:
    keep_reference_runs(course, Assignment(made_of), verdicts)  # type: ignore[arg-type]
    return kept_reference_runs(course, "hw")


def test_more_seeds_replace_fewer_and_another_suite_replaces_all(kept_in: Course) -> None:
    assert kept_reference_runs(kept_in, "hw") == ReferenceRuns()
    assert keep(kept_in, "a", trained(0.1), trained(0.2)).seeds == 2
    assert keep(kept_in, "a", trained(0.3)).seeds == 2
    assert keep(kept_in, "a", *[trained(0.3)] * 3).seeds == 3
    found = keep(kept_in, "b", trained(0.3))
    assert (found.seeds, found.suite) == (1, {"": "b"})


def test_a_damaged_file_is_as_if_it_were_not_there(kept_in: Course) -> None:
    keep(kept_in, "a", trained(0.1))
    next(kept_in.graded_dir.rglob("reference-runs.json")).write_bytes(b'{"tests": 3}')
    assert kept_reference_runs(kept_in, "hw") == ReferenceRuns()


def test_an_assignment_that_measures_nothing_keeps_nothing(kept_in: Course) -> None:
    keep(kept_in, "a", graded("reference", tests=(test_result("q1", "plain", "", 1),)))
    assert not kept_in.graded_dir.exists()
