"""The suite's line to one submission's box: inputs go out, plain values and failures come back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from grader.errors import BoxFailure, BoxTimeout, InfrastructureError, SuiteError, WireError
from grader.suite.account import (
    MAX_KINDS,
    MAX_RECEIVED,
    Odd,
    Received,
    Trusted,
    kind_of,
    odd_in,
    parts_of,
)
from grader.suite.clock import SuiteClock
from grader.suite.failures import CallTimeout, MissingName, NotPlain, student_error
from grader.suite.function_source import function_source, is_function
from grader.suite.right_names import RightNames
from grader.suite.strictness import marked, not_looking
from grader.wire import messages as m
from grader.wire import values
from grader.wire.values import Blob, RemoteRef, Tree
from grader.wire.waiting import WAITING

SHORTEST_CALL_S = 0.05


class BoxClient(Protocol):
    """What the suite needs of a box: `sandbox.notebook_box.NotebookBox` is one.

    `generation` grows whenever the notebook had to be started again: what the suite held of the
    old session is gone then.
    """

    generation: int

    @property
    def call_timeout_s(self) -> float:
        """Seconds that one call may take."""

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Send one request and wait for its reply.

        Raises:
            BoxFailure: the session ended over it.
            InfrastructureError: the sandbox failed.
            WireError: what came back is no reply.
        """

    def ready(self) -> None:
        """Run the notebook anew, if its session has ended.

        Raises:
            BoxFailure: it ended too often.
            InfrastructureError: the sandbox failed.
        """


class BoxLink:
    """Requests of one submission's tests, with the seed, the deadline and the failures of each."""

    def __init__(self, client: BoxClient) -> None:
        self._client = client
        self.clock = SuiteClock()
        self._seed: int | None = None
        self._until: float | None = None
        self._ended = False
        self.failure: BoxFailure | None = None
        self.received: list[Received] = []
        self.kinds: dict[Received, None] = {}
        self.odd: dict[Odd, None] = {}
        self.trusted: dict[Trusted, None] = {}
        self.infrastructure: InfrastructureError | None = None
        self.right = RightNames(None)
        self._replaced: tuple[int, tuple[str, ...]] = (client.generation, ())

    def begin_test(
        self, *, seed: int | None, until: float | None, right: RightNames | None = None
    ) -> None:
        """Begin a test: the box is seeded when the test first asks something of it.

        Args:
            seed: for python, numpy and torch in the box.
            until: time of `clock` at which the last call must have ended.
            right: the functions that are answered for in place of the student's own.
        """
        self._seed, self._until = seed, until
        self.right = right or RightNames(None)
        self.failure = None
        self.received.clear()
        self.kinds.clear()
        self.odd.clear()
        self.trusted.clear()

    def revive(self) -> None:
        """Run the notebook anew if a test has ended its session.

        The time is no test's: another question's endless loop must not cost this one its own.

        Raises:
            InfrastructureError: the sandbox failed.
        """
        if not self._ended:
            return
        with self.clock.stopped(), contextlib.suppress(BoxFailure):
            self._client.ready()  # where it ended too often, the next call says so
        self._ended = False

    @property
    def generation(self) -> int:
        """Which session of the notebook answers; grows when it is started again."""
        return self._client.generation

    def ask(
        self,
        make: Callable[[Callable[[object], Tree], float], m.Request],
        remote: Callable[[RemoteRef], Any],
        asked: str = "",
    ) -> Any:
        """Send the request that `make` builds and return the plain value of the reply.

        Args:
            make: gets a function that encodes a value, and the seconds that the call may take.
            remote: makes something of what stays in the box.
            asked: what this is, as a student would write it, such as `f(…)`.

        Raises:
            StudentError: student code raised, or sent what is no plain value.
            BoxFailure: the call ended the session, or was stopped at its limit.
            InfrastructureError: the sandbox failed.
            SuiteError: the suite passes something that can't be sent.
        """
        __tracebackhide__ = True
        if self._seed is not None:
            seed, self._seed = self._seed, None
            self._exchange(m.Seed(seed=seed), ())
        self._replace()
        blobs: list[Blob] = []
        with not_looking():
            request = make(lambda value: _encode(value, blobs), self._seconds())
        reply, received = self._exchange(request, blobs)
        with not_looking():
            value = self._read(reply, received, remote)
            self._note(asked, value)
            return marked(value)

    def _note(self, asked: str, value: object) -> None:
        """Note what came, for the reference to be asked about."""
        if len(self.received) < MAX_RECEIVED:
            self.received.append(Received(asked=asked, kind=kind_of(value)))
        for part in parts_of(asked, value):
            if len(self.kinds) < MAX_KINDS:
                self.kinds[part] = None
        for odd in odd_in(asked, value):
            if len(self.odd) < MAX_KINDS:
                self.odd[odd] = None

    def _replace(self) -> None:
        """Tell the box which names are answered for here; a new session knows of none."""
        told = self._replaced[1] if self._replaced[0] == self.generation else ()
        if told != self.right.names:
            self._exchange(m.Replace(names=list(self.right.names)), ())
        self._replaced = (self.generation, self.right.names)

    def trust(self, trusted: Trusted) -> None:
        """Note that the test takes an object's own word."""
        if len(self.trusted) < MAX_RECEIVED:
            self.trusted[trusted] = None

    def _seconds(self) -> float:
        limit = float(self._client.call_timeout_s)
        if self._until is None:
            return limit
        left = self._until - self.clock.now()
        if left <= 0:
            self.failure = BoxTimeout("the time for the checks was up")
            raise self.failure
        return max(SHORTEST_CALL_S, min(limit, left))

    def _exchange(
        self, request: m.Request, blobs: Sequence[Blob]
    ) -> tuple[m.Reply, list[memoryview]]:
        __tracebackhide__ = True
        # A suite may swallow exceptions (`pytest.raises(Exception)`, Hypothesis): a call that
        # ended the session must not be tried again and again, nor count as a success.
        if self.infrastructure is not None:
            raise self.infrastructure
        if self.failure is not None:
            raise self.failure
        try:
            reply, received = self._timed(request, blobs)
            if isinstance(reply, m.Wanted):
                reply, received = self._answered(request, reply, received)
        except BoxFailure as failure:
            self.failure, self._ended = failure, True
            raise
        except InfrastructureError as error:
            self.infrastructure = error
            raise
        except WireError as error:
            raise NotPlain("Your code sent something that is no plain value.") from error
        if isinstance(reply, m.OutOfTime):
            self.failure = CallTimeout(reply.seconds, reply.frames)
            raise self.failure
        return reply, received

    def _answered(
        self, request: m.Request, reply: m.Reply, received: list[memoryview]
    ) -> tuple[m.Reply, list[memoryview]]:
        """Give the box the right answers that it asks for in a call, until the call's reply."""
        until = self.clock.now() + WAITING * _limit_s(request)
        while isinstance(reply, m.Wanted):
            try:
                give, blobs = self.right.answer(reply, received, until - self.clock.now())
            except BoxFailure:
                # It waits for an answer, and takes the end of its session for one.
                with contextlib.suppress(BoxFailure):
                    self._client.request(m.Close())
                raise
            reply, received = self._timed(give, blobs)
        return reply, received

    def _timed(self, request: m.Request, blobs: Sequence[Blob]) -> tuple[m.Reply, list[memoryview]]:
        """Ask, and have the clock count what the box had of it."""
        self.clock.begin_call()
        try:
            reply, received = self._client.request(request, blobs)
        except BaseException:
            self.clock.end_call(at_most=_limit_s(request))
            raise
        self.clock.end_call(waited=getattr(reply, "waited_s", 0.0))
        return reply, received

    def _read(
        self, reply: m.Reply, received: list[memoryview], remote: Callable[[RemoteRef], Any]
    ) -> Any:
        __tracebackhide__ = True
        match reply:
            case m.Value():
                try:
                    return values.decode(reply.value, received, remote=remote)
                except values.Undecodable as error:
                    raise NotPlain("Your code sent something that is no plain value.") from error
            case m.Raised():
                raise student_error(reply.type, reply.text, reply.frames)
            case m.Missing():
                raise MissingName(reply.name, reply.similar)
            case m.Unsendable():
                raise NotPlain(f"What your code gave can't be taken over: {reply.reason}.")
            case _:
                raise NotPlain("Your code sent something that is no plain value.")


def _limit_s(request: m.Request) -> float:
    return float(getattr(request, "timeout_s", 10.0))


def _encode(value: object, blobs: list[Blob]) -> Tree:
    def other(part: object) -> Tree | None:
        ref = getattr(type(part), "__grader_ref__", None)
        if ref is not None:
            return values.encode(ref(part), blobs)
        if is_function(part):
            return values.encode(function_source(part), blobs)
        return None

    try:
        return values.encode(value, blobs, other=other)
    except values.Unencodable as error:
        raise SuiteError(
            f"the suite passes something into the box that can't be sent: {error}",
            hint="Send plain values: of a module its state_dict(), of an iterator a list.",
        ) from error
