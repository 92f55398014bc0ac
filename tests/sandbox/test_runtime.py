"""The engine's runtime: named by the user, checked against the engine, passed to the container."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.errors import InfrastructureError, UsageError
from grader.sandbox.base import SlotOptions
from grader.sandbox.choose import choose
from grader.sandbox.docker_slot import DockerSlot
from grader.sandbox.engine import Engine, connect
from tests.sandbox.places import docker_image


class OnlyInfo:
    """An engine's client that answers questions about itself."""

    def __init__(self, **said: Any) -> None:
        self._said = {"Runtimes": {"runc": {}, "runsc": {}}} | said

    def info(self) -> dict[str, Any]:
        return self._said

    def version(self) -> dict[str, Any]:
        return {"Components": [{"Name": "Podman Engine"}]}


def test_a_runtime_that_the_engine_lacks_is_named_with_those_it_has() -> None:
    engine = Engine(OnlyInfo())
    engine.require_runtime("runsc")
    engine.require_runtime("")
    with pytest.raises(InfrastructureError, match=r"no runtime 'kata'; it has runc, runsc"):
        engine.require_runtime("kata")


ROOTLESS_PODMAN = {"Rootless": True, "CgroupDriver": "cgroupfs", "MemoryLimit": True}
ROOTLESS_DOCKER = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}


@pytest.mark.parametrize(
    "said",
    [
        {**ROOTLESS_PODMAN, "CgroupVersion": "1"},
        {**ROOTLESS_DOCKER, "CgroupVersion": "1"},
        {**ROOTLESS_DOCKER, "CgroupVersion": "2", "CgroupDriver": "none"},
    ],
)
def test_an_engine_that_can_limit_nothing_is_not_used(said: dict[str, Any]) -> None:
    with pytest.raises(InfrastructureError, match="limits neither memory nor processors"):
        Engine(OnlyInfo(**said)).require_limits()


@pytest.mark.parametrize(
    "said",
    [
        {"CgroupVersion": "1", "CgroupDriver": "cgroupfs"},
        {**ROOTLESS_PODMAN, "CgroupVersion": "2"},
        {**ROOTLESS_DOCKER, "CgroupVersion": "2", "CgroupDriver": "systemd"},
    ],
)
def test_an_engine_that_can_is_taken(said: dict[str, Any]) -> None:
    Engine(OnlyInfo(**said)).require_limits()


@pytest.mark.parametrize("sandbox", ["local", "unsafe"])
def test_a_runtime_is_refused_where_there_is_no_container(sandbox: str) -> None:
    with pytest.raises(UsageError, match="for containers"):
        choose(sandbox, runtime="runsc")


def test_without_an_engine_a_runtime_is_an_error_and_never_another_sandbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(InfrastructureError, match="no Docker engine"):
        choose("auto", runtime="runsc")


@pytest.mark.docker
def test_the_container_is_given_the_runtime() -> None:
    options = SlotOptions(image=docker_image())
    engine = connect()
    named = DockerSlot(replace(options, runtime="runc"))._host_config(engine, [])
    assert named["Runtime"] == "runc"
    assert "Runtime" not in DockerSlot(options)._host_config(engine, [])
    choice = choose("docker", "single-use", runtime="runc")
    assert (choice.runtime, "runtime runc" in choice.why) == ("runc", True)
    slot = DockerSlot(replace(options, runtime="runc"))
    try:
        slot.wait_ready()
        state = engine.api.inspect_container(slot._container)
        assert state["HostConfig"]["Runtime"] == "runc"
    finally:
        slot.stop()
