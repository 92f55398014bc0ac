"""The container engine's part: a container killed, an engine killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.api import Progress, grade
from grader.errors import InfrastructureError
from grader.grading.verdict import Outcome
from grader.sandbox.engine import OWNER_LABEL, connect
from tests.faults.aftermath import descendants, nothing_is_left
from tests.faults.courses import (
    SEED,
    finish,
    kill,
    long,
    make_class,
    marks,
    start,
    wait_for_verdicts,
)
from tests.grading.conftest import Classroom
from tests.sandbox.places import docker_image

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]


def kill_own_containers() -> int:
    """Kill the containers of this process's workers, as an administrator might."""
    api, mine = connect().api, {str(pid) for pid in descendants()}
    found = api.containers(filters={"label": [OWNER_LABEL]})
    own = [c for c in found if c["Labels"][OWNER_LABEL].rpartition(":")[2] in mine]
    for container in own:
        api.kill(container["Id"])
    return len(own)


@long
def test_a_container_killed_from_outside_costs_no_mark(tmp_path: Path, undisturbed: bytes) -> None:
    docker_image()
    classroom = make_class(tmp_path / "course")
    killed: list[int] = []

    def begun(student: str) -> None:
        if student == "s02":
            killed.append(kill_own_containers())

    with nothing_is_left():
        grade(
            classroom.course,
            "warm-up",
            [classroom.submissions],
            sandbox="docker",
            isolation="warm",
            slots=2,
            seed=SEED,
            progress=Progress(begun=begun),
        )
    assert killed[0] >= 1
    assert marks(classroom) == undisturbed


@long
def test_a_killed_batch_leaves_no_container_to_the_next(tmp_path: Path, undisturbed: bytes) -> None:
    docker_image()
    classroom = make_class(tmp_path / "course")
    with nothing_is_left():
        process = start(classroom, sandbox="docker")
        wait_for_verdicts(classroom, process, 1)
        for pid, command in descendants(process.pid).items():  # the workers too: none cleans up
            if "grader.grading.judge_main" in command:
                os.kill(pid, signal.SIGKILL)
        kill(process)
        assert finish(classroom, sandbox="docker") == 0
    assert marks(classroom) == undisturbed


class OwnEngine:
    """A second engine on this machine, with folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["dockerd", "-H", self.host, "--bridge=none", "--iptables=false"]
        for name in ("data-root", "exec-root", "pidfile"):
            command += [f"--{name}", str(self.folder / name)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while self.docker("version", check=False).returncode:
            if time.monotonic() > until or self._process.poll() is not None:
                pytest.skip("no second engine can be started here: run as root, with dockerd")
            time.sleep(0.5)

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["docker", "-H", self.host, *arguments], check=check, capture_output=True
        )

    def kill(self) -> None:
        if self._process is not None:
            children = descendants(self._process.pid)
            self._process.kill()
            self._process.wait()
            for pid in children:  # its containerd outlives it otherwise
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            # A pid that another process has by now would be taken for an engine that runs.
            (self.folder / "pidfile").unlink(missing_ok=True)
            (self.folder / "exec-root/containerd/containerd.pid").unlink(missing_ok=True)


@pytest.fixture
def own_engine(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OwnEngine]:
    image = docker_image()
    if shutil.which("dockerd") is None or os.getuid():
        pytest.skip("a second engine needs dockerd and root")
    engine = OwnEngine(Path(tmp_path_factory.mktemp("e")))
    engine.start()
    saved = subprocess.Popen(["docker", "save", _tag_of(image)], stdout=subprocess.PIPE)
    subprocess.run(["docker", "-H", engine.host, "load"], stdin=saved.stdout, check=True)
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    yield engine
    engine.kill()
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed([m for m in mounted if m.startswith(f"{engine.folder}/")]):
        subprocess.run(["umount", "-l", place], check=True)
    shutil.rmtree(engine.folder, ignore_errors=True)


def _tag_of(image: str) -> str:
    return str(connect().api.inspect_image(image)["RepoTags"][0])


def run(classroom: Classroom, begun: Callable[[str], None], slots: int) -> list[Outcome]:
    graded = grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        sandbox="docker",
        isolation="warm",
        slots=slots,
        seed=SEED,
        progress=Progress(begun=begun),
    )
    return [v.outcome for v in graded.verdicts]


@long
def test_an_engine_killed_and_started_again_costs_no_mark(
    tmp_path: Path, undisturbed: bytes, own_engine: OwnEngine
) -> None:
    classroom = make_class(tmp_path / "course")
    begun: list[str] = []

    def kill_once(student: str) -> None:
        begun.append(student)
        if student == "s02":
            own_engine.kill()

    with pytest.raises(InfrastructureError, match="engine"):
        run(classroom, kill_once, slots=2)
    stopped_at = len(begun)
    with pytest.raises(InfrastructureError):
        run(classroom, begun.append, slots=2)
    own_engine.start()
    assert Outcome.INFRASTRUCTURE_ERROR not in run(classroom, begun.append, slots=2)
    assert marks(classroom) == undisturbed
    assert stopped_at < len(set(begun))  # it did not go through the others


@long
def test_an_engine_that_is_restarted_under_a_batch_is_waited_for(
    tmp_path: Path, undisturbed: bytes, own_engine: OwnEngine
) -> None:
    classroom = make_class(tmp_path / "course")
    restarted: list[str] = []

    def restart(student: str) -> None:
        if not restarted:
            restarted.append(student)
            own_engine.kill()
            threading.Timer(8.0, own_engine.start).start()

    assert Outcome.INFRASTRUCTURE_ERROR not in run(classroom, restart, slots=1)
    assert restarted
    assert marks(classroom) == undisturbed
