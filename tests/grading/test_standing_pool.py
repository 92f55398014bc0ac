"""A pool that stands, in the local sandbox: submissions come while it runs, and workers die."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from decimal import Decimal
from pathlib import Path

import pytest

from grader.api.batch_config import trial_config
from grader.errors import InfrastructureError, SuiteError
from grader.grading.fresh_seed import fresh_seed
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.job_queue import MAX_TRIES, Priority
from grader.grading.progress import Progress
from grader.grading.standing_pool import StandingPool
from grader.grading.verdict import Outcome, Verdict
from grader.sandbox.choose import choose
from tests.faults.aftermath import descendants
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HIDDEN
from tests.helpers.waiting import until

pytestmark = pytest.mark.local_box

WAIT_S = 120.0


def config_of(classroom: Classroom, slots: int) -> BatchConfig:
    return trial_config(classroom.assignment, choose("local", "warm"), 0, slots=slots)


def job_of(classroom: Classroom, student: str, *cells: str, seed: int | None = None) -> Job:
    classroom.hand_in(student, *cells)
    data = (classroom.submissions / f"{student}.ipynb").read_bytes()
    return Job(student=student, file=f"{student}.ipynb", data=data, sha256=student, seed=seed)


@pytest.fixture
def standing(classroom: Classroom) -> Iterator[Callable[..., StandingPool]]:
    """Make pools, which are closed at the end and leave nothing behind."""
    made: list[StandingPool] = []

    def make(*, slots: int = 1) -> StandingPool:
        made.append(StandingPool(config_of(classroom, slots)))
        return made[-1]

    before = set(descendants())

    def left() -> list[str]:
        return [command for pid, command in descendants().items() if pid not in before]

    yield make
    for pool in made:
        pool.close()
    until(lambda: not left(), lambda: f"the end of {left()}")


def verdict_of(future: Future[Judged]) -> Verdict:
    return future.result(WAIT_S).verdict


def workers() -> list[int]:
    """The judges of this process; with one slot each is its own worker."""
    return [
        pid
        for pid, command in descendants().items()
        if "grader.grading.judge_main" in command and _parent(pid) == os.getpid()
    ]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def kill_workers(*_: object) -> None:
    for pid in workers():
        os.kill(pid, signal.SIGKILL)


def test_submissions_come_while_it_runs_and_its_worker_stays_the_same(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    pool = standing()
    first = verdict_of(pool.submit(job_of(classroom, "ada", seed=fresh_seed())))
    warm = workers()
    heard: list[tuple[str, int]] = []
    told = Progress(cell=lambda student, cell, cells: heard.append((student, cell)))
    later = [
        pool.submit(job_of(classroom, student, "1 + 1", seed=fresh_seed()), progress=told)
        for student in ("bob", "cyd")
    ]
    found = [first, *map(verdict_of, later)]
    assert [v.points for v in found] == [Decimal(8)] * 3
    assert workers() == warm and len(warm) == 1
    assert len({v.provenance.seed for v in found if v.provenance}) == 3
    assert heard[0] == ("bob", 1) and {student for student, _ in heard} == {"bob", "cyd"}


def test_people_come_first_what_was_cancelled_is_never_begun_and_the_rest_is_finished(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    pool, begun, hold = standing(), [], threading.Event()

    def at_work(student: str) -> None:
        begun.append(student)
        hold.wait(WAIT_S)

    told = Progress(begun=at_work)
    first = pool.submit(job_of(classroom, "first"), progress=told)
    until(lambda: begun, "the first job's beginning")
    regrade = pool.submit(job_of(classroom, "regrade"), priority=Priority.REGRADE, progress=told)
    dropped = pool.submit(job_of(classroom, "dropped"), progress=told)
    person = pool.submit(job_of(classroom, "person"), progress=told)
    assert len(pool) == 3
    assert dropped.cancel() and not first.cancel()
    hold.set()
    pool.close(finish=True)  # with all that it was given
    assert [f.result(0).verdict.points for f in (first, regrade, person)] == [Decimal(8)] * 3
    assert begun == ["first", "person", "regrade"]
    with pytest.raises(CancelledError):
        dropped.result()


def test_a_killed_workers_job_is_judged_once_more_with_the_same_seed(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    pool, begun = standing(), []

    def kill_once(student: str) -> None:
        begun.append(student)
        if len(begun) == 1:
            kill_workers()

    for _ in range(10):  # on a busy machine the kill may come after the verdict
        begun.clear()
        verdict = verdict_of(
            pool.submit(job_of(classroom, "ada", seed=7), progress=Progress(begun=kill_once))
        )
        if len(begun) > 1:
            break
    assert begun == ["ada", "ada"]
    assert verdict.points == Decimal(8)
    assert verdict.provenance is not None and verdict.provenance.seed == 7


@pytest.mark.slow
def test_a_job_that_kills_every_worker_is_begun_three_times_and_costs_nobody_else(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    pool, begun = standing(), []

    def kill(student: str) -> None:
        begun.append(student)
        kill_workers()

    endless = job_of(classroom, "killer", "import time; time.sleep(600)")  # no kill comes too late
    killer = pool.submit(endless, progress=Progress(begun=kill))
    honest = pool.submit(job_of(classroom, "honest"))
    assert verdict_of(killer).outcome is Outcome.INFRASTRUCTURE_ERROR
    assert len(begun) == MAX_TRIES == 3
    assert verdict_of(honest).points == Decimal(8)


@pytest.mark.slow
def test_a_worker_that_dies_with_nothing_to_do_is_replaced(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    pool = standing()
    verdict_of(pool.submit(job_of(classroom, "ada")))
    (dead,) = workers()
    kill_workers()
    assert verdict_of(pool.submit(job_of(classroom, "bob"))).points == Decimal(8)
    assert workers() != [dead]


def test_a_pool_that_is_closed_says_so_to_what_waits_and_to_what_comes(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    pool = standing()
    begun = threading.Event()
    running = pool.submit(
        job_of(classroom, "slow", "import time; time.sleep(600)"),
        progress=Progress(begun=lambda student: begun.set()),
    )
    waiting = pool.submit(job_of(classroom, "ada"))
    assert begun.wait(WAIT_S)
    pool.close()
    assert not pool.is_alive
    for future in (running, waiting, pool.submit(job_of(classroom, "bob"))):
        with pytest.raises(InfrastructureError, match="closed"):
            future.result(0)


def test_a_broken_suite_is_said_to_everybody_who_waits(
    classroom: Classroom, standing: Callable[..., StandingPool]
) -> None:
    job = job_of(classroom, "ada")
    classroom.change(hidden=HIDDEN.replace("points(2)", "points(4)"))
    pool = standing()
    for _ in range(2):
        with pytest.raises(SuiteError, match="7"):
            pool.submit(job).result(WAIT_S)
