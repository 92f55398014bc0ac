"""Bytes between the judge and a zygote, over a socket."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import msgspec

from grader.wire import frames
from grader.wire.kinds import Blob


class OpenFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Where a transport is that has frames of its own, and what it has read ahead."""

    stream: int = 0
    left: int = 0
    held: bytes = b""


class Transport(ABC):
    """A byte stream to a zygote; only `FrameLink` calls it."""

    can_be_shared = True
    """Whether a fork's copy can be used in turn with this one: what is read ahead apart."""

    def position(self) -> OpenFrame:
        """Where in the stream this is; nothing to say where nothing is read ahead."""
        return OpenFrame()

    def resume(self, piece: OpenFrame) -> None:  # noqa: B027 - for who has no position, nothing
        """Read on from there."""

    @abstractmethod
    def receive_into(self, view: memoryview, deadline: float) -> int:
        """Read some bytes; 0 at the end of the stream.

        Raises:
            TimeoutError: nothing came before the deadline (`time.monotonic`).
            OSError: the stream is broken.
        """

    @abstractmethod
    def send(self, data: Blob, deadline: float) -> None:
        """Send all of it, or raise as above."""

    @abstractmethod
    def close(self) -> None:
        """Close it; safe to call twice."""


def send_all(sock: socket.socket, data: Blob, deadline: float) -> None:
    """Send all of it over a blocking socket; what fits at once takes one system call.

    Raises:
        TimeoutError: the other side did not take it before the deadline.
        OSError: the stream is broken.
    """
    view = memoryview(data)
    if not isinstance(sock, ssl.SSLSocket):  # which takes no flags
        with contextlib.suppress(BlockingIOError):
            view = view[sock.send(view, socket.MSG_DONTWAIT) :]
    if view:
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            sock.sendall(view)
        finally:
            sock.settimeout(None)


def wait_for(poll: select.poll, deadline: float) -> list[tuple[int, int]]:
    """What of it can be read by the deadline.

    Raises:
        TimeoutError: nothing.
    """
    ready = poll.poll(max(deadline - time.monotonic(), 0) * 1000)
    if not ready:
        raise TimeoutError("nothing came in time")
    return ready


class ReadAhead:
    """Serves small reads of a stream from one larger read."""

    def __init__(self, read: Callable[[memoryview, float], int]) -> None:
        self._read = read
        self._room = memoryview(bytearray(frames.SMALL))
        self._held = self._room[:0]

    def __bool__(self) -> bool:
        return len(self._held) > 0

    @property
    def held(self) -> bytes:
        """What was read and not asked for yet."""
        return bytes(self._held)

    @held.setter
    def held(self, data: bytes) -> None:
        self._room[: len(data)] = data
        self._held = self._room[: len(data)]

    def take(self, size: int, deadline: float) -> memoryview:
        """Read exactly so many bytes, at most `frames.SMALL`, to be used before the next read.

        All of them or none: those that had come before a deadline stay, to be read by whoever asks
        again. A header of which a part is lost would have the next bytes read as another.

        Raises:
            EOFError: the stream ended.
        """
        while len(self._held) < size:
            have = len(self._held)
            self._room[:have] = self._held
            self._held = self._room[:have]
            count = self._read(self._room[have:], deadline)
            if not count:
                raise EOFError("the stream ended")
            self._held = self._room[: have + count]
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def into(self, view: memoryview, deadline: float) -> int:
        """Read some bytes; 0 at the end of the stream."""
        if not self._held:
            if len(view) >= len(self._room):
                return self._read(view, deadline)
            self._held = self._room[: self._read(self._room, deadline)]
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count


class SocketTransport(Transport):
    """A connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def receive_into(self, view: memoryview, deadline: float) -> int:
        """Read some bytes; 0 at the end."""
        wait_for(self._poll, deadline)
        return self._socket.recv_into(view)

    def send(self, data: Blob, deadline: float) -> None:
        """Send all of it."""
        send_all(self._socket, data, deadline)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
