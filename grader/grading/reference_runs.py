"""What the reference measured in each run of a test: something to hold others' runs against.

`validate` and `audit` run the reference with several seeds anyway. What its runs measured is kept
with the fingerprints of suite, reference, data and limits, and shown only beside a verdict that has
the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.course.directory import Assignment, Course
from grader.grading.regrade import fingerprints_of
from grader.grading.verdict import Verdict
from grader.storage import write_atomically
from grader.suite.experiment import curve_of_run, value_of
from grader.suite.results import Curve, TestResult

MOST_RUNS = 200
"""Of one test, kept."""
_POINTS = 60
_INNER = 0.9


class ReferenceRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one test: what it measured, and its curve."""

    measured: float | None = None
    curve: Curve = ()


class ReferenceRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of the reference by test, with so many seeds; `suite` are the fingerprints."""

    suite: dict[str, str] = {}
    seeds: int = 0
    tests: dict[str, tuple[ReferenceRun, ...]] = {}

    def fit(self, verdict: Verdict) -> bool:
        """Whether a verdict was made by the same suite, reference, data and limits."""
        made = verdict.provenance
        return made is not None and bool(self.suite) and made.suite == self.suite

    def band(self, test: str) -> Band | None:
        """How far the reference's runs of a test spread; None where there are none."""
        return _band(self.tests.get(test, ()))


@dataclass(frozen=True, kw_only=True)
class Band:
    """Nine of ten runs: of what they measured, and at each point of their curves.

    `lows` and `highs` have one length, and lie at equal distances along the curves; they are empty
    where the runs have none. `values` is (low, median, high), None where nothing was measured.
    """

    runs: int
    values: tuple[float, float, float] | None
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()


def runs_of(verdicts: Sequence[Verdict]) -> dict[str, tuple[ReferenceRun, ...]]:
    """Gather the runs of each test that measured something.

    Args:
        verdicts: on the reference, each with another seed.
    """
    found: dict[str, list[ReferenceRun]] = {}
    for verdict in verdicts:
        for test in verdict.tests:
            found.setdefault(test.name, []).extend(_runs(test))
    return {name: tuple(runs[:MOST_RUNS]) for name, runs in found.items() if runs}


def keep_reference_runs(
    course: Course, assignment: Assignment, verdicts: Sequence[Verdict]
) -> None:
    """Keep what the reference measured, unless more of it is kept already.

    Raises:
        OSError: it can't be written.
    """
    found, suite = runs_of(verdicts), fingerprints_of(assignment)
    kept = kept_reference_runs(course, assignment.name)
    if not found or (kept.suite == suite and kept.seeds >= len(verdicts)):
        return
    path = _path(course, assignment.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    runs = ReferenceRuns(suite=suite, seeds=len(verdicts), tests=found)
    write_atomically(path, msgspec.json.encode(runs))


def kept_reference_runs(course: Course, assignment: str) -> ReferenceRuns:
    """What is kept of an assignment, as it is or was; without runs where nothing can be read."""
    try:
        return msgspec.json.decode(_path(course, assignment).read_bytes(), type=ReferenceRuns)
    except (OSError, msgspec.MsgspecError):
        return ReferenceRuns()


def _path(course: Course, assignment: str) -> Path:
    return course.graded_dir / assignment / "audit" / "reference-runs.json"


def _runs(test: TestResult) -> Iterable[ReferenceRun]:
    if not test.trials and test.measured is not None:
        yield ReferenceRun(measured=float(test.measured))
    for trial in test.trials:
        run = ReferenceRun(measured=value_of(trial), curve=curve_of_run(trial))
        if run.measured is not None or run.curve:
            yield run


@functools.lru_cache(maxsize=64)
def _band(runs: tuple[ReferenceRun, ...]) -> Band | None:
    if not runs:
        return None
    values = sorted(run.measured for run in runs if run.measured is not None)
    low, high = (1 - _INNER) / 2, (1 + _INNER) / 2
    points = [
        sorted(p for run in runs if (p := _at(run.curve, i / (_POINTS - 1))) is not None)
        for i in range(_POINTS)
    ]
    drawn = all(points)
    return Band(
        runs=len(runs),
        values=(_quantile(values, low), _quantile(values, 0.5), _quantile(values, high))
        if values
        else None,
        lows=tuple(_quantile(p, low) for p in points) if drawn else (),
        highs=tuple(_quantile(p, high) for p in points) if drawn else (),
    )


def _at(curve: Curve, share: float) -> float | None:
    """The value of a curve at a share of its length, between its points on a line."""
    if not curve:
        return None
    place = share * (len(curve) - 1)
    before = math.floor(place)
    first, second = curve[before], curve[min(before + 1, len(curve) - 1)]
    if first is None or second is None:
        return first if second is None else second
    return first + (second - first) * (place - before)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    before = math.floor(place)
    after = min(before + 1, len(ordered) - 1)
    return ordered[before] + (ordered[after] - ordered[before]) * (place - before)
