"""Files that are whole or not there: a reader sees the old one or the new one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666, flush: bool = False) -> None:
    """Write a file beside its place and rename it.

    Args:
        path: its place.
        data: what is in it.
        mode: subject to the umask.
        flush: wait until it is on the disk, where a power cut must not cost it.

    Raises:
        OSError: it can't be written; what was there still is.
    """
    # An unforeseeable name, made by us alone: nobody has laid a link there before.
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def replace_folder(fresh: Path, folder: Path, *, old: Path) -> None:
    """Put a folder in another's place, which goes to `old`; all three on one disk.

    Raises:
        OSError: it can't be done; the folder that was there is there again.
    """
    try:
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    except OSError:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
