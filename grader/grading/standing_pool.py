"""A pool of workers that stands: submissions come while it runs, from any thread.

    pool = StandingPool(config)
    judged = pool.submit(Job(…, seed=fresh_seed())).result()
    pool.close()

A batch has one seed, so that everybody gets the same inputs. Here nobody knows who else will come:
whoever submits gives each job a seed of its own (`fresh_seed`). It stays with the job when a worker
is lost, so that what is tried again is tried with the same inputs; and what a student hands in next
has others, so that no answer can be learned by handing in again. A job without one has that of
`config`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from grader.errors import GraderError, InfrastructureError
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.job_queue import (
    MAX_TRIES,
    JobQueue,
    Load,
    Priority,
    QueuedJob,
    at_hand,
)
from grader.grading.progress import SILENT, Progress
from grader.grading.worker_pool import WorkerPool

_CLOSED = "the pool of workers was closed"


class Workers(Protocol):
    """Who judges what is in a queue: processes of this machine, or the machines of a cluster."""

    def run(self) -> None:
        """Judge until the queue is closed and empty, or everything is given up."""

    def give_up(self) -> None:
        """End soon, from any thread; what has no verdict gets none."""


class StandingPool:
    """Warm slots for one assignment in a thread of their own; starts them at once.

    One for each assignment that is judged now: close the one that has had nothing to do for long.
    Where its last slot fails, or the suite is broken, it ends, and says why to all that wait and
    all that come; make another once that is mended.

    Args:
        config: of the assignment; it says how many slots.
        load: reads a job's notebook when it is handed out, in the pool's thread.
        progress: told of slots, in the pool's thread.
        max_tries: how often one submission is begun at most.
        workers: makes who judges what is in the queue; default: processes of this machine.
    """

    def __init__(
        self,
        config: BatchConfig,
        *,
        load: Load = at_hand,
        progress: Progress = SILENT,
        max_tries: int = MAX_TRIES,
        workers: Callable[[JobQueue], Workers] | None = None,
    ) -> None:
        self._waiting = JobQueue(config=config, load=load, max_tries=max_tries)
        self._pool: Workers = (
            workers(self._waiting)
            if workers is not None
            else WorkerPool(config, self._waiting, progress=progress)
        )
        # A judge's process ends with the thread that started it. This one lives as long as the
        # pool, and ends with the process if that does not close it.
        self._thread = threading.Thread(target=self._run, name="grader-pool", daemon=True)
        self._thread.start()

    def submit(
        self, job: Job, *, priority: Priority = Priority.PERSON, progress: Progress = SILENT
    ) -> Future[Judged]:
        """Have a job judged when its turn comes.

        Args:
            job: with a seed of its own, see above.
            priority: people before regrades.
            progress: told of this job alone (`begun`, `cell`, `judged`), in the pool's thread; it
                must return soon and raise nothing.

        Returns:
            The verdict to come, which may be an `infrastructure_error`. Cancelled before its turn
            it is never begun. A GraderError in it is the pool's end.
        """
        future: Future[Judged] = Future()
        self._waiting.put(
            QueuedJob(
                job=job,
                on_verdict=lambda judged: _settle(future, judged),
                on_error=lambda error: _settle(future, error),
                is_wanted=lambda: future.running() or future.set_running_or_notify_cancel(),
                progress=progress,
                priority=priority,
            )
        )
        return future

    def __len__(self) -> int:
        """How many wait for a slot."""
        return len(self._waiting)

    @property
    def is_alive(self) -> bool:
        """Whether what is submitted now can be judged."""
        return self._waiting.is_open and self._thread.is_alive()

    def close(self, *, finish: bool = False) -> None:
        """End the pool and wait until its slots are destroyed. Safe to call twice.

        Called in the pool's own thread, as by a future's callback, it does not wait.

        Args:
            finish: judge before what was submitted; else it is given up, which its futures say.
        """
        if finish:
            self._waiting.close()
        else:
            self._pool.give_up()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        error: GraderError = InfrastructureError(_CLOSED)
        try:
            self._pool.run()
        except GraderError as trouble:
            error = trouble
        except BaseException as bug:
            error = InfrastructureError(f"the pool of workers broke: {bug!r}")
            raise
        finally:
            self._waiting.end(error)


def _settle(future: Future[Judged], said: Judged | GraderError) -> None:
    if not future.running() and not future.set_running_or_notify_cancel():
        return  # nobody wants it any more
    if isinstance(said, GraderError):
        future.set_exception(said)
    else:
        future.set_result(said)
