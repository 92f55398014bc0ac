"""A slot in a container: no network, no capability, nothing to write but tmpfs.

The byte stream is a socket that the zygote connects where the engine runs on this machine, else the
container's attached stdin and stdout (`rendezvous`).
"""

from __future__ import annotations

import io
import tarfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from grader.errors import ImageError
from grader.sandbox.base import SlotOptions
from grader.sandbox.data import is_readable_by_all
from grader.sandbox.engine import Engine, connect, ours, speaking
from grader.sandbox.prune import sweep
from grader.sandbox.rendezvous import ContainerTransport, Rendezvous
from grader.sandbox.stream import StreamSlot
from grader.sandbox.transport import Transport
from grader.wire.environment import BEFORE_FORKS

MB = 1 << 20
WARM_BYTES = 700 * MB
"""What the zygote and its libraries take beside the submission's own memory."""
WARM_PROCESSES = 64
USER = "10001:10001"
DATA_FOLDER = "/box-data"
DOOR_FOLDER = "/run/door"
_ENDING_S = 20.0
"""How long a busy engine may take to notice that a container has ended."""
_ASK_S = 10.0
"""How often the engine is asked what a container has used: it takes seconds to say so."""


class DockerSlot(StreamSlot):
    """A zygote in a container of the sandbox image."""

    def __init__(self, options: SlotOptions) -> None:
        super().__init__(options)
        self._engine: Engine | None = None
        self._container: str | None = None
        self._volume: str | None = None
        self._name = uuid.uuid4().hex
        self._stream: ContainerTransport | None = None
        self._used: tuple[float, float | None] | None = None

    def connect(self) -> Transport:
        """Create, attach and start a container."""
        if self.options.image is None:
            raise ImageError("no sandbox image was chosen", hint="Run `grader sandbox build`.")
        if self._engine is None:
            self._engine = connect()
            with speaking():
                sweep(self._engine)
        engine = self._engine
        with speaking():
            if engine.is_here:
                try:
                    return self._begin(engine, shared=True)
                except APIError:
                    # It sees other files than we do, as when we run in a container ourselves, or
                    # may not enter our folder; or it refuses all the same, and says so again.
                    self.destroy()
            return self._begin(engine, shared=False)

    def _begin(self, engine: Engine, *, shared: bool) -> Transport:
        """Begin with folders of this machine mounted, or without."""
        rendezvous = Rendezvous.offer() if shared else None
        try:
            self._container = self._create(engine, rendezvous, shared=shared)
            stream = engine.api.attach_socket(
                self._container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
            self._keep_alive = stream
            engine.api.start(self._container)
        except Exception:
            if rendezvous is not None:
                rendezvous.close()
            raise
        self._stream = ContainerTransport(getattr(stream, "_sock", stream), rendezvous)
        return self._stream

    def destroy(self) -> None:
        """Remove the container with what it holds."""
        engine, container, volume = self._engine, self._container, self._volume
        self._container = self._volume = None
        if engine is None:
            return
        try:
            if container is not None:
                with suppress(NotFound):
                    engine.api.remove_container(container, force=True, v=True)
            if volume is not None:
                engine.api.remove_volume(volume, force=True)
        except (DockerException, requests.RequestException):
            # The engine is gone or busy; what is left carries our label, and prune removes it.
            self._engine = None

    def why_gone(self) -> str:
        """The container's state and last words."""
        state = self._state()
        words = self._stream.last_words() if self._stream is not None else ""
        if not state:
            return f"the engine does not answer for the container. {words}".strip()
        if state.get("Running"):
            return words
        code = state.get("ExitCode")
        return f"its container ended with code {code}. {state.get('Error', '')} {words}".strip()

    def used_s(self) -> float | None:
        """As the engine counts it for the container; not every engine does."""
        now = time.monotonic()
        if self._used is None or now - self._used[0] > _ASK_S:
            self._used = now, self._asked()
        return self._used[1]

    def _asked(self) -> float | None:
        if self._engine is None or self._container is None:
            return None
        try:
            found = self._engine.api.stats(self._container, stream=False)
            return float(found["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9
        except (DockerException, requests.RequestException, KeyError, TypeError, ValueError):
            return None

    def killed_for_memory(self) -> bool:
        """Whether the kernel ended the container for its memory."""
        return bool(self._state().get("OOMKilled"))

    def _state(self) -> dict[str, Any]:
        """The container's state, once it has had time to end: its stream closes before that."""
        if self._engine is None or self._container is None:
            return {}
        until = time.monotonic() + _ENDING_S
        try:
            while True:
                found = self._engine.api.inspect_container(self._container)
                state: dict[str, Any] = found["State"]
                if not state.get("Running") or time.monotonic() > until:
                    return state
                time.sleep(0.05)
        except (DockerException, requests.RequestException):
            return {}

    def _create(self, engine: Engine, rendezvous: Rendezvous | None, *, shared: bool) -> str:
        arguments = ["--isolation", self.options.isolation]
        arguments += ["--preload", *self.options.preloads]
        arguments += ["--memory", "counted", "--processors", "bounded"]
        mounts = []
        if rendezvous is not None:
            arguments += ["--socket", f"{DOOR_FOLDER}/{rendezvous.name}"]
            mounts.append(_mount(DOOR_FOLDER, str(rendezvous.folder), "bind"))
        if self.options.data is not None:
            mounts.append(self._data_mount(engine, self.options.data, shared=shared))
        created = engine.api.create_container(
            self.options.image,
            command=["python3", "-B", "-P", "-m", "grader.box.zygote", *arguments],
            stdin_open=True,
            user=USER,
            hostname="box",
            working_dir="/tmp",  # noqa: S108 - inside the container
            environment=_ENVIRONMENT,
            labels=ours(self._name),
            host_config=self._host_config(engine, mounts),
            networking_config=None,
        )
        return str(created["Id"])

    def _host_config(self, engine: Engine, mounts: list[Any]) -> dict[str, Any]:
        config = engine.host_config(mounts=mounts, **self._limits(engine))
        if self.options.isolation == "warm":
            # What the docker command calls systempaths=unconfined: the kernel lets a jail mount a
            # /proc of its own only where nothing of the container's is covered.
            config["MaskedPaths"] = []
            config["ReadonlyPaths"] = []
        return config

    def _limits(self, engine: Engine) -> dict[str, Any]:
        options = self.options
        # In a warm slot each session mounts a place of its own over this one, as large as allowed.
        scratch = options.disk_bytes + (64 * MB if options.isolation == "warm" else 0)
        memory = WARM_BYTES + options.memory_bytes + options.disk_bytes
        security = ["no-new-privileges"]
        if options.isolation == "warm":
            security += engine.jail_options()
        limits: dict[str, Any] = {
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": security,
            "mem_limit": memory,
            "memswap_limit": memory,
            "pids_limit": options.processes + WARM_PROCESSES,
            "nano_cpus": int(options.cpus * 1e9),
            "ipc_mode": "private",
            "shm_size": scratch,
            "tmpfs": _temporary(engine, scratch),
            "log_config": docker.types.LogConfig(type="none"),
            "oom_kill_disable": False,
            "init": False,
        }
        if options.runtime:
            limits["runtime"] = options.runtime
        if options.gpu:
            limits["device_requests"] = [_gpu_request(str(options.gpu))]
        return limits

    def _data_mount(self, engine: Engine, data: Path, *, shared: bool) -> Any:
        """The data as a bind mount where the box may read our files, else as a volume."""
        if shared and is_readable_by_all(data):
            return _mount(DATA_FOLDER, str(data.resolve()), "bind")
        self._volume = f"grader-data-{self._name}"
        engine.api.create_volume(self._volume, labels=ours(self._name))
        helper = engine.api.create_container(
            self.options.image,
            command=["true"],
            labels=ours(self._name),
            host_config=engine.host_config(
                network_mode="none", binds=[f"{self._volume}:{DATA_FOLDER}"]
            ),
        )
        try:
            engine.api.put_archive(helper["Id"], DATA_FOLDER, _as_tar(data))
        finally:
            engine.api.remove_container(helper["Id"], force=True)
        return _mount(DATA_FOLDER, self._volume, "volume")


def _temporary(engine: Engine, size: int) -> dict[str, str]:
    """The container's file systems in memory, and their options.

    Podman knows no limit on inodes (there memory bounds them), and would fill /tmp with what the
    image has there. Beside a read-only root it gives a container a /var/tmp that all can write: in
    a warm slot one submission could leave something there for the next.
    """
    common = f"rw,nosuid,nodev,size={size},mode=1777"
    if engine.is_podman:
        closed = "ro,nosuid,nodev,noexec,notmpcopyup,size=4k,mode=755"
        return {"/tmp": f"{common},notmpcopyup", "/var/tmp": closed}  # noqa: S108
    return {"/tmp": f"{common},nr_inodes=50000"}  # noqa: S108


_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    **BEFORE_FORKS,
    "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor",  # noqa: S108
}


def _mount(target: str, source: str, kind: str) -> Any:
    """A read-only mount; unlike a bind by its name alone, an error where the source is missing."""
    return docker.types.Mount(target, source, type=kind, read_only=True)


def _gpu_request(device: str) -> Any:
    """A device by CDI name (`nvidia.com/gpu=0`), or by index or UUID as with `--gpus`."""
    if "=" in device:
        return docker.types.DeviceRequest(driver="cdi", device_ids=[device])
    return docker.types.DeviceRequest(device_ids=[device], capabilities=[["gpu"]])


def _as_tar(folder: Path) -> bytes:
    def readable(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, arcname=path.name, filter=readable)
    return buffer.getvalue()
