"""How a batch hands out to a cluster: with a scheduler that does what a test tells it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from grader.course.spec import BoxSpec
from grader.errors import InfrastructureError, SuiteError
from grader.grading.job import Job, JobStarted, Judged, WorkerError
from grader.grading.job_queue import MAX_TRIES, JobQueue, Load, at_hand
from grader.grading.make_verdict import not_judged, unreadable
from grader.grading.packed_bundle import pack, unpack
from grader.grading.progress import SILENT, Progress
from grader.grading.standing_pool import StandingPool
from grader.grading.verdict import Outcome
from tests.grading.conftest import Classroom
from tests.helpers.settings import SETTING, config_of
from tests.helpers.waiting import until

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from grader.grading import dispatch, machine
from grader.grading.cluster import Cluster
from grader.grading.dispatch import Dispatcher
from grader.grading.machine import GraderPlugin, MachineInfo, MachineReply, capacity

Reply = Callable[[Job, list[str]], "Judged | WorkerError | Exception"]


@dataclass
class FakeFuture:
    """What the scheduler gives for a task; done at once, unless it is held."""

    key: str
    status: str = "pending"
    outcome: Any = None
    callbacks: list[Any] = field(default_factory=list)

    def add_done_callback(self, call: Any) -> None:
        self.callbacks.append(call)
        if self.status != "pending":
            call(self)

    def result(self) -> Any:
        return self.outcome

    def exception(self) -> Any:
        return self.outcome

    def cancel(self, **_: object) -> None:
        self.status = "cancelled"

    def release(self) -> None:
        pass


class FakeClient:
    """A scheduler with two machines, `a` and `b`; `a` is taken while nobody forbids it."""

    def __init__(self, reply: Reply | None, *, resources: dict[str, float] | None = None) -> None:
        self.status = "running"
        self.machines = {
            n: {"nthreads": 2, "resources": resources or {}} for n in ("tcp://a", "tcp://b")
        }
        self.submitted: list[tuple[str, str, dict[str, Any]]] = []
        self.futures: list[FakeFuture] = []
        self._reply = reply
        self.tell: Any = None

    def scheduler_info(self, **_: object) -> dict[str, Any]:
        return {"workers": self.machines}

    def register_plugin(self, plugin: Any) -> None:
        pass

    def subscribe_topic(self, topic: str, handler: Any) -> None:
        self.tell = handler

    def submit(self, call: Any, batch: str, data: bytes, *, key: str, **options: Any) -> FakeFuture:
        job = msgspec.msgpack.decode(data, type=Job)
        allowed = options.get("workers") or list(self.machines)
        self.submitted.append((job.student, next(iter(allowed), ""), options))
        future = FakeFuture(key)
        self.futures.append(future)
        if self._reply is not None and allowed:
            said = self._reply(job, allowed)
            if isinstance(said, Exception):
                future.status, future.outcome = "error", said
            else:
                answer = MachineReply(machine=allowed[0], said=said)
                future.status, future.outcome = "finished", msgspec.msgpack.encode(answer)
        return future


class FakeInterrupt:
    """Ctrl-C, pressed by the test."""

    asked = False


def jobs(count: int) -> list[Job]:
    return [Job(student=f"s{i}", file="f", data=b"\xff", sha256=f"{i}") for i in range(count)]


def waiting_for(
    found: list[Job],
    on_verdict: Callable[[Judged], None] = lambda judged: None,
    load: Load = at_hand,
    progress: Progress = SILENT,
) -> JobQueue:
    return JobQueue.of_batch(found, on_verdict, config=SETTING, load=load, progress=progress)


def good(job: Job, _: list[str]) -> Judged:
    return unreadable(job, SETTING, "any")


def dispatch_all(
    client: FakeClient, found: list[Job], load: Load = at_hand
) -> list[tuple[str, Outcome]]:
    verdicts: list[tuple[str, Outcome]] = []
    waiting = waiting_for(
        found, lambda j: verdicts.append((j.verdict.student, j.verdict.outcome)), load
    )
    Dispatcher(client, "batch", SETTING, waiting, SILENT).run(FakeInterrupt())  # type: ignore[arg-type]
    return verdicts


def test_everybody_gets_a_verdict_once_and_in_order() -> None:
    client = FakeClient(good)
    found = dispatch_all(client, jobs(20))
    assert found == [(f"s{i}", Outcome.INVALID_SUBMISSION) for i in range(20)]
    assert all(options["resources"] is None for _, _, options in client.submitted)


def test_little_more_is_handed_out_than_there_are_slots() -> None:
    client = FakeClient(None)
    handing = Dispatcher(client, "batch", SETTING, waiting_for(jobs(50)), SILENT)
    handing._look()
    handing._hand_out()
    assert len(client.submitted) == 5


def test_a_worker_that_declares_slots_is_asked_for_one() -> None:
    client = FakeClient(good, resources={"slots": 2.0})
    dispatch_all(client, jobs(1))
    assert client.submitted[0][2]["resources"] == {"slots": 1}


def test_a_notebook_is_read_when_it_is_handed_out_and_one_that_changed_is_no_mark() -> None:
    read: list[str] = []

    def load(job: Job) -> Job:
        read.append(job.student)
        if job.student == "s1":
            raise InfrastructureError("f was changed")
        return msgspec.structs.replace(job, data=f"notebook of {job.student}".encode())

    client = FakeClient(None)
    handing = Dispatcher(client, "batch", SETTING, waiting_for(jobs(50), load=load), SILENT)
    handing._look()
    handing._hand_out()
    assert read == [f"s{i}" for i in range(6)]
    assert [student for student, _, _ in client.submitted] == ["s0", "s2", "s3", "s4", "s5"]

    def reply(job: Job, _: list[str]) -> Judged:
        assert job.data == f"notebook of {job.student}".encode()
        return good(job, _)

    found = dict(dispatch_all(FakeClient(reply), jobs(3), load))
    assert found.pop("s1") is Outcome.INFRASTRUCTURE_ERROR
    assert set(found.values()) == {Outcome.INVALID_SUBMISSION}


def test_a_machine_that_fails_is_left_out_and_costs_no_mark() -> None:
    def reply(job: Job, allowed: list[str]) -> Judged:
        if allowed[0] == "tcp://a":
            return not_judged(job, SETTING, InfrastructureError("its engine is gone"))
        return good(job, allowed)

    client = FakeClient(reply)
    found = dispatch_all(client, jobs(9))
    assert sorted(found) == sorted((f"s{i}", Outcome.INVALID_SUBMISSION) for i in range(9))
    later = [machine for _, machine, _ in client.submitted[6:]]
    assert set(later) == {"tcp://b"}


def test_a_submission_that_costs_every_machine_its_life_is_no_mark() -> None:
    def reply(job: Job, allowed: list[str]) -> Judged | Exception:
        return RuntimeError("killed worker") if job.student == "s1" else good(job, allowed)

    client = FakeClient(reply)
    found = dict(dispatch_all(client, jobs(3)))
    assert found["s1"] is Outcome.INFRASTRUCTURE_ERROR
    assert found["s0"] is found["s2"] is Outcome.INVALID_SUBMISSION
    assert [student for student, _, _ in client.submitted].count("s1") == MAX_TRIES


def test_what_the_scheduler_itself_begins_again_counts_like_any_other_try() -> None:
    """Dask gives what a dead machine had to the next one, four times, without a word to us."""
    client, found = FakeClient(None), jobs(1)
    verdicts: list[Outcome] = []
    begun: list[str] = []

    def heard(student: str) -> None:
        begun.append(student)
        if len(begun) < 10 and not verdicts:
            client.tell((0.0, msgspec.msgpack.encode(JobStarted(student="s0"))))

    progress = Progress(begun=heard)
    waiting = waiting_for(found, lambda j: verdicts.append(j.verdict.outcome), progress=progress)
    handing = Dispatcher(client, "batch", SETTING, waiting, progress)
    client.tell((0.0, msgspec.msgpack.encode(JobStarted(student="s0"))))
    handing.run(FakeInterrupt())  # type: ignore[arg-type]
    assert verdicts == [Outcome.INFRASTRUCTURE_ERROR]
    # The fourth is heard of, and taken back at once.
    assert len(begun) == MAX_TRIES + 1
    assert [future.status for future in client.futures] == ["cancelled"]


def test_two_tries_of_one_student_are_told_apart() -> None:
    client = FakeClient(None)
    found = [msgspec.structs.replace(jobs(1)[0], attempt=n) for n in (1, 2)]
    handing = Dispatcher(client, "batch", SETTING, waiting_for(found), SILENT)
    handing._look()
    handing._hand_out()
    handing._told(msgspec.msgpack.encode(JobStarted(student="s0", attempt=2)))
    assert {r.queued.job.attempt: r.began for r in handing._running.values()} == {1: False, 2: True}


def test_a_broken_suite_ends_the_batch() -> None:
    client = FakeClient(lambda job, allowed: WorkerError(error="SuiteError", what="no points"))
    with pytest.raises(SuiteError, match="no points"):
        dispatch_all(client, jobs(3))


def test_a_batch_whose_machines_all_fail_is_told_why() -> None:
    client = FakeClient(lambda job, allowed: WorkerError(error="ImageError", what="no image"))
    with pytest.raises(InfrastructureError, match="no image"):
        dispatch_all(client, jobs(3))


def test_a_scheduler_that_is_gone_ends_the_batch() -> None:
    client = FakeClient(good)
    client.status = "closed"
    with pytest.raises(InfrastructureError, match="scheduler is gone"):
        dispatch_all(client, jobs(3))


def test_a_cluster_without_machines_is_waited_for_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "NO_MACHINE_S", 0.2)
    client = FakeClient(good)
    client.machines = {}
    began = time.monotonic()
    with pytest.raises(InfrastructureError, match="no machine is left"):
        dispatch_all(client, jobs(3))
    assert time.monotonic() - began >= 0.2


def test_after_ctrl_c_what_runs_is_finished_and_the_rest_is_taken_back() -> None:
    client, interrupt, found = FakeClient(None), FakeInterrupt(), jobs(9)
    verdicts: list[str] = []

    def begun(student: str) -> None:
        interrupt.asked = True
        future = client.futures[0]
        answer = MachineReply(machine="tcp://a", said=unreadable(found[0], SETTING, "any"))
        future.status, future.outcome = "finished", msgspec.msgpack.encode(answer)
        for call in future.callbacks:
            call(future)

    progress = Progress(begun=begun)
    waiting = waiting_for(found, lambda j: verdicts.append(j.verdict.student), progress=progress)
    handing = Dispatcher(client, "batch", SETTING, waiting, progress)
    client.tell((0.0, msgspec.msgpack.encode(JobStarted(student="s0"))))
    handing.run(interrupt)  # type: ignore[arg-type]
    assert verdicts == ["s0"]
    left = {queued.job.student for queued, _ in iter(waiting.dispatch, None)}
    assert left == {f"s{i}" for i in range(1, 9)}
    assert all(f.status == "cancelled" for f in client.futures[1:])


@pytest.mark.parametrize(
    ("nthreads", "resources", "gpu", "slots"),
    [
        (4, {}, False, 4),
        (4, {"slots": 2.0}, False, 2),
        (2, {"slots": 8.0}, False, 2),
        (4, {"slots": 0.0}, False, 0),
        (4, {}, True, 0),
        (4, {"GPU": 1.0}, True, 1),
    ],
)
def test_a_machine_has_the_slots_that_it_declares(
    nthreads: int, resources: dict[str, float], gpu: bool, slots: int
) -> None:
    assert capacity(nthreads, resources, gpu=gpu) == slots


class ChoiceClient:
    """A scheduler whose machines say what they have."""

    def __init__(self, *machines: MachineInfo) -> None:
        self._machines = machines

    def wait_for_workers(self, count: int, timeout: float) -> None:
        pass

    def run(self, call: Any, wanted: bytes) -> dict[str, bytes]:
        return {f"tcp://{i}": msgspec.msgpack.encode(m) for i, m in enumerate(self._machines)}


def choose(*machines: MachineInfo) -> str:
    cluster = Cluster(ChoiceClient(*machines))
    return cluster.choose("auto", "auto", box=BoxSpec(), runtime="").image


def test_machines_must_agree_on_what_decides_a_mark() -> None:
    one = MachineInfo(image="sha256:1", grader="1.0")
    assert choose(one, one) == "sha256:1"
    for other in (
        msgspec.structs.replace(one, image="sha256:2"),
        msgspec.structs.replace(one, grader="1.1"),
        msgspec.structs.replace(one, isolation="single-use"),
    ):
        with pytest.raises(InfrastructureError, match="differ"):
            choose(one, other)
    with pytest.raises(InfrastructureError, match="no engine"):
        choose(one, MachineInfo(error="no engine"))


def test_a_bundle_travels_by_value(classroom: Classroom, tmp_path: Any) -> None:
    assignment = classroom.assignment
    config = config_of(assignment.spec, assignment.bundle_sha256())
    unpacked = unpack(pack(assignment), config, below=tmp_path / "there")
    assert unpacked.folder.stat().st_mode & 0o077 == 0
    hidden = {p.name: p.read_bytes() for p in assignment.hidden_dir.glob("*.py")}
    there = unpacked.config.hidden
    assert hidden and there.startswith(str(unpacked.folder))
    assert {n: (unpacked.folder / there / n).read_bytes() for n in hidden} == hidden
    assert str(unpacked.folder) in unpacked.config.hide


@pytest.mark.parametrize("name", ["../evil.py", "/tmp/evil.py", "a/../../evil.py"])
def test_a_bundle_that_climbs_out_of_its_folder_is_refused(tmp_path: Any, name: str) -> None:
    data = msgspec.msgpack.encode({"sha256": "b", "files": {name: b"x"}})
    with pytest.raises(InfrastructureError, match="leads out"):
        unpack(data, SETTING, below=tmp_path / "there")
    assert not list(tmp_path.rglob("evil.py"))


def test_a_bundle_that_is_not_that_of_the_batch_is_refused(
    classroom: Classroom, tmp_path: Any
) -> None:
    config = config_of(classroom.assignment.spec, "another")
    with pytest.raises(InfrastructureError, match="not the one"):
        unpack(pack(classroom.assignment), config, below=tmp_path)
    with pytest.raises(InfrastructureError, match="damaged"):
        unpack(b"\xc1", config, below=tmp_path)


class FakeSlots:
    """Slots that only say that they are there."""

    made: ClassVar[list[FakeSlots]] = []

    def __init__(self, *_: object, **options: object) -> None:
        self.closed = False
        self.made.append(self)

    def judge(self, job: Job, progress: object) -> Judged:
        assert not self.closed
        return good(job, [])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> GraderPlugin:
    monkeypatch.setattr(machine, "MachineSlots", FakeSlots)
    monkeypatch.setattr(machine, "IDLE_S", 0.1)
    here = MachineInfo(sandbox="local", isolation="warm", image="i")
    monkeypatch.setattr(machine, "describe", lambda wanted: msgspec.msgpack.encode(here))
    FakeSlots.made.clear()
    return GraderPlugin("batch", msgspec.msgpack.encode(SETTING), b"", b"")


def run_apart(life: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread: a browser of tests before this one may keep a loop in the main one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, life).result()


def a_worker(**state: object) -> Any:
    return SimpleNamespace(
        state=SimpleNamespace(**({"nthreads": 2, "total_resources": {}} | state)),
        local_directory="/nowhere",
        log_event=lambda *_: None,
    )


def test_a_machine_that_is_not_asked_any_more_gives_its_slots_back(plugin: GraderPlugin) -> None:
    async def life() -> None:
        await plugin.setup(a_worker())
        await asyncio.to_thread(until, lambda: [s.closed for s in FakeSlots.made] == [True])
        said = await asyncio.to_thread(plugin.judge, jobs(1)[0], a_worker())
        assert isinstance(said, Judged)
        await plugin.teardown(a_worker())

    run_apart(life())
    assert [slots.closed for slots in FakeSlots.made] == [True, True]


def test_a_machine_that_comes_later_and_differs_does_not_join(
    plugin: GraderPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = msgspec.msgpack.encode(MachineInfo(sandbox="local", isolation="warm", image="another"))
    monkeypatch.setattr(machine, "describe", lambda wanted: other)
    with pytest.raises(InfrastructureError, match="another"):
        run_apart(plugin.setup(a_worker()))
    assert FakeSlots.made == []


def test_a_machine_without_slots_says_so(plugin: GraderPlugin) -> None:
    run_apart(plugin.setup(a_worker(total_resources={"slots": 0.0})))
    said = plugin.judge(jobs(1)[0], a_worker())
    assert isinstance(said, WorkerError) and "no slot" in said.what


def test_a_queue_that_stays_open_is_served_as_it_fills_until_it_is_given_up() -> None:
    client = FakeClient(good)
    cluster = Cluster(client)
    pool = StandingPool(
        SETTING, workers=lambda waiting: cluster.workers(b"bundle", SETTING, waiting)
    )
    begun: list[str] = []
    for job in jobs(3):
        future = pool.submit(job, progress=Progress(begun=begun.append))
        client.tell((0.0, msgspec.msgpack.encode(JobStarted(student=job.student))))
        assert future.result(120).verdict.student == job.student
    assert pool.is_alive
    pool.close()
    assert not pool.is_alive
    with pytest.raises(InfrastructureError, match="closed"):
        pool.submit(jobs(1)[0]).result(120)
