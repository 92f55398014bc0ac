"""The judge's side of staying: it waits at a socket for its user's next command.

It serves one command at a time, and ends by itself: when nobody came for ten minutes, when this
program or a library has changed, when its socket is removed, when it is told to, and when another
judge needs its place. What it serves with is what a batch has for one submission after the other.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from grader.grading.job import BatchConfig
from grader.grading.keeping import place
from grader.grading.keeping.key import programs, same_but_for_the_seed
from grader.grading.keeping.orders import TAKEN, End, KeptInfo, Order, Take, Tell
from grader.grading.parent_death import end_alone

KEEP_S = 600.0
"""How long a judge waits for its user's next command."""
MOST_KEPT = 2
"""One for `check` and one for `grade`: each holds some hundreds of megabytes."""
_LOOK_S = 10.0
_HEAR_S = 5.0
"""How long somebody who has connected may take to say what they want."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """The next command, and the setting that it has brought."""

    connection: Connection
    config: BatchConfig


class Keeper:
    """Where a judge waits for the next command."""

    def __init__(
        self,
        config: BatchConfig,
        told: socket.socket | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it before anything is imported that may change meanwhile.

        Args:
            config: what the judge serves.
            told: written to once it can be found: until then whoever started it must not go.
            clock: in seconds.
        """
        self._config = config
        self._told = told
        self._clock = clock
        self._programs = programs()
        self._door: socket.socket | None = None
        self._path: Path | None = None
        self._node = (0, 0)

    def next_client(self, last: Connection | None = None) -> Client | None:
        """Wait for the next command; None where this judge is to end.

        `last` is the connection of the command before: it is closed once this judge waits.
        """
        waits = self._open() if self._door is None else self._rename(place.WAITS)
        if last is not None:
            last.close()
        if not waits:
            return None
        since = self._clock()
        while self._clock() - since < KEEP_S and self._is_wanted():
            client, ends = self._look(since)
            if client is not None:
                return client
            if ends:
                break
        return None

    def close(self) -> None:
        """Be found by nobody any more."""
        door, self._door = self._door, None
        if door is not None:
            door.close()
            if self._is_there() and self._path is not None:
                self._path.unlink(missing_ok=True)

    def _open(self) -> bool:
        """Be found from now on, and outlive who started this process; whether that can be."""
        path = place.path_of(self._config.keep, make=True)
        if path is None:
            return False
        for name in (path, path.with_suffix(place.AT_WORK)):  # what nobody listens at is removed
            if name.exists() and (other := place.dial(name, timeout_s=_HEAR_S)):
                other.close()
                if name == path:  # another waits already
                    return False
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.bind(str(path))
            path.chmod(0o600)
            self._node = _node(path)
            door.listen(8)
        except OSError:
            door.close()
            return False
        self._door, self._path = door, path
        end_alone()
        if self._told is not None:
            with contextlib.suppress(OSError):
                self._told.send(b"k")
            self._told.close()
            self._told = None
        make_room(path)
        return True

    def _rename(self, suffix: str) -> bool:
        """Have the socket say whether this judge waits or is at work; whether it still counts."""
        if self._path is None or not self._is_there():
            return False  # it was told to end while it was at work
        path = self._path.with_suffix(suffix)
        try:
            if path.exists():  # another has begun to wait under this name
                return False
            self._path.rename(path)
            os.utime(path)
        except OSError:
            return False
        self._path = path
        return True

    def _is_wanted(self) -> bool:
        return self._is_there() and programs() == self._programs

    def _is_there(self) -> bool:
        try:
            return self._path is not None and _node(self._path) == self._node
        except OSError:
            return False

    def _look(self, since: float) -> tuple[Client | None, bool]:
        """Wait a little for somebody: who it is, and whether this judge is told to end."""
        if self._door is None or not select.select([self._door], [], [], _LOOK_S)[0]:
            return None, False
        sock, _ = self._door.accept()
        if not place.is_own_peer(sock):
            sock.close()
            return None, False
        connection = Connection(sock.detach())
        order = _heard(connection)
        if isinstance(order, Take) and self._takes(connection, order.config):
            return Client(connection=connection, config=order.config), False
        if isinstance(order, Tell):
            self._tell(connection, self._clock() - since)
        connection.close()
        return None, isinstance(order, End)

    def _takes(self, connection: Connection, config: BatchConfig) -> bool:
        if same_but_for_the_seed(config) != same_but_for_the_seed(self._config):
            return False
        if not self._is_wanted() or not self._rename(place.AT_WORK):
            return False
        try:
            connection.send_bytes(TAKEN)
        except OSError:
            return self._rename(place.WAITS) and False
        return True

    def _tell(self, connection: Connection, idle_s: float) -> None:
        info = KeptInfo(
            assignment=self._config.assignment,
            sandbox=self._config.sandbox,
            checks=not self._config.reference,
            idle_s=idle_s,
        )
        with contextlib.suppress(OSError):
            connection.send_bytes(msgspec.msgpack.encode(info))


def make_room(mine: Path) -> None:
    """Have those end that were used longest ago, so that few are kept."""
    others = [path for path in place.sockets() if path != mine]
    for path in others[: max(0, len(others) + 1 - MOST_KEPT)]:
        order_end(path)


def order_end(path: Path) -> None:
    """Tell the judge at a socket to end: at once, or when it is through with its command."""
    sock = place.dial(path, timeout_s=_HEAR_S)
    path.unlink(missing_ok=True)  # one that is busy looks for it when it is through
    if sock is None:
        return
    connection = Connection(sock.detach())
    with contextlib.suppress(OSError):
        connection.send_bytes(msgspec.msgpack.encode(End()))
    connection.close()


def _heard(connection: Connection) -> Order | None:
    try:
        if not connection.poll(_HEAR_S):
            return None
        return msgspec.msgpack.decode(connection.recv_bytes(), type=Order)
    except (EOFError, OSError, msgspec.MsgspecError):
        return None


def _node(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
