"""Bytes and frames between the judge and a zygote."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import msgspec

from grader.wire import frames
from grader.wire import messages as m
from grader.wire.kinds import Blob


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the stream a reader is: the frame that it is in, and bytes that it read ahead."""

    kind: int
    session: int
    left: int
    held: bytes
    transport: Piece


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The same of a transport that has frames of its own."""

    stream: int = 0
    left: int = 0
    held: bytes = b""


class Transport(ABC):
    """A byte stream to a zygote; only `FrameLink` calls it."""

    can_be_shared = True
    """Whether a fork's copy can be used in turn with this one: what is read ahead apart."""

    def position(self) -> Piece:
        """Where in the stream this is; nothing to say where nothing is read ahead."""
        return Piece()

    def resume(self, piece: Piece) -> None:  # noqa: B027 - for who has no position, nothing
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


class FrameLink:
    """Frames over a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._ahead = ReadAhead(transport.receive_into)
        self._left = 0
        self.session = 0
        self.kind = 0

    def exactly(self, size: int, deadline: float) -> memoryview:
        """Read that many bytes of the transport."""
        buffer = frames.empty(size)
        self._fill(buffer, deadline)
        return buffer

    def next_header(self, deadline: float) -> None:
        """Read a frame's header; its payload is `left` bytes."""
        raw = self.exactly(frames.FRAME.size, deadline)
        self.kind, self.session, self._left = frames.FRAME.unpack(raw)
        limit = frames.MAX_STATUS if self.kind == frames.STATUS else frames.MAX_FRAME
        if self.kind not in (frames.STATUS, frames.DATA) or self._left > limit:
            raise EOFError("bytes that are no frame")

    @property
    def left(self) -> int:
        """Bytes of the current frame's payload that have not been read."""
        return self._left

    def payload_into(self, view: memoryview, deadline: float) -> int:
        """Read some of the current frame's payload."""
        count = self._ahead.into(view[: self._left], deadline)
        if not count:
            raise EOFError("the stream ended")
        self._left -= count
        return count

    @property
    def at_rest(self) -> bool:
        """Whether the last frame that was begun is read to its end, and nothing beyond it."""
        return not (self._left or self._ahead) and self._transport.position() == Piece()

    @property
    def can_be_shared(self) -> bool:
        """Whether a fork's copy can take over from here."""
        return self._transport.can_be_shared and self.at_rest

    def position(self) -> Position:
        """Where in the stream this is."""
        return Position(
            kind=self.kind,
            session=self.session,
            left=self._left,
            held=self._ahead.held,
            transport=self._transport.position(),
        )

    def resume(self, position: Position) -> None:
        """Read on from there."""
        self.kind, self.session, self._left = position.kind, position.session, position.left
        self._ahead.held = position.held
        self._transport.resume(position.transport)

    def skip(self, deadline: float) -> None:
        """Read the rest of the payload and forget it."""
        while self._left:
            self.payload_into(memoryview(bytearray(min(self._left, 1 << 16))), deadline)

    def status(self, deadline: float) -> m.Status:
        """Decode the current frame as a status."""
        payload = bytearray(self._left)
        view = memoryview(payload)
        while self._left:
            view = view[self.payload_into(view, deadline) :]
        status: m.Status = frames.unpack(payload, m.Status)
        return status

    def send(self, kind: int, session: int, parts: Sequence[Blob], deadline: float) -> None:
        """Send a payload, in as many frames as it needs."""
        for part in parts:
            view = memoryview(part).cast("B")
            for start in range(0, len(view), frames.MAX_FRAME):
                piece = view[start : start + frames.MAX_FRAME]
                header = frames.FRAME.pack(kind, session, len(piece))
                if len(piece) <= frames.SMALL:
                    self._transport.send(header + piece, deadline)
                else:
                    self._transport.send(header, deadline)
                    self._transport.send(piece, deadline)

    def control(self, order: m.Control, deadline: float) -> None:
        """Send an order to the zygote."""
        self.send(frames.CONTROL, order.session, [msgspec.msgpack.encode(order)], deadline)

    def _fill(self, view: memoryview, deadline: float) -> None:
        while view:
            count = self._ahead.into(view, deadline)
            if not count:
                raise EOFError("the stream ended")
            view = view[count:]
