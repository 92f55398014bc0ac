"""A zygote and its judge meet over a socket, or go the engine's way."""

from __future__ import annotations

import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE, run

import pytest

from grader.sandbox.rendezvous import ContainerTransport, Rendezvous
from grader.sandbox.transport import OpenFrame

STDOUT, STDERR = 1, 2
SPEAK = """
import os, sys
from grader.box.stream import to_judge
stream = to_judge(sys.argv[1])
print("printed")
os.write(stream.write, b"written to " + stream.kind.encode())
"""


def packed(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxI", kind, len(data)) + data


def soon() -> float:
    return time.monotonic() + 60


@pytest.fixture
def rendezvous() -> Iterator[Rendezvous]:
    found = Rendezvous.offer()
    assert found is not None
    yield found
    found.close()


@pytest.fixture
def engine(rendezvous: Rendezvous) -> Iterator[tuple[ContainerTransport, socket.socket]]:
    """The transport, and the engine's end of the attached streams."""
    ours, theirs = socket.socketpair()
    with theirs:
        transport = ContainerTransport(ours, rendezvous)
        yield transport, theirs
        transport.close()


def connected(rendezvous: Rendezvous) -> socket.socket:
    zygote = socket.socket(socket.AF_UNIX)
    zygote.connect(str(rendezvous.folder / rendezvous.name))
    return zygote


def received(transport: ContainerTransport, count: int = 100) -> bytes:
    buffer = memoryview(bytearray(count))
    return bytes(buffer[: transport.receive_into(buffer, soon())])


def met(rendezvous: Rendezvous, transport: ContainerTransport) -> socket.socket:
    zygote = connected(rendezvous)
    zygote.sendall(b"hello")
    assert received(transport) == b"hello"
    return zygote


def test_who_connects_is_heard_and_answered_and_nobody_after(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, theirs = engine
    zygote = connected(rendezvous)
    theirs.sendall(packed(STDOUT, b"what an engine says of stdout"))
    zygote.sendall(b"hello")
    assert received(transport) == b"hello"
    assert not rendezvous.folder.exists()
    assert not rendezvous.folder.parent.exists()
    with pytest.raises(OSError, match="No such file"):
        connected(rendezvous)
    transport.send(b"spawn", soon())
    assert zygote.recv(100) == b"spawn"
    assert transport.position() == OpenFrame()
    assert transport.can_be_shared
    zygote.close()
    assert received(transport) == b""


def test_who_connects_and_is_gone_before_it_is_met_is_an_end(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, _ = engine
    connected(rendezvous).close()
    assert received(transport) == b""


def test_who_speaks_on_stdout_is_heard_there_and_nobody_can_connect_any_more(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, theirs = engine
    theirs.sendall(packed(STDERR, b"a warning") + packed(STDOUT, b"hello"))
    assert received(transport) == b"hello"
    assert transport.last_words() == "a warning"
    with pytest.raises(OSError, match="No such file"):
        connected(rendezvous)
    transport.send(b"spawn", soon())
    assert theirs.recv(100) == b"spawn"


def test_who_has_connected_is_met_though_something_was_said_before(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, theirs = engine
    theirs.sendall(packed(STDERR, b"a warning"))
    zygote = connected(rendezvous)
    zygote.sendall(b"hello")
    assert received(transport) == b"hello"
    assert transport.last_words() == "a warning"


def test_who_mutters_before_it_connects_is_waited_for(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, theirs = engine
    theirs.sendall(packed(STDERR, b"a warning, ") + packed(STDERR, b"and another")[:12])

    def zygote() -> None:
        # Only once the muttering has been taken in is there more of it, and then the connection.
        while len(transport._attached.last_words) < len(b"a warning, "):
            time.sleep(0.001)
        theirs.sendall(packed(STDERR, b"and another")[12:])
        with connected(rendezvous) as end:
            end.sendall(b"hello")

    thread = threading.Thread(target=zygote)
    thread.start()
    assert received(transport) == b"hello"
    thread.join()
    assert transport.last_words() == "a warning, and another"


def test_many_words_on_stderr_hold_nobody_up_and_the_last_are_kept(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, theirs = engine
    zygote = met(rendezvous, transport)

    def speak() -> None:
        for number in range(200):
            theirs.sendall(packed(STDERR, b"word %05d\n" % number * 1_000))
        theirs.sendall(packed(STDERR, b"Traceback: the end"))
        theirs.shutdown(socket.SHUT_WR)
        zygote.sendall(b"done")

    speaker = threading.Thread(target=speak)
    speaker.start()
    assert received(transport) == b"done"
    speaker.join()
    words = transport.last_words()
    assert words.endswith("word 00199\nTraceback: the end")
    assert len(words) <= 4_000
    assert "\0" not in words


def test_the_end_of_the_attached_streams_is_not_the_end_of_the_socket(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, theirs = engine
    zygote = met(rendezvous, transport)
    theirs.close()
    with pytest.raises(TimeoutError):
        transport.receive_into(memoryview(bytearray(10)), time.monotonic() + 0.05)
    zygote.sendall(b"still here")
    assert received(transport) == b"still here"


@pytest.mark.parametrize("connects", [True, False])
def test_silence_ends_at_the_deadline(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket], connects: bool
) -> None:
    transport, _ = engine
    zygote = connected(rendezvous) if connects else None
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        transport.receive_into(memoryview(bytearray(10)), began + 0.1)
    assert time.monotonic() - began >= 0.1
    if zygote is not None:
        zygote.close()


def test_only_we_may_enter_and_nothing_else_is_there(rendezvous: Rendezvous) -> None:
    outer = rendezvous.folder.parent
    assert outer.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in outer.iterdir()] == [rendezvous.folder.name]
    assert [p.name for p in rendezvous.folder.iterdir()] == [rendezvous.name]


def test_a_container_of_another_user_may_connect_though_the_umask_is_strict() -> None:
    ask = (
        "import os; os.umask(0o077)\n"
        "from grader.sandbox.rendezvous import Rendezvous\n"
        "r = Rendezvous(); door = r.folder\n"
        "print(oct(door.stat().st_mode & 0o777), oct((door / r.name).stat().st_mode & 0o777))\n"
        "r.close()"
    )
    said = run([sys.executable, "-c", ask], stdout=PIPE, text=True, check=True).stdout
    assert said.split() == ["0o755", "0o666"]


def test_closing_leaves_nothing(
    rendezvous: Rendezvous, engine: tuple[ContainerTransport, socket.socket]
) -> None:
    transport, _ = engine
    assert rendezvous.folder.parent.exists()
    transport.close()
    transport.close()
    assert not rendezvous.folder.parent.exists()


def test_a_path_that_is_too_long_for_a_socket_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert Rendezvous.offer() is None
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "kind", "on_stdout"),
    [
        (lambda r: str(r.folder / r.name), "socket", ""),
        (lambda r: str(r.folder / "no-such-socket"), "standard", "written to standard"),
        (lambda r: "", "standard", "written to standard"),
    ],
)
def test_a_zygote_takes_the_socket_where_it_can_and_what_it_prints_is_in_no_stream(
    rendezvous: Rendezvous, path: Callable[[Rendezvous], str], kind: str, on_stdout: str
) -> None:
    done = run(
        [sys.executable, "-c", SPEAK, path(rendezvous)], capture_output=True, text=True, check=True
    )
    assert done.stdout == on_stdout
    assert done.stderr == "printed\n"
    met = rendezvous.meet()
    assert (met is not None) == (kind == "socket")
    if met is not None:
        with met:
            assert met.recv(100) == b"written to socket"
