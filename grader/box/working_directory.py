"""What lies beside the notebook: modules are imported from there, and files put there first."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path, PurePosixPath

_INSTALLED = ("site-packages", "dist-packages")


def import_from_here() -> None:
    """Have modules of the working directory imported, as a kernel does: after the standard library.

    Called in a session's own process alone, once it is jailed: no `torch.py` that a notebook
    writes is ever seen by the zygote or by another session.
    """
    if "" not in sys.path:
        places = (i for i, path in enumerate(sys.path) if path.rstrip("/").endswith(_INSTALLED))
        sys.path.insert(next(places, len(sys.path)), "")
    # A module that is written again within a second, in as many bytes, must not be an old one.
    sys.dont_write_bytecode = True


def look_again() -> None:
    """Forget what folders held: a module may have been written within their clock's tick."""
    importlib.invalidate_caches()


def put_file(path: str, data: bytes | memoryview) -> None:
    """Write a file that belongs beside the notebook, which must not be there yet.

    Raises:
        ValueError: the path leads out of the working directory.
        OSError: it can't be written.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise ValueError(f"{path!r} is not next to the notebook")
    target = Path(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o644), "wb") as file:
        file.write(data)
