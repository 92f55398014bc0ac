"""A limit on the memory of a process of the judge: what a suite makes of what a box sent."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def bound_own_memory(more_bytes: int) -> None:
    """Let this process, and all that it starts, take so much more than it has now.

    What counts is private memory that can be written. The address space also holds what the
    libraries reserve and never use: with CUDA more than the machine has. Elsewhere than on Linux,
    where no such limit is kept, it does nothing.
    """
    if sys.platform != "linux":
        return
    bound = _private_bytes() + more_bytes
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def _private_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status does not say VmData")
