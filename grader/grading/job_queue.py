"""Submissions that wait for a worker, in order; and how often one is tried.

Their notebooks are where they were handed in: one is read when it is handed out, so that a queue
holds as many as run, however large the class.

A batch puts its class in and closes the queue. A process that stands keeps it open, and puts in
what comes, from any thread.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from grader.errors import GraderError, InfrastructureError
from grader.grading.job import BatchConfig, Checked, Job, Judged
from grader.grading.make_verdict import not_judged
from grader.grading.progress import SILENT, Progress

MAX_TRIES = 3
"""How often a submission is begun before it is given up as ours to mend, whatever failed under it:
its slot, its worker or its machine. Nothing else tries again, so that tries can't multiply."""

Load = Callable[[Job], Job]
"""Reads a job's notebook, and what lies beside it, into the job.

Raises InfrastructureError: it is not there as it was.
"""


def at_hand(job: Job) -> Job:
    """A job that has its notebook from the start."""
    return job


class Priority(IntEnum):
    """Who comes first: the lower number."""

    PERSON = 0
    """Somebody waits for it."""
    REGRADE = 1
    """Nobody does."""


def _raise(error: GraderError) -> None:
    raise error


def _unasked(checked: Checked) -> None:
    raise AssertionError("nobody asked for the public suite")


@dataclass(eq=False, kw_only=True)
class QueuedJob:
    """A job on its way to a verdict.

    Attributes:
        job: without its notebook, unless that was at hand.
        on_verdict: given the verdict, once.
        on_checked: given what the public suite says, where that is what is run.
        progress: told how it goes.
        on_error: given the error where the queue ends before there is a verdict.
        is_wanted: asked each time before it is handed out; what nobody wants any more is dropped.
        priority: of those that wait.
        tries: how often it was begun and came to no verdict.
    """

    job: Job
    on_verdict: Callable[[Judged], None]
    on_checked: Callable[[Checked], None] = _unasked
    progress: Progress = SILENT
    on_error: Callable[[GraderError], None] = _raise
    is_wanted: Callable[[], bool] = lambda: True
    priority: Priority = Priority.PERSON
    tries: int = 0
    place: int = -1
    """Among those of its priority; kept when it is put back."""

    def deliver(self, judged: Judged) -> None:
        """Give the verdict to who waits for it."""
        self.on_verdict(judged)
        self.progress.judged(judged.verdict)


class JobQueue:
    """What waits for a worker. Every method may be called from any thread.

    Args:
        config: for verdicts on what can't be judged.
        load: reads a job's notebook.
        max_tries: how often one is begun at most.
    """

    def __init__(
        self, *, config: BatchConfig, load: Load = at_hand, max_tries: int = MAX_TRIES
    ) -> None:
        self._config = config
        self._load = load
        self._max_tries = max_tries
        self._lock = threading.Lock()
        self._heap: list[tuple[int, int, QueuedJob]] = []
        self._places = itertools.count()
        self._error: GraderError | None = None
        self.is_open = True
        self.on_put: Callable[[], None] = lambda: None
        """Called after something was put in, or the queue was closed."""

    @classmethod
    def of_batch(
        cls,
        jobs: Iterable[Job],
        on_verdict: Callable[[Judged], None],
        *,
        config: BatchConfig,
        progress: Progress = SILENT,
        load: Load = at_hand,
    ) -> JobQueue:
        """A closed queue of these jobs, in this order."""
        queue = cls(config=config, load=load)
        for job in jobs:
            queue.put(QueuedJob(job=job, on_verdict=on_verdict, progress=progress))
        queue.close()
        return queue

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, queued: QueuedJob) -> None:
        """Have a job judged when its turn comes; where the queue has ended it is told why."""
        with self._lock:
            error = self._error
            if error is None:
                if queued.place < 0:
                    queued.place = next(self._places)
                heapq.heappush(self._heap, (queued.priority, queued.place, queued))
        if error is not None:
            queued.on_error(error)
        self.on_put()

    def dispatch(self) -> tuple[QueuedJob, bytes] | None:
        """Take the next job, and what to send of it; None where nothing waits.

        One whose notebook is not what it was is no mark, and the next one is taken.
        """
        while (queued := self._next()) is not None:
            if not queued.is_wanted():
                continue
            try:
                loaded = self._load(queued.job)
            except InfrastructureError as error:
                self.give_up(queued, error)
                continue
            return queued, msgspec.msgpack.encode(loaded)
        return None

    def put_back(self, queued: QueuedJob) -> None:
        """Have a job handed out again which was not begun: it is next among its equals."""
        self.put(queued)

    def try_again(self, queued: QueuedJob, error: InfrastructureError) -> None:
        """Have a job handed out again that was begun and failed for a reason of ours.

        After `max_tries` it is given up: a verdict without a mark, which says the last reason.
        """
        if self.count_try(queued):
            self.put_back(queued)
        else:
            self.give_up(queued, error)

    def count_try(self, queued: QueuedJob) -> bool:
        """Count a try that came to no verdict; whether there may be another."""
        queued.tries += 1
        return queued.tries < self._max_tries

    def give_up(self, queued: QueuedJob, error: InfrastructureError) -> None:
        """Say of a job that we failed to judge it, and why."""
        config, seed = self._config, queued.job.seed
        if seed is not None:
            config = msgspec.structs.replace(config, seed=seed)
        queued.deliver(not_judged(queued.job, config, error))

    def close(self) -> None:
        """Nothing more will be put in but what is put back."""
        self.is_open = False
        self.on_put()

    def end(self, error: GraderError) -> None:
        """Tell everything that waits, and whatever is put in from now on, that nobody serves it."""
        self.is_open = False
        with self._lock:
            self._error = error
            left, self._heap = self._heap, []
        for _, _, queued in left:
            queued.on_error(error)

    def _next(self) -> QueuedJob | None:
        with self._lock:
            return heapq.heappop(self._heap)[2] if self._heap else None
