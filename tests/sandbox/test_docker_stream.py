"""The bytes of a container's attached streams, as the engine packs them."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.attached import AttachedTransport
from grader.sandbox.transport import SocketTransport, Transport

STDOUT, STDERR = 1, 2


@pytest.fixture
def ends() -> Iterator[tuple[AttachedTransport, socket.socket]]:
    ours, theirs = socket.socketpair()
    with theirs:
        transport = AttachedTransport(ours)
        yield transport, theirs
        transport.close()


def packed(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxI", kind, len(data)) + data


def write_all(sock: socket.socket, stream: bytes, cut: int) -> None:
    with sock:
        for start in range(0, len(stream), cut):
            sock.sendall(stream[start : start + cut])


def read_all(transport: AttachedTransport, piece: int) -> bytes:
    found = bytearray()
    while True:
        buffer = memoryview(bytearray(piece))
        count = transport.receive_into(buffer, time.monotonic() + 60)
        if not count:
            return bytes(found)
        found += buffer[:count]


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from((STDOUT, STDERR)), st.binary(max_size=300)), max_size=20
    ),
    piece=st.integers(1, 400),
    cut=st.integers(1, 50),
)
def test_what_was_written_to_stdout_comes_out_however_it_was_cut(
    pieces: list[tuple[int, bytes]], piece: int, cut: int
) -> None:
    ours, theirs = socket.socketpair()
    transport = AttachedTransport(ours)
    stream = b"".join(packed(kind, data) for kind, data in pieces)
    writer = threading.Thread(target=write_all, args=(theirs, stream, cut))
    writer.start()
    assert read_all(transport, piece) == b"".join(d for kind, d in pieces if kind == STDOUT)
    writer.join()
    words = b"".join(d for kind, d in pieces if kind == STDERR)
    assert bytes(transport.last_words) == words[-2_000:]
    transport.close()


def test_endless_words_on_stderr_take_no_memory(
    ends: tuple[AttachedTransport, socket.socket],
) -> None:
    transport, theirs = ends
    for _ in range(20):
        theirs.sendall(packed(STDERR, b"x" * 10_000))
        theirs.sendall(packed(STDOUT, b"y"))
        buffer = memoryview(bytearray(10))
        assert transport.receive_into(buffer, time.monotonic() + 60) == 1
    assert len(transport.last_words) <= 2_000


def test_silence_ends_at_the_deadline(ends: tuple[AttachedTransport, socket.socket]) -> None:
    transport, theirs = ends
    theirs.sendall(b"\x01\0\0")  # half a header
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        transport.receive_into(memoryview(bytearray(10)), began + 0.1)
    assert time.monotonic() - began >= 0.1


def test_a_container_that_does_not_read_ends_the_send_at_the_deadline(
    ends: tuple[AttachedTransport, socket.socket],
) -> None:
    transport, _ = ends
    with pytest.raises(TimeoutError):
        transport.send(b"x" * (64 << 20), time.monotonic() + 0.1)


@pytest.mark.parametrize("transport_of", [AttachedTransport, SocketTransport])
def test_what_is_sent_arrives_whole_though_it_is_read_slowly(
    transport_of: Callable[[socket.socket], Transport],
) -> None:
    data = bytes(range(256)) * (4 << 10)
    ours, theirs = socket.socketpair()
    with theirs, ThreadPoolExecutor(1) as other:
        transport = transport_of(ours)
        sent = other.submit(transport.send, data, time.monotonic() + 60)
        time.sleep(0.05)
        found = bytearray()
        while len(found) < len(data):
            found += theirs.recv(1 << 16)
        sent.result()
        assert found == data
        transport.close()
