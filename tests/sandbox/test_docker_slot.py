"""A slot in a container: what it was given, and what is left when it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import ImageError, InfrastructureError
from grader.sandbox import docker_slot
from grader.sandbox.base import Session, Slot, SlotOptions
from grader.sandbox.docker_slot import DOOR_FOLDER, DockerSlot
from grader.sandbox.engine import OWNER_LABEL, SLOT_LABEL, Engine, connect, ours
from grader.sandbox.prune import prune
from grader.sandbox.rendezvous import Rendezvous
from grader.wire.messages import Limits
from tests.helpers.light_boxes import LIGHT
from tests.sandbox.places import docker_image

MB = 1 << 20
OPTIONS = SlotOptions(
    memory_bytes=400 * MB, disk_bytes=32 * MB, processes=64, cpus=0.5, preloads=LIGHT
)
LIMITS = Limits(memory_bytes=400 * MB, disk_bytes=32 * MB, file_bytes=32 * MB, processes=64)

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def image() -> str:
    return docker_image()


@pytest.fixture(scope="module")
def engine(image: str) -> Engine:
    return connect()


@pytest.fixture(scope="module")
def warm(image: str) -> Iterator[DockerSlot]:
    slot = DockerSlot(replace(OPTIONS, image=image))
    slot.wait_ready()
    yield slot
    slot.stop()


def said(slot: Slot, source: str) -> str:
    """What a cell prints, in a session of its own."""
    session = slot.open(seed=1, limits=LIMITS)
    try:
        return printed(session, source)
    finally:
        session.close()


def printed(session: Session, source: str) -> str:
    result = session.run_cell(source, index=1, timeout_s=60, output_bytes=MB)
    assert result.status == "ok", result
    return "".join(o.get("text", "") for o in result.outputs).strip()


def containers(engine: Engine, slot: DockerSlot) -> list[dict[str, Any]]:
    label = ours(slot._name)[SLOT_LABEL]
    found: list[dict[str, Any]] = engine.api.containers(
        all=True, filters={"label": [f"{SLOT_LABEL}={label}"]}
    )
    return found


@pytest.fixture(scope="module")
def config(warm: DockerSlot, engine: Engine) -> dict[str, Any]:
    """What the engine says that the container was given."""
    found: dict[str, Any] = engine.api.inspect_container(containers(engine, warm)[0]["Id"])
    return found


def test_the_container_is_closed_on_every_side(config: dict[str, Any]) -> None:
    host = config["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert not host["Devices"]
    assert "no-new-privileges" in host["SecurityOpt"]
    assert any(option.startswith("seccomp={") for option in host["SecurityOpt"])
    assert host["IpcMode"] == "private"
    assert host["LogConfig"]["Type"] == "none"
    assert config["Config"]["User"] == "10001:10001"


def test_the_container_has_limits_and_no_swap(config: dict[str, Any]) -> None:
    host = config["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["NanoCpus"] == 500_000_000
    assert 64 < host["PidsLimit"] < 1000
    assert "nosuid" in host["Tmpfs"]["/tmp"]
    assert "size=" in host["Tmpfs"]["/tmp"]


def test_the_judges_environment_is_not_in_the_container(config: dict[str, Any]) -> None:
    names = {entry.partition("=")[0] for entry in config["Config"]["Env"]}
    assert not names & {"DOCKER_HOST", "SSH_AUTH_SOCK", "PIP_INDEX_URL", "GRADER_REQUIRE_DOCKER"}
    assert len(names) < 12


def test_a_slot_that_serves_once_keeps_the_engines_own_profile(image: str, engine: Engine) -> None:
    slot = DockerSlot(replace(OPTIONS, image=image, isolation="single-use"))
    slot.start()
    try:
        host = engine.api.inspect_container(containers(engine, slot)[0]["Id"])["HostConfig"]
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert "/proc/kcore" in host["MaskedPaths"]
    finally:
        slot.stop()


def test_a_session_is_alone_with_its_own_processes(warm: DockerSlot) -> None:
    assert said(warm, "import os; print(os.getpid(), os.listdir('/sys/class/net'))") == "1 ['lo']"


def test_whatever_a_session_can_write_is_empty_for_the_next(warm: DockerSlot) -> None:
    leave = """
import os
left = []
for top, folders, files in os.walk("/"):
    if top.startswith(("/proc", "/sys")):
        folders.clear()
        continue
    try:
        os.close(os.open(top + "/left-behind", os.O_CREAT | os.O_RDWR, 0o666))
        left.append(top)
    except OSError:
        pass
print(*sorted(left))
"""
    look = """
import os
print([top for top, folders, files in os.walk("/") if "left-behind" in files])
"""
    left = said(warm, leave).split()
    assert {"/dev/mqueue", "/dev/shm", "/tmp", "/tmp/work"} <= set(left)
    assert said(warm, look) == "[]"


def test_the_box_speaks_over_a_socket_of_which_no_notebook_sees_anything(
    warm: DockerSlot, config: dict[str, Any]
) -> None:
    assert warm.wait_ready().stream == "socket"
    [door] = [m for m in config["Mounts"] if m["Destination"] == DOOR_FOLDER]
    assert door["RW"] is False
    assert not Path(door["Source"]).parent.exists()
    look = f"import os; print(os.listdir({DOOR_FOLDER!r}), os.access({DOOR_FOLDER!r}, os.W_OK))"
    assert said(warm, look) == "[] False"


def _is_elsewhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "is_here", False)


def _sees_other_files(patch: pytest.MonkeyPatch) -> None:
    class Unseen(Rendezvous):
        def __init__(self) -> None:
            super().__init__()
            self.folder = Path("/no/such/folder/for/the/engine")

    patch.setattr(docker_slot, "Rendezvous", Unseen)


def _lets_nobody_connect(patch: pytest.MonkeyPatch) -> None:
    class Closed(Rendezvous):
        def __init__(self) -> None:
            super().__init__()
            (self.folder / self.name).chmod(0o600)

    patch.setattr(docker_slot, "Rendezvous", Closed)


@pytest.mark.parametrize(
    "engine_that",
    [
        pytest.param(_is_elsewhere, marks=pytest.mark.slow),
        _sees_other_files,
        pytest.param(_lets_nobody_connect, marks=pytest.mark.slow),
    ],
)
def test_without_a_socket_the_box_speaks_over_its_attached_streams(
    image: str,
    engine: Engine,
    engine_that: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    engine_that(monkeypatch)
    (tmp_path / "numbers.txt").write_text("1 2 3")
    tmp_path.chmod(0o755)
    slot = DockerSlot(replace(OPTIONS, image=image, data=tmp_path))
    try:
        assert slot.wait_ready().stream == "standard"
        assert said(slot, "print(open('data/numbers.txt').read())") == "1 2 3"
        assert said(slot, "import os; print(os.access('data', os.W_OK))") == "False"
        assert len(containers(engine, slot)) == 1
    finally:
        slot.stop()
    assert containers(engine, slot) == []


def test_data_that_only_its_owner_can_read_reaches_the_box_and_leaves_no_volume(
    image: str, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "numbers.txt").write_text("1 2 3\n")
    (tmp_path / "numbers.txt").chmod(0o600)
    tmp_path.chmod(0o700)
    slot = DockerSlot(replace(OPTIONS, image=image, data=tmp_path))
    label = {"label": [f"{SLOT_LABEL}={slot._name}"]}
    try:
        assert said(slot, "print(open('data/numbers.txt').read())") == "1 2 3"
        assert said(slot, "import os; print(os.access('data', os.W_OK))") == "False"
        assert len(engine.api.volumes(filters=label)["Volumes"]) == 1
    finally:
        slot.stop()
    assert not engine.api.volumes(filters=label).get("Volumes")


@pytest.mark.slow
def test_a_container_killed_from_outside_is_our_failure_and_the_next_session_has_a_new_one(
    image: str, engine: Engine
) -> None:
    slot = DockerSlot(replace(OPTIONS, image=image))
    try:
        session = slot.open(seed=1, limits=LIMITS)
        engine.api.kill(containers(engine, slot)[0]["Id"])
        with pytest.raises(InfrastructureError, match="code 137"):
            session.run_cell("print(1)", index=1, timeout_s=60, output_bytes=1000)
        assert said(slot, "print('on')") == "on"
        assert len(containers(engine, slot)) == 1
    finally:
        slot.stop()


def test_nothing_is_left_of_a_slot_that_was_stopped_even_twice(image: str, engine: Engine) -> None:
    slot = DockerSlot(replace(OPTIONS, image=image))
    slot.start()
    slot.stop()
    slot.stop()
    assert containers(engine, slot) == []


def test_an_image_that_is_not_there_is_our_failure() -> None:
    docker_image()
    slot = DockerSlot(replace(OPTIONS, image="sha256:" + "0" * 64))
    with pytest.raises(InfrastructureError, match=r"[Nn]o such image"):
        slot.wait_ready()
    slot.stop()


def test_a_slot_without_an_image_says_how_to_build_one() -> None:
    with pytest.raises(ImageError) as caught:
        DockerSlot(OPTIONS).start()
    assert "grader sandbox build" in str(caught.value)


@pytest.fixture
def make(engine: Engine, image: str) -> Iterator[Any]:
    """Makes a container that some process owns."""
    made: list[str] = []

    def container(owner: str) -> str:
        labels = {SLOT_LABEL: "of a test", OWNER_LABEL: owner}
        created = engine.api.create_container(image, command=["true"], labels=labels)
        made.append(created["Id"])
        return str(created["Id"])

    yield container
    for name in made:
        if exists(engine, name):
            engine.api.remove_container(name, force=True)


def exists(engine: Engine, container: str) -> bool:
    return any(c["Id"] == container for c in engine.api.containers(all=True))


def test_what_somebody_runs_from_our_image_is_not_ours(engine: Engine, image: str) -> None:
    theirs = str(engine.api.create_container(image, command=["true"])["Id"])
    try:
        prune()
        assert exists(engine, theirs)
    finally:
        engine.api.remove_container(theirs, force=True)


def test_prune_removes_what_a_killed_batch_left_and_nothing_that_is_in_use(
    engine: Engine, make: Any
) -> None:
    host = ours("")[OWNER_LABEL].rpartition(":")[0]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = make(f"{host}:{dead.pid}")
    kept = [make(f"{host}:{os.getpid()}"), make("another-machine:1")]
    removed = prune()
    assert f"container {orphan[:12]}" in removed
    assert not exists(engine, orphan)
    assert all(exists(engine, container) for container in kept)
