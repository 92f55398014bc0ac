"""Many submissions, several slots: hand out the work, take in the verdicts.

`grade_batch` knows nothing of a gradebook or of pages; it hands each verdict to `on_verdict` when
it is made, so that a batch killed at any instant has lost nothing that was judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from grader.grading.interrupt import Interrupt
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.job_queue import JobQueue, Load, at_hand
from grader.grading.progress import SILENT, Progress
from grader.grading.worker_pool import WorkerPool


def grade_batch(
    config: BatchConfig,
    jobs: Iterable[Job],
    on_verdict: Callable[[Judged], None],
    *,
    progress: Progress = SILENT,
    load: Load = at_hand,
    on_idle: Callable[[], bool] = lambda: False,
) -> None:
    """Judge every job; each is loaded when it is handed out.

    Args:
        config: of the batch.
        jobs: in the order in which they are handed out.
        on_verdict: given each verdict, in this thread; what it raises ends the batch.
        progress: told how it goes.
        load: reads a job's notebook.
        on_idle: does one thing that can wait, while no worker says anything; False if nothing can.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was running has been finished, unless it came twice.
        SuiteError: the hidden suite can't be used; nothing has been judged.
        InfrastructureError: no slot could be started, or every one has failed.
    """
    waiting = JobQueue.of_batch(jobs, on_verdict, config=config, progress=progress, load=load)
    if not waiting:
        return
    with Interrupt(progress.stopping) as interrupt:
        WorkerPool(
            config,
            waiting,
            progress=progress,
            on_idle=on_idle,
            is_stopping=lambda: interrupt.asked,
        ).run()
        if interrupt.asked and waiting:
            raise KeyboardInterrupt
