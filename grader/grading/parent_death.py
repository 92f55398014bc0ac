"""Ties a process to the one that started it, so that a batch that is killed leaves nothing running.

Linux sends a signal of our choice when the parent dies. Elsewhere a worker ends when it next looks
at its connection, after the submission that it is at.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Have this process sent `number` when `parent` dies, and now if it is dead already.

    The kernel watches the thread that forked this process: it must live as long as the parent.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(
        ctypes.c_int(_PR_SET_PDEATHSIG), *(ctypes.c_ulong(n) for n in (number, 0, 0, 0))
    )
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def end_alone() -> None:
    """Take that back: from now on this process outlives its parent."""
    if sys.platform == "linux":
        no = ctypes.c_ulong(0)
        ctypes.CDLL(None).prctl(ctypes.c_int(_PR_SET_PDEATHSIG), no, no, no, no)
