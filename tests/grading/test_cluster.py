"""Batches on a real scheduler with real worker processes of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.api import Graded, Progress, grade
from grader.errors import InfrastructureError, SuiteError, UsageError
from grader.gradebook.store import Gradebook
from grader.grading.cluster import open_cluster
from grader.grading.verdict import Outcome
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HIDDEN, SPEC
from tests.helpers.gpus import Driver
from tests.helpers.waiting import until

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = pytest.mark.local_box


class Machines:
    """A scheduler and its workers, each a process that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scheduler = folder / "scheduler.json"
        self._processes = [
            self._start("scheduler", "--port", "0", "--scheduler-file", str(self._scheduler))
        ]
        self.workers: list[subprocess.Popen[bytes]] = []
        until(self._address, "a scheduler")

    def add(self, *, slots: int = 1, gpus: int = 0) -> None:
        """Start a worker that takes so many submissions at once, and says it has so many GPUs."""
        resources = f"slots={slots}" + (f",GPU={gpus}" if gpus else "")
        self.workers.append(
            self._start(
                "worker",
                *("--scheduler-file", str(self._scheduler), "--no-nanny", "--nthreads", str(slots)),
                *("--resources", resources, "--local-directory", str(self.scratch)),
            )
        )

    @property
    def scratch(self) -> Path:
        """Where workers put what they were sent."""
        return self._folder / "scratch"

    @property
    def address(self) -> str:
        """The scheduler's."""
        return self._address()

    def stop(self) -> None:
        """End all of them."""
        for process in [*self.workers, *self._processes]:
            process.kill()
            process.wait()

    def _address(self) -> str:
        try:
            return str(json.loads(self._scheduler.read_text())["address"])
        except (OSError, ValueError):
            return ""

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self._folder / "log").open("ab")
        options = ["--host", "127.0.0.1", "--no-dashboard"]
        command = [sys.executable, "-m", "dask", *arguments, *options]
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    folder = tmp_path / "machines"
    folder.mkdir()
    started = Machines(folder)
    yield started
    started.stop()


def run(classroom: Classroom, **options: object) -> Graded:
    return grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        **{"sandbox": "local", "isolation": "warm", "seed": 7, **options},  # type: ignore[arg-type]
    )


def told(graded: Graded) -> dict[str, object]:
    """What a student reads of every verdict, without how long it took."""
    return {
        v.student: (
            v.outcome,
            v.points,
            v.reason,
            [(t.name, t.outcome, t.message) for t in v.tests],
        )
        for v in graded.verdicts
    }


@pytest.mark.slow
def test_a_cluster_gives_the_marks_of_an_ordinary_batch_though_machines_and_slots_die(
    make_classroom: Callable[[], Classroom], machines: Machines
) -> None:
    classroom = make_classroom()
    for i in range(5):
        classroom.hand_in(f"right{i}", f"import time; time.sleep({0.1 * i})")
    classroom.hand_in("untouched", untouched=True)
    classroom.hand_in("exits", "import os\nos._exit(0)")
    (classroom.submissions / "truncated.ipynb").write_text('{"cells": [')
    machines.add(slots=2)
    machines.add()
    begun: list[str] = []
    judged: list[str] = []
    killed: list[int] = []
    orphans: list[int] = []

    def kill_some(student: str) -> None:
        begun.append(student)
        if len(begun) == 3:
            orphans.extend(_judges_of(machines.workers[0].pid))
            orphans.extend(_workers_of(orphans))
            machines.workers[0].kill()
        if len(begun) == 6:  # two may have been under way: this one is surely on the other
            killed.extend(_workers_of(_judges_of(machines.workers[1].pid)))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    progress = Progress(begun=kill_some, judged=lambda v: judged.append(v.student))
    graded = run(classroom, cluster=machines.address, progress=progress)
    assert killed and machines.workers[0].wait() == -signal.SIGKILL
    assert machines.workers[1].poll() is None
    # A judge, and whichever of its two workers had started; they end when they notice.
    assert len(orphans) in (2, 3)
    until(lambda: not any(_is_judge(pid) for pid in orphans), "the end of the orphans")
    assert sorted(judged) == sorted(v.student for v in graded.verdicts)
    with Gradebook(classroom.course.database_url) as book:
        assert len(book.history("warm-up")) == len(judged) == 8
        notebook = book.executed_notebook(graded.verdicts[0])
    assert notebook is not None and b"cells" in notebook
    plain = run(classroom, regrade=True)
    assert told(graded) == told(plain)
    assert not plain.changes
    assert run(classroom, cluster=machines.address).run == 0
    _nothing_is_left(machines)


@pytest.mark.slow
def test_a_broken_suite_is_said_before_the_first_submission(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    classroom.change(hidden=HIDDEN.replace("points(2)", "points(4)"))
    with pytest.raises(SuiteError, match="7"):
        run(classroom, cluster="local:1")
    with Gradebook(classroom.course.database_url) as book:
        assert book.history("warm-up") == []


GARBAGE = """
import os, time
os.write(3, b"\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\xc1" + b"\\x03" * 4_000)
time.sleep(60)
"""
TEXT = """
get_ipython().events.register(
    "post_run_cell",
    lambda result: get_ipython().user_ns.update(softmax=lambda x: "no"),
)
"""


@pytest.mark.slow
def test_what_a_notebook_writes_into_its_channel_costs_nobody_else_on_a_cluster(
    classroom: Classroom,
) -> None:
    for number in range(4):
        classroom.hand_in(f"{number}a-hostile", GARBAGE)
        classroom.hand_in(f"{number}b-honest")
    graded = run(classroom, cluster="local:2")
    assert {v.student[1:]: (v.outcome, v.points) for v in graded.verdicts} == {
        "a-hostile": (Outcome.GRADED, 0),
        "b-honest": (Outcome.GRADED, 8),
    }
    assert len(graded.verdicts) == 8


@pytest.mark.slow
def test_a_cluster_asks_the_reference_whose_fault_an_exception_is(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    classroom.hand_in("text", TEXT)
    found = {v.student: v for v in run(classroom, cluster="local:2").verdicts}
    assert (found["ada"].outcome, found["ada"].points) == (Outcome.GRADED, 8)
    assert found["text"].outcome is Outcome.GRADED
    assert "a tensor was expected" in str([t.message for t in found["text"].tests])
    head = "def test_rows_sum_to_one(student):\n"
    classroom.change(hidden=HIDDEN.replace(head, f"{head}    {{}}['oops']\n", 1))
    graded = run(classroom, cluster="local:2")
    assert {v.outcome for v in graded.verdicts} == {Outcome.SUITE_ERROR}
    (fault,) = graded.suite_faults
    assert fault.students == ("ada", "text") and fault.test == "test_rows_sum_to_one"


def test_an_address_where_nobody_answers_is_said(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.grading.cluster.CONNECT_S", 1.0)
    classroom.hand_in("ada")
    with pytest.raises(InfrastructureError, match="does not answer"):
        run(classroom, cluster="tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["scheduler:8786", "local:0", "local:x", "local:"])
def test_what_is_no_address_is_said(classroom: Classroom, address: str) -> None:
    classroom.hand_in("ada")
    with pytest.raises(UsageError, match=r"address|how many"):
        run(classroom, cluster=address)


@pytest.mark.slow
def test_a_machine_that_says_it_has_a_gpu_and_has_none_gives_no_mark(
    classroom: Classroom, machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver = tmp_path / "driver"
    driver.mkdir()
    Driver(driver, {}).break_()
    monkeypatch.setenv("PATH", f"{driver}{os.pathsep}{os.environ['PATH']}")
    classroom.change(spec=SPEC.replace("[resources]", "[resources]\ngpu = true"))
    classroom.hand_in("ada")
    machines.add(gpus=1)
    with pytest.raises(InfrastructureError, match="needs a GPU, and none is found"):
        run(classroom, cluster=machines.address)
    with Gradebook(classroom.course.database_url) as book:
        assert not book.current("warm-up")


def test_slots_are_what_machines_say(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    with pytest.raises(UsageError, match="how many slots"):
        run(classroom, cluster="local:2", slots=2)


def _nothing_is_left(machines: Machines) -> None:
    """Slots and bundle are gone with the batch, on every machine that lives."""
    alive = [w for w in machines.workers if w.poll() is None]
    until(lambda: not any(_judges_of(w.pid) for w in alive), "the end of every slot")
    if len(alive) == len(machines.workers):
        assert not list(machines.scratch.rglob("grader-bundle-*"))


def _judges_of(parent: int) -> list[int]:
    return [pid for pid, up in _parents().items() if up == parent and _is_judge(pid)]


def _workers_of(judges: list[int]) -> list[int]:
    return [pid for pid, up in _parents().items() if up in judges]


def _is_judge(pid: int) -> bool:
    try:
        return b"grader.grading.judge_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _parents() -> dict[int, int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    return parents


def test_a_cluster_does_not_keep_the_notebooks_that_went_through_it() -> None:
    size, count = 300_000, 100
    with open_cluster("local:1") as cluster:
        tracemalloc.start()
        for _ in range(count):
            cluster._client.submit(len, os.urandom(size), pure=False).result()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert held < count * size / 2
