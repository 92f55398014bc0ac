"""Several GPUs in a batch: one submission has one alone, and one that is not free is left."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from grader.api import Progress, grade
from grader.errors import InfrastructureError
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from tests.grading.conftest import Classroom
from tests.helpers.assignments import SPEC
from tests.helpers.gpus import Driver

pytestmark = [pytest.mark.local_box, pytest.mark.slow]

CAPPED = """\
import torch
class Device:
    total_memory = 16_000 << 20
torch.cuda.get_device_properties = lambda _: Device
torch.cuda.set_per_process_memory_fraction = lambda share, _: print("share", share)
assert not torch.cuda.is_initialized()
for call, _ in torch.cuda._queued_calls:
    if call.__module__ == "grader.box.gpu":
        call()
"""
"""What torch does when it first uses a GPU, of what the box has asked it to do."""
SAYS = "import os, time\ntime.sleep(8)\nprint('device', os.environ['CUDA_VISIBLE_DEVICES'])"
"""Slow enough for both slots to take part."""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Driver:
    folder = tmp_path / "driver"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Driver(folder, {"GPU-1": 3, "GPU-2": 3})


@pytest.fixture
def wanting(classroom: Classroom) -> Classroom:
    """A class of four whose assignment needs a GPU."""
    classroom.change(spec=SPEC.replace("[resources]", "[resources]\ngpu = true"))
    for name in ("ada", "bob", "cem", "dee"):
        classroom.hand_in(name, SAYS)
    return classroom


def run(classroom: Classroom, progress: Progress, **options: object) -> list[Verdict]:
    graded = grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        sandbox="local",
        isolation="warm",
        progress=progress,
        **options,  # type: ignore[arg-type]
    )
    return graded.verdicts


def devices(verdicts: list[Verdict]) -> list[str]:
    return [v.provenance.device for v in verdicts if v.provenance is not None]


def executed(classroom: Classroom, verdict: Verdict) -> str:
    with Gradebook(classroom.course.database_url) as book:
        return (book.executed_notebook(verdict) or b"").decode()


def _of_devices(warned: list[str]) -> list[str]:
    """Without what is said of a class that was handed in without times."""
    return [text for text in warned if "hand-in time" not in text]


def test_each_slot_has_a_device_of_its_own(wanting: Classroom, driver: Driver) -> None:
    warned: list[str] = []
    verdicts = run(wanting, Progress(warned=warned.append))
    assert [v.points for v in verdicts] == [8] * 4
    assert set(devices(verdicts)) == {"gpu GPU-1", "gpu GPU-2"}
    for verdict, device in zip(verdicts, devices(verdicts), strict=True):
        assert device.replace("gpu", "device") in executed(wanting, verdict)
    assert _of_devices(warned) == []


def test_a_device_that_is_not_free_again_is_left_and_the_others_go_on(
    wanting: Classroom, driver: Driver
) -> None:
    warned: list[str] = []

    def both_are_warm(slots: int) -> None:
        if slots == 2:
            driver.hold("GPU-2", 5000)

    verdicts = run(wanting, Progress(warm=both_are_warm, warned=warned.append))
    assert [v.points for v in verdicts] == [8] * 4
    assert devices(verdicts).count("gpu GPU-2") == 1
    assert _of_devices(warned) == ["GPU GPU-2 still holds memory after a submission has ended"]


def test_a_batch_without_a_free_device_stops_and_can_go_on(
    wanting: Classroom, driver: Driver
) -> None:
    leaks = Progress(begun=lambda _: driver.hold("GPU-2", 5000))
    with pytest.raises(InfrastructureError, match="no GPU is left: GPU-2"):
        run(wanting, leaks, gpus=["GPU-2"])
    with Gradebook(wanting.course.database_url) as book:
        assert [v.points for v in book.current("warm-up")] == [8]
    begun: list[str] = []
    verdicts = run(wanting, Progress(begun=begun.append), gpus=["GPU-1"])
    assert [v.points for v in verdicts] == [8] * 4
    assert len(begun) == 3


@pytest.mark.parametrize(
    ("limit", "said"),
    [("gpu_memory_mb = 4000", ["0.25"]), ("gpu_memory_mb = 32000", ["1.0"]), ("", [])],
)
def test_a_submission_gets_no_more_of_its_device_than_the_assignment_says(
    classroom: Classroom, driver: Driver, limit: str, said: list[str]
) -> None:
    classroom.change(spec=SPEC.replace("[resources]", f"[resources]\ngpu = true\n{limit}"))
    classroom.hand_in("ada", CAPPED)
    (verdict,) = run(classroom, Progress())
    assert verdict.points == 8
    assert re.findall(r"share (\d\.\d+)", executed(classroom, verdict)) == said
