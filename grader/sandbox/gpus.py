"""Which GPUs this machine has for a slot."""

from __future__ import annotations

import shutil
import subprocess
from typing import Literal

from grader.errors import InfrastructureError


def find_gpus() -> list[str]:
    """UUIDs of the GPUs that the NVIDIA driver shows; none without it."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def gpu_for(wanted: bool | Literal["optional"], asked: str) -> str:
    """The device that the batch's slot gets, or nothing.

    Args:
        wanted: `[resources] gpu` of the spec.
        asked: a device that the user named (an index, a UUID or a CDI name).

    Raises:
        InfrastructureError: the spec needs a GPU and there is none; never a mark.
    """
    if asked or not wanted:
        return asked
    found = find_gpus()
    if found:
        return found[0]
    if wanted == "optional":
        return ""
    raise InfrastructureError(
        "this assignment needs a GPU, and none is found here",
        where="[resources] gpu = true",
        hint='Grade on a machine with one, name it with --gpu, or set gpu = "optional".',
    )
