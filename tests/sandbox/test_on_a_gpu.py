"""A slot with a GPU of its own; `make test-gpu` runs these on a machine that has one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
import torch

from grader.sandbox.base import CellResult, Slot, SlotOptions
from grader.sandbox.doctor import diagnose
from grader.sandbox.gpus import Occupancy, find_gpus
from grader.sandbox.notebook_box import NotebookBox, RunLimits
from grader.wire import messages as m
from grader.wire import values
from tests.sandbox.places import slot_maker

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.timeout(900)]

MB = 1 << 20
PLACES = [
    pytest.param("local-warm", marks=pytest.mark.local_box),
    pytest.param("docker-warm", marks=pytest.mark.docker),
]
TRAIN = """\
import torch
device = "cuda"
model = torch.nn.Linear(1000, 1000).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = model(torch.randn(64, 1000, device=device)).square().mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
kept = torch.arange(6.0, device=device).view(2, 3)
hold = torch.zeros(512 << 18, device=device)
def doubled(x): return 2 * x.to(device)
print(torch.cuda.device_count(), torch.cuda.is_available())
"""


@pytest.fixture(scope="module")
def device() -> str:
    """The first GPU, or a loud skip (a failure where GRADER_REQUIRE_GPU is set)."""
    reason = "" if find_gpus() else "nvidia-smi shows no GPU"
    if not reason and not torch.version.cuda:
        reason = "this torch is built without CUDA"
    if reason and os.environ.get("GRADER_REQUIRE_GPU"):
        pytest.fail(f"GPU tests are required here, but: {reason}")
    if reason:
        pytest.skip(f"GPU tests are skipped: {reason}. To run them: `make test-gpu` where one is")
    return find_gpus()[0]


@pytest.fixture(scope="module", params=PLACES)
def slot(request: pytest.FixtureRequest, device: str) -> Iterator[Slot]:
    slot = slot_maker(request.param)(SlotOptions(gpu=device, memory_bytes=8000 * MB))
    slot.wait_ready()
    yield slot
    slot.stop()


def run(slot: Slot, *cells: str) -> tuple[NotebookBox, list[CellResult]]:
    limits = RunLimits(cell_s=120, call_s=60, memory_bytes=8000 * MB)
    box = NotebookBox(slot, cells, limits=limits, seed=1)
    return box, box.run().cells


def test_a_submission_trains_on_the_one_device_that_it_sees(slot: Slot) -> None:
    box, (cell,) = run(slot, TRAIN)
    assert cell.status == "ok", cell.error
    assert cell.outputs[0]["text"] == "1 True\n"
    reply, blobs = box.request(m.Fetch(name="kept", timeout_s=10))
    assert isinstance(reply, m.Value)
    kept = values.decode(reply.value, blobs)
    assert torch.equal(kept, torch.arange(6.0).view(2, 3))
    assert kept.device.type == "cpu"
    box.close()


def test_the_device_is_free_after_each_submission(slot: Slot, device: str) -> None:
    occupancy = Occupancy(device)
    for _ in range(3):
        box, (cell,) = run(slot, TRAIN)
        assert cell.status == "ok", cell.error
        box.close()
        assert occupancy.is_free()


def test_a_submission_that_dies_on_the_device_leaves_it_free(slot: Slot, device: str) -> None:
    occupancy = Occupancy(device)
    box, cells = run(slot, TRAIN, "import os\nos._exit(1)", "y = 1")
    assert [c.status for c in cells] == ["ok", "killed", "ok"]
    box.close()
    assert occupancy.is_free()


def test_a_fork_of_the_warm_process_costs_little_more_than_cudas_own_start(slot: Slot) -> None:
    box, (first, second) = run(
        slot,
        "import time, torch\nt = time.monotonic(); torch.zeros(1, device='cuda')\n"
        "print('CUDA starts in', time.monotonic() - t)",
        "t = time.monotonic(); torch.zeros(1, device='cuda').item(); print(time.monotonic() - t)",
    )
    assert [first.status, second.status] == ["ok", "ok"]
    assert float(str(second.outputs[0]["text"])) < 1
    box.close()


def test_torch_gives_a_submission_no_more_of_the_device_than_its_limit(slot: Slot) -> None:
    limits = RunLimits(cell_s=120, memory_bytes=8000 * MB, gpu_memory_bytes=1000 * MB)
    cells = [
        "import torch\nx = torch.zeros(500 << 18, device='cuda')",
        "y = torch.zeros(600 << 18, device='cuda')",
        "del x\ny = torch.zeros(600 << 18, device='cuda')",
    ]
    box = NotebookBox(slot, cells, limits=limits, seed=1)
    first, second, third = box.run().cells
    assert [first.status, second.status, third.status] == ["ok", "error", "ok"]
    assert "OutOfMemoryError" in second.error
    box.close()


def test_doctor_finds_the_device_in_order(device: str) -> None:
    began = time.monotonic()
    found = {check.name: check for check in diagnose("local", gpu=True)}
    assert found[f"a box computes on {device}"].ok, found
    assert time.monotonic() - began < 600
