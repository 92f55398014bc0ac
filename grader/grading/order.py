"""Which submission is handed out first: the longest, so that none is alone at the end."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from grader.grading.job import Job
from grader.grading.verdict import Verdict


def longest_first(jobs: Sequence[Job], earlier: Iterable[Verdict]) -> list[Job]:
    """Order jobs by how long their student's submission took before.

    One that was never run is expected to take as long as the median of the others; where nothing
    is known, and among equals, the order stays.
    """
    seconds = {v.student: v.usage.wall_s for v in earlier if v.usage is not None}
    usual = statistics.median(seconds.values()) if seconds else 0.0
    return sorted(jobs, key=lambda job: -seconds.get(job.student, usual))
