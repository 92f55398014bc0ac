"""How well the questions of an assignment tell strong work from weak: the numbers of a class."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.course.spec import AssignmentSpec
from grader.report.statistics import Histogram, correlation, histogram

FIFTHS = 5
LEAST = 10
"""Marks without which a class is not divided into fifths: of fewer a fifth is one or none."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One student's points by question; a question that waits for a person is left out."""

    student: str
    points: Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class ItemAnalysis:
    """One question over the class.

    Attributes:
        marked: how many have points for it.
        mean, median, deviation: of the points; None where nobody has any.
        discrimination: the correlation of the question's points with the points of all other
            questions; None where either never varies, or there are fewer than three.
        fifths: mean share of the points, from the weakest fifth of the class to the strongest by
            their points for all questions; empty for few.
    """

    question: str
    title: str
    max_points: Decimal
    marked: int
    mean: float | None
    median: float | None
    deviation: float | None
    discrimination: float | None
    fifths: tuple[float, ...]
    histogram: Histogram

    @property
    def share(self) -> float | None:
        """The mean as a share of the points."""
        return self.mean / float(self.max_points) if self.mean is not None else None


def item_analysis(spec: AssignmentSpec, scored: Sequence[Scored]) -> list[ItemAnalysis]:
    """Return the analysis of each question, in the order of the assignment.

    Args:
        spec: of the assignment.
        scored: those who have a mark.
    """
    return [
        _of_question(question.id, question.title, question.points + question.manual, scored)
        for question in spec.questions
        if question.points + question.manual
    ]


def _of_question(
    identifier: str, title: str, most: Decimal, scored: Sequence[Scored]
) -> ItemAnalysis:
    have = [one for one in scored if identifier in one.points]
    points = [one.points[identifier] for one in have]
    numbers = [float(p) for p in points]
    rest = [float(sum(one.points.values(), Decimal(0)) - one.points[identifier]) for one in have]
    return ItemAnalysis(
        question=identifier,
        title=title,
        max_points=most,
        marked=len(have),
        mean=statistics.fmean(numbers) if numbers else None,
        median=statistics.median(numbers) if numbers else None,
        deviation=statistics.pstdev(numbers) if numbers else None,
        discrimination=correlation(numbers, rest),
        fifths=_fifths(identifier, most, have),
        histogram=histogram(points, most),
    )


def _fifths(identifier: str, most: Decimal, have: Sequence[Scored]) -> tuple[float, ...]:
    if len(have) < LEAST:
        return ()
    ordered = sorted(have, key=lambda one: (sum(one.points.values(), Decimal(0)), one.student))
    edges = [len(ordered) * at // FIFTHS for at in range(FIFTHS + 1)]
    return tuple(
        statistics.fmean(float(one.points[identifier] / most) for one in ordered[low:high])
        for low, high in itertools.pairwise(edges)
    )
