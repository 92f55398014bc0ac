"""What waits for a worker: its order, when it is read, how often it is tried."""

from __future__ import annotations

import msgspec
import pytest

from grader.errors import InfrastructureError
from grader.grading.job import Job, Judged
from grader.grading.job_queue import MAX_TRIES, JobQueue, Priority, QueuedJob
from grader.grading.progress import Progress
from grader.grading.verdict import Outcome
from tests.helpers.settings import SETTING

OURS = InfrastructureError("its worker ended")


def jobs(*students: str) -> list[Job]:
    return [Job(student=student, file=f"{student}.ipynb", sha256=student) for student in students]


class Files:
    """What was handed in, some of it gone."""

    def __init__(self, *gone: str) -> None:
        self.gone = set(gone)
        self.read: list[str] = []
        self.told: list[Judged] = []

    def load(self, job: Job) -> Job:
        self.read.append(job.student)
        if job.student in self.gone:
            raise InfrastructureError(f"{job.file} was removed")
        return msgspec.structs.replace(job, data=job.student.encode())

    def waiting(self, *students: str) -> JobQueue:
        return JobQueue.of_batch(jobs(*students), self.told.append, load=self.load, config=SETTING)


def put(queue: JobQueue, student: str, **options: object) -> QueuedJob:
    queued = QueuedJob(job=jobs(student)[0], **{"on_verdict": print, **options})  # type: ignore[arg-type]
    queue.put(queued)
    return queued


def order(queue: JobQueue) -> list[str]:
    """Who comes next, until nothing is left."""
    return [queued.job.student for queued, _ in iter(queue.dispatch, None)]


def test_a_notebook_is_read_when_it_is_handed_out_and_only_then() -> None:
    files = Files()
    waiting = files.waiting("ada", "bob")
    assert files.read == []
    taken = waiting.dispatch()
    assert taken is not None and files.read == ["ada"]
    queued, message = taken
    assert msgspec.msgpack.decode(message, type=Job).data == b"ada"
    assert queued.job.data == b""
    assert len(waiting) == 1


def test_what_is_put_back_keeps_its_place() -> None:
    waiting = Files().waiting("ada", "bob", "cyd")
    ada, bob = waiting.dispatch(), waiting.dispatch()
    assert ada is not None and bob is not None
    waiting.put_back(bob[0])
    waiting.put_back(ada[0])
    assert order(waiting) == ["ada", "bob", "cyd"]
    assert waiting.dispatch() is None and not waiting


def test_people_come_before_regrades_and_each_in_the_order_in_which_they_came() -> None:
    queue = JobQueue(config=SETTING)
    put(queue, "r1", priority=Priority.REGRADE)
    put(queue, "p1")
    put(queue, "r2", priority=Priority.REGRADE)
    put(queue, "p2")
    assert order(queue) == ["p1", "p2", "r1", "r2"]


def test_what_nobody_wants_any_more_is_neither_read_nor_handed_out() -> None:
    files = Files()
    queue = JobQueue(config=SETTING, load=files.load)
    put(queue, "ada", is_wanted=lambda: False)
    put(queue, "bob")
    assert order(queue) == files.read == ["bob"]


def test_a_job_is_tried_three_times_and_then_it_is_no_mark() -> None:
    files = Files()
    waiting = files.waiting("ada")
    for _ in range(MAX_TRIES):
        taken = waiting.dispatch()
        assert taken is not None and not files.told
        waiting.try_again(taken[0], OURS)
    assert not waiting
    (judged,) = files.told
    assert judged.verdict.outcome is Outcome.INFRASTRUCTURE_ERROR
    assert judged.verdict.reason == OURS.what
    assert MAX_TRIES == 3


def test_a_verdict_is_taken_before_anybody_is_told_of_it() -> None:
    heard: list[str] = []
    queue = JobQueue(config=SETTING)
    queued = put(
        queue,
        "ada",
        on_verdict=lambda judged: heard.append("taken"),
        progress=Progress(judged=lambda verdict: heard.append("told")),
    )
    queue.give_up(queued, OURS)
    assert heard == ["taken", "told"]


def test_what_is_not_judged_says_the_seed_that_it_would_have_had() -> None:
    seeds: list[int] = []
    queue = JobQueue(config=SETTING)
    job = msgspec.structs.replace(jobs("ada")[0], seed=41)

    def take(judged: Judged) -> None:
        assert judged.verdict.provenance is not None
        seeds.append(judged.verdict.provenance.seed)

    queue.give_up(QueuedJob(job=job, on_verdict=take), OURS)
    assert seeds == [41]


def test_what_waits_when_a_queue_ends_is_told_why_and_so_is_what_comes_later() -> None:
    queue, heard = JobQueue(config=SETTING), []
    put(queue, "ada", on_error=heard.append)
    queue.end(OURS)
    put(queue, "bob", on_error=heard.append)
    assert heard == [OURS, OURS] and not queue
    with pytest.raises(InfrastructureError):
        put(queue, "cyd")


def test_what_is_not_there_any_more_is_told_of_and_passed_over() -> None:
    files = Files("ada", "bob", "dan")
    waiting = files.waiting("ada", "bob", "cyd", "dan")
    taken = waiting.dispatch()
    assert taken is not None and taken[0].job.student == "cyd"
    assert waiting.dispatch() is None
    found = {judged.verdict.student: judged.verdict for judged in files.told}
    assert set(found) == {"ada", "bob", "dan"}
    assert {v.outcome for v in found.values()} == {Outcome.INFRASTRUCTURE_ERROR}
    assert found["ada"].reason == "ada.ipynb was removed"
