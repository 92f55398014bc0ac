"""A GPU that is needed and not there is ours to mend, said before the first submission."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.errors import InfrastructureError
from grader.sandbox.gpus import find_gpus, gpu_for


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho GPU-1\necho GPU-2\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_a_needed_gpu_that_is_missing_is_said(no_driver: None) -> None:
    with pytest.raises(InfrastructureError, match="needs a GPU"):
        gpu_for(True, "")


def test_an_optional_gpu_that_is_missing_is_done_without(no_driver: None) -> None:
    assert gpu_for("optional", "") == ""


def test_the_first_gpu_is_taken_when_one_is_wanted(driver: None) -> None:
    assert find_gpus() == ["GPU-1", "GPU-2"]
    assert gpu_for(True, "") == gpu_for("optional", "") == "GPU-1"


def test_no_gpu_is_taken_when_none_is_wanted(driver: None) -> None:
    assert gpu_for(False, "") == ""


def test_the_gpu_that_is_named_is_taken(no_driver: None) -> None:
    assert gpu_for(True, "nvidia.com/gpu=1") == "nvidia.com/gpu=1"
