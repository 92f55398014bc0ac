"""What the runs of one test measured, over seeds: a median, and how much it is worth.

The range of the runs, from the lowest to the highest value, holds the median of all runs that
there could be, unless all of them lie on one side of it. If m runs are drawn alike, the chance of
that is 2 · (1/2)^m (the range is the interval of the outermost order statistics; H. A. David and
H. N. Nagaraja, Order Statistics, section 7.1). It stays valid although runs stop early: whoever
stops later on one side only was there already after the fewest runs that can decide, so the chance
is at most that of those.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from decimal import Decimal

from grader.suite.results import Curve, TestResult, Trial


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The runs of a test that measured something.

    `most` runs there could have been, of which `needed` decide. Without `value` a run came to no
    measurement.
    """

    runs: tuple[Trial, ...]
    most: int
    needed: int

    @property
    def values(self) -> tuple[float, ...]:
        """What was measured, in the order of the runs."""
        return tuple(v for trial in self.runs if (v := value_of(trial)) is not None)

    @property
    def median(self) -> float:
        """Of the runs that came to a measurement."""
        return statistics.median(self.values)

    @property
    def lost(self) -> int:
        """How many runs came to no measurement."""
        return len(self.runs) - len(self.values)

    @property
    def left(self) -> int:
        """How many runs were not made."""
        return max(0, self.most - len(self.runs))

    @property
    def confidence(self) -> float:
        """How often, at least, the range of such runs holds the median of all that could be made.

        0 where nothing can be said: a run has no value and so no place in their order, or it was
        stopped before anything could be decided.
        """
        fewest = fewest_runs(self.most, self.needed)
        if self.lost or len(self.runs) < fewest:
            return 0.0
        return 1 - 2 * 0.5**fewest


def fewest_runs(most: int, needed: int) -> int:
    """After how many runs a test can be decided at the earliest."""
    return min(needed, most - needed + 1)


def experiment_of(result: TestResult) -> Experiment | None:
    """The runs of a test; None where none of them has measured anything or has a curve."""
    if all(value_of(run) is None and not curve_of_run(run) for run in result.trials):
        return None
    most = result.most_trials if isinstance(result.most_trials, int) else len(result.trials)
    needed = result.needed_trials if isinstance(result.needed_trials, int) else most // 2 + 1
    return Experiment(runs=result.trials, most=most, needed=needed)


def value_of(trial: Trial) -> float | None:
    """What a run measured."""
    return float(trial.measured) if isinstance(trial.measured, Decimal) else None


def curve_of_run(trial: Trial) -> Curve:
    """The curve of a run; empty where it has none."""
    return trial.curve if isinstance(trial.curve, tuple) else ()
