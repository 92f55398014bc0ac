"""The container engine: connect to it, and say what it can do."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import DockerException

from grader.errors import InfrastructureError, SlowError
from grader.sandbox.engine_errors import timed_out, unreachable

TIMEOUT_S = 300
"""How long the engine may take for one request: a busy one takes long, and still does it."""
SECCOMP_PROFILE = Path(__file__).with_name("seccomp.json")
"""Our own profile, for warm slots."""
SLOT_LABEL = "org.grader.slot"
"""On every container and volume of ours, so that `grader sandbox prune` finds it."""
OWNER_LABEL = "org.grader.owner"
"""Host and process that made it; what has outlived its owner may be removed."""
OPEN_FILES = 1024
PROCESSES = 32_768
"""Of a container of Podman's, which asks for a million and four: more than it may give itself
where it runs in a machine with limits. A zygote needs few; a session has limits of its own."""
_SHOWN = 400
"""Characters of an engine's own words: some give back the whole request."""


@dataclass(frozen=True)
class Engine:
    """A connection to an engine that has answered."""

    client: Any

    @property
    def api(self) -> Any:
        """docker-py's low-level client."""
        return self.client.api

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the engine says of itself."""
        with speaking():
            found: dict[str, Any] = self.client.info()
        return found

    @cached_property
    def is_podman(self) -> bool:
        """Whether it is Podman, which takes some options in a form of its own."""
        with speaking():
            parts = self.client.version().get("Components") or []
        return any("podman" in str(part.get("Name")).lower() for part in parts)

    @property
    def name(self) -> str:
        """What people call it."""
        return "Podman" if self.is_podman else "Docker"

    @property
    def version(self) -> str:
        """The engine's version."""
        return str(self.info.get("ServerVersion", "?"))

    @property
    def cgroup_version(self) -> str:
        """`1` or `2`."""
        return str(self.info.get("CgroupVersion") or "1")

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, so that it sees the same files."""
        return str(self.api.base_url).startswith(("http+unix", "http+docker")) and (
            self.info.get("Name") is not None
            and "Docker Desktop" not in str(self.info.get("OperatingSystem"))
        )

    @property
    def can_limit_swap(self) -> bool:
        """Whether the kernel accounts for swap."""
        return bool(self.info.get("SwapLimit"))

    def host_config(self, **options: Any) -> dict[str, Any]:
        """What a container of ours is created with; the form in which this engine takes it."""
        if self.is_podman:
            options.setdefault(
                "ulimits",
                [
                    docker.types.Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
                    docker.types.Ulimit(name="nproc", soft=PROCESSES, hard=PROCESSES),
                ],
            )
        config: dict[str, Any] = self.api.create_host_config(**options)
        return config

    def jail_options(self) -> list[str]:
        """The security options that let a warm slot make its jails.

        Our own seccomp profile: the JSON itself, but for Podman, which wants the path of a file
        that it can read. And a /proc of which nothing is covered: else the kernel lets no jail
        mount one of its own. (Docker has no option for this, see `DockerSlot`.)
        """
        if self.is_podman:
            return [f"seccomp={SECCOMP_PROFILE}", "unmask=ALL"]
        return [f"seccomp={SECCOMP_PROFILE.read_text()}"]

    @property
    def is_rootless(self) -> bool:
        """Whether it runs as an ordinary user: Podman says so, Docker among its options."""
        options = self.info.get("SecurityOptions") or []
        return bool(self.info.get("Rootless")) or any("name=rootless" in str(o) for o in options)

    def require_limits(self) -> None:
        """Check that the engine can limit what a container takes.

        Version 1 of control groups can't be handed to an ordinary user, so that a rootless engine
        limits nothing there. It says so itself only in part: Docker has then no driver for them,
        Podman promises limits all the same, and drops them when it makes a container.

        Raises:
            InfrastructureError: it can't.
        """
        without = self.is_rootless and self.cgroup_version == "1"
        if without or self.info.get("CgroupDriver") == "none":
            raise InfrastructureError(
                f"{self.name} runs here as an ordinary user with cgroup v{self.cgroup_version}, "
                "and so it limits neither memory nor processors nor processes",
                hint="Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), use an engine that "
                "root runs, or --sandbox local.",
            )

    def require_runtime(self, name: str) -> None:
        """Check that the engine has a runtime; an empty name is its default.

        Raises:
            InfrastructureError: it has none of that name.
        """
        known = sorted(self.info.get("Runtimes") or {})
        if name and name not in known:
            raise InfrastructureError(
                f"the engine has no runtime {name!r}; it has {', '.join(known) or 'none'}",
                hint="Install it and name it in the engine's daemon.json, then restart the engine; "
                "or leave out --runtime.",
            )


def connect(*, timeout_s: int = TIMEOUT_S) -> Engine:
    """Connect to the engine that `DOCKER_HOST` names, else to this machine's.

    Raises:
        SlowError: it has not answered in time.
        InfrastructureError: none answers: why, and what to do.
    """
    try:
        client = docker.from_env(timeout=timeout_s, version="auto")
        client.ping()
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise unreachable(error, os.environ, timeout_s) from error
    return Engine(client)


def ours(name: str) -> dict[str, str]:
    """The labels of a container or volume that this process makes."""
    return {SLOT_LABEL: name, OWNER_LABEL: f"{socket.gethostname()}:{os.getpid()}"}


@contextmanager
def speaking() -> Iterator[None]:
    """Turn an engine's refusal or silence into an error of ours.

    Raises:
        SlowError: it has not answered in time.
        InfrastructureError: it refuses, or is gone.
    """
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        if timed_out(error):
            raise SlowError(
                "the engine has not answered a request in time: it is busy, or hangs",
                hint="What is graded is kept. If it does nothing else either, restart it.",
            ) from error
        text = getattr(error, "explanation", None) or str(error)
        raise InfrastructureError(
            f"the engine refused: {in_short(str(text))}", hint="Run `grader doctor`."
        ) from error


def in_short(text: str) -> str:
    """An engine's words without the profile or the request that some give back with them."""
    text = " ".join(re.sub(r"\{.*\}", "{…}", text, flags=re.DOTALL).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} … {text[-_SHOWN // 2 :]}"
