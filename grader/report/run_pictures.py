"""The runs of one test as small curves, with what they say together, for a student's page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grader.grading.reference_runs import Band
from grader.report.marks import OUTCOME_WORDS
from grader.suite.experiment import Experiment, curve_of_run, value_of
from grader.suite.results import Curve, TestOutcome, Trial

WIDTH, HEIGHT = 96, 44
_MARGIN = 3
_WORTH_SAYING = 0.75
_BY_ITSELF = frozenset({TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.STUDENT_ERROR})


@dataclass(frozen=True, kw_only=True)
class RunPicture:
    """One run: its curve, if it has one, and the number that it measured, or how it ended."""

    curve: Markup
    told: str
    bad: bool


@dataclass(frozen=True, kw_only=True)
class ShownRuns:
    """All runs of a test, and sentences on what they say together."""

    pictures: tuple[RunPicture, ...]
    sentences: tuple[str, ...]


def shown_runs(experiment: Experiment, band: Band | None) -> ShownRuns:
    """Draw every run of a test on one scale.

    Args:
        experiment: the runs; their numbers are finite and bounded, their curves short.
        band: of the reference's runs; None where the reader may not see it.
    """
    scale = _Scale.of([curve_of_run(run) for run in experiment.runs], band)
    return ShownRuns(
        pictures=tuple(
            _picture(number, run, scale, band)
            for number, run in enumerate(experiment.runs, start=1)
        ),
        sentences=tuple(_sentences(experiment, scale, band)),
    )


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    @classmethod
    def of(cls, curves: Sequence[Curve], band: Band | None) -> _Scale | None:
        points = [point for curve in curves for point in curve if point is not None]
        if not points:
            return None
        points += [*band.lows, *band.highs] if band else []
        return cls(min(points), max(points))

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)


def _sentences(experiment: Experiment, scale: _Scale | None, band: Band | None) -> Iterator[str]:
    made = len(experiment.runs)
    if experiment.most > 1:
        yield f"{made} of at most {experiment.most} runs, each with seeds of its own."
    if experiment.left:
        others = "The other one" if experiment.left == 1 else f"The other {experiment.left}"
        was = "was" if experiment.left == 1 else "were"
        decided = all(run.outcome in _BY_ITSELF for run in experiment.runs)
        yield f"{others} {'could not have changed the points' if decided else f'{was} not made'}."
    if experiment.confidence >= _WORTH_SAYING and len(set(experiment.values)) > 1:
        percent = math.floor(100 * experiment.confidence)
        yield (
            f"In at least {percent} of 100 such experiments the range of the runs holds the median "
            "of all that could be made."
        )
    if scale is not None:
        yield f"The curves lie between {scale.low:.3g} and {scale.high:.3g}."
    if band is not None and (band.values or band.lows):
        where = "Shaded" if scale is not None and band.lows else "To compare"
        told = ""
        if band.values is not None:
            low, median, high = band.values
            told = f": {low:.4g} to {high:.4g}, median {median:.4g}"
        yield f"{where}: nine of ten runs of the reference, of {band.runs}{told}."


def _picture(number: int, run: Trial, scale: _Scale | None, band: Band | None) -> RunPicture:
    value, curve = value_of(run), curve_of_run(run)
    told = OUTCOME_WORDS[run.outcome] if value is None else f"{value:g}"
    return RunPicture(
        curve=_svg(number, curve, scale, band) if curve and scale else Markup(),
        told=told,
        bad=value is None and run.outcome is not TestOutcome.PASSED,
    )


def _svg(number: int, curve: Curve, scale: _Scale, band: Band | None) -> Markup:
    known = [point for point in curve if point is not None]
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" role="img" aria-label="{said}">'
        '{band}<path class="curve" d="{path}"/></svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        said=f"Run {number}: from {known[0]:g} to {known[-1]:g}",
        band=_area(band, scale) if band and band.lows else "",
        path=_path(curve, scale),
    )


def _area(band: Band, scale: _Scale) -> Markup:
    there = [_place(i, len(band.highs), y, scale) for i, y in enumerate(band.highs)]
    back = [_place(i, len(band.lows), y, scale) for i, y in enumerate(band.lows)][::-1]
    return Markup('<polygon class="among" points="{}"/>').format(" ".join([*there, *back]))


def _path(curve: Curve, scale: _Scale) -> str:
    """Lines through the points, with a break at each gap; a point by itself is a dot."""
    parts: list[str] = []
    for i, point in enumerate(curve):
        if point is None:
            continue
        place = _place(i, len(curve), point, scale)
        alone = i == 0 or curve[i - 1] is None
        parts.append(f"M{place}h0" if alone else f"L{place}")
    return "".join(parts)


def _place(index: int, length: int, value: float, scale: _Scale) -> str:
    across = index / (length - 1) if length > 1 else 0.5
    return f"{_MARGIN + across * (WIDTH - 2 * _MARGIN):.1f},{scale.y(value):.1f}"
