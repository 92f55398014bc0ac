"""A GPU that is needed and not there is ours to mend; one that is not free again is left alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from grader.course.spec import Resources
from grader.errors import InfrastructureError
from grader.sandbox import gpus
from grader.sandbox.gpus import MB, Occupancy, find_gpus, gpus_for, memory_used
from tests.helpers.gpus import Driver


def asking(gpu: bool | Literal["optional"], memory_mb: int = 0) -> Resources:
    return Resources(gpu=gpu, gpu_memory_mb=memory_mb)


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Driver:
    made = Driver(tmp_path, {"GPU-1": 40, "GPU-2": 3}, {"GPU-1": 8000, "GPU-2": 24000})
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return made


def test_a_needed_gpu_that_is_missing_is_said(no_driver: None) -> None:
    with pytest.raises(InfrastructureError, match="needs a GPU"):
        gpus_for(asking(True))


def test_an_optional_gpu_that_is_missing_is_done_without(no_driver: None) -> None:
    assert gpus_for(asking("optional")) == ()


def test_all_gpus_are_taken_when_one_is_wanted(driver: Driver) -> None:
    assert find_gpus() == ["GPU-1", "GPU-2"]
    assert gpus_for(asking(True)) == gpus_for(asking("optional")) == ("GPU-1", "GPU-2")


def test_no_gpu_is_taken_when_none_is_wanted(driver: Driver) -> None:
    assert gpus_for(asking(False)) == gpus_for(asking(False), ("0",)) == ()


def test_the_gpus_that_are_named_are_taken(no_driver: None) -> None:
    named = ("nvidia.com/gpu=1", "MIG-4a5b")
    assert gpus_for(asking(True), named) == named


def test_a_gpu_with_too_little_memory_is_left_out(driver: Driver) -> None:
    assert gpus_for(asking(True, 8000)) == ("GPU-1", "GPU-2")
    assert gpus_for(asking(True, 8001)) == ("GPU-2",)
    assert gpus_for(asking("optional", 30_000)) == ()
    with pytest.raises(InfrastructureError, match="30,000 MB, more than GPU-1, GPU-2 has"):
        gpus_for(asking(True, 30_000))


def test_a_gpu_that_is_named_and_has_too_little_memory_is_said(driver: Driver) -> None:
    assert gpus_for(asking("optional", 9000), ("GPU-2",)) == ("GPU-2",)
    with pytest.raises(InfrastructureError, match="9,000 MB, more than GPU-1 has"):
        gpus_for(asking("optional", 9000), ("GPU-1", "GPU-2"))


def test_a_gpu_of_which_the_driver_does_not_say_what_it_has_is_taken(driver: Driver) -> None:
    assert gpus_for(asking(True, 9000), ("MIG-4a5b",)) == ("MIG-4a5b",)


def test_the_memory_in_use_is_read_by_uuid_index_and_cdi_name(driver: Driver) -> None:
    assert memory_used("GPU-1") == memory_used("nvidia.com/gpu=GPU-1") == 40 * MB
    assert memory_used("GPU-9") is None


def test_a_device_is_free_when_its_memory_is_as_before(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "FREE_WITHIN_S", 0.5)
    occupancy = Occupancy("GPU-1")
    assert occupancy.is_free()
    driver.hold("GPU-1", 60)
    assert occupancy.is_free()
    driver.hold("GPU-1", 2000)
    assert not occupancy.is_free()


def test_a_driver_that_says_nothing_leaves_nothing_to_watch(no_driver: None) -> None:
    assert memory_used("GPU-1") is None
    assert Occupancy("GPU-1").is_free()
    assert Occupancy("").is_free()


def test_a_driver_that_falls_silent_is_not_taken_for_free(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "FREE_WITHIN_S", 0.3)
    occupancy = Occupancy("GPU-2")
    driver.break_()
    assert not occupancy.is_free()
