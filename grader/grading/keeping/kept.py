"""A command's side of judges that stay: find one that fits, look at them, end them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from grader.grading.job import BatchConfig
from grader.grading.keeping import place
from grader.grading.keeping.keeper import order_end
from grader.grading.keeping.key import key_of
from grader.grading.keeping.orders import TAKEN, KeptInfo, Take, Tell

KEPT_SANDBOXES = ("docker", "local")
_DIAL_S = 1.0
_ANSWER_S = 2.0


@dataclass(frozen=True, kw_only=True)
class KeptJudge:
    """A judge that serves this command: the connection of its worker, and the process."""

    connection: Connection
    pid: int
    process: int
    """The kernel's descriptor of the process: its number could become another's."""

    def stop(self) -> None:
        """Have it end now; it destroys its slot first."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.process, signal.SIGTERM)

    def finish(self) -> None:
        """Leave it to the next command: once it waits again, where nothing is lost meanwhile."""
        if not self.connection.closed:
            with contextlib.suppress(OSError), socket.socket(fileno=self._dup()) as sock:
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(_ANSWER_S)
                sock.recv(1)
            self.connection.close()
        with contextlib.suppress(OSError):
            os.close(self.process)

    def _dup(self) -> int:
        return os.dup(self.connection.fileno())


def with_key(config: BatchConfig) -> BatchConfig:
    """The setting with the name of the judge that may stay; without one where none may.

    A slot without a jail, one for a single session, and one that holds a device are not kept.
    """
    can = config.sandbox in KEPT_SANDBOXES and config.isolation == "warm"
    if not can or config.gpu or config.gpus or place.folder(make=True) is None:
        return msgspec.structs.replace(config, keep="")
    return msgspec.structs.replace(config, keep=key_of(config))


def take(config: BatchConfig) -> KeptJudge | None:
    """A judge that has stayed and fits; None where there is none, or it has no time."""
    path = place.path_of(config.keep) if config.keep else None
    if path is None:
        return None
    sock = place.dial(path, timeout_s=_DIAL_S)
    if sock is None:
        return None
    pid, _uid = place.peer(sock)
    connection = Connection(sock.detach())
    try:
        process = os.pidfd_open(pid)
    except OSError:
        connection.close()
        return None
    try:
        connection.send_bytes(msgspec.msgpack.encode(Take(config=config)))
        if connection.poll(_ANSWER_S) and connection.recv_bytes() == TAKEN:
            return KeptJudge(connection=connection, pid=pid, process=process)
    except (EOFError, OSError):
        pass
    connection.close()
    os.close(process)
    return None


def kept_judges() -> list[KeptInfo | None]:
    """What stays for this user; None stands for one that serves a command just now."""
    found = [(path, place.dial(path, timeout_s=_DIAL_S)) for path in place.sockets()]
    return [_info(path, sock) for path, sock in found if sock is not None]


def _info(path: Path, sock: socket.socket) -> KeptInfo | None:
    connection = Connection(sock.detach())
    try:
        if path.suffix == place.AT_WORK:
            return None
        connection.send_bytes(msgspec.msgpack.encode(Tell()))
        if connection.poll(_ANSWER_S):
            return msgspec.msgpack.decode(connection.recv_bytes(), type=KeptInfo)
    except (EOFError, OSError, msgspec.MsgspecError):
        pass
    finally:
        connection.close()
    return None


def end_kept_judges() -> int:
    """End them all, those that are at work when they are through; returns how many there were."""
    found = place.sockets()
    for path in found:
        order_end(path)
    return len(found)
