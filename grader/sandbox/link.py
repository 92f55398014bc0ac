"""Frames between the judge and a zygote."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from grader.sandbox.transport import Piece, ReadAhead, Transport
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
