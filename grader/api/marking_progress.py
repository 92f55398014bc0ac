"""How far the marking of an assignment is, marker by marker."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from grader.api.answer_marking import AnswerMarking

BREAK = dt.timedelta(minutes=10)
"""Who saves nothing for longer than this did something else."""


@dataclass(frozen=True, kw_only=True)
class MarkerProgress:
    """What one marker has done.

    Attributes:
        who: the marker; "" stands for answers that are nobody's share.
        share: how many answers are this marker's.
        share_marked: how many of them are marked, by whomever.
        marked: how many answers this marker has marked, of any share.
        at_once: how many of these got their marks along with another that is the same.
        given: how many of the points that there were, from 0 to 1; None before the first.
        means: by question the mean of the points that this marker gave, and of how many answers.
        seconds: the median between two saves that follow each other, without breaks.
    """

    who: str
    share: int = 0
    share_marked: int = 0
    marked: int = 0
    at_once: int = 0
    given: float | None = None
    means: Mapping[str, tuple[Decimal, int]] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def left(self) -> int:
        """How many answers of the share wait."""
        return self.share - self.share_marked


def marking_progress(marking: AnswerMarking) -> list[MarkerProgress]:
    """Return what each marker has done, by name; those with a share or a mark."""
    worth = {question.id: question.manual for question in marking.questions()}
    table = marking.table
    shares, pace = table.shares(), _pace(table.saves())
    marked: Counter[str] = Counter()
    times: Counter[str] = Counter()
    given: dict[str, Decimal] = defaultdict(Decimal)
    most: dict[str, Decimal] = defaultdict(Decimal)
    means: dict[str, dict[str, tuple[Decimal, int]]] = defaultdict(dict)
    for one in table.given():
        marked[one.who] += one.answers
        times[one.who] += one.times
        given[one.who] += one.points
        most[one.who] += one.answers * worth.get(one.question, Decimal(0))
        means[one.who][one.question] = (one.points / one.answers, one.answers)
    return [
        MarkerProgress(
            who=who,
            share=shares.get(who, (0, 0))[1],
            share_marked=shares.get(who, (0, 0))[0],
            marked=marked[who],
            at_once=marked[who] - times[who],
            given=float(given[who] / most[who]) if most[who] else None,
            means=means[who],
            seconds=pace.get(who),
        )
        for who in sorted({*shares, *marked}, key=lambda who: (not who, who.casefold()))
    ]


def _pace(saves: Sequence[tuple[str, dt.datetime]]) -> dict[str, float]:
    last: dict[str, dt.datetime] = {}
    gaps: dict[str, list[float]] = defaultdict(list)
    for who, at in saves:
        if who in last and at - last[who] <= BREAK:
            gaps[who].append((at - last[who]).total_seconds())
        last[who] = at
    return {who: statistics.median(own) for who, own in gaps.items()}
