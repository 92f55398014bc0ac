"""The container engine: connect to it, and say what it can do."""

from __future__ import annotations

import os
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

from grader.errors import InfrastructureError

TIMEOUT_S = 60
SLOT_LABEL = "org.grader.slot"
"""On every container and volume of ours, so that `grader sandbox prune` finds it."""
OWNER_LABEL = "org.grader.owner"
"""Host and process that made it; what has outlived its owner may be removed."""
ENGINE_HINT = (
    "Start Docker (as root on Debian: `.ci/start-engine`), or use `--sandbox local`, which needs "
    "no engine."
)


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
    """Connect to the engine that `DOCKER_HOST` or the current context names.

    Raises:
        InfrastructureError: none answers.
    """
    try:
        client = docker.from_env(timeout=timeout_s, version="auto")
        client.ping()
    except (DockerException, requests.RequestException, OSError) as error:
        raise InfrastructureError("no Docker engine answers", hint=ENGINE_HINT) from error
    return Engine(client)


def ours(name: str) -> dict[str, str]:
    """The labels of a container or volume that this process makes."""
    return {SLOT_LABEL: name, OWNER_LABEL: f"{socket.gethostname()}:{os.getpid()}"}


@contextmanager
def speaking() -> Iterator[None]:
    """Turn an engine's refusal or silence into an error of ours."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        text = getattr(error, "explanation", None) or str(error)
        raise InfrastructureError(
            f"the Docker engine refused: {text}", hint="Run `grader doctor`."
        ) from error


def seccomp_profile() -> str:
    """Our own seccomp profile for warm slots, as the engine wants it: the JSON itself."""
    return Path(__file__).with_name("seccomp.json").read_text()
