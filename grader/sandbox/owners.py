"""Whether the process that made something still lives; what has outlived it may be removed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "grader-slot-"


def own_folder() -> tempfile.TemporaryDirectory[str]:
    """A new folder that nobody else may enter; those that outlived their process are removed."""
    _sweep()
    prefix = f"{_PREFIX}{os.getpid()}-"
    return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)


def process_lives(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether it is dead, and only waits for its parent to ask; some parents never do."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[:1] == ["Z"]


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            ours = folder.stat().st_uid == os.getuid()
        except OSError:
            continue
        if ours and pid.isdigit() and not process_lives(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
