"""Between a worker and the child that runs the suite: what is just below a limit, or over it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from grader.errors import BoxCrashed, WireError
from grader.grading import relay
from grader.grading.relay import Finished, Heard, Pipe, RelayedBox, serve
from grader.grading.suite_children import SuiteChildren
from grader.suite.account import Account
from grader.suite.points import PlannedTest, SuitePlan
from grader.suite.results import TestOutcome, TestResult
from grader.wire import frames
from grader.wire import messages as m
from tests.helpers.settings import SETTING

FETCH = m.Fetch(name="x", timeout_s=1.0)


class Notebook:
    """A notebook box that gives that reply."""

    call_timeout_s = 1.0
    generation = 0
    reviving_s = 0.0

    def __init__(self, reply: m.Reply, parts: Sequence[bytes] = ()) -> None:
        self.reply, self.parts = reply, [memoryview(p) for p in parts]

    def ready(self) -> None:
        pass

    def lease(self) -> None:
        return None

    def request(self, request: m.Request, blobs: Any = ()) -> Any:
        return self.reply, self.parts


@pytest.fixture
def pipes() -> Iterator[tuple[Pipe, Pipe]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Pipe(ours), Pipe(theirs)


def served(
    pipes: tuple[Pipe, Pipe], box: Notebook, use: Callable[[RelayedBox], Any]
) -> tuple[Any, Heard]:
    """What comes of that use of a box that is served over the pipes, and what was heard."""
    ours, theirs = pipes
    heard = Heard()
    serving = threading.Thread(
        target=serve, args=(ours, box, heard), kwargs={"left_s": lambda: 60.0}
    )
    serving.start()
    try:
        return use(RelayedBox(theirs, None, call_timeout_s=1.0, generation=0)), heard
    finally:
        theirs.send(Finished())
        serving.join()


def from_box(body: bytes, blobs: int = 0) -> Any:
    """That tree as the judge reads it from a box."""
    head = len(body).to_bytes(4, "big") + blobs.to_bytes(4, "big") + bytes(8 * blobs)
    rest = memoryview(bytearray(head + body))

    def exactly(size: int) -> memoryview:
        nonlocal rest
        taken, rest = rest[:size], rest[size:]
        return taken

    return frames.read_message(exactly, m.FromBox, limit=1 << 20)[0]


def array(count: int) -> bytes:
    return b"\xdd" + count.to_bytes(4, "big")


def largest(unit: bytes, around: Callable[[bytes], bytes]) -> bytes:
    """As many of that unit as a tree may hold."""
    count = (frames.MAX_TREE - len(around(array(0)))) // len(unit)
    return around(array(count) + unit * count)


def value_of(tree: bytes) -> bytes:
    return b"\x82\xa4kind\xa5value\xa5value" + tree


def value_that_ran(ran: bytes) -> bytes:
    return b"\x83\xa4kind\xa5value\xa5value\xc0\xa3ran" + ran


AT_THE_LIMIT = {
    "numbers of one byte": largest(b"\x01", value_of),
    "numbers that take twice as much when written anew": largest(b"\xca\0\0\0\0", value_of),
    "fields that are written out anew": largest(b"\x81\xa4name\xa0", value_that_ran),
}


@pytest.mark.parametrize("what", AT_THE_LIMIT)
def test_a_reply_just_below_the_limit_comes_through(pipes: tuple[Pipe, Pipe], what: str) -> None:
    body = AT_THE_LIMIT[what]
    assert frames.MAX_TREE - 8 <= len(body) <= frames.MAX_TREE
    reply = from_box(body)
    (came, _), _ = served(pipes, Notebook(reply), lambda box: box.request(FETCH))
    assert msgspec.msgpack.encode(came) == msgspec.msgpack.encode(reply)


def test_a_reply_of_as_many_blobs_as_may_be_comes_through(pipes: tuple[Pipe, Pipe]) -> None:
    parts = [b"x"] * frames.MAX_BLOBS
    box = Notebook(m.Value(value=1), parts)
    (_, came), _ = served(pipes, box, lambda client: client.request(FETCH))
    assert len(came) == frames.MAX_BLOBS


def test_a_reply_that_cannot_be_passed_on_costs_the_call_and_not_the_worker(
    pipes: tuple[Pipe, Pipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BOUNDS", frames.Bounds(tree=2_000, blobs=4))
    box = Notebook(m.Value(value="x" * 3_000))

    def use(client: RelayedBox) -> Any:
        with pytest.raises(WireError, match="can't be passed on"):
            client.request(FETCH)
        box.reply = m.Value(value=2)
        return client.request(FETCH)[0]

    came, heard = served(pipes, box, use)
    assert came == m.Value(value=2)
    assert heard.infrastructure is None


def test_a_failure_is_told_as_what_it_was(pipes: tuple[Pipe, Pipe]) -> None:
    class Crashing(Notebook):
        def request(self, request: m.Request, blobs: Any = ()) -> Any:
            raise BoxCrashed("ended its own process")

    with pytest.raises(BoxCrashed, match="ended its own process"):
        served(pipes, Crashing(m.Value(value=1)), lambda client: client.request(FETCH))


@pytest.mark.parametrize("said", [b"\xff" * 40, b"\0\0\0\x01\0\0\0\0\xc1"])
def test_what_is_no_message_of_a_child_is_an_error_and_no_verdict(
    pipes: tuple[Pipe, Pipe], said: bytes
) -> None:
    ours, theirs = pipes
    theirs._socket.sendall(said)
    heard = Heard()
    with pytest.raises(frames.Malformed):
        serve(ours, Notebook(m.Value(value=1)), heard, left_s=lambda: 60)  # type: ignore[arg-type]
    assert heard.results == []


class Suite:
    """A collected suite whose tests are functions of a client that return how they ended."""

    def __init__(self, **tests: Callable[[Any], TestResult]) -> None:
        self._tests = tests
        planned = (PlannedTest(name=n, nodeid=n, function=n, question="q1") for n in tests)
        self.plan = SuitePlan(tests=tuple(planned))

    def run(self, client: Any, view: Any, **options: Any) -> None:
        done = {result.name for result in options["earlier"]}
        for name, test in self._tests.items():
            if name not in done:
                options["on_begin"](name)
                options["on_result"](test(client), Account())


def passed(name: str, message: str = "") -> TestResult:
    return TestResult(
        name=name,
        question="q1",
        points=Decimal(1),
        max_points=Decimal(1),
        outcome=TestOutcome.PASSED,
        message=message,
    )


def results(suite: Suite, box: Notebook) -> dict[str, TestResult]:
    run = SuiteChildren(suite, SETTING, box, {"cells": []}, {})  # type: ignore[arg-type]
    return {result.name: result for result in run.results()}


def test_a_child_that_says_what_is_no_message_costs_its_own_test() -> None:
    def damaged(client: RelayedBox) -> TestResult:
        client._pipe._socket.sendall(b"\xff" * 100)
        time.sleep(600)
        raise AssertionError("it is ended")

    suite = Suite(a=lambda _: passed("a"), b=damaged, c=lambda _: passed("c"))
    found = results(suite, Notebook(m.Value(value=1)))
    outcomes = {name: result.outcome for name, result in found.items()}
    assert outcomes == {
        "a": TestOutcome.PASSED,
        "b": TestOutcome.FAILED,
        "c": TestOutcome.PASSED,
    }
    assert "ended the check itself" in found["b"].message


def test_a_result_too_large_to_be_sent_costs_its_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BOUNDS", frames.Bounds(tree=4_000, blobs=4))
    suite = Suite(a=lambda _: passed("a", "x" * 5_000), b=lambda _: passed("b"))
    found = results(suite, Notebook(m.Value(value=1)))
    assert found["a"].outcome is TestOutcome.FAILED
    assert "too large to be kept" in found["a"].message
    assert found["b"].outcome is TestOutcome.PASSED


def test_a_reply_just_below_the_limit_costs_its_own_test_at_most() -> None:
    reply = from_box(AT_THE_LIMIT["numbers that take twice as much when written anew"])

    def asks(client: RelayedBox) -> TestResult:
        client.request(FETCH)
        return passed("a")

    found = results(Suite(a=asks, b=lambda _: passed("b")), Notebook(reply))
    assert {r.outcome for r in found.values()} == {TestOutcome.PASSED}
