"""Whether the process that made something still lives; what has outlived it may be removed."""

from __future__ import annotations

import os


def process_lives(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
