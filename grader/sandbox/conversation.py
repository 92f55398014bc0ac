"""One session's side of a slot's stream: requests go out, messages come back, or trouble.

It decides nothing: what trouble means for the session is the session's to say (`stream`). So a
process that was forked while nothing was under way may hold the conversation for a while, and give
the stream back where it left it.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from grader.errors import WireError
from grader.sandbox.link import Frame, FrameLink, Position
from grader.wire import frames
from grader.wire import messages as m
from grader.wire.kinds import Blob
from grader.wire.waiting import WAITING

GRACE_S = 2.0
OUTPUT_SLACK = 2 << 20
SEND_S = 300.0
NO_MESSAGE = "wrote into the channel to the judge what is no message"
TOO_MUCH = "put out more than it may and was stopped"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no reply: no judgement yet, but all that it takes to come to one.

    `late`: none came in time. `much`: more came than may. `malformed`: what is no message.
    `ended`: the zygote says that the session has. `lost`: the stream is gone.
    `forged` is what no box of ours sends, whatever runs in it: the notebook wrote it.
    """

    kind: Literal["late", "much", "malformed", "ended", "lost"]
    text: str = ""
    forged: bool = False
    ended: m.Ended | None = None


FORGED = Trouble(kind="malformed", text=NO_MESSAGE, forged=True)


class ChannelBroken(Exception):
    """The conversation can't go on."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


def late_at(seconds: float) -> float:
    """When to give up on what was sent just now and may take so many seconds, by our own clock."""
    return time.monotonic() + WAITING * seconds + GRACE_S


class Conversation:
    """Messages of one session over the slot's link."""

    def __init__(self, link: FrameLink, number: int, reply_bytes: int) -> None:
        self.link = link
        self.ended: m.Ended | None = None
        self._number = number
        self._reply_bytes = reply_bytes
        self._allowance = 0

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Send one request and wait for its reply.

        Raises:
            Broken: there is none.
            WireError: the suite sends more than may be sent.
        """
        seconds = float(getattr(request, "timeout_s", 10.0))
        self.allow(0)
        self.send(request, blobs)
        deadline = late_at(seconds)
        while True:
            message, parts = self.receive(deadline, seconds)
            if isinstance(message, m.Output):
                continue
            if isinstance(message, m.CellDone):
                raise ChannelBroken(FORGED)
            return message, parts

    def allow(self, size: int) -> None:
        """Let the box send outputs of that many bytes from now on; a reply has its own limit.

        A box sends none in a call. Hundreds of megabytes of tiny ones would take the judge minutes.
        """
        self._allowance = size + OUTPUT_SLACK

    def send(self, request: m.Request, blobs: Sequence[Blob] = ()) -> None:
        """Send a request, or raise as `request` does."""
        try:
            parts = frames.message(request, blobs)
        except frames.Malformed as error:
            raise WireError(f"the suite sends more than may be sent: {error}") from error
        try:
            self.link.send(frames.DATA, self._number, parts, time.monotonic() + SEND_S)
        except (OSError, EOFError) as error:
            raise ChannelBroken(Trouble(kind="lost", text=str(error))) from error

    def receive(self, deadline: float, told_s: float) -> tuple[Any, list[memoryview]]:
        """Wait for a message; `told_s` is the limit that one who is late has passed."""
        try:
            if time.monotonic() > deadline:  # messages that keep coming do not put it off
                raise TimeoutError
            message, blobs, size = frames.read_message(
                lambda n: self._data(n, deadline), m.FromBox, limit=self._reply_bytes
            )
        except TimeoutError as error:
            text = f"ran longer than {told_s:g} s and was stopped"
            raise ChannelBroken(Trouble(kind="late", text=text)) from error
        except frames.TooLarge as error:
            raise ChannelBroken(Trouble(kind="much", text=f"sent {error}", forged=True)) from error
        except frames.Malformed as error:
            raise ChannelBroken(FORGED) from error
        except (OSError, EOFError) as error:
            raise ChannelBroken(Trouble(kind="lost", text=str(error))) from error
        if isinstance(message, m.Output):
            self._allowance -= size
        if self._allowance < 0:
            raise ChannelBroken(Trouble(kind="much", text=TOO_MUCH))
        return message, blobs

    def begun(self, deadline: float) -> m.Started | m.Refused:
        """Wait for the first that the zygote says of the session; before it nothing may come.

        Raises:
            TimeoutError: it has not begun to say it; it can be waited for again.
            EOFError, OSError: the stream is worth nothing.
        """
        frame = self._next(deadline)
        if frame.kind == frames.STATUS:
            status = self._whole_status(frame)
            if isinstance(status, m.Started | m.Refused):
                return status
        raise EOFError("something else than the beginning of a session")

    @staticmethod
    def _whole_status(frame: Frame) -> m.Status:
        """The rest of what has begun to come: from here on a delay would lose it."""
        try:
            return frame.status(time.monotonic() + SEND_S)
        except TimeoutError as error:
            raise EOFError("a status was not sent to its end") from error

    def await_end(self, deadline: float) -> bool:
        """Drop all that comes until the session's end; whether it came in time.

        Raises:
            EOFError, OSError: the stream is worth nothing.
        """
        try:
            while self.ended is None and time.monotonic() < deadline:
                self._step(deadline)
        except TimeoutError:
            pass
        return self.ended is not None

    def _step(self, deadline: float) -> None:
        """Come to the session's next frame; take note of its end."""
        frame = self._next(deadline)
        if frame.kind == frames.STATUS:
            status = frame.status(deadline)
            if not isinstance(status, m.Ended):
                raise EOFError("a status that has no place within a session")
            self.ended = status

    def _next(self, deadline: float) -> Frame:
        """The next frame, which is the session's: a zygote serves one at a time.

        Whoever could have a frame of another believed, or only passed over, could prepare in one
        session what is read in the next.
        """
        frame = self.link.next_frame(deadline)
        if frame.session != self._number:
            raise EOFError("a frame of another session")
        return frame

    def _data(self, size: int, deadline: float) -> memoryview:
        """Read that many bytes of this session's stream."""
        buffer = frames.empty(size)
        rest = buffer
        while rest:
            frame = self.link.frame
            if frame.left and frame.session == self._number:
                rest = rest[frame.into(rest, deadline) :]
                continue
            self._step(deadline)
            if self.ended is not None:
                raise ChannelBroken(Trouble(kind="ended", ended=self.ended))
        return buffer


class StreamLease:
    """A conversation that a forked process may hold until it gives it back, or is gone.

    A byte of memory that both share tells whether it was gone in the middle of a message: then
    nobody knows how to read on, and the stream is worth nothing.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._in_message = mmap.mmap(-1, 1)

    @staticmethod
    def possible(conversation: Conversation) -> bool:
        """Whether nothing is under way, and a fork's copy of the stream is as good as the first."""
        return conversation.ended is None and conversation.link.can_be_shared

    @property
    def torn(self) -> bool:
        """Whether the borrower was last seen in the middle of a message."""
        return self._in_message[0] != 0

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """In the borrower: as `Conversation.request`; after `ChannelBroken`, give it back."""
        self._in_message[0] = 1
        found = self._conversation.request(request, blobs)
        if self._conversation.link.at_rest:
            self._in_message[0] = 0
        return found

    def position(self) -> Position:
        """In the borrower: where the stream is; whoever has it can read on."""
        return self._conversation.link.position()

    def returned(self, position: Position) -> None:
        """In the lender: go on from there."""
        self._conversation.link.resume(position)
        self._in_message[0] = 0
