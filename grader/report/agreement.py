"""How far two markers agree who have marked the same answers without seeing each other's marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class MarkedTwice:
    """One answer with both marks; `first_items` are None where those points came of no rubric."""

    first_who: str
    second_who: str
    first: Decimal
    second: Decimal
    first_items: Collection[int] | None
    second_items: Collection[int]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Of answers that were marked twice.

    Attributes:
        answers: how many.
        equal: of these with the same points from both.
        difference: the second's points less the first's, in the mean.
        apart: how far apart the points are, in the mean.
        points_kappa: Cohen's, weighted by the squared difference of the points.
        items_kappa: Cohen's, unweighted: of each answer and rubric item, given or not.
        decisions: of how many such pairs of answer and item.
    """

    answers: int
    equal: int
    difference: Fraction
    apart: Fraction
    points_kappa: Fraction | None
    items_kappa: Fraction | None
    decisions: int


def agreement(marked: Sequence[MarkedTwice], items: Iterable[int]) -> Agreement | None:
    """Return how far the marks agree; None where nothing was marked twice.

    Args:
        marked: the answers to one question.
        items: ids of its rubric's items.
    """
    if not marked:
        return None
    differences = [Fraction(one.second) - Fraction(one.first) for one in marked]
    decisions = [
        (item in one.first_items, item in one.second_items)
        for item in items
        for one in marked
        if one.first_items is not None
    ]
    return Agreement(
        answers=len(marked),
        equal=differences.count(Fraction(0)),
        difference=sum(differences, Fraction(0)) / len(marked),
        apart=sum(map(abs, differences), Fraction(0)) / len(marked),
        points_kappa=quadratic_kappa([(one.first, one.second) for one in marked]),
        items_kappa=kappa(decisions),
        decisions=len(decisions),
    )


@dataclass(frozen=True, kw_only=True)
class PairDifference:
    """Of the answers that one marker marked first and another second."""

    first: str
    second: str
    answers: int
    difference: Fraction


def by_markers(marked: Iterable[MarkedTwice]) -> list[PairDifference]:
    """Return for each two markers how much more the second gave, in the mean."""
    found: dict[tuple[str, str], list[Fraction]] = {}
    for one in marked:
        own = found.setdefault((one.first_who, one.second_who), [])
        own.append(Fraction(one.second) - Fraction(one.first))
    return [
        PairDifference(
            first=first,
            second=second,
            answers=len(own),
            difference=sum(own, Fraction(0)) / len(own),
        )
        for (first, second), own in sorted(found.items())
    ]


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Fraction | None:
    """Return Cohen's kappa, unweighted; None where chance alone would have them agree.

    Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    if not pairs:
        return None
    count = len(pairs)
    firsts, seconds = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed = Fraction(sum(a == b for a, b in pairs), count)
    expected = Fraction(sum(firsts[x] * seconds[x] for x in firsts), count * count)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def quadratic_kappa(pairs: Sequence[tuple[Decimal, Decimal]]) -> Fraction | None:
    """Return Cohen's kappa with quadratic weights; None where all marks are one and the same.

    One less the mean squared difference, over that of every first mark with every second one.
    Cohen, "Weighted kappa", 1968. Which marks there could have been changes nothing.
    """
    if not pairs:
        return None
    count = len(pairs)
    firsts = [Fraction(a) for a, _ in pairs]
    seconds = [Fraction(b) for _, b in pairs]
    observed = sum(((a - b) ** 2 for a, b in zip(firsts, seconds, strict=True)), Fraction(0))
    # Σᵢⱼ (aᵢ - bⱼ)² = n Σa² - 2 Σa Σb + n Σb²
    squares = sum((x * x for x in (*firsts, *seconds)), Fraction(0))
    expected = count * squares - 2 * sum(firsts) * sum(seconds)
    return None if expected == 0 else 1 - count * observed / expected
