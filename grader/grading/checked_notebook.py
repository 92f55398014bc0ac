"""One notebook and the public suite: have a judge's process look at it."""

from __future__ import annotations

from grader.errors import InfrastructureError
from grader.grading.job import BatchConfig, Checked, Job, Judged
from grader.grading.job_queue import JobQueue, QueuedJob
from grader.grading.worker_pool import WorkerPool


def check_notebook(config: BatchConfig, job: Job) -> Checked:
    """Run the public suite of a setting against one notebook.

    Raises:
        SuiteError: the suite can't be used.
        InfrastructureError: the sandbox failed.
    """
    found: list[Checked] = []
    waiting = JobQueue(config=config)
    waiting.put(QueuedJob(job=job, on_verdict=_failed, on_checked=found.append))
    waiting.close()
    WorkerPool(config, waiting).run()
    return found[0]


def _failed(judged: Judged) -> None:
    """What comes instead of the results: of a check there is no verdict but that it failed."""
    raise InfrastructureError(judged.verdict.reason, hint="Run `grader doctor`.")
