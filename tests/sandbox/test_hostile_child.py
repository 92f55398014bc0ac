"""Judge, zygote and a hostile child: nothing but a session's own payload is believed in it.

A state machine over real parts: `StreamSession`, `Conversation` and `FrameLink` of the judge, a
real `Zygote` in a process of its own, and a child that writes what it is told. The judge gives up
where it likes; whatever happened, the next session starts clean.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from grader.errors import BoxCrashed, BoxFailure, BoxOutputLimit, BoxTimeout
from grader.sandbox import conversation, stream
from grader.sandbox.conversation import ChannelBroken, Conversation, StreamLease
from grader.sandbox.link import FrameLink
from grader.sandbox.stream import StreamSession
from grader.wire import frames
from grader.wire import messages as m
from tests.sandbox.hostile_child import FORGED, HONEST, LIMITS, PATIENT_S, ScriptedSlot, script

MANY = 1_500 if os.environ.get("GRADER_FUZZ") == "nightly" else 100
HASTY_S = 0.05

NAMES = ["value", "raised", "done", "output", "no output", "other"]
STATUSES = ["ended", "memory", "started", "refused"]
WHOSE = ["own", "none", "first", "next", "earlier"]
LENGTHS = [0, 1, 9, frames.FRAME.size, 1 << 16, frames.MAX_TREE, (1 << 32) - 1]

raw = st.binary(max_size=80).map(lambda data: ["raw", data.hex()])
heads = st.builds(lambda a, b: ["head", a, b], st.sampled_from(LENGTHS), st.sampled_from([0, 1, 9]))
said = st.sampled_from(NAMES).map(lambda name: ["message", name])
statuses = st.builds(
    lambda whose, name: ["frame", frames.STATUS, whose, name],
    st.sampled_from(WHOSE),
    st.sampled_from(STATUSES),
)
data_frames = st.builds(
    lambda whose, name: ["frame", frames.DATA, whose, name],
    st.sampled_from(WHOSE),
    st.sampled_from(NAMES),
)
bare_headers = st.builds(
    lambda kind, whose, length: ["header", kind, whose, length],
    st.integers(0, 4),
    st.sampled_from(WHOSE),
    st.sampled_from(LENGTHS),
)
writes = raw | heads | said | statuses | data_frames | bare_headers
pauses = st.sampled_from([0.0, 0.005, 0.08]).map(lambda s: ["sleep", s])
ends = st.sampled_from([["exit", 0], ["exit", 3], ["close"], ["stall"]])
floods = (heads | said | statuses | data_frames).map(lambda unit: ["flood", *unit])
steps = st.lists(writes | pauses | st.just(["reply"]), max_size=5)
scripts = st.builds(
    lambda first, last: [*first, *last],
    steps,
    st.one_of(
        st.just([["reply"]]),
        st.just([]),
        ends.map(lambda end: [end]),
        floods.map(lambda flood: [flood]),
        steps.map(lambda inner: [["fork", inner], ["reply"]]),
        steps.map(lambda inner: [["fork", [["sleep", 0.03], *inner]], ["reply"]]),
        steps.map(lambda inner: [["fork", [["forever", [*inner, ["sleep", 0.001]]]]]]),
        steps.map(lambda inner: [["at close", [*inner, ["stall"]]], ["reply"]]),
        floods.map(lambda flood: [["at close", [flood]], ["reply"]]),
    ),
)


@pytest.fixture(autouse=True, scope="module")
def hasty() -> Iterator[None]:
    """How long the judge waits for what is late, shortened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation, "GRACE_S", 0.05)
        patch.setattr(stream, "CLOSE_S", 0.2)
        yield


class HostileChild(RuleBasedStateMachine):
    """What judge and child do to each other, in any order.

    A rule that does not apply does nothing: whether it applies hangs on time, which Hypothesis must
    not see in what it draws.
    """

    attached = False

    @initialize()
    def begin(self) -> None:
        self.slot = ScriptedSlot(attached=self.attached)
        self.seed = 0
        self.session: StreamSession | None = None
        self.loan: StreamLease | None = None
        self.borrower: Conversation | None = None
        self.opens_a_session_that_starts_clean()

    # -- what the judge does

    @rule()
    def opens_a_session_that_starts_clean(self) -> None:
        self.give_back_nothing()
        self.seed += 1
        opened = self.slot.open(seed=self.seed, limits=LIMITS)
        assert isinstance(opened, StreamSession)
        self.session = opened
        request = m.Fetch(name=script(HONEST), timeout_s=PATIENT_S)
        assert opened.request(request)[0] == m.Value(value=[self.seed, "honest"])

    @rule(steps=scripts)
    def asks_for_a_value(self, steps: Any) -> None:
        if self.session is None or self.loan is not None:
            return
        request = m.Fetch(name=script(steps), timeout_s=HASTY_S)
        self.expect_own(lambda session: session.request(request)[0])

    @rule(steps=scripts)
    def runs_a_cell(self, steps: Any) -> None:
        if self.session is None or self.loan is not None:
            return

        def run(session: StreamSession) -> m.CellDone:
            found = session.run_cell(script(steps), index=1, timeout_s=HASTY_S, output_bytes=10_000)
            for output in found.outputs:
                assert set(output["text"].split()) <= {str(self.seed)}
            return m.CellDone(status="ok", execution_count=1, duration_s=found.duration_s)

        self.expect_own(run)

    @rule(steps=scripts, size=st.sampled_from([1, 7, 8, 40, 1_000, 70_000]))
    def gives_up_within_a_message(self, steps: Any, size: int) -> None:
        """After so many bytes of whatever comes."""
        if self.session is None or self.loan is not None:
            return
        session = self.session
        assert session is not None
        try:
            session._talk.send(m.Fetch(name=script(steps), timeout_s=HASTY_S))
            session._talk._data(size, conversation.late_at(HASTY_S / 4))
        except (ChannelBroken, TimeoutError) as error:
            assert not isinstance(error, ChannelBroken) or error.trouble.kind == "ended"
        session._fail(BoxTimeout("given up"))
        self.is_over(orderly=False)

    @rule()
    def closes_the_session(self) -> None:
        if self.session is None:
            return
        self.give_back_nothing()
        if self.session is not None:
            self.is_over()

    # -- the stream in another process's hands

    @rule()
    def lends_the_stream(self) -> None:
        if self.session is None or self.loan is not None:
            return
        session = self.session
        assert session is not None
        self.loan = session.lease()
        if self.loan is None:
            event("not at rest: not lent")
            return
        # What a fork has: the same socket, and everything else twice.
        link = FrameLink(session._link._transport)
        link.resume(session._link.position())
        self.borrower = Conversation(link, session._number, LIMITS.reply_bytes)
        self.loan._conversation = self.borrower

    @rule(steps=scripts)
    def borrows(self, steps: Any) -> None:
        if self.loan is None:
            return
        assert self.loan is not None
        request = m.Fetch(name=script(steps), timeout_s=HASTY_S)
        try:
            reply = self.loan.request(request)[0]
        except ChannelBroken as broken:
            trouble, loan = broken.trouble, self.returned()
            with pytest.raises(BoxFailure):
                self.owner().take_back(loan, self.position, trouble)
            self.is_over(orderly=False)
        else:
            self.is_own(reply)

    @rule()
    def gives_back(self) -> None:
        if self.loan is None:
            return
        loan = self.returned()
        self.owner().take_back(loan, self.position)

    @rule(steps=scripts, size=st.sampled_from([0, 1, 8, 90]))
    def dies_within_a_call(self, steps: Any, size: int) -> None:
        if self.loan is None:
            return
        assert self.loan is not None and self.borrower is not None
        self.loan._in_message[0] = 1
        try:
            self.borrower.send(m.Fetch(name=script(steps), timeout_s=HASTY_S))
            self.borrower._data(size, conversation.late_at(HASTY_S / 4))
        except (ChannelBroken, TimeoutError):
            pass
        loan = self.returned()
        with pytest.raises(BoxCrashed, match="in the middle of a call"):
            self.owner().take_back(loan, None)
        self.is_over(orderly=False)

    @rule()
    def dies_between_calls(self) -> None:
        if self.loan is None:
            return
        self.give_back_nothing()

    # -- what must hold

    @invariant()
    def a_slot_with_a_session_serves_that_one(self) -> None:
        session = getattr(self, "session", None)
        if session is not None:
            assert self.slot._session is session

    def owner(self) -> StreamSession:
        assert self.session is not None
        return self.session

    def returned(self) -> StreamLease:
        """What was lent, with its place in the stream."""
        loan = self.loan
        assert loan is not None
        self.position = loan.position()
        loan._conversation = self.owner()._talk  # as in the lender, which is no fork
        self.loan = self.borrower = None
        return loan

    def give_back_nothing(self) -> None:
        """The borrower is gone without a word, if there is one."""
        if self.loan is None:
            return
        loan = self.returned()
        try:
            self.owner().take_back(loan, None)
        except BoxFailure:
            assert loan.torn
            self.is_over(orderly=False)

    def expect_own(self, ask: Any) -> None:
        """What is believed is this session's own; else the session has ended, and its slot."""
        try:
            found = ask(self.owner())
        except (BoxCrashed, BoxTimeout, BoxOutputLimit) as failure:
            event(type(failure).__name__)
            self.is_over(orderly=False)
        else:
            event("believed")
            self.is_own(found)

    def is_own(self, reply: m.Reply) -> None:
        match reply:
            case m.Value():
                assert reply.value[0] == self.seed
            case m.CellDone():
                assert reply.duration_s == self.seed
            case m.Raised():
                assert reply.text == f"{self.seed} {FORGED}"
            case m.Missing():
                assert reply.name == f"{self.seed} {FORGED}"
            case _:
                raise AssertionError(reply)

    def is_over(self, *, orderly: bool | None = None) -> None:
        """It ends as the zygote says; a slot whose session ended otherwise is gone with it."""
        session, self.session = self.owner(), None
        end = session.close()
        assert (end.session, end.detail == FORGED, end.cpu_s < 400_000) == (
            session._number,
            False,
            True,
        )
        serves_on = self.slot.hello is not None
        if orderly is False or end.cause != "closed":
            assert not serves_on
        assert self.slot._session is None
        event(f"slot serves on: {serves_on}")

    def teardown(self) -> None:
        if hasattr(self, "slot"):
            self.slot.remove()


class HostileChildBehindAnEngine(HostileChild):
    """The same over the engine's attached streams."""

    attached = True


@pytest.mark.parametrize(
    ("examples", "length"),
    [
        pytest.param(6, 15, id="some"),
        pytest.param(MANY, 30, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(7_200)]),
    ],
)
@pytest.mark.parametrize("machine", [HostileChild, HostileChildBehindAnEngine])
def test_nothing_but_a_sessions_own_payload_is_believed(
    machine: type[HostileChild], examples: int, length: int
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=length,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
