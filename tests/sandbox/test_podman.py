"""The same slots over Podman's socket: `make test-podman`, where podman is installed and starts."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import InfrastructureError
from grader.sandbox.base import SlotOptions
from grader.sandbox.choose import choose
from grader.sandbox.docker_slot import DockerSlot
from grader.sandbox.doctor import diagnose
from grader.sandbox.engine import SECCOMP_PROFILE, SLOT_LABEL, Engine, connect
from grader.sandbox.image import build_image, find_image
from grader.sandbox.image_base import DEBIAN_TAG
from grader.wire.messages import Limits
from tests.helpers.waiting import until

HOW = os.environ.get("GRADER_PODMAN", "")
"""`build` has the image built by Podman, `load` takes it from Docker if that has it."""
pytestmark = [
    pytest.mark.podman,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not HOW, reason="needs GRADER_PODMAN, see `make test-podman`"),
]
OPTIONS = SlotOptions(memory_bytes=300 << 20, disk_bytes=32 << 20)


def _docker(*words: str, host: str = "", **options: object) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **({"DOCKER_HOST": host} if host else {})}
    return subprocess.run(["docker", *words], env=environment, **options)  # type: ignore[call-overload,no-any-return]


def _hand_over(image: str, host: str) -> None:
    """Give Podman an image that Docker has."""
    saved = _docker("save", image, stdout=subprocess.PIPE)
    if saved.returncode == 0:
        _docker("load", "--quiet", host=host, input=saved.stdout, check=True)


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Podman's service, with a store of its own and the image in it."""
    with _service(tmp_path_factory.mktemp("podman")) as address:
        if HOW == "load":
            _hand_over(find_image(engine=connect()).tag, address)
        elif _docker("image", "inspect", DEBIAN_TAG, capture_output=True).returncode == 0:
            _hand_over(DEBIAN_TAG, address)  # for debootstrap takes minutes
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", address)
            if HOW == "build":
                build_image()
            yield connect()


@contextmanager
def _service(folder: Path, *, user: str = "") -> Iterator[str]:
    """The address of root's service, or a user's, with a store of its own, while the block runs."""
    if shutil.which("podman") is None:
        pytest.fail("podman is not installed: apt-get install podman runc")
    address = f"unix://{folder}/podman.sock"
    command = ["podman", "--root", str(folder / "store"), "--runroot", str(folder / "run")]
    # crun starts nothing where cgroups are of version 1 with some controllers in version 2.
    runc = shutil.which("runc")
    command += ["--runtime", runc] if runc else []
    if user:
        shutil.chown(folder, user)
        own = [f"HOME={folder}", f"XDG_RUNTIME_DIR={folder}"]
        command = ["setpriv", "--reuid", user, "--clear-groups", "env", *own, *command]
    listen = [*command, "system", "service", "--time=0", address]
    service = subprocess.Popen(listen, start_new_session=True)
    try:
        while not _listens(folder / "podman.sock"):
            assert service.poll() is None, "podman's service does not start"
            time.sleep(0.1)
        yield address
    finally:
        # Without root it is a child of that process in a user namespace, which another one holds.
        with suppress(ProcessLookupError):
            os.killpg(service.pid, signal.SIGTERM)
        service.wait()
        until(lambda: not _listens(folder / "podman.sock"), "the end of podman's service")
        subprocess.run([*command, "system", "reset", "--force"], capture_output=True)
        for file in folder.rglob("pause.pid"):
            os.kill(int(file.read_text()), signal.SIGKILL)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


@pytest.fixture(scope="module")
def image(podman: Engine) -> str:
    state = find_image(engine=podman)
    assert state.status == "ready", state.reason
    return state.image_id


def said(slot: DockerSlot, source: str) -> str:
    session = slot.open(seed=0, limits=Limits())
    try:
        result = session.run_cell(source, index=1, timeout_s=300, output_bytes=10_000)
    finally:
        session.close()
    return "".join(str(o.get("text") or o.get("evalue")) for o in result.outputs).strip()


def test_every_promise_holds(image: str) -> None:
    checks = {check.name: check for check in diagnose("docker")}
    assert [check for check in checks.values() if check.ok is False] == []
    assert checks["engine"].found.startswith("Podman ")
    assert "warm" in checks["docker sandbox"].found
    assert checks["the short way into a box"].ok is True


@pytest.mark.parametrize("isolation", ["warm", "single-use"])
def test_a_box_reads_data_that_its_owner_alone_may_read_and_leaves_nothing(
    podman: Engine, image: str, isolation: str, tmp_path: Path
) -> None:
    (tmp_path / "numbers.txt").write_text("1 2 3")
    tmp_path.chmod(0o700)
    slot = DockerSlot(replace(OPTIONS, image=image, data=tmp_path, isolation=isolation))  # type: ignore[arg-type]
    label = {"label": [f"{SLOT_LABEL}={slot._name}"]}
    try:
        assert said(slot, "print(open('data/numbers.txt').read())") == "1 2 3"
        assert said(slot, "import os; print(os.access('/var/tmp', os.W_OK))") == "False"
        assert said(slot, "import os; print(os.listdir('/sys/class/net'))") == "['lo']"
        if isolation == "warm":  # after a single use the container is gone
            assert slot.used_s()
    finally:
        slot.stop()
    assert podman.api.containers(all=True, filters=label) == []
    assert not podman.api.volumes(filters=label).get("Volumes")


def test_an_error_is_told_without_the_profile_that_it_gives_back(
    image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SECCOMP_PROFILE.read_text()
    monkeypatch.setattr(Engine, "jail_options", lambda self: [f"seccomp={text}"])
    with pytest.raises(InfrastructureError) as caught:
        DockerSlot(replace(OPTIONS, image=image)).wait_ready()
    assert "seccomp" in caught.value.what
    assert "defaultAction" not in caught.value.what
    assert len(caught.value.what) < 600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_an_ordinary_users_podman_is_refused_where_it_can_limit_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="grader-podman-") as folder,  # pytest's own is closed
        _service(Path(folder), user="nobody") as address,
    ):
        monkeypatch.setenv("DOCKER_HOST", address)
        engine = connect()
        assert engine.is_podman and engine.is_rootless
        if engine.cgroup_version == "2":
            pytest.skip("with cgroup v2 it can, where controllers are delegated to the user")
        with pytest.raises(InfrastructureError, match="limits neither memory nor processors"):
            choose("docker")
        checks = {check.name: check for check in diagnose("docker")}
    assert checks["limits of containers"].ok is False
    assert "cgroup v2" in checks["limits of containers"].fix
