"""A session's stream in the hands of a forked process: what comes back, and what is lost."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from grader.sandbox.attached import AttachedTransport
from grader.sandbox.conversation import ChannelBroken, Conversation, StreamLease
from grader.sandbox.link import FrameLink, Position
from grader.sandbox.transport import SocketTransport
from grader.wire import frames
from grader.wire import messages as m

SESSION = 7
REPLY = frames.frame(frames.DATA, SESSION, b"".join(frames.message(m.Value(value=2))))
FETCH = m.Fetch(name="x", timeout_s=0.05)


@pytest.fixture
def ends() -> Iterator[tuple[Conversation, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Conversation(FrameLink(SocketTransport(ours)), SESSION, 1 << 20), theirs


def fresh_copy(conversation: Conversation, position: Position) -> Conversation:
    """What a lender has that did not move, brought to where the borrower is."""
    other = Conversation(conversation.link, SESSION, 1 << 20)
    other.link.resume(position)
    return other


def test_a_reply_leaves_the_stream_where_the_lender_still_is(
    ends: tuple[Conversation, socket.socket],
) -> None:
    conversation, box = ends
    loan = StreamLease(conversation)
    box.sendall(REPLY)
    assert loan.request(FETCH)[0] == m.Value(value=2)
    assert not loan.torn


def test_bytes_beyond_a_reply_go_back_with_the_stream(
    ends: tuple[Conversation, socket.socket],
) -> None:
    conversation, box = ends
    loan = StreamLease(conversation)
    box.sendall(REPLY + REPLY[:20])
    loan.request(FETCH)
    assert loan.torn  # a borrower that dies now leaves a stream that nobody can read on
    lender = fresh_copy(conversation, loan.position())
    box.sendall(REPLY[20:])
    assert lender.request(FETCH)[0] == m.Value(value=2)


def test_a_call_that_breaks_says_why_and_where_the_stream_is(
    ends: tuple[Conversation, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.sandbox.conversation.GRACE_S", 0.1)
    conversation, box = ends
    loan = StreamLease(conversation)
    begun = frames.FRAME.size + 3
    box.sendall(REPLY[:begun])
    with pytest.raises(ChannelBroken) as broken:
        loan.request(FETCH)
    assert broken.value.trouble.kind == "late"
    assert "ran longer than 0.05 s" in broken.value.trouble.text
    position = loan.position()
    assert position.left == len(REPLY) - begun
    loan.returned(position)
    assert not loan.torn


def test_outputs_that_keep_coming_do_not_put_off_a_calls_end(
    ends: tuple[Conversation, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.sandbox.conversation.GRACE_S", 0.2)
    conversation, box = ends
    output = b"".join(frames.message(m.Output(action="append", body=b"{}")))
    stop = threading.Event()

    def drip() -> None:  # for ever, as far as the call can see
        while not stop.wait(0.05):
            box.sendall(frames.frame(frames.DATA, SESSION, output))

    threading.Thread(target=drip, daemon=True).start()
    try:
        with pytest.raises(ChannelBroken) as broken:
            conversation.request(FETCH)
    finally:
        stop.set()
    assert broken.value.trouble.kind == "late"


def test_the_end_of_a_session_is_told_and_not_judged(
    ends: tuple[Conversation, socket.socket],
) -> None:
    conversation, box = ends
    parts = frames.message(m.Ended(session=SESSION, cause="memory"))
    box.sendall(frames.frame(frames.STATUS, SESSION, b"".join(parts)[8:]))
    with pytest.raises(ChannelBroken) as broken:
        StreamLease(conversation).request(FETCH)
    assert broken.value.trouble.ended == m.Ended(session=SESSION, cause="memory")
    assert not StreamLease.possible(conversation)


def test_a_borrower_that_is_killed_in_a_call_leaves_the_stream_torn(
    ends: tuple[Conversation, socket.socket],
) -> None:
    conversation, box = ends
    loan = StreamLease(conversation)
    pid = os.fork()
    if pid == 0:
        try:
            loan.request(m.Fetch(name="x", timeout_s=30.0))
        finally:
            os._exit(0)
    box.recv(4096)  # its request has come
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert loan.torn


def test_a_borrower_that_is_killed_between_calls_leaves_it_as_it_was(
    ends: tuple[Conversation, socket.socket],
) -> None:
    conversation, box = ends
    loan = StreamLease(conversation)
    box.sendall(REPLY)
    pid = os.fork()
    if pid == 0:
        loan.request(FETCH)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not loan.torn
    box.sendall(REPLY)
    assert conversation.request(FETCH)[0] == m.Value(value=2)


def test_the_engines_own_frames_are_part_of_the_position() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        transport = AttachedTransport(ours)
        theirs.sendall(b"\x01\0\0\0\0\0\0\x06abcdef")
        room = memoryview(bytearray(2))
        assert transport.receive_into(room, time.monotonic() + 60) == 2
        piece = transport.position()
        assert (piece.left, piece.held) == (4, b"cdef")
        other = AttachedTransport(ours)
        other.resume(piece)
        rest = memoryview(bytearray(9))
        assert bytes(rest[: other.receive_into(rest, time.monotonic() + 60)]) == b"cdef"
        other.close()
