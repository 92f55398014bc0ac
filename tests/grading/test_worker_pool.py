"""What a pool makes of what its workers say, with workers that say what a test tells them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import ClassVar

import msgspec
import pytest

from grader.errors import GraderError, InfrastructureError, SuiteError
from grader.grading import worker_pool
from grader.grading.checked_notebook import check_notebook
from grader.grading.job import (
    BatchConfig,
    Checked,
    DeviceLost,
    Job,
    JobStarted,
    Judged,
    Ready,
    Warming,
    WorkerError,
)
from grader.grading.job_queue import MAX_TRIES, JobQueue
from grader.grading.make_verdict import not_judged, unreadable
from grader.grading.progress import Progress
from grader.grading.standing_pool import StandingPool
from grader.grading.verdict import Outcome
from grader.grading.worker_pool import WorkerPool
from tests.helpers.settings import SETTING

WAIT_S = 120.0
OURS = InfrastructureError("its sandbox failed")


Script = Callable[["Worker"], object]


class Worker:
    """The far side of a connection, as a script sees it."""

    def __init__(self, connection: Connection, device: str) -> None:
        self._connection = connection
        self.device = device

    def say(self, message: msgspec.Struct) -> None:
        self._connection.send_bytes(msgspec.msgpack.encode(message))

    def ready(self) -> None:
        self.say(Ready(packages={}, pid=1))

    def take(self) -> Job | None:
        """The next job, and say that it is begun; None when there is no more."""
        try:
            job = msgspec.msgpack.decode(self._connection.recv_bytes(), type=Job)
        except (EOFError, OSError):
            return None
        self.say(JobStarted(student=job.student))
        return job

    def has_been_given_more(self) -> bool:
        """Wait for a job, and leave it where it is."""
        return self._connection.poll(WAIT_S)

    def judge(self, job: Job) -> None:
        self.say(unreadable(job, SETTING, f"read on {self.device or 'cpu'}"))

    def serve(self) -> None:
        """Judge what comes."""
        self.ready()
        while (job := self.take()) is not None:
            self.judge(job)


class ScriptedJudge:
    """A judge's process whose workers are threads, each with the next script."""

    scripts: ClassVar[list[Script]] = []
    made: ClassVar[list[list[str]]] = []

    def __init__(self, config: BatchConfig, workers: int) -> None:
        self.connections: list[Connection] = []
        devices = list(config.gpus) or [""] * workers
        self.made.append(devices)
        for device in devices:
            ours, theirs = Pipe()
            self.connections.append(ours)
            script = self.scripts.pop(0) if self.scripts else Worker.serve
            threading.Thread(target=self._run, args=(script, theirs, device)).start()

    @staticmethod
    def _run(script: Script, connection: Connection, device: str) -> None:
        with connection, contextlib.suppress(OSError):  # the pool may have closed its end
            script(Worker(connection, device))

    def stop(self) -> None:
        pass

    def finish(self) -> None:
        for connection in self.connections:
            connection.close()

    has_stayed = False

    def has_ended(self) -> bool:
        return all(connection.closed for connection in self.connections)

    def look(self, *, collecting: bool) -> None:
        pass

    def never_ready(self) -> InfrastructureError:
        return InfrastructureError("it ended before it was ready")


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> list[Script]:
    """What the workers do that are started, one after the other; then all serve."""
    monkeypatch.setattr(worker_pool, "JudgeProcess", ScriptedJudge)
    ScriptedJudge.scripts.clear()
    ScriptedJudge.made.clear()
    return ScriptedJudge.scripts


class Batch:
    """A batch over such workers."""

    def __init__(self, *students: str, slots: int = 1, gpus: tuple[str, ...] = ()) -> None:
        self.verdicts: dict[str, Judged] = {}
        self.begun: list[str] = []
        self.warned: list[str] = []
        self._heard = threading.Condition()
        progress = Progress(begun=self.begun.append, warned=self._warn)
        config = msgspec.structs.replace(SETTING, slots=slots, gpus=gpus)
        jobs = [Job(student=student, file="f", sha256=student) for student in students]
        self.queue = JobQueue.of_batch(jobs, self._take, config=config, progress=progress)
        self._pool = WorkerPool(config, self.queue, progress=progress)

    def _take(self, judged: Judged) -> None:
        assert judged.verdict.student not in self.verdicts
        self.verdicts[judged.verdict.student] = judged

    def _warn(self, what: str) -> None:
        with self._heard:
            self.warned.append(what)
            self._heard.notify_all()

    def serves_after(self, warnings: int) -> Script:
        """A worker that is ready only when the pool has given so many: it can't end before."""

        def script(worker: Worker) -> None:
            with self._heard:
                assert self._heard.wait_for(lambda: len(self.warned) >= warnings, WAIT_S)
            worker.serve()

        return script

    def run(self) -> dict[str, str]:
        """Run it; the reasons of its verdicts."""
        self._pool.run()
        return {student: j.verdict.reason for student, j in self.verdicts.items()}


def dies(worker: Worker) -> None:
    worker.ready()
    worker.take()


def fails(worker: Worker) -> None:
    """Its sandbox fails under each submission."""
    worker.ready()
    while (job := worker.take()) is not None:
        worker.say(not_judged(job, SETTING, OURS))


def gives_up(worker: Worker) -> None:
    """Nothing runs in its slot any more."""
    worker.ready()
    worker.take()
    worker.say(WorkerError(error="InfrastructureError", what="nothing runs"))


def never_starts(worker: Worker) -> None:
    worker.say(WorkerError(error="InfrastructureError", what="no sandbox"))


def test_everybody_gets_one_verdict() -> None:
    batch = Batch("ada", "bob", "cyd", slots=2)
    assert batch.run() == dict.fromkeys(["ada", "bob", "cyd"], "read on cpu")
    assert sorted(batch.begun) == ["ada", "bob", "cyd"] and batch.warned == []


def test_what_the_public_suite_says_goes_to_who_asked_and_a_failed_check_says_why(
    scripts: list[Script],
) -> None:
    def checks(worker: Worker) -> None:
        worker.ready()
        worker.take()
        worker.say(Checked(results=(), cells=(), notes=("said",), missing_modules=()))

    job = Job(student="", file="notebook.ipynb", sha256="")
    scripts += [dies, checks]
    assert check_notebook(SETTING, job).notes == ("said",)
    assert ScriptedJudge.made == [[""], [""]]
    scripts.append(fails)
    with pytest.raises(InfrastructureError, match="its sandbox failed"):
        check_notebook(SETTING, job)
    scripts.append(lambda worker: worker.say(WorkerError(error="SuiteError", what="no tests")))
    with pytest.raises(SuiteError, match="no tests"):
        check_notebook(SETTING, job)


def test_a_slot_that_is_slow_is_said_to_be_ever_less_often_and_waited_for(
    scripts: list[Script],
) -> None:
    batch = Batch("ada", "bob", slots=2)

    def slow(worker: Worker) -> None:
        for seconds in (10, 59, 60, 70, 119, 120, 239, 5_000):
            worker.say(Warming(seconds=seconds, pid=1))
        worker.take()  # which is when the pool closes the connection

    scripts += [slow, batch.serves_after(3)]
    assert set(batch.run()) == {"ada", "bob"}
    times = [w.split(" so far")[0].split(": ")[1] for w in batch.warned]
    assert times == ["60 s", "120 s", "5000 s"]
    assert {w.split(":")[0] for w in batch.warned} == {"a slot is slow to start"}


def test_no_more_slots_are_started_than_there_are_submissions() -> None:
    Batch("ada", slots=4).run()
    assert ScriptedJudge.made == [[""]]


@pytest.mark.parametrize(
    "scripts_of_one",
    [
        [dies, dies, dies],
        [fails],
        [dies, fails],
        [fails, dies, dies],
    ],
    ids=["its workers die", "its sandbox fails", "one, then the other", "the other, then one"],
)
def test_a_submission_is_begun_three_times_whatever_fails_under_it(
    scripts: list[Script], scripts_of_one: list[Script]
) -> None:
    scripts += scripts_of_one
    batch = Batch("killer")
    batch.run()
    assert batch.begun == ["killer"] * MAX_TRIES
    assert batch.verdicts["killer"].verdict.outcome is Outcome.INFRASTRUCTURE_ERROR
    assert MAX_TRIES == 3


def test_a_lost_worker_is_replaced_at_once(scripts: list[Script]) -> None:
    scripts.append(dies)
    batch = Batch("ada", "bob")
    assert set(batch.run()) == {"ada", "bob"}
    assert batch.begun == ["ada", "ada", "bob"]
    assert ScriptedJudge.made == [[""], [""]]


def test_a_slot_that_fails_is_left_and_what_it_had_goes_to_another(scripts: list[Script]) -> None:
    batch = Batch("ada", "bob", "cyd", slots=2)
    scripts += [gives_up, batch.serves_after(1)]
    assert set(batch.run().values()) == {"read on cpu"}
    assert batch.warned == ["one slot failed, it goes on with 1: nothing runs"]


@pytest.mark.parametrize("last", [gives_up, never_starts])
def test_with_the_last_slot_the_batch_ends_and_its_submissions_are_left(
    scripts: list[Script], last: Script
) -> None:
    scripts += [never_starts, last]
    batch = Batch("ada", "bob", "cyd", slots=2)
    with pytest.raises(InfrastructureError, match=r"nothing runs|no sandbox"):
        batch.run()
    assert not batch.verdicts and len(batch.queue) == 3


def test_a_broken_suite_ends_it_however_many_slots_there_are(scripts: list[Script]) -> None:
    scripts.append(lambda worker: worker.say(WorkerError(error="SuiteError", what="no points")))
    scripts.append(Worker.take)  # the other is never ready
    with pytest.raises(SuiteError, match="no points"):
        Batch("ada", "bob", slots=2).run()


def test_what_a_slot_was_given_when_its_device_was_lost_is_not_counted_as_begun(
    scripts: list[Script],
) -> None:
    given, gone = threading.Event(), threading.Event()

    def loses_its_device(worker: Worker) -> None:
        worker.ready()
        job = worker.take()
        assert job is not None
        worker.judge(job)
        assert worker.has_been_given_more()
        given.set()
        assert gone.wait(WAIT_S)  # by then the other slot has had nothing to do, and is closed
        worker.say(DeviceLost(device=worker.device, what=f"{worker.device} is not free"))

    def has_nothing_more(worker: Worker) -> None:
        worker.ready()
        job = worker.take()
        assert job is not None
        assert given.wait(WAIT_S)  # else it might be given the rest itself
        worker.judge(job)
        while (job := worker.take()) is not None:
            worker.judge(job)
        gone.set()

    scripts += [loses_its_device, has_nothing_more]
    batch = Batch("ada", "bob", "cyd", slots=2, gpus=("GPU-1", "GPU-2"))
    reasons = batch.run()
    assert set(reasons) == {"ada", "bob", "cyd"}
    assert batch.warned == ["GPU-1 is not free"]
    # The slot of the other device was started again for what came back.
    assert ScriptedJudge.made in ([["GPU-1", "GPU-2"]], [["GPU-1", "GPU-2"], ["GPU-2"]])
    assert len(batch.begun) == 3


def test_without_a_device_the_batch_ends(scripts: list[Script]) -> None:
    def loses_it(worker: Worker) -> None:
        worker.ready()
        job = worker.take()
        assert job is not None
        worker.judge(job)
        worker.say(DeviceLost(device="GPU-1", what="GPU-1 is not free"))

    scripts.append(loses_it)
    batch = Batch("ada", "bob", gpus=("GPU-1",))
    with pytest.raises(InfrastructureError, match="no GPU is left: GPU-1"):
        batch.run()
    assert set(batch.verdicts) == {"ada"} and len(batch.queue) == 1


def test_a_standing_pool_starts_a_slot_again_that_has_failed(
    scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "SLOT_AGAIN_S", 0.05)
    warm = threading.Event()
    scripts += [never_starts, Worker.serve]
    config = msgspec.structs.replace(SETTING, slots=2)
    progress = Progress(warm=lambda slots: warm.set() if slots == 2 else None)
    pool = StandingPool(config, progress=progress)
    assert warm.wait(WAIT_S)
    pool.close()
    assert ScriptedJudge.made == [["", ""], [""]]


def test_a_standing_pool_whose_workers_end_with_nothing_to_do_ends(scripts: list[Script]) -> None:
    scripts += [Worker.ready] * MAX_TRIES
    pool = StandingPool(SETTING)
    pool._thread.join(WAIT_S)
    assert not pool.is_alive and len(ScriptedJudge.made) == MAX_TRIES
    with pytest.raises(GraderError, match="nothing to do"):
        pool.submit(Job(student="ada", file="f", sha256="a")).result(WAIT_S)
