"""The submissions of a batch that nobody has been given yet.

Their notebooks are where they were handed in: one is read when it is handed out, so that a batch
holds as many as run, however large the class.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from grader.errors import InfrastructureError
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.make_verdict import not_judged

Load = Callable[[Job], Job]
"""Reads a job's notebook, and what lies beside it, into the job.

Raises InfrastructureError: it is not there as it was.
"""


def at_hand(job: Job) -> Job:
    """A job that has its notebook from the start."""
    return job


class JobQueue:
    """The queue of a batch.

    Args:
        jobs: in the order in which they are handed out.
        load: reads a job's notebook.
        setting: of the batch, for verdicts on what can't be handed out.
        on_verdict: told of those.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        *,
        load: Load = at_hand,
        config: BatchConfig,
        on_verdict: Callable[[Judged], None],
    ) -> None:
        self._jobs = deque(jobs)
        self._load = load
        self._config = config
        self._on_verdict = on_verdict

    def __len__(self) -> int:
        return len(self._jobs)

    def dispatch(self) -> tuple[Job, bytes] | None:
        """Take the next job, and what to send of it; None where nothing is left.

        One whose notebook is not what it was is no mark, and the next one is taken.
        """
        while self._jobs:
            job = self._jobs.popleft()
            try:
                loaded = self._load(job)
            except InfrastructureError as error:
                self._on_verdict(not_judged(job, self._config, error))
                continue
            return job, msgspec.msgpack.encode(loaded)
        return None

    def put_back(self, job: Job, *, first: bool = False) -> None:
        """Have a job handed out again, as the last one or as the next."""
        if first:
            self._jobs.appendleft(job)
        else:
            self._jobs.append(job)
