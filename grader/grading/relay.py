"""Between a worker and the child that runs the suite for one submission.

The worker keeps the slot and the notebook, and lends the child the live session's stream. When a
call goes wrong the child gives the stream back, with what is to be judged, and asks through a
socket pair from then on: what happens to a session, and to a slot, happens in the worker alone. So
a suite that damages its process, or is killed at its deadline, damages one child, and the results
that it had sent are kept; a slot is lost only where the child ends in the middle of a call.
"""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
from grader.sandbox.conversation import ChannelBroken, StreamLease, Trouble
from grader.sandbox.link import Position
from grader.sandbox.notebook_box import NotebookBox
from grader.suite.account import NOTHING, Account
from grader.suite.evidence import Evidence
from grader.suite.results import TestResult
from grader.wire import frames
from grader.wire import messages as m
from grader.wire.kinds import Blob

LIMIT = 1 << 31
BOUNDS = frames.Bounds(tree=16 * frames.MAX_TREE, blobs=2 * frames.MAX_BLOBS)
"""Of the pipe. What was within bounds when it came from the box is so here too, inside a message of
ours and encoded anew: else a notebook could end its worker with a reply just below them."""
_FAILURES: dict[str, type[BoxFailure]] = {
    kind.__name__: kind for kind in (BoxTimeout, BoxOutOfMemory, BoxCrashed, BoxOutputLimit)
}


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag="ask", tag_field="kind"):
    """The suite wants something of the notebook."""

    request: m.Request


class Revive(msgspec.Struct, frozen=True, kw_only=True, tag="revive", tag_field="kind"):
    """The suite wants the notebook live before a test's time begins."""


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag="returned", tag_field="kind"):
    """The suite gives back what it was lent; with the trouble that is to be judged, if any."""

    position: Position
    trouble: Trouble | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun", tag_field="kind"):
    """A test begins."""

    name: str


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done", tag_field="kind"):
    """A test ended; with what the rules are to be held against, where there are some."""

    result: TestResult
    account: Account = NOTHING
    evidence: Evidence | None = None


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag="finished", tag_field="kind"):
    """The suite is through, or could not go on: `trouble` says why."""

    trouble: str = ""


_Reply = tuple[m.Reply, Sequence[Blob]]
FromChild = Ask | Revive | Returned | Begun | Done | Finished


class NotebookReply(msgspec.Struct, frozen=True, kw_only=True):
    """The notebook's reply, or the failure that it was."""

    generation: int
    reply: m.Reply | None = None
    failure: str = ""
    text: str = ""


class Pipe:
    """Messages over a connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, tree: msgspec.Struct, blobs: Sequence[Blob] = ()) -> None:
        """Send one message.

        Raises:
            Malformed: it is more than the pipe takes; nothing of it has been sent.
        """
        for part in frames.message(tree, blobs, bounds=BOUNDS):
            self._socket.sendall(part)

    def receive(
        self, kind: object, left_s: Callable[[], float] | None = None
    ) -> tuple[object, list[memoryview]]:
        """Wait for a message, as long as `left_s()` is above 0.

        Raises:
            TimeoutError: none came in time.
            EOFError: the other side is gone.
            Malformed: what came is none.
        """

        def exactly(size: int) -> memoryview:
            buffer = frames.empty(size)
            rest = buffer
            while rest:
                if left_s is not None:
                    self._socket.settimeout(max(left_s(), 0.001))
                try:
                    count = self._socket.recv_into(rest)
                except TimeoutError:
                    if left_s is not None and left_s() > 0:
                        continue  # by now there is more time
                    raise
                if not count:
                    raise EOFError("the other side is gone")
                rest = rest[count:]
            return buffer

        message, blobs, _ = frames.read_message(exactly, kind, limit=LIMIT, bounds=BOUNDS)
        return message, blobs


class RelayedBox:
    """The notebook as the suite's child sees it: `suite.student.BoxClient`."""

    def __init__(
        self, pipe: Pipe, loan: StreamLease | None, *, call_timeout_s: float, generation: int
    ) -> None:
        self._pipe = pipe
        self._loan = loan
        self.call_timeout_s = call_timeout_s
        self.generation = generation

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Ask the box, or the worker for it; raise what it says was raised."""
        if self._loan is not None:
            try:
                return self._loan.request(request, blobs)
            except ChannelBroken as broken:
                self.give_back(broken.trouble)
                return self._answer()
        try:
            self._pipe.send(Ask(request=request), blobs)
        except frames.Malformed as error:
            raise WireError(f"the suite sends more than may be sent: {error}") from error
        return self._answer()

    def ready(self) -> None:
        """Have the worker run the notebook anew, if its session has ended."""
        self._pipe.send(Revive())
        self._answer()

    def give_back(self, trouble: Trouble | None = None) -> None:
        """Give the stream back, if it is here; trouble is answered with what it comes to."""
        loan, self._loan = self._loan, None
        if loan is not None:
            self._pipe.send(Returned(position=loan.position(), trouble=trouble))

    def _answer(self) -> tuple[m.Reply, list[memoryview]]:
        message, parts = self._pipe.receive(NotebookReply)
        if not isinstance(message, NotebookReply):
            raise WireError("the worker sent no answer")
        self.generation = message.generation
        if message.reply is not None:
            return message.reply, parts
        kind = _FAILURES.get(message.failure)
        if kind is not None:
            raise kind(message.text)
        if message.failure == WireError.__name__:
            raise WireError(message.text)
        raise InfrastructureError(message.text)


@dataclass
class Heard:
    """What a worker has heard of a suite so far."""

    results: list[TestResult] = field(default_factory=list)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    running: str = ""
    finished: bool = False
    trouble: str = ""
    infrastructure: InfrastructureError | None = None
    loan: StreamLease | None = None
    """What the child has of the box."""


def serve(pipe: Pipe, box: NotebookBox, heard: Heard, *, left_s: Callable[[], float]) -> None:
    """Serve a suite's child until it has finished.

    Raises:
        TimeoutError: it had used up its time.
        EOFError: the child is gone.
        Malformed: what it said is no message.
    """
    while not heard.finished:
        message, blobs = pipe.receive(FromChild, left_s)
        match message:
            case Returned():
                _take_back(pipe, box, message, heard)
            case Ask():
                _answer(pipe, box, functools.partial(box.request, message.request, blobs), heard)
            case Revive():
                _answer(pipe, box, functools.partial(_ready, box), heard)
            case Begun():
                heard.running = message.name
            case Done():
                heard.results.append(message.result)
                heard.accounts[message.result.name] = message.account
                if message.evidence is not None:
                    heard.evidence[message.result.name] = message.evidence
                heard.running = ""
            case Finished():
                heard.finished, heard.trouble = True, message.trouble


def reclaim(box: NotebookBox, heard: Heard) -> None:
    """Take back what was lent to a child that is gone without a word; call it after its death."""
    loan, heard.loan = heard.loan, None
    if loan is not None:
        with contextlib.suppress(BoxFailure):  # it was in a call: the session is dropped
            box.take_back(loan, None)


def _take_back(pipe: Pipe, box: NotebookBox, returned: Returned, heard: Heard) -> None:
    """Take back what was lent, and answer the request that broke, if one did."""
    loan, heard.loan = heard.loan, None
    if loan is None:
        raise EOFError("the suite returns what it does not have")
    if returned.trouble is None:
        box.take_back(loan, returned.position)
    else:
        _answer(pipe, box, functools.partial(_judged, box, loan, returned), heard)


def _judged(box: NotebookBox, loan: StreamLease, returned: Returned) -> _Reply:
    box.take_back(loan, returned.position, returned.trouble)
    raise AssertionError("trouble is never a reply")


def _ready(box: NotebookBox) -> _Reply:
    box.ready()
    return m.Value(value=None), ()


def _answer(pipe: Pipe, box: NotebookBox, ask: Callable[[], _Reply], heard: Heard) -> None:
    parts: Sequence[Blob] = ()
    try:
        reply, parts = ask()
        answer = NotebookReply(generation=box.generation, reply=reply)
    except BoxFailure as error:
        answer = NotebookReply(
            generation=box.generation, failure=type(error).__name__, text=error.what
        )
    except WireError as error:  # the suite asked for more than can be sent
        answer = NotebookReply(
            generation=box.generation, failure=WireError.__name__, text=error.what
        )
    except InfrastructureError as error:
        heard.infrastructure = error
        answer = NotebookReply(generation=box.generation, failure="infrastructure", text=error.what)
    try:
        pipe.send(answer, parts)
    except frames.Malformed as error:  # costs the test that asked, not the worker
        text = f"the notebook's reply can't be passed on: {error}"
        pipe.send(NotebookReply(generation=box.generation, failure=WireError.__name__, text=text))
