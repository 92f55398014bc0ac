"""The CPU where a notebook asks for a GPU: only if the assignment says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from grader.box.cuda_as_cpu import is_cuda
from grader.sandbox.base import Slot, SlotOptions
from grader.sandbox.notebook_box import NotebookBox, RunLimits
from tests.sandbox.places import slot_maker

ASKS = (
    "import torch; x = torch.ones(2).cuda(); print(x.device, x.sum().item())",
    'print(torch.ones(2).to("cuda:0").device, torch.ones(2).to(device="cuda").device)',
    'gpu = torch.device("cuda")\n'
    'print(torch.zeros(2, device="cuda").device, torch.tensor([1.], device=gpu).device)',
    'net = torch.nn.Linear(2, 1).cuda(); net.to("cuda"); print(next(net.parameters()).device)',
    'net = torch.nn.Linear(2, 1, device="cuda"); print(net(x).shape)',
    'torch.save(net.state_dict(), "w.pt")\n'
    'torch.load("w.pt", map_location="cuda"); print("loaded")',
    "torch.cuda.synchronize(); print(torch.cuda.is_available(), torch.cuda.get_device_name(0))",
    "print(torch.ones(2).to(torch.float64, non_blocking=True).dtype)\n"
    "print(torch.ones(3, 4).sum(0).shape)",
)


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    slot = slot_maker("local-warm")(SlotOptions())
    slot.start()
    yield slot
    slot.stop()


def run(slot: Slot, cells: tuple[str, ...], **limits: Any) -> list[list[dict[str, Any]]]:
    box = NotebookBox(slot, cells, limits=RunLimits(**limits), seed=1)
    try:
        return [cell.outputs for cell in box.run().cells]
    finally:
        box.close()


def text(outputs: list[dict[str, Any]], name: str = "stdout") -> str:
    return "".join(o.get("ename") or (o["text"] if o.get("name") == name else "") for o in outputs)


@pytest.mark.skipif(torch.cuda.is_available(), reason="it concerns machines without a GPU")
@pytest.mark.local_box
def test_a_notebook_that_asks_for_a_gpu_gets_the_cpu_and_is_told_once(slot: Slot) -> None:
    found = run(slot, ASKS, cuda_as_cpu=True)
    assert [text(outputs).strip() for outputs in found] == [
        "cpu 2.0",
        "cpu cpu",
        "cpu cpu",
        "cpu",
        "torch.Size([1])",
        "loaded",
        "False CPU (there is no GPU in this sandbox)",
        "torch.float64\ntorch.Size([4])",
    ]
    told = [text(outputs, "stderr") for outputs in found]
    assert told == ["There is no GPU in this sandbox: the CPU takes its place.\n", *[""] * 7]


@pytest.mark.skipif(torch.cuda.is_available(), reason="it concerns machines without a GPU")
@pytest.mark.local_box
def test_without_that_word_a_gpu_that_is_not_there_is_an_error(slot: Slot) -> None:
    found = run(slot, ASKS[:1])
    assert text(found[0]) in {"AssertionError", "RuntimeError"}


@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda", 0), 0])
def test_cuda_devices_are_known(device: object) -> None:
    assert is_cuda(device)


@pytest.mark.parametrize("device", ["cpu", "cudaish", torch.device("cpu"), True, None, 1.0])
def test_other_things_are_none(device: object) -> None:
    assert not is_cuda(device)
