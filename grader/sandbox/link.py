"""Frames between the judge and a zygote."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from grader.sandbox.transport import OpenFrame, ReadAhead, Transport
from grader.wire import frames
from grader.wire import messages as m
from grader.wire.kinds import Blob

_NO_FRAME = "bytes that are no frame"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the stream a reader is: the frame that it is in, and bytes that it read ahead.

    `lost` of one that can't read on.
    """

    kind: int
    session: int
    left: int
    held: bytes
    transport: OpenFrame
    lost: bool = False


class Frame:
    """One frame: what its header says, and the only way to its payload."""

    __slots__ = ("_ahead", "kind", "left", "session")

    def __init__(self, ahead: ReadAhead, kind: int, session: int, left: int) -> None:
        self._ahead = ahead
        self.kind = kind
        self.session = session
        self.left = left
        """Bytes of the payload that have not been read."""

    def into(self, view: memoryview, deadline: float) -> int:
        """Read some of the payload, of which something must be left."""
        count = self._ahead.into(view[: self.left], deadline)
        if not count:
            raise EOFError("the stream ended")
        self.left -= count
        return count

    def drop(self, deadline: float) -> None:
        """Read what is left of the payload and forget it."""
        while self.left:
            self.into(memoryview(bytearray(min(self.left, frames.SMALL))), deadline)

    def status(self, deadline: float) -> m.Status:
        """Decode the payload, all of it, as a status of the session that the header names.

        Raises:
            EOFError: it is none; the stream is worth nothing.
        """
        payload = self._ahead.take(self.left, deadline)
        self.left = 0
        try:
            status: m.Status = frames.unpack(payload, m.Status)
        except msgspec.MsgspecError as error:
            raise EOFError("a status that is none") from error
        if getattr(status, "session", frames.NO_SESSION) != self.session:
            raise EOFError("a status of another session than its frame")
        return status


class FrameLink:
    """Frames over a transport.

    There is one way to a header, and it begins at the end of the frame before: nobody can stop
    within a payload, which a submission writes, and have the rest of it read as a header.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._ahead = ReadAhead(transport.receive_into)
        self._frame = Frame(self._ahead, frames.DATA, frames.NO_SESSION, 0)
        self._lost = False

    @property
    def frame(self) -> Frame:
        """The frame whose header was read last."""
        return self._frame

    def next_frame(self, deadline: float) -> Frame:
        """Read a header, after what nobody has read of the frame before.

        A status whose payload did not come in time is no such rest: it is what comes next, again.

        Raises:
            TimeoutError: it did not come in time; nothing of it is lost.
            EOFError: the stream ended, or what came is no frame: then nothing that follows is one.
        """
        if self._lost:
            raise EOFError(_NO_FRAME)
        if self._frame.kind == frames.STATUS and self._frame.left:
            return self._frame
        self._frame.drop(deadline)
        header = self._ahead.take(frames.FRAME.size, deadline)
        kind, session, length = frames.FRAME.unpack(header)
        limit = frames.MAX_STATUS if kind == frames.STATUS else frames.MAX_FRAME
        if kind not in (frames.STATUS, frames.DATA) or length > limit:
            self._lost = True
            raise EOFError(_NO_FRAME)
        self._frame = Frame(self._ahead, kind, session, length)
        return self._frame

    @property
    def at_rest(self) -> bool:
        """Whether the last frame that was begun is read to its end, and nothing beyond it."""
        return not (self._frame.left or self._ahead) and self._transport.position() == OpenFrame()

    @property
    def can_be_shared(self) -> bool:
        """Whether a fork's copy can take over from here."""
        return self._transport.can_be_shared and self.at_rest

    def position(self) -> Position:
        """Where in the stream this is."""
        return Position(
            kind=self._frame.kind,
            session=self._frame.session,
            left=self._frame.left,
            held=self._ahead.held,
            transport=self._transport.position(),
            lost=self._lost,
        )

    def resume(self, position: Position) -> None:
        """Read on from there."""
        self._frame.left = 0  # whoever still has that frame can read nothing of it
        self._frame = Frame(self._ahead, position.kind, position.session, position.left)
        self._ahead.held = position.held
        self._transport.resume(position.transport)
        self._lost = position.lost

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
