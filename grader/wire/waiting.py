"""What it counts to wait for a processor: on a busy machine that is nobody's own time."""

from __future__ import annotations

import os
from pathlib import Path

WAITING = 2.0
"""A cell, a call, a notebook or a suite may last so many times its limit, if for the rest the box
says that it waits for a processor."""
_SCHEDSTAT = "/proc/self/schedstat"
_open: dict[int, int] = {}
"""By process: the descriptor, since opening it takes longer than many a call."""


def waited_s() -> float:
    """Seconds for which the main thread was ready to run and had no processor; 0 if not known.

    On a machine with more to do than it can, an honest notebook would lose its mark to the others.
    Source: `Documentation/scheduler/sched-stats.rst` of Linux, `/proc/<pid>/schedstat`.
    """
    own = os.getpid()
    try:
        if own not in _open:
            _open[own] = os.open(_SCHEDSTAT, os.O_RDONLY | os.O_CLOEXEC)
        return _seconds(os.pread(_open[own], 200, 0))
    except (OSError, ValueError, IndexError):
        return 0.0


def waited_by(pid: int) -> float:
    """As `waited_s`, of another process, until it has been waited for."""
    try:
        return _seconds(Path(f"/proc/{pid}/schedstat").read_bytes())
    except (OSError, ValueError, IndexError):
        return 0.0


def _seconds(schedstat: bytes) -> float:
    return int(schedstat.split()[1]) / 1e9


def counted_s(wall_s: float, waited_s: float) -> float:
    """Seconds of a limit that something in the box has used, of which it says how long it waited.

    That may be a lie: at least 1 / `WAITING` of the clock counts, so that nothing lasts longer than
    `WAITING` times its limit.
    """
    if not 0 <= waited_s <= wall_s:  # so written, it is also true of what is no number
        waited_s = 0.0
    return max(wall_s - waited_s, wall_s / WAITING)
