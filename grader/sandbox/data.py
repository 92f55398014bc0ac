"""An assignment's data for a box, whose uid is not ours: under a umask of 077 it reads none."""

from __future__ import annotations

import shutil
from pathlib import Path


def is_readable_by_all(folder: Path) -> bool:
    """Whether any uid can read all of it that can enter the folder above it."""
    modes = [(p.is_dir(), p.stat().st_mode) for p in (folder, *folder.rglob("*"))]
    return all(mode & 0o004 and (not is_dir or mode & 0o001) for is_dir, mode in modes)


def copy_for_all(data: Path, target: Path) -> None:
    """Make a copy that any uid can read."""
    shutil.copytree(data, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
