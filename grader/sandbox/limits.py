"""From what an instructor allows (`[resources]`) to what a sandbox enforces."""

from __future__ import annotations

from pathlib import Path

from grader.course.spec import AssignmentSpec
from grader.sandbox.base import ALL_PRELOADS, Preload, SlotOptions
from grader.sandbox.notebook_box import MB, RunLimits


def run_limits(spec: AssignmentSpec) -> RunLimits:
    """What one submission may take."""
    resources = spec.resources
    return RunLimits(
        notebook_s=resources.notebook_s,
        cell_s=resources.cell_s,
        call_s=resources.call_s,
        output_bytes=resources.output_mb * MB,
        memory_bytes=resources.memory_mb * MB,
        disk_bytes=resources.disk_mb * MB,
        processes=resources.processes,
        threads=resources.threads,
        gpu_memory_bytes=resources.gpu_memory_mb * MB,
        cuda_as_cpu=resources.cuda_as_cpu,
        on_error=spec.box.on_error,
    )


def slot_options(
    spec: AssignmentSpec,
    *,
    data: Path | None,
    gpu: str = "",
    preloads: tuple[Preload, ...] = ALL_PRELOADS,
) -> SlotOptions:
    """What a slot needs."""
    resources = spec.resources
    return SlotOptions(
        data=data,
        memory_bytes=resources.memory_mb * MB,
        disk_bytes=resources.disk_mb * MB,
        processes=resources.processes,
        cpus=resources.cpus,
        threads=resources.threads,
        gpu=gpu or False,
        preloads=preloads,
    )


def as_numbers(spec: AssignmentSpec) -> dict[str, float]:
    """The limits as the verdict records them."""
    r = spec.resources
    names = ("notebook_s", "cell_s", "call_s", "suite_s", "memory_mb", "disk_mb", "output_mb")
    found = {name: float(getattr(r, name)) for name in names}
    return found | ({"gpu_memory_mb": float(r.gpu_memory_mb)} if r.gpu_memory_mb else {})
