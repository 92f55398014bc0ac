"""What a suite measured of the reference, with several seeds: where a threshold can stand."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grader.grading.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one test measured, a value for each seed with which it came to a measurement."""

    test: str
    question: str
    values: tuple[float, ...]
    shares: tuple[float, ...]
    """Of the test's points, as many as there are values."""

    @property
    def mean(self) -> float:
        """Of all seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """The standard deviation over the seeds; 0 of a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.test} ({self.question}) measured {self.values[0]:g}, with one seed"
        return (
            f"{self.test} ({self.question}) measured {min(self.values):g} to {max(self.values):g} "
            f"with {len(self.values)} seeds: mean {self.mean:.4g}, standard deviation "
            f"{self.deviation:.2g}; it gave {min(self.shares):.0%} of the points at least"
        )


def measurements(verdicts: Sequence[Verdict]) -> list[Measured]:
    """Gather what the tests measured, in the suite's order; tests that measured nothing are left.

    Args:
        verdicts: on the same notebook, each with another seed.
    """
    found = []
    for test in verdicts[0].tests if verdicts else ():
        same = [t for v in verdicts for t in v.tests if t.name == test.name]
        held = [t for t in same if t.measured is not None]
        if held:
            found.append(
                Measured(
                    test=test.name,
                    question=test.question,
                    values=tuple(float(t.measured or Decimal(0)) for t in held),
                    shares=tuple(
                        float(t.points / t.max_points) if t.max_points else 1.0 for t in held
                    ),
                )
            )
    return found
