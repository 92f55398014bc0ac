"""A slot over one byte stream: the same protocol for a container's stdio and a local process.

Everything that arrives is untrusted, but for the frames' headers and statuses, which the zygote
writes. Blocking reads with deadlines; the zygote always reads, so a send can't deadlock.
"""

from __future__ import annotations

import secrets
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence

import msgspec

from grader.errors import (
    BoxCrashed,
    BoxFailure,
    BoxOutOfMemory,
    BoxOutputLimit,
    BoxTimeout,
    InfrastructureError,
    WireError,
)
from grader.sandbox.base import CellResult, Session, Slot, SlotOptions
from grader.sandbox.conversation import (
    FORGED,
    NO_MESSAGE,
    TOO_MUCH,
    ChannelBroken,
    Conversation,
    StreamLease,
    Trouble,
    late_at,
)
from grader.sandbox.link import Frame, FrameLink, Position
from grader.sandbox.liveness import LIFELESS_S, LOOK_S, Liveness
from grader.sandbox.outputs import Displays, OutputRoom
from grader.sandbox.stopping import unstopped
from grader.sandbox.transport import Transport
from grader.wire import frames
from grader.wire import messages as m
from grader.wire.kinds import Blob

CLOSE_S = 2.0
"""How long a session may take to end when it is told to close; then it is killed."""
KILL_S = 5.0
"""How long the zygote may take to say what a killed session used; then its slot is destroyed."""
MAX_BODY = 16 << 20
"""Bytes of one output: it is parsed as JSON here, which costs several times as many."""
MAX_BRACKETS = 500_000
"""In one output: a list of empty lists costs the judge thirty times its bytes (attack
exhaust/display-flood)."""
_MEMORY = "used more memory than it may and was stopped"


class StreamSlot(Slot):
    """What docker and local slots share. A subclass connects and destroys."""

    def __init__(self, options: SlotOptions) -> None:
        self.options = options
        self.hello: m.Hello | None = None
        self._link: FrameLink | None = None
        self._transport: Transport | None = None
        self._session: StreamSession | None = None
        self._served = 0

    recycle_after = 1_000
    """Sessions after which the slot is replaced, whatever happened in it: so nothing that they may
    leave there grows for ever."""

    @abstractmethod
    def connect(self) -> Transport:
        """Start the zygote and return the stream to it; must not wait until it is warm."""

    @abstractmethod
    def destroy(self) -> None:
        """Destroy what `connect` started. Safe to call twice."""

    @abstractmethod
    def why_gone(self) -> str:
        """What is known about a zygote that ended: its last words, an exit code."""

    def used_s(self) -> float | None:
        """Seconds of processor that the slot has used; None where that can't be told."""
        return None

    def killed_for_memory(self) -> bool:
        """Whether the engine ended the whole slot for its memory."""
        return False

    def start(self) -> None:
        """Begin to start, if it isn't running."""
        with unstopped():
            if self._transport is None:
                self._transport = self.connect()
                self._link = FrameLink(self._transport)

    def wait_ready(self) -> m.Hello:
        """Wait until the zygote has said hello."""
        self.start()
        if self.hello is not None:
            return self.hello
        try:
            frame = self._first_frame(self._require_link())
            deadline = time.monotonic() + LIFELESS_S
            status = frame.status(deadline) if frame.kind == frames.STATUS else None
        except (OSError, EOFError, InfrastructureError) as error:
            reason = self.why_gone()
            if isinstance(error, InfrastructureError):
                reason = f"{error.what}. {reason}".strip()
            reason = reason or str(error)
            self.stop()
            raise InfrastructureError(
                f"the sandbox did not start: {reason}", hint="Run `grader doctor`."
            ) from error
        if not isinstance(status, m.Hello):
            self.stop()
            raise InfrastructureError("the sandbox said something else than hello")
        self.hello = status
        return status

    def _first_frame(self, link: FrameLink) -> Frame:
        """Wait for it as long as the slot shows signs of life."""
        life = Liveness(self.used_s)
        while True:
            try:
                return link.next_frame(time.monotonic() + LOOK_S)
            except TimeoutError:
                self.on_slow(life.look())

    def open(self, *, seed: int, limits: m.Limits) -> Session:
        """Start a session, in a fresh slot where that is needed."""
        if self._session is not None:
            self._session.close()
        single = self.options.isolation == "single-use" and self._served > 0
        if self.hello is not None and (single or self._served >= self.recycle_after):
            self.stop()
        self.wait_ready()
        self._served += 1
        # Drawn anew: what an earlier session has written anywhere could not name this one. With
        # numbers in a row a notebook could write the next student's frames ahead (attack
        # forge/frames-of-sessions-to-come).
        number = 1 + secrets.randbelow(frames.SESSIONS - 1)
        self._session = StreamSession(self, self._require_link(), number, limits)
        self._session.begin(seed)
        return self._session

    def stop(self) -> None:
        """Destroy the slot."""
        with unstopped():
            transport, self._transport, self._link, self.hello = self._transport, None, None, None
            self._session = None
            self._served = 0
            if transport is not None:
                transport.close()
            self.destroy()

    def ended(self, *, orderly: bool) -> None:
        """A session is over.

        A slot serves on only where the session did as it was told and the zygote said so: whatever
        another kind of end has left, in the stream or in the slot, is destroyed with it. A start of
        a slot for each notebook that misbehaves is the price; to tell the harmless ends from the
        others would be one more thing that a notebook can talk its way through.
        """
        self._session = None
        if not orderly or self.options.isolation == "single-use":
            self.stop()

    def _require_link(self) -> FrameLink:
        if self._link is None:
            raise InfrastructureError("the slot has not been started")
        return self._link


class StreamSession(Session):
    """One session over the slot's stream."""

    def __init__(self, slot: StreamSlot, link: FrameLink, number: int, limits: m.Limits) -> None:
        self._slot = slot
        self._link = link
        self._number = number
        self._limits = limits
        self._talk = Conversation(link, number, limits.reply_bytes)
        self._ended: m.Ended | None = None
        self._failure: BoxFailure | None = None
        self._displays = Displays()

    # -- life

    def begin(self, seed: int) -> None:
        """Have the child forked and jailed."""
        try:
            order = m.Spawn(session=self._number, seed=seed, limits=self._limits)
            self._link.control(order, time.monotonic() + LIFELESS_S)
            status = self._first_status()
        except (OSError, EOFError) as error:
            raise self._lost(str(error)) from error
        except InfrastructureError as error:
            raise self._lost(error.what) from error
        if isinstance(status, m.Refused):
            self._over(None)
            raise InfrastructureError(
                f"the jail could not be closed: {status.reason}",
                hint="Run `grader doctor`, or use `--isolation single-use`.",
            )

    def _first_status(self) -> m.Started | m.Refused:
        """Wait for it as long as the slot shows signs of life."""
        life = Liveness(self._slot.used_s)
        while True:
            try:
                return self._talk.begun(time.monotonic() + LOOK_S)
            except TimeoutError:
                self._slot.on_slow(life.look())

    def close(self) -> m.Ended:
        """End the session and wait until nothing of it lives."""
        if self._ended is not None:
            return self._ended
        try:
            orderly = self._failure is None and self._close_by(time.monotonic() + CLOSE_S)
            if not orderly:
                deadline = time.monotonic() + KILL_S
                self._link.control(m.Kill(session=self._number), deadline)
                self._talk.await_end(deadline)
        except (OSError, EOFError):
            orderly = False
        return self._over(self._talk.ended, orderly=orderly)

    def _close_by(self, deadline: float) -> bool:
        """Tell the session to close; whether it has, and as it should."""
        self._link.send(frames.DATA, self._number, frames.message(m.Close()), deadline)
        self._talk.await_end(deadline)
        return self._talk.ended is not None and self._talk.ended.cause == "closed"

    def _over(self, end: m.Ended | None, *, orderly: bool = False) -> m.Ended:
        """The session has ended, in that way if the zygote has said so."""
        self._ended = end or m.Ended(session=self._number, cause="killed")
        self._slot.ended(orderly=orderly)
        return self._ended

    # -- requests

    def run_cell(
        self,
        source: str,
        *,
        index: int,
        timeout_s: float,
        output_bytes: int,
        room: OutputRoom | None = None,
        on_output: Callable[[CellResult], None] | None = None,
    ) -> CellResult:
        """Run a cell and gather its outputs."""
        result = CellResult(index=index, status="killed")
        if on_output is not None:
            on_output(result)
        if self._failure is not None:
            raise self._failure
        request = m.RunCell(
            index=index, source=source, timeout_s=timeout_s, stop_output_at=output_bytes
        )
        try:
            done = self._follow(request, result, room)
        except ChannelBroken as broken:
            raise self._judge(broken.trouble) from broken
        result.status, result.error = done.status, done.error
        result.duration_s, result.waited_s = done.duration_s, done.waited_s
        result.line = max(done.line, 0)
        result.execution_count = index
        return result

    def _follow(
        self, request: m.RunCell, result: CellResult, room: OutputRoom | None
    ) -> m.CellDone:
        """Send a cell, and keep what it puts out until it is done."""
        self._talk.allow(2 * request.stop_output_at)
        self._talk.send(request)
        deadline = late_at(request.timeout_s)
        while True:
            message, parts = self._talk.receive(deadline, request.timeout_s)
            if isinstance(message, m.Output):
                self._keep(message, parts, result, room)
            elif isinstance(message, m.CellDone):
                return message
            else:
                raise ChannelBroken(FORGED)

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Send one request and wait for its reply."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._talk.request(request, blobs)
        except ChannelBroken as broken:
            raise self._judge(broken.trouble) from broken

    def lease(self) -> StreamLease | None:
        """Let a process that is forked now make the requests."""
        # What has failed stays failed, also for a borrower: it would go on in a torn stream.
        if self._failure is None and StreamLease.possible(self._talk):
            return StreamLease(self._talk)
        return None

    def take_back(
        self, loan: StreamLease, position: Position | None, trouble: Trouble | None = None
    ) -> None:
        """Go on where the borrower stopped; a stream that it left torn is lost, with the slot."""
        if position is not None:
            loan.returned(position)
        elif loan.torn:
            self._over(None)
            self._failure = BoxCrashed("the check ended in the middle of a call")
            raise self._failure
        if trouble is not None:
            raise self._judge(trouble)

    def _keep(
        self,
        output: m.Output,
        parts: list[memoryview],
        result: CellResult,
        room: OutputRoom | None,
    ) -> None:
        size, before = len(output.body) + sum(map(len, parts)), len(result.outputs)
        if room is not None and output.action != "clear" and not room.has(size):
            return
        if parts:  # a large body comes beside its message
            body = bytes(parts[0])
            # As JSON, brackets cost the judge thirty times their bytes.
            if len(body) > MAX_BODY or body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
                raise ChannelBroken(Trouble(kind="much", text=TOO_MUCH))
            output = msgspec.structs.replace(output, body=body)
        try:
            self._displays.apply(output, result.outputs)
        except WireError as error:
            raise ChannelBroken(Trouble(kind="malformed", text=NO_MESSAGE)) from error
        if room is not None:
            room.take(size, len(result.outputs) - before)

    # -- failures

    def _judge(self, trouble: Trouble) -> BoxFailure | InfrastructureError:
        """Say what the trouble is, and end the session over it."""
        self.forged = trouble.forged
        match trouble.kind:
            case "ended":
                return self._failure_of(self._over(trouble.ended))
            case "lost":
                return self._lost(trouble.text)
            case "late":
                return self._fail(BoxTimeout(trouble.text))
            case "much":
                return self._fail(BoxOutputLimit(trouble.text))
            case _:
                return self._fail(BoxCrashed(trouble.text))

    def _failure_of(self, end: m.Ended) -> BoxFailure:
        if end.cause == "memory":
            failure: BoxFailure = BoxOutOfMemory(_MEMORY)
        else:
            detail = f" ({end.detail})" if end.detail else ""
            failure = BoxCrashed(f"ended its own process{detail}")
        self._failure = failure
        return failure

    def _fail(self, failure: BoxFailure) -> BoxFailure:
        """The submission has gone too far: end its session."""
        self._failure = failure
        self.close()
        return failure

    def _lost(self, why: str) -> BoxFailure | InfrastructureError:
        """The stream is gone: the engine's doing, or the submission's."""
        # Asked first: of a whole slot that was killed for its memory the notebook is the cause, and
        # that is judged; anything else is ours, and tried again.
        memory = self._slot.killed_for_memory()
        why = self._slot.why_gone() or why
        self._over(m.Ended(session=self._number, cause="memory") if memory else None)
        if memory:
            self._failure = BoxOutOfMemory(_MEMORY)
            return self._failure
        return InfrastructureError(
            f"the sandbox went away: {why}", hint="Run `grader doctor`; the batch can be continued."
        )
