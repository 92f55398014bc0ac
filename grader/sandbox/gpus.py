"""Which GPUs this machine has for slots, and whether one is free again after a submission."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence

from grader.course.spec import Resources
from grader.errors import InfrastructureError

MB = 1 << 20
SLACK_BYTES = 64 * MB
"""So much more than before may be in use: drivers keep a little for themselves."""
FREE_WITHIN_S = 5.0
"""A driver takes a moment to clear up after a process that was killed."""
_LOOK_S = 0.25
_CDI = "nvidia.com/gpu="


def find_gpus() -> list[str]:
    """UUIDs of the GPUs that the NVIDIA driver shows; none without it."""
    return _ask("--query-gpu=uuid") or []


def gpus_for(wanted: Resources, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """The devices of a batch, one for each slot, or none.

    Args:
        wanted: what the spec asks for, and what memory each must have, as far as the driver tells.
        asked: devices that the user named (indices, UUIDs, also of MIG instances, or CDI names).

    Raises:
        InfrastructureError: the spec needs a GPU and there is none, or one was named that has too
            little memory; never a mark.
    """
    if not wanted.gpu:
        return ()
    memory_mb = wanted.gpu_memory_mb
    present = tuple(asked) or tuple(find_gpus())
    small = tuple(gpu for gpu in present if not _holds(gpu, memory_mb))
    found = tuple(gpu for gpu in present if gpu not in small)
    if small and (asked or (not found and wanted.gpu is True)):
        raise InfrastructureError(
            f"this assignment needs a GPU with {memory_mb:,} MB, more than {', '.join(small)} has",
            where=f"[resources] gpu_memory_mb = {memory_mb}",
            hint="Grade on a machine with a larger one, or let the assignment need less.",
        )
    if not found and wanted.gpu is True:
        raise InfrastructureError(
            "this assignment needs a GPU, and none is found here",
            where="[resources] gpu = true",
            hint='Grade on a machine with one, name it with --gpus, or set gpu = "optional".',
        )
    return found


def memory_used(device: str) -> int | None:
    """Bytes in use on a device; None where the driver does not say, as of a part of a GPU."""
    return _bytes(device, "memory.used")


def _holds(device: str, memory_mb: int) -> bool:
    total = _bytes(device, "memory.total") if memory_mb else None
    return total is None or total >= memory_mb * MB


def _bytes(device: str, what: str) -> int | None:
    name = device.removeprefix(_CDI)
    said = _ask(f"--query-gpu={what}", f"--id={name}", units=False)
    if said is None or len(said) != 1 or not said[0].isdigit():
        return None
    return int(said[0]) * MB


class Occupancy:
    """What is in use on a slot's device while nothing runs on it.

    Args:
        device: as the user or the driver names it; without one there is nothing to watch.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.baseline = memory_used(device) if device else None

    def is_free(self) -> bool:
        """Wait until no more is in use than at the beginning; False if that does not come."""
        if self.baseline is None:
            return True
        until = time.monotonic() + FREE_WITHIN_S
        while True:
            used = memory_used(self.device)
            if used is not None and used <= self.baseline + SLACK_BYTES:
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_S)


def _ask(query: str, *more: str, units: bool = True) -> list[str] | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    form = "--format=csv,noheader" + ("" if units else ",nounits")
    try:
        done = subprocess.run(
            [tool, query, form, *more], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
