"""Several runs of one test, each with seeds of its own: what they give together, and when to stop.

A test with `trials(n, need=k)` gives the k-th best share of n runs. With a majority of an odd n,
and a share that never falls as the measured value gets better, that is the share of the median. It
depends on all n runs only through their order, so it is often known before the last: each run that
is left can give nothing at least, and everything at most. Where both lead to the same share, no
run is left that could change it, and the marks are those that all n would have given.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from grader.suite.credit import FULL, NONE
from grader.suite.outcomes import Ending
from grader.suite.points import PlannedTest
from grader.suite.results import TestOutcome, Trial

_NOTHING, _ALL = NONE.share, FULL.share


def is_decided(endings: Sequence[Ending], test: PlannedTest) -> bool:
    """Whether the trials that are left can change nothing."""
    lowest, highest = _bounds(endings, test, left=test.trials - len(endings))
    return lowest == highest


def index_of_ending(endings: Sequence[Ending], test: PlannedTest) -> int:
    """Return which of the runs speaks for all: the k-th best, or one of those that are missing.

    Of the runs that earned nothing it is the last; but one that the suite may have spoilt itself,
    where it could have changed the share had it not been.
    """
    lowest, highest = _bounds(endings, test, left=_never_made(endings, test))
    places = range(len(endings))
    if lowest == highest and lowest > _NOTHING:
        ranked = sorted(places, key=lambda i: endings[i].credit.share, reverse=True)
        return ranked[test.trials_needed - 1]
    bad = [i for i in places if endings[i].credit.share < _ALL]
    if lowest < highest:
        ours = [i for i in bad if endings[i].outcome is TestOutcome.SUITE_ERROR]
        return (ours or [i for i in bad if endings[i].doubtful])[-1]
    return ([i for i in bad if not _is_spoilt(endings[i])] or bad)[-1]


def ending_of_trials(endings: Sequence[Ending], test: PlannedTest) -> Ending:
    """What the runs give together, told by the one that speaks for them."""
    reached = endings[index_of_ending(endings, test)]
    lowest, highest = _bounds(endings, test, left=_never_made(endings, test))
    if lowest < highest or lowest == _NOTHING:
        reached = replace(reached, credit=NONE)
    measured = [e.credit.measured for e in endings if e.credit.measured is not None]
    if measured:
        median = _median(measured)
        told = f"Median of {len(measured)} runs: {median}"
        if len(measured) > 1:
            told += f", between {min(measured)} and {max(measured)}"
        if lost := len(endings) - len(measured):
            told += f"; {lost} came to no measurement"
        return replace(reached, message=f"{reached.message} {told}.".strip())
    if reached.outcome is TestOutcome.PASSED:
        return reached
    passed = sum(ending.outcome is TestOutcome.PASSED for ending in endings)
    tries = f"{passed} of {len(endings)} tries passed, {test.trials_needed} are needed."
    return replace(reached, message=f"{reached.message} {tries}".strip())


def median_measured(trials: Sequence[Trial]) -> Decimal | None:
    """The median of what the runs measured; None where none came to a measurement."""
    values = [t.measured for t in trials if isinstance(t.measured, Decimal)]
    return _median(values) if values else None


def _median(values: Sequence[Decimal]) -> Decimal:
    return Decimal(f"{float(statistics.median(values)):.6g}")


def _never_made(endings: Sequence[Ending], test: PlannedTest) -> int:
    """How many runs the suite itself has kept from being made, by a skip.

    Those after it ran out of time are the notebook's: they give nothing.
    """
    skipped = endings[-1].outcome is TestOutcome.NOT_RUN
    return test.trials - len(endings) if skipped else 0


def _bounds(
    endings: Sequence[Ending], test: PlannedTest, *, left: int
) -> tuple[Fraction, Fraction]:
    """The least and the most that the test can give, as far as is known.

    What is not known are the runs that are left, and those that the suite itself may have spoilt.
    """
    known = [e.credit.share for e in endings if not _is_spoilt(e)]
    unknown = len(endings) - len(known) + left
    needed = test.trials_needed
    return _kth_best(known, needed), _kth_best([*known, *[_ALL] * unknown], needed)


def _is_spoilt(ending: Ending) -> bool:
    return ending.outcome is TestOutcome.SUITE_ERROR or ending.doubtful


def _kth_best(shares: Sequence[Fraction], k: int) -> Fraction:
    return sorted(shares, reverse=True)[k - 1] if len(shares) >= k else _NOTHING
