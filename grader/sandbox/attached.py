"""A container's streams."""

from __future__ import annotations

import select
import socket
import ssl
import struct

from grader.sandbox.transport import OpenFrame, ReadAhead, Transport, send_all, wait_for
from grader.wire.kinds import Blob

_HEADER = struct.Struct(">BxxxI")
_STDOUT, _STDERR = 1, 2
_LAST_WORDS = 2_000


class AttachedTransport(Transport):
    """A container's attached streams; the engine puts a header before every piece of output."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._socket.settimeout(None)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._ahead = ReadAhead(self._receive)
        self._left = 0
        self._stream = _STDOUT
        self.last_words = bytearray()

    def receive_into(self, view: memoryview, deadline: float) -> int:
        """Read some bytes of the container's stdout; 0 at the end."""
        while True:
            if not self._left:
                header = self._take(_HEADER.size, deadline)
                if header is None:
                    return 0
                self._stream, self._left = _HEADER.unpack(header)
                if self._stream not in (_STDOUT, _STDERR):
                    # The engine's own trouble, or no header at all: nothing that the zygote said.
                    raise EOFError("the engine sent what is no output of the container")
                continue
            if self._stream == _STDERR:
                words = self._take(min(self._left, 4096), deadline)
                if words is None:
                    return 0
                self._left -= len(words)
                self.last_words = (self.last_words + words)[-_LAST_WORDS:]
                continue
            count = self._ahead.into(view[: self._left], deadline)
            self._left -= count
            return count

    def hear_words(self) -> bool:
        """Take in what is there of the stderr, with nothing read ahead; False if that is not it."""
        if not self._left:
            header = self._socket.recv(_HEADER.size, socket.MSG_PEEK)
            if header[:1] != bytes([_STDERR]):
                return False
            if len(header) == _HEADER.size:
                self._stream, self._left = _HEADER.unpack(self._socket.recv(_HEADER.size))
            return True
        words = self._socket.recv(min(self._left, 4096))
        self._left -= len(words)
        self.last_words = (self.last_words + words)[-_LAST_WORDS:]
        return bool(words)

    def send(self, data: Blob, deadline: float) -> None:
        """Send all of it to the container's stdin."""
        send_all(self._socket, data, deadline)

    @property
    def can_be_shared(self) -> bool:  # type: ignore[override]
        """An encrypted stream has a state of its own at either end."""
        return not isinstance(self._socket, ssl.SSLSocket)

    def position(self) -> OpenFrame:
        """Where in a piece of output this is."""
        if not self._left and not self._ahead:
            return OpenFrame()
        return OpenFrame(stream=self._stream, left=self._left, held=self._ahead.held)

    def resume(self, piece: OpenFrame) -> None:
        """Read on from there."""
        self._stream, self._left, self._ahead.held = piece.stream, piece.left, piece.held

    def close(self) -> None:
        """Close the connection to the engine."""
        self._socket.close()

    def _take(self, size: int, deadline: float) -> memoryview | None:
        try:
            return self._ahead.take(size, deadline)
        except EOFError:
            return None

    def _receive(self, view: memoryview, deadline: float) -> int:
        decrypted = self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0
        if not decrypted:
            wait_for(self._poll, deadline)
        return self._socket.recv_into(view)
