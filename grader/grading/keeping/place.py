"""Where kept judges are found: sockets in a folder that nobody but their user may enter.

Two things keep others out, and each would do alone: the folder's mode, and the kernel's word on
who is at the other end of a connection.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import tempfile
from pathlib import Path

_UCRED = struct.Struct("3i")
WAITS = ".judge"
AT_WORK = ".busy"


def folder(*, make: bool = False) -> Path | None:
    """The user's folder of kept judges; None where there is none that is the user's alone.

    Args:
        make: make it where it is missing.
    """
    if sys.platform != "linux":
        return None
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and is_own(Path(runtime)):
        found = Path(runtime, "grader")
    else:
        found = Path(tempfile.gettempdir(), f"grader-kept-{os.getuid()}")
    try:
        if make:
            found.mkdir(mode=0o700, exist_ok=True)
        return found if is_own(found) else None
    except OSError:
        return None


def is_own(path: Path) -> bool:
    """Whether it is a folder of this user's, and no link, that nobody else may enter."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and not stat.S_IMODE(found.st_mode) & 0o077
    )


def path_of(key: str, *, make: bool = False) -> Path | None:
    """Where the judge of that key has its socket while it waits."""
    place = folder(make=make)
    return None if place is None else place / f"{key}{WAITS}"


def sockets() -> list[Path]:
    """The sockets of judges that wait or are at work, the one that was used last at the end."""
    place = folder()
    if place is None:
        return []
    found: list[tuple[int, Path]] = []
    for path in place.iterdir():
        if path.suffix not in (WAITS, AT_WORK):
            continue
        try:
            found.append((path.lstat().st_mtime_ns, path))
        except OSError:  # it has ended meanwhile
            continue
    return [path for _, path in sorted(found)]


def peer(sock: socket.socket) -> tuple[int, int]:
    """The process at the other end of a connection and its user: (pid, uid), by the kernel."""
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _gid = _UCRED.unpack(data)
    return pid, uid


def is_own_peer(sock: socket.socket) -> bool:
    """Whether a process of this user is at the other end; root is another user too."""
    return peer(sock)[1] == os.getuid()


def dial(path: Path, *, timeout_s: float) -> socket.socket | None:
    """Connect to the judge at a socket; None where it is gone, takes nobody, or is another's.

    A socket at which nobody listens any more is removed.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout_s)
    try:
        sock.connect(str(path))
        if is_own_peer(sock):
            sock.settimeout(None)
            return sock
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except OSError:
        pass
    sock.close()
    return None
