"""`grader doctor` tries each promise; what does not hold is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.sandbox.base import Slot, SlotOptions
from grader.sandbox.doctor import Check, _try, diagnose
from grader.sandbox.probes import PROBES, Probe
from tests.sandbox.places import docker_image, slot_maker

WALLED = ("no privileges", "nothing can be written but the work directory", "disk is limited")


@pytest.fixture(scope="module")
def unsafe() -> Iterator[Slot]:
    slot = slot_maker("unsafe")(SlotOptions())
    yield slot
    slot.stop()


def probe(name: str) -> Probe:
    return next(probe for probe in PROBES if probe.name == name)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.docker
@pytest.mark.slow
def test_every_promise_holds_in_docker() -> None:
    docker_image()
    checks = by_name(list(diagnose("docker")))
    assert [check for check in checks.values() if check.ok is False] == []
    assert "warm" in checks["docker sandbox"].found
    assert checks["nothing is left for the next session"].ok is True


@pytest.mark.local_box
@pytest.mark.slow
def test_every_promise_holds_in_the_local_sandbox() -> None:
    checks = by_name(list(diagnose("local")))
    assert [check for check in checks.values() if check.ok is False] == []
    assert {probe.name for probe in PROBES} <= set(checks)


@pytest.mark.local_box
@pytest.mark.parametrize("name", WALLED)
def test_a_wall_that_is_missing_is_found(unsafe: Slot, name: str) -> None:
    check = _try(unsafe, probe(name))
    assert check.ok is False
    assert check.fix


def test_every_probe_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({probe.name for probe in PROBES}) == len(PROBES)
    assert all(probe.fix for probe in PROBES)


def test_without_an_engine_docker_fails_and_says_how_to_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    engine = next(iter(diagnose("docker")))
    assert (engine.name, engine.ok) == ("engine", False)
    assert "--sandbox local" in engine.fix


def test_a_gpu_that_is_needed_and_missing_is_a_fault_and_otherwise_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    monkeypatch.setattr("shutil.which", lambda name: None)
    needed, merely_looked_for = (
        by_name(list(diagnose("docker", gpu=gpu)))["GPU"] for gpu in (True, False)
    )
    assert (needed.ok, merely_looked_for.ok) == (False, None)
    assert "driver" in needed.fix
