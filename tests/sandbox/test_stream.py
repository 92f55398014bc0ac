"""A slot and its sessions over one stream: what each answer of the box leads to, word by word."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from grader.errors import (
    BoxCrashed,
    BoxFailure,
    BoxOutOfMemory,
    BoxOutputLimit,
    BoxTimeout,
    InfrastructureError,
)
from grader.sandbox import stream
from grader.sandbox.base import CellResult, SlotOptions
from grader.sandbox.conversation import NO_MESSAGE, ChannelBroken, StreamLease, Trouble
from grader.sandbox.link import Position
from grader.sandbox.liveness import LIFELESS_S, LOOK_S
from grader.sandbox.outputs import OutputRoom
from grader.sandbox.stream import StreamSession, StreamSlot
from grader.sandbox.transport import OpenFrame, Transport
from grader.wire import frames
from grader.wire import messages as m

FIRST = 7
LIMITS = m.Limits(reply_bytes=1 << 20)
STREAM_OUTPUT = b'{"output_type": "stream", "name": "stdout", "text": "hello"}'
HELLO = m.Hello(pid=1, isolation="warm", packages={}, jail={}, warm_s=0.1, resident_bytes=1)


def said(status: m.Status, session: int | None = None) -> bytes:
    """A status as the zygote sends it."""
    number = getattr(status, "session", frames.NO_SESSION) if session is None else session
    return frames.frame(frames.STATUS, number, msgspec.msgpack.encode(status))


def sent(message: Any, *blobs: bytes, session: int = FIRST) -> bytes:
    """A message as a session's child sends it."""
    payload = b"".join(bytes(part) for part in frames.message(message, blobs))
    return frames.frame(frames.DATA, session, payload)


def started(session: int = FIRST) -> bytes:
    return said(m.Started(session=session, jail_ms=1.0))


def ended(cause: Any = "closed", session: int = FIRST, detail: str = "") -> bytes:
    return said(m.Ended(session=session, cause=cause, detail=detail))


class Script(Transport):
    """Sends what is written in it, an empty piece as silence, and keeps what it is told."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = list(pieces)
        self.told = b""
        self.deadlines: list[float] = []
        self.closed = False

    def receive_into(self, view: memoryview, deadline: float) -> int:
        self.deadlines.append(deadline - time.monotonic())
        if not self.pieces:
            return 0
        piece = self.pieces.pop(0)
        if not piece:
            raise TimeoutError
        count = min(len(view), len(piece))
        view[:count] = piece[:count]
        if piece[count:]:
            self.pieces.insert(0, piece[count:])
        return count

    def send(self, data: Any, deadline: float) -> None:
        self.deadlines.append(deadline - time.monotonic())
        self.told += bytes(data)

    def close(self) -> None:
        self.closed = True

    def orders(self) -> list[Any]:
        """What was sent, decoded: orders to the zygote and requests to the child."""
        found = []
        rest = self.told
        while rest:
            kind, session, length = frames.FRAME.unpack(rest[: frames.FRAME.size])
            payload = rest[frames.FRAME.size :][:length]
            rest = rest[frames.FRAME.size + length :]
            if kind == frames.CONTROL:
                found.append((session, msgspec.msgpack.decode(payload, type=m.Control)))
            else:
                tree = payload[8 : 8 + int.from_bytes(payload[:4], "big")]
                found.append((session, msgspec.msgpack.decode(tree, type=m.Request)))
        return found


class Scripted(StreamSlot):
    """A slot whose zygotes say what is written, one script for each that is started."""

    def __init__(self, *scripts: Sequence[bytes], options: SlotOptions | None = None) -> None:
        super().__init__(options or SlotOptions())
        self.scripts = [Script(pieces) for pieces in scripts]
        self.started: list[Script] = []
        self.destroyed = 0
        self.last_words = ""
        self.out_of_memory = False

    def connect(self) -> Transport:
        self.started.append(self.scripts.pop(0))
        return self.started[-1]

    def destroy(self) -> None:
        self.destroyed += 1

    def why_gone(self) -> str:
        return self.last_words

    def killed_for_memory(self) -> bool:
        return self.out_of_memory

    @property
    def gone(self) -> bool:
        """Whether nothing of the zygote started last is left."""
        return (
            self.started[-1].closed
            and self.destroyed == len(self.started)
            and self.hello is None
            and self._session is None
            and self._link is None
        )


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions are numbered 7, 8, 9 …: drawn below what there is, and none is 0."""
    drawn = iter(range(FIRST - 1, 100))

    def randbelow(below: int) -> int:
        assert below == (1 << 64) - 1
        return next(drawn)

    monkeypatch.setattr("grader.sandbox.stream.secrets.randbelow", randbelow)


def opened(*pieces: bytes, **options: Any) -> tuple[Scripted, StreamSession]:
    slot = Scripted([said(HELLO), started(), *pieces], **options)
    session = slot.open(seed=3, limits=LIMITS)
    assert isinstance(session, StreamSession)
    return slot, session


FETCH = m.Fetch(name="x", timeout_s=1.0)


def ran(session: StreamSession, **more: Any) -> CellResult:
    return session.run_cell("1 + 1", index=4, timeout_s=2.0, output_bytes=1000, **more)


# -- a slot


def test_a_slot_is_ready_when_its_zygote_has_said_hello_and_asks_once() -> None:
    slot = Scripted([b"", said(HELLO)])
    slow: list[float] = []
    slot.on_slow = slow.append
    slot.start()
    slot.start()
    assert slot.wait_ready() == slot.wait_ready() == slot.hello == HELLO
    assert (len(slot.started), len(slow)) == (1, 1)


@pytest.mark.parametrize(
    ("pieces", "last_words", "reason"),
    [
        ([], "exit code 3", "exit code 3"),
        ([], "", "the stream ended"),
        ([b"\x09" * frames.FRAME.size], "", "bytes that are no frame"),
        ([said(HELLO, session=5)], "", "a status of another session than its frame"),
    ],
)
def test_a_zygote_that_ends_before_its_hello_is_told_with_its_last_words(
    pieces: list[bytes], last_words: str, reason: str
) -> None:
    slot = Scripted(pieces)
    slot.last_words = last_words
    with pytest.raises(InfrastructureError) as failed:
        slot.wait_ready()
    assert failed.value.what == f"the sandbox did not start: {reason}"
    assert failed.value.hint == "Run `grader doctor`."
    assert slot.gone


def test_a_slot_that_is_too_slow_says_so_with_its_last_words() -> None:
    slot = Scripted([b""])
    slot.last_words = "importing torch"

    def too_slow(seconds: float) -> None:
        raise InfrastructureError("no sign of life")

    slot.on_slow = too_slow
    with pytest.raises(InfrastructureError) as failed:
        slot.wait_ready()
    assert failed.value.what == "the sandbox did not start: no sign of life. importing torch"
    assert slot.gone


@pytest.mark.parametrize("first", [started(), sent(m.Value(value=1))])
def test_a_zygote_that_says_something_else_than_hello_is_stopped(first: bytes) -> None:
    slot = Scripted([first])
    with pytest.raises(InfrastructureError) as failed:
        slot.wait_ready()
    assert failed.value.what == "the sandbox said something else than hello"
    assert slot.gone


def test_a_session_is_ordered_with_its_number_seed_and_limits() -> None:
    slot, _ = opened()
    assert slot.started[0].orders() == [(FIRST, m.Spawn(session=FIRST, seed=3, limits=LIMITS))]


def test_a_session_that_begins_late_is_waited_for() -> None:
    slot = Scripted([said(HELLO), b"", started()])
    slow: list[float] = []
    slot.on_slow = slow.append
    slot.open(seed=1, limits=LIMITS)
    assert len(slow) == 1


def test_a_second_session_in_good_order_is_served_by_the_same_zygote() -> None:
    slot, session = opened(ended(), started(8), ended(session=8))
    assert session.close() == m.Ended(session=FIRST, cause="closed")
    second = slot.open(seed=4, limits=LIMITS)
    assert second.close().session == 8
    assert (len(slot.started), slot.destroyed, slot.hello) == (1, 0, HELLO)


def test_a_session_that_is_still_open_is_closed_before_the_next() -> None:
    slot, _ = opened(ended(), started(8))
    slot.open(seed=4, limits=LIMITS)
    assert (FIRST, m.Close()) in slot.started[0].orders()


def test_after_so_many_sessions_a_slot_is_replaced() -> None:
    slot = Scripted(
        [said(HELLO), started(7), ended(session=7), started(8), ended(session=8)],
        [said(HELLO), started(9), ended(session=9), started(10)],
    )
    slot.recycle_after = 2
    for seed in range(4):
        slot.open(seed=seed, limits=LIMITS).close() if seed < 3 else slot.open(
            seed=seed, limits=LIMITS
        )
    assert (len(slot.started), slot.destroyed, slot.started[0].closed) == (2, 1, True)


def test_a_slot_of_single_use_is_destroyed_after_each_session() -> None:
    options = SlotOptions(isolation="single-use")
    slot = Scripted(
        [said(HELLO), started(7), ended(session=7)],
        [said(HELLO), started(8), ended(session=8)],
        options=options,
    )
    for seed in range(2):
        slot.open(seed=seed, limits=LIMITS).close()
        assert slot.gone
    assert len(slot.started) == 2


def test_a_slot_of_single_use_that_was_only_warmed_is_used() -> None:
    slot = Scripted([said(HELLO), started()], options=SlotOptions(isolation="single-use"))
    slot.wait_ready()
    slot.open(seed=1, limits=LIMITS)
    assert (len(slot.started), slot.destroyed) == (1, 0)


def test_a_slot_is_asked_for_a_session_only_once_it_was_started() -> None:
    with pytest.raises(InfrastructureError) as failed:
        Scripted()._require_link()
    assert failed.value.what == "the slot has not been started"


def test_a_hello_may_come_in_pieces_each_within_a_deadline_of_its_own() -> None:
    hello = said(HELLO)
    slot = Scripted([hello[: frames.FRAME.size], hello[frames.FRAME.size :]])
    assert slot.wait_ready() == HELLO
    first, second = slot.started[0].deadlines
    assert 0 < first <= LOOK_S < second <= LIFELESS_S


@pytest.mark.parametrize("waits_for", ["the hello", "the session"])
def test_a_start_is_judged_by_what_the_slot_uses_and_told_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, waits_for: str
) -> None:
    class Life:
        def __init__(self, used_s: Any) -> None:
            asked.append(used_s)

        def look(self) -> float:
            return 4.5

    asked: list[Any] = []
    slow: list[float] = []
    monkeypatch.setattr(stream, "Liveness", Life)
    hello = [b"", said(HELLO)] if waits_for == "the hello" else [said(HELLO), b""]
    slot = Scripted([*hello, started()])
    slot.on_slow = slow.append
    slot.open(seed=1, limits=LIMITS)
    assert asked == [slot.used_s, slot.used_s]
    assert slow == [4.5]


def test_an_order_may_take_as_long_as_a_slot_may_be_without_a_sign_of_life() -> None:
    slot = Scripted([said(HELLO), started()])
    slot.wait_ready()
    slot.started[0].deadlines.clear()
    slot.open(seed=1, limits=LIMITS)
    order, answer = slot.started[0].deadlines
    assert LIFELESS_S - 60 < order <= LIFELESS_S
    assert 0 < answer <= LOOK_S


# -- the beginning and the end of a session


def test_a_jail_that_can_not_be_closed_ends_the_session_and_the_slot() -> None:
    slot = Scripted([said(HELLO), said(m.Refused(session=FIRST, reason="no seccomp"))])
    with pytest.raises(InfrastructureError) as failed:
        slot.open(seed=1, limits=LIMITS)
    assert failed.value.what == "the jail could not be closed: no seccomp"
    assert failed.value.hint == "Run `grader doctor`, or use `--isolation single-use`."
    assert slot.gone


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the stream ended"),
        (started(8), "a frame of another session"),
        (ended(), "something else than the beginning of a session"),
        (sent(m.Value(value=1)), "something else than the beginning of a session"),
    ],
)
def test_what_is_no_beginning_of_a_session_loses_the_slot(answer: bytes, reason: str) -> None:
    slot = Scripted([said(HELLO), *([answer] if answer else [])])
    with pytest.raises(InfrastructureError) as failed:
        slot.open(seed=1, limits=LIMITS)
    assert failed.value.what == f"the sandbox went away: {reason}"
    assert failed.value.hint == "Run `grader doctor`; the batch can be continued."
    assert slot.gone


def test_a_beginning_that_is_given_up_loses_the_slot_with_the_reason() -> None:
    slot = Scripted([said(HELLO), b""])

    def too_slow(seconds: float) -> None:
        raise InfrastructureError("no sign of life")

    slot.wait_ready()
    slot.on_slow = too_slow
    with pytest.raises(InfrastructureError) as failed:
        slot.open(seed=1, limits=LIMITS)
    assert failed.value.what == "the sandbox went away: no sign of life"


def test_a_session_is_closed_once_and_says_again_how_it_ended() -> None:
    slot, session = opened(said(m.Ended(session=FIRST, cause="closed", cpu_s=1.5)))
    assert session.close() is session.close()
    assert session.close().cpu_s == 1.5
    assert [order for _, order in slot.started[0].orders()][1:] == [m.Close()]
    assert slot.hello == HELLO


@pytest.mark.parametrize("cause", ["killed", "exited", "signal", "memory", "disk"])
def test_a_session_that_ends_otherwise_than_it_was_told_takes_its_slot_with_it(
    cause: str,
) -> None:
    slot, session = opened(ended(cause))
    assert session.close().cause == cause
    assert slot.gone


def test_a_session_that_does_not_close_is_killed() -> None:
    slot, session = opened(b"", ended("killed"))
    assert session.close() == m.Ended(session=FIRST, cause="killed")
    assert [order for _, order in slot.started[0].orders()][1:] == [
        m.Close(),
        m.Kill(session=FIRST),
    ]
    assert slot.gone


def test_a_stream_that_ends_while_a_session_closes_counts_as_killed() -> None:
    slot, session = opened()
    assert session.close() == m.Ended(session=FIRST, cause="killed")
    assert slot.gone


def test_closing_is_waited_for_as_long_as_is_promised_and_no_longer() -> None:
    slot, session = opened(b"", b"")
    slot.started[0].deadlines.clear()
    session.close()
    waited = slot.started[0].deadlines  # sent, waited; killed, waited
    assert all(0 < seconds <= stream.CLOSE_S for seconds in waited[:2])
    assert all(stream.CLOSE_S < seconds <= stream.KILL_S for seconds in waited[2:])
    assert len(waited) == 4


# -- cells


def done(**more: Any) -> m.CellDone:
    return m.CellDone(**{"status": "ok", "execution_count": 99, "duration_s": 0.5, **more})


def test_a_cell_is_sent_and_what_came_of_it_is_kept() -> None:
    slot, session = opened(
        sent(m.Output(action="append", body=STREAM_OUTPUT)),
        sent(done(status="error", error="ZeroDivisionError", line=3)),
    )
    seen: list[CellResult] = []
    result = ran(session, on_output=seen.append)
    assert (result.status, result.error, result.line) == ("error", "ZeroDivisionError", 3)
    # The count is the judge's: the box may say any.
    assert (result.index, result.execution_count, result.duration_s) == (4, 4, 0.5)
    assert [output["text"] for output in result.outputs] == ["hello"]
    assert seen == [result]
    assert slot.started[0].orders()[-1] == (
        FIRST,
        m.RunCell(index=4, source="1 + 1", timeout_s=2.0, stop_output_at=1000),
    )


def test_a_line_below_zero_is_no_line() -> None:
    assert ran(opened(sent(done(line=-3)))[1]).line == 0


def test_what_came_before_a_cells_end_is_kept_when_it_takes_the_session_with_it() -> None:
    _, session = opened(
        sent(m.Output(action="append", body=STREAM_OUTPUT)), ended("exited", detail="status 3")
    )
    seen: list[CellResult] = []
    with pytest.raises(BoxCrashed) as crashed:
        ran(session, on_output=seen.append)
    assert crashed.value.what == "ended its own process (status 3)"
    assert [(one.status, len(one.outputs)) for one in seen] == [("killed", 1)]


def test_a_large_output_comes_beside_its_message() -> None:
    _, session = opened(sent(m.Output(action="append"), STREAM_OUTPUT), sent(done()))
    assert ran(session).outputs[0]["text"] == "hello"


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (STREAM_OUTPUT.ljust(300), True),
        (STREAM_OUTPUT.ljust(301), False),
        (STREAM_OUTPUT.replace(b"hello", b"{[{["), True),
        (STREAM_OUTPUT.replace(b"hello", b"{[{[{"), False),
    ],
)
def test_an_output_is_bounded_in_bytes_and_in_brackets(
    monkeypatch: pytest.MonkeyPatch, body: bytes, fits: bool
) -> None:
    monkeypatch.setattr(stream, "MAX_BODY", 300)
    monkeypatch.setattr(stream, "MAX_BRACKETS", 5)
    slot, session = opened(sent(m.Output(action="append"), body), sent(done()))
    if fits:
        assert len(ran(session).outputs) == 1
        return
    with pytest.raises(BoxOutputLimit):
        ran(session)
    assert slot.gone and session.forged is False


def test_an_output_that_is_none_ends_the_session_and_may_be_a_librarys_doing() -> None:
    slot, session = opened(sent(m.Output(action="append", body=b"nonsense")), ended("killed"))
    with pytest.raises(BoxCrashed) as crashed:
        ran(session)
    assert crashed.value.what == NO_MESSAGE
    assert slot.gone and session.forged is False


def test_another_message_within_a_cell_is_forged() -> None:
    slot, session = opened(sent(m.Value(value=1)), ended("killed"))
    with pytest.raises(BoxCrashed) as crashed:
        ran(session)
    assert session.forged and slot.gone
    with pytest.raises(BoxCrashed) as again:
        ran(session)
    assert again.value is crashed.value


def test_a_cell_that_is_late_is_told_with_its_own_limit() -> None:
    slot, session = opened(b"", ended("killed"))
    with pytest.raises(BoxTimeout, match="ran longer than 2 s"):
        ran(session)
    assert slot.gone


def test_outputs_are_kept_while_there_is_room_for_them_and_clearing_always_is() -> None:
    output = sent(m.Output(action="append", body=STREAM_OUTPUT))
    display = b'{"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}}'
    clear = sent(m.Output(action="clear"))
    shown = sent(m.Output(action="append", body=display))
    _, session = opened(output, shown, shown, clear, sent(done()), output, sent(done()))
    room = OutputRoom(2 * len(STREAM_OUTPUT) + len(display), 9)
    result = ran(session, room=room)
    # The third did not fit; what was there could still be cleared.
    assert room.is_full and result.outputs == []
    assert ran(session, room=room).outputs == []


def test_each_output_takes_its_bytes_and_its_place_from_the_room() -> None:
    class Noted(OutputRoom):
        def take(self, size: int, outputs: int) -> None:
            taken.append((size, outputs))

    taken: list[tuple[int, int]] = []
    beside = STREAM_OUTPUT.replace(b"stdout", b"stderr")
    _, session = opened(
        sent(m.Output(action="append", body=STREAM_OUTPUT)),
        sent(m.Output(action="append", body=STREAM_OUTPUT)),
        sent(m.Output(action="append"), beside),
        sent(done()),
    )
    ran(session, room=Noted(1000, 9))
    # The second is joined to the first.
    size = len(STREAM_OUTPUT)
    assert taken == [(size, 1), (size, 0), (size, 1)]


# -- requests


def test_a_request_has_its_reply_and_blobs() -> None:
    slot, session = opened(sent(m.Value(value=[1]), b"abc"))
    reply, blobs = session.request(FETCH)
    assert (reply, [bytes(blob) for blob in blobs]) == (m.Value(value=[1]), [b"abc"])
    assert slot.started[0].orders()[-1] == (FIRST, FETCH)


@pytest.mark.parametrize(
    ("answer", "kind", "what"),
    [
        (ended("memory"), BoxOutOfMemory, "used more memory than it may and was stopped"),
        (ended("exited", detail="status 3"), BoxCrashed, "ended its own process (status 3)"),
        (ended("signal"), BoxCrashed, "ended its own process"),
    ],
)
def test_a_session_that_ends_in_a_call_fails_it_and_all_that_follow(
    answer: bytes, kind: type[BoxFailure], what: str
) -> None:
    slot, session = opened(answer)
    for _ in range(2):
        with pytest.raises(kind) as failed:
            session.request(FETCH)
        assert failed.value.what == what
    assert slot.gone
    assert session.lease() is None


def test_a_call_that_is_late_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    slot, session = opened(b"", ended("killed"))
    with pytest.raises(BoxTimeout, match="ran longer than 1 s"):
        session.request(FETCH)
    orders = [type(order).__name__ for _, order in slot.started[0].orders()]
    assert orders == ["Spawn", "Fetch", "Kill"]
    assert slot.gone and session.forged is False


@pytest.mark.parametrize(
    ("last_words", "reason"),
    [("the engine was stopped", "the engine was stopped"), ("", "the stream ended")],
)
def test_a_stream_that_ends_in_a_call_is_the_engines_doing(last_words: str, reason: str) -> None:
    slot, session = opened()
    slot.last_words = last_words
    with pytest.raises(InfrastructureError) as failed:
        session.request(FETCH)
    assert failed.value.what == f"the sandbox went away: {reason}"
    assert slot.gone
    assert session.close() == m.Ended(session=FIRST, cause="killed")


def test_a_slot_that_was_ended_for_its_memory_is_the_submissions_doing() -> None:
    slot, session = opened()
    slot.out_of_memory = True
    with pytest.raises(BoxOutOfMemory) as failed:
        session.request(FETCH)
    assert failed.value.what == "used more memory than it may and was stopped"
    assert session.close() == m.Ended(session=FIRST, cause="memory")
    with pytest.raises(BoxOutOfMemory):
        ran(session)


# -- a stream that is lent


class Lent(StreamLease):
    """What a borrower leaves behind."""

    def __init__(self, torn: bool) -> None:
        self._torn = torn
        self.back: list[Position] = []

    @property
    def torn(self) -> bool:
        return self._torn

    def returned(self, position: Position) -> None:
        self.back.append(position)


HERE = Position(kind=frames.DATA, session=FIRST, left=0, held=b"", transport=OpenFrame())


def test_a_stream_that_comes_back_is_read_on_from_there() -> None:
    slot, session = opened()
    loan = Lent(torn=True)
    session.take_back(loan, HERE)
    assert loan.back == [HERE]
    assert slot.destroyed == 0


def test_a_borrower_that_is_gone_between_calls_costs_nothing() -> None:
    slot, session = opened()
    session.take_back(Lent(torn=False), None)
    assert slot.destroyed == 0


def test_a_borrower_that_is_gone_in_a_call_costs_the_slot() -> None:
    slot, session = opened()
    for attempt in (lambda: session.take_back(Lent(torn=True), None), lambda: ran(session)):
        with pytest.raises(BoxCrashed) as failed:
            attempt()
        assert failed.value.what == "the check ended in the middle of a call"
    assert slot.gone


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble(kind="late", text="ran long"), BoxTimeout),
        (Trouble(kind="much", text="ran long"), BoxOutputLimit),
        (Trouble(kind="malformed", text="ran long"), BoxCrashed),
    ],
)
def test_the_trouble_that_a_borrower_had_is_judged_here(
    trouble: Trouble, kind: type[BoxFailure]
) -> None:
    slot, session = opened(ended("killed"))
    with pytest.raises(kind) as failed:
        session.take_back(Lent(torn=False), HERE, trouble)
    assert failed.value.what == "ran long"
    assert slot.gone
    assert session.forged is trouble.forged


def test_broken_channels_keep_what_broke_them() -> None:
    _, session = opened(ended("memory"))
    with pytest.raises(BoxOutOfMemory) as failed:
        session.request(FETCH)
    assert isinstance(failed.value.__cause__, ChannelBroken)
