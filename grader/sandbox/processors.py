"""Processors for a local slot, where no control group bounds how much it takes of all of them."""

from __future__ import annotations

import fcntl
import math
import os
import random
import tempfile
from pathlib import Path


class Processors:
    """Some of this machine's processors, while possible no slot of this user's has the same."""

    def __init__(self, number: float) -> None:
        self._locks: list[int] = []
        allowed = sorted(os.sched_getaffinity(0))
        wanted = min(max(math.ceil(number), 1), len(allowed))
        random.shuffle(allowed)
        free = [cpu for cpu in allowed if len(self._locks) < wanted and self._lock(cpu)]
        others = [cpu for cpu in allowed if cpu not in free]
        self.numbers: list[int] = sorted([*free, *others][:wanted])

    def release(self) -> None:
        """Leave them to other slots."""
        while self._locks:
            os.close(self._locks.pop())

    def _lock(self, cpu: int) -> bool:
        """Whether no other slot has it; the lock ends with this process, however it ends."""
        folder = Path(tempfile.gettempdir(), f"grader-processors-{os.getuid()}")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                return False
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.open(folder / str(cpu), flags, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._locks.append(lock)
        return True
