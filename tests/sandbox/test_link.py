"""Frames of a stream: whatever a payload holds and wherever a reader stops, it is no header."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.sandbox.attached import AttachedTransport
from grader.sandbox.link import FrameLink
from grader.sandbox.transport import OpenFrame, ReadAhead, SocketTransport, Transport
from grader.wire import frames
from grader.wire import messages as m

NOW = 0.0
SESSION = (1 << 63) + 5


class Chunks(Transport):
    """Bytes that come in pieces, between which nothing comes in time."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def receive_into(self, view: memoryview, deadline: float) -> int:
        if not self._chunks:
            return 0
        chunk = self._chunks.pop(0)
        if not chunk:
            raise TimeoutError
        count = min(len(view), len(chunk))
        view[:count] = chunk[:count]
        if chunk[count:]:
            self._chunks.insert(0, chunk[count:])
        return count

    def send(self, data: Any, deadline: float) -> None:
        raise AssertionError("nothing is sent")

    def close(self) -> None:
        pass


def patiently(read: Callable[[], Any]) -> Any:
    """Try again after each deadline that passes."""
    while True:
        try:
            return read()
        except TimeoutError:
            continue


def status(session: int, cause: Any = "closed") -> bytes:
    body = msgspec.msgpack.encode(m.Ended(session=session, cause=cause))
    return frames.frame(frames.STATUS, session, body)


headers = st.builds(
    lambda kind, session, length: frames.FRAME.pack(kind, session, length),
    st.integers(0, 4),
    st.sampled_from([0, 1, 2, SESSION]),
    st.sampled_from([0, 1, 17, frames.MAX_FRAME, (1 << 32) - 1]),
)
payloads = st.lists(st.binary(max_size=30) | headers | st.just(status(SESSION)), max_size=5).map(
    b"".join
)


@given(
    sent=st.lists(payloads, min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 200), max_size=12),
    reads=st.lists(st.integers(0, 60), min_size=6, max_size=6),
    late=st.lists(st.booleans(), min_size=13, max_size=13),
)
@settings(max_examples=400, deadline=None)
def test_a_header_is_a_header_wherever_the_reader_stopped_and_was_late(
    sent: list[bytes], cuts: list[int], reads: list[int], late: list[bool]
) -> None:
    stream = b"".join(frames.frame(frames.DATA, n, p) for n, p in enumerate(sent))
    places = sorted({0, len(stream), *(c for c in cuts if c < len(stream))})
    chunks: list[bytes] = []
    for number, (a, b) in enumerate(itertools.pairwise(places)):
        chunks += [b""] * late[number] + [stream[a:b]]
    link = FrameLink(Chunks(chunks))
    for number, payload in enumerate(sent):
        frame = patiently(lambda: link.next_frame(NOW))
        assert (frame.kind, frame.session, frame.left) == (frames.DATA, number, len(payload))
        wanted = min(reads[number], len(payload))
        room = memoryview(bytearray(wanted))
        rest = room
        while rest:
            rest = rest[patiently(lambda f=frame, r=rest: f.into(r, NOW)) :]
        assert bytes(room) == payload[:wanted]
    with pytest.raises(EOFError):
        patiently(lambda: link.next_frame(NOW))


def test_what_is_left_of_a_payload_is_never_read_as_a_header() -> None:
    forged = status(SESSION, "memory")
    link = FrameLink(Chunks([frames.frame(frames.DATA, SESSION, b"x" * 8 + forged), status(7)]))
    frame = link.next_frame(NOW)
    frame.into(memoryview(bytearray(8)), NOW)
    following = link.next_frame(NOW)
    assert following.status(NOW) == m.Ended(session=7, cause="closed")
    assert frame.left == 0


def test_after_bytes_that_are_no_frame_there_is_no_frame() -> None:
    link = FrameLink(Chunks([b"\x09" * frames.FRAME.size, status(SESSION)]))
    for _ in range(2):
        with pytest.raises(EOFError, match="no frame"):
            link.next_frame(NOW)
    other = FrameLink(Chunks([status(SESSION)]))
    other.resume(link.position())
    with pytest.raises(EOFError, match="no frame"):
        other.next_frame(NOW)


@pytest.mark.parametrize(
    "header",
    [
        frames.FRAME.pack(frames.CONTROL, 1, 0),
        frames.FRAME.pack(0, 1, 0),
        frames.FRAME.pack(frames.DATA, 1, frames.MAX_FRAME + 1),
        frames.FRAME.pack(frames.STATUS, 1, frames.MAX_STATUS + 1),
    ],
)
def test_a_header_that_no_zygote_writes_is_the_end(header: bytes) -> None:
    with pytest.raises(EOFError, match="no frame"):
        FrameLink(Chunks([header + bytes(40)])).next_frame(NOW)


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x80", status(8)[frames.FRAME.size :]])
def test_a_status_that_is_none_or_of_another_session_is_the_end(payload: bytes) -> None:
    link = FrameLink(Chunks([frames.frame(frames.STATUS, 7, payload)]))
    with pytest.raises(EOFError):
        link.next_frame(NOW).status(NOW)


def test_the_largest_status_is_read_though_it_comes_in_pieces() -> None:
    room = frames.MAX_STATUS - len(msgspec.msgpack.encode(m.Ended(session=7, cause="exited"))) - 2
    said = m.Ended(session=7, cause="exited", detail="x" * room)
    body = msgspec.msgpack.encode(said)
    assert len(body) == frames.MAX_STATUS
    whole = frames.frame(frames.STATUS, 7, body)
    link = FrameLink(Chunks([whole[:9], b"", whole[9:5_000], b"", whole[5_000:]]))
    frame = patiently(lambda: link.next_frame(NOW))
    assert patiently(lambda: frame.status(NOW)) == said


def test_a_status_whose_payload_is_late_is_not_lost() -> None:
    whole = status(7)
    link = FrameLink(Chunks([whole[: frames.FRAME.size + 2], b"", whole[frames.FRAME.size + 2 :]]))
    with pytest.raises(TimeoutError):
        link.next_frame(NOW).status(NOW)
    assert link.next_frame(NOW).status(NOW) == m.Ended(session=7, cause="closed")
    with pytest.raises(EOFError):
        link.next_frame(NOW)


def test_a_position_keeps_the_part_of_a_header_that_had_come() -> None:
    whole = frames.frame(frames.DATA, 7, b"abc")
    chunks = [whole[:5], b"", whole[5:]]
    first = FrameLink(Chunks(chunks))
    with pytest.raises(TimeoutError):
        first.next_frame(NOW)
    position = first.position()
    assert position.held == whole[:5]
    assert not first.at_rest
    second = FrameLink(Chunks(chunks))
    second.resume(position)
    assert second.next_frame(NOW).left == 3


def test_a_status_that_is_still_to_come_is_what_comes_next_in_other_hands_too() -> None:
    whole = status(7)
    chunks = [whole[: frames.FRAME.size], whole[frames.FRAME.size :]]
    first = FrameLink(Chunks(chunks))
    assert first.next_frame(NOW).kind == frames.STATUS
    assert first.position().kind == frames.STATUS
    second = FrameLink(Chunks(chunks))
    second.resume(first.position())
    assert second.next_frame(NOW).status(NOW) == m.Ended(session=7, cause="closed")


def test_a_payload_that_is_half_read_is_read_on_in_other_hands() -> None:
    chunks = [frames.frame(frames.DATA, 7, b"abcdef")]
    first = FrameLink(Chunks(chunks))
    first.next_frame(NOW).into(memoryview(bytearray(2)), NOW)
    second = FrameLink(Chunks(chunks))
    second.resume(first.position())
    rest = memoryview(bytearray(9))
    assert (second.frame.kind, second.frame.session, second.frame.left) == (frames.DATA, 7, 4)
    assert bytes(rest[: second.frame.into(rest, NOW)]) == b"cdef"


class Sent(Transport):
    """Keeps what is sent, and until when it may take."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, float]] = []

    def receive_into(self, view: memoryview, deadline: float) -> int:
        raise AssertionError("nothing is read")

    def send(self, data: Any, deadline: float) -> None:
        self.sent.append((bytes(data), deadline))

    def close(self) -> None:
        pass


def test_a_payload_is_sent_in_frames_small_ones_in_one_piece() -> None:
    transport = Sent()
    large = bytes(range(251)) * (frames.MAX_FRAME // 251 + 300)
    small = bytes(frames.SMALL)
    parts = [large, small, small + b"x", b""]
    FrameLink(transport).send(frames.DATA, SESSION, parts, 5.0)

    def header(length: int) -> bytes:
        return frames.FRAME.pack(frames.DATA, SESSION, length)

    first, rest = large[: frames.MAX_FRAME], large[frames.MAX_FRAME :]
    assert [data for data, _ in transport.sent] == [
        header(len(first)),
        first,
        header(len(rest)),
        rest,
        header(len(small)) + small,
        header(len(small) + 1),
        small + b"x",
    ]
    assert {deadline for _, deadline in transport.sent} == {5.0}


def test_an_order_is_one_frame_of_its_session() -> None:
    transport = Sent()
    order = m.Kill(session=SESSION)
    FrameLink(transport).control(order, 5.0)
    assert transport.sent == [
        (frames.frame(frames.CONTROL, SESSION, msgspec.msgpack.encode(order)), 5.0)
    ]


def test_a_stream_that_ends_says_so() -> None:
    link = FrameLink(Chunks([frames.frame(frames.DATA, 7, b"abc")[:-1]]))
    with pytest.raises(EOFError) as over:
        link.next_frame(NOW).drop(NOW)
    assert str(over.value) == "the stream ended"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\xc1", "a status that is none"),
        (status(8)[frames.FRAME.size :], "a status of another session than its frame"),
    ],
)
def test_a_status_that_is_worth_nothing_says_why(payload: bytes, why: str) -> None:
    link = FrameLink(Chunks([frames.frame(frames.STATUS, 7, payload)]))
    with pytest.raises(EOFError) as over:
        link.next_frame(NOW).status(NOW)
    assert str(over.value) == why


def test_a_frame_from_before_a_resume_reads_nothing_any_more() -> None:
    link = FrameLink(Chunks([frames.frame(frames.DATA, 7, b"abcdef")]))
    frame = link.next_frame(NOW)
    link.resume(link.position())
    assert frame.left == 0
    assert link.frame.left == 6


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_reading_ahead_gives_all_or_nothing(chunks: list[bytes], size: int) -> None:
    late = [part for chunk in chunks for part in (chunk, b"")]
    ahead = ReadAhead(Chunks(late).receive_into)
    whole = b"".join(chunks)
    got = b""
    while True:
        try:
            got += bytes(patiently(lambda: ahead.take(size, NOW)))
        except EOFError:
            break
    assert got == whole[: len(whole) // size * size]
    assert ahead.held == whole[len(got) :]


def engine(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@given(
    pieces=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=6),
    cut=st.integers(0, 400),
)
@settings(max_examples=100, deadline=None)
def test_the_engines_headers_are_read_whole_though_a_deadline_passes_in_one(
    pieces: list[tuple[int, bytes]], cut: int
) -> None:
    raw = b"".join(engine(stream, data) for stream, data in pieces)
    wanted = b"".join(data for stream, data in pieces if stream == 1)
    ours, theirs = socket.socketpair()
    with theirs:
        transport = AttachedTransport(ours)
        got = b""
        for part in (raw[:cut], raw[cut:]):
            theirs.sendall(part)
            try:
                while True:
                    room = memoryview(bytearray(7))
                    got += bytes(room[: transport.receive_into(room, time.monotonic())])
            except TimeoutError:
                pass
        transport.close()
    assert got == wanted


@pytest.mark.parametrize("stream", [0, 3, 9])
def test_what_the_engine_says_itself_is_no_output_of_the_zygote(stream: int) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        transport = AttachedTransport(ours)
        theirs.sendall(engine(stream, status(SESSION)))
        with pytest.raises(EOFError):
            transport.receive_into(memoryview(bytearray(9)), time.monotonic() + 60)
        transport.close()


def test_a_socket_at_its_end_is_an_end_within_a_frame_too() -> None:
    ours, theirs = socket.socketpair()
    link = FrameLink(SocketTransport(ours))
    theirs.sendall(frames.frame(frames.DATA, 7, b"abcdef")[:-2])
    theirs.close()
    frame = link.next_frame(time.monotonic() + 60)
    with pytest.raises(EOFError):
        frame.drop(time.monotonic() + 60)
    assert link.position().transport == OpenFrame()
    ours.close()
