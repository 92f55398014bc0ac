"""What each test asked of the notebook, and what ran in its calls: for the rules of the spec."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from grader.suite.box_link import BoxClient
from grader.suite.pytest_internals import fixture_definitions
from grader.wire import messages as m
from grader.wire.values import Blob, Tree

MAX_USED = 200
MAX_RAN = 300
MAX_RAN_BYTES = 1 << 16
"""Of one of them: a box of ours sends at most half of it, a notebook by itself megabytes."""
NOTHING = m.Watch()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Of one test: the notebook's names whose objects it had, and what the box says that ran."""

    used: tuple[str, ...] = ()
    ran: tuple[m.Ran, ...] = ()


class _Notes:
    def __init__(self) -> None:
        self.used: dict[str, None] = {}
        self.ran: dict[bytes, m.Ran] = {}

    def add(self, used: Sequence[str], ran: Sequence[m.Ran]) -> None:
        for name in used:
            if len(self.used) < MAX_USED:
                self.used[name] = None
        for one in ran:
            key = msgspec.msgpack.encode(one)
            if len(self.ran) < MAX_RAN and len(key) <= MAX_RAN_BYTES:
                self.ran.setdefault(key, one)


class Witness:
    """A box client that takes note of what goes through it; the suite's child has one.

    An object that stays in the box is known by the name that it was fetched by, and what a call
    gives by the names of all that went into the call. The box is told what to watch for in each
    test's calls: watching is dear, so a test that no rule concerns is not watched at all.
    """

    def __init__(self, client: BoxClient, watches: Mapping[str, m.Watch], all_: m.Watch) -> None:
        """Make one for a submission.

        Args:
            client: its box.
            watches: what to watch for in the tests of each question, where there is something.
            all_: what to watch for while a fixture is set up that tests of any question may share.
        """
        self._client = client
        self._watches = watches
        self._all = all_
        self._wanted = NOTHING
        self._asking: frozenset[str] = frozenset()
        self._watched: tuple[int, m.Watch] = (client.generation, NOTHING)
        self.generation = client.generation
        self._origins: dict[tuple[int, int], frozenset[str]] = {}
        self._now: list[_Notes] = [_Notes()]
        self._of_fixtures: dict[int, _Notes] = {}
        self._fixtures: tuple[int, ...] = ()

    @property
    def call_timeout_s(self) -> float:
        """That of the box."""
        return self._client.call_timeout_s

    def ready(self) -> None:
        """Have the notebook live."""
        try:
            self._client.ready()
        finally:
            self.generation = self._client.generation

    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Ask the box, and take note of the names concerned and of what ran."""
        names = self._asking = self._names(request)
        for notes in self._now:
            notes.add(sorted(names), ())
        if isinstance(request, m.Act | m.RunFunction):
            self._watch()
        reply, parts = self._ask(request, blobs)
        for notes in self._now:
            notes.add((), getattr(reply, "ran", ()))
        if isinstance(reply, m.Value):
            for handle in _handles(reply.value):
                self._origins[self.generation, handle] = names
        return reply, parts

    def _ask(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        try:
            return self._client.request(request, blobs)
        finally:
            self.generation = self._client.generation

    def _watch(self) -> None:
        """Tell the box what to watch for, where it has not been told; a new session knows none."""
        told = self._watched[1] if self._watched[0] == self.generation else NOTHING
        if told != self._wanted:
            self._ask(self._wanted)
            self._watched = (self.generation, self._wanted)

    def _names(self, request: m.Request) -> frozenset[str]:
        match request:
            case m.Fetch():
                return frozenset({request.name})
            case m.Act():
                trees = [request.target, *request.args, *request.kwargs.values()]
            case m.RunFunction():
                trees = [request.function, *request.args, *request.kwargs.values()]
            case m.Give():  # its reply is that of the call that asked
                return self._asking
            case _:
                return frozenset()
        held = (self._origins.get((self.generation, h), frozenset()) for h in _handles(trees))
        return frozenset().union(*held)

    # -- whose it is

    def begin(self, question: str) -> None:
        """A test of that question begins."""
        self._now = [_Notes()]
        self._wanted = self._watches.get(question, NOTHING)

    def evidence(self) -> Evidence:
        """What the test has used, itself and through its fixtures."""
        found = _Notes()
        for notes in (self._now[0], *map(self._of_fixtures.get, self._fixtures)):
            if notes is not None:
                found.add(tuple(notes.used), tuple(notes.ran.values()))
        return Evidence(used=tuple(found.used), ran=tuple(found.ran.values()))

    def expect(self, fixtures: Iterator[object]) -> None:
        """The next test has these fixtures, some of which were set up by an earlier one."""
        self._fixtures = tuple(id(fixture) for fixture in fixtures)

    @contextlib.contextmanager
    def setting_up(self, fixture: object, *, shared: bool) -> Iterator[None]:
        """A fixture is being set up: what it asks for, all tests that have it ask for.

        Args:
            fixture: any object that stands for it.
            shared: whether tests of other questions may have it, too.
        """
        self._of_fixtures[id(fixture)] = notes = _Notes()
        outside, before = self._wanted, self._now
        self._now = [*before, notes]
        if shared:
            self._wanted = self._all
        try:
            yield
        finally:
            self._wanted, self._now = outside, before


class FixtureNotes:
    """The pytest plugin that tells the witness which fixture is being set up."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Tell of the test that comes."""
        self._witness.expect(_fixtures(item))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Tell when a fixture begins and ends."""
        with self._witness.setting_up(fixturedef, shared=fixturedef.scope != "function"):
            return (yield)


def _fixtures(item: pytest.Item) -> Iterator[object]:
    """The fixtures that a test has: of those of one name the nearest, and those it builds on."""
    for name, definitions in fixture_definitions(item).items():
        for definition in reversed(definitions):
            yield definition
            if name not in definition.argnames:
                break


def _handles(tree: Tree) -> Iterator[int]:
    """The handles of objects in a value tree, `["R", handle, kind, type]`; hostile, but decoded."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, list):
            continue
        if len(part) == 4 and part[0] == "R" and isinstance(part[1], int):
            yield part[1]
        else:
            waiting += [inner for inner in part if isinstance(inner, list)]
