"""A real zygote whose sessions do what the judge's own requests tell them, to the byte.

A request carries a *script*: a list of steps as JSON. So a test decides from outside what a hostile
notebook writes into its channel and when, and knows what each session may have said: whatever a
session says names that session's seed.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import struct
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from grader.box import jail
from grader.box.memory import descendants
from grader.box.stream import JudgeStream
from grader.box.zygote import Zygote
from grader.sandbox.attached import AttachedTransport
from grader.sandbox.base import SlotOptions
from grader.sandbox.stream import StreamSlot
from grader.sandbox.transport import SocketTransport, Transport
from grader.wire import frames
from grader.wire import messages as m

FORGED = "FORGED"
HONEST = [["reply"]]
LIMITS = m.Limits(
    memory_bytes=2 << 30, reply_bytes=1 << 18, processes=512, open_files=256, cpu_s=3_600
)
PATIENT_S = 60.0
"""For what must succeed, on a machine that is busy."""
_NEVER_S = 600.0


def script(steps: Any) -> str:
    """Steps as a request carries them."""
    return json.dumps(steps)


class Child:
    """One session's process, which does what it is told."""

    def __init__(self, channel: int, seed: int, number: int, before: list[int]) -> None:
        self._socket = socket.socket(fileno=channel)
        self._socket.setblocking(True)
        self._seed = seed
        self._number = number
        self._before = before
        self._at_close: list[Any] = []

    def serve(self) -> None:
        """Until the judge says close, or a step ends it."""
        while True:
            request, _, _ = frames.read_message(self._exactly, m.Request, limit=1 << 24)
            if isinstance(request, m.Close):
                self._do(self._at_close, request)
                return
            text = request.source if isinstance(request, m.RunCell) else request.name
            self._do(json.loads(text), request)

    def _exactly(self, size: int) -> memoryview:
        buffer = memoryview(bytearray(size))
        got = 0
        while got < size:
            count = self._socket.recv_into(buffer[got:])
            if not count:
                os._exit(0)
            got += count
        return buffer

    def _do(self, steps: list[Any], request: m.Request) -> None:
        for step in steps:
            self._step(step[0], step[1:], request)

    def _step(self, what: str, rest: list[Any], request: m.Request) -> None:
        match what:
            case "reply":
                self._write(self._reply(isinstance(request, m.RunCell)))
            case "sleep":
                time.sleep(rest[0])
            case "stall":
                time.sleep(_NEVER_S)
            case "exit":
                os._exit(rest[0])
            case "close":
                self._socket.shutdown(socket.SHUT_RDWR)
            case "flood":
                unit = self._bytes(rest) * 64
                while True:
                    self._write(unit)
            case "fork":
                if os.fork() == 0:
                    self._do(rest[0], request)
                    os._exit(0)
            case "at close":
                self._at_close = rest[0]
            case "forever":
                while True:
                    self._do(rest[0], request)
            case "together":  # in one piece, that the zygote puts no header of its own between
                self._write(b"".join(map(self._bytes, rest[0])))
            case _:
                self._write(self._bytes([what, *rest]))

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            os._exit(0)

    def _reply(self, of_cell: bool) -> bytes:
        if of_cell:
            return message(m.CellDone(status="ok", execution_count=1, duration_s=float(self._seed)))
        return message(m.Value(value=[self._seed, "honest"]))

    def _bytes(self, step: list[Any]) -> bytes:
        """What the step writes: bytes as they are, a message's head, a message, or a frame."""
        match step:
            case ["raw", text]:
                return bytes.fromhex(text)
            case ["head", tree, blobs]:
                return struct.pack(">II", tree, blobs)
            case ["message", name]:
                return self._message(name)
            case ["frame", kind, whose, name]:
                number = self._named(whose)
                body = self._status(name, number) if kind == frames.STATUS else self._message(name)
                return frames.FRAME.pack(kind, number, len(body)) + body
            case ["header", kind, whose, length]:
                return frames.FRAME.pack(kind, self._named(whose), length)
        raise ValueError(step)

    def _named(self, whose: str) -> int:
        known = {"own": self._number, "none": 0, "first": 1, "next": self._number + 1}
        earlier = self._before[-1] if self._before else 2
        return known.get(whose, earlier) % frames.SESSIONS

    def _message(self, name: str) -> bytes:
        made: dict[str, msgspec.Struct] = {
            "value": m.Value(value=[self._seed, FORGED]),
            "raised": m.Raised(type="E", text=f"{self._seed} {FORGED}"),
            "done": m.CellDone(status="ok", execution_count=1, duration_s=float(self._seed)),
            "output": m.Output(action="append", body=self._output()),
            "no output": m.Output(action="append", body=b"[]"),
            "other": m.Missing(name=f"{self._seed} {FORGED}"),
        }
        return message(made[name])

    def _output(self) -> bytes:
        stream = {"output_type": "stream", "name": "stdout", "text": f"{self._seed}\n"}
        return json.dumps(stream).encode()

    def _status(self, name: str, number: int) -> bytes:
        made: dict[str, msgspec.Struct] = {
            "ended": m.Ended(session=number, cause="closed", detail=FORGED, cpu_s=424_242.0),
            "memory": m.Ended(session=number, cause="memory", detail=FORGED),
            "started": m.Started(session=number, jail_ms=-7.0),
            "refused": m.Refused(session=number, reason=FORGED),
        }
        return msgspec.msgpack.encode(made[name])


def message(tree: msgspec.Struct) -> bytes:
    """A whole message."""
    return b"".join(bytes(part) for part in frames.message(tree))


class ScriptedSlot(StreamSlot):
    """A zygote in a forked process; its children are jailed as those of the unsafe sandbox are."""

    def __init__(self, *, attached: bool = False) -> None:
        super().__init__(SlotOptions(isolation="warm"))
        self._attached = attached
        self._pids: list[int] = []
        self._folder = Path(tempfile.mkdtemp(prefix="grader-scripted-"))
        self.connections = 0

    def connect(self) -> Transport:
        """Fork the zygote; its bytes come as they are, or in the engine's pieces."""
        self.connections += 1
        ours, theirs = socket.socketpair()
        self._fork(theirs, self._be_zygote)
        if not self._attached:
            return SocketTransport(ours)
        outer, inner = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            close_all_but(inner.fileno(), ours.fileno())
            be_engine(inner, ours)
        self._pids.append(pid)
        ours.close()
        inner.close()
        return AttachedTransport(outer)

    def _fork(self, theirs: socket.socket, be: Any) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                close_all_but(theirs.fileno())
                os.setsid()
                be(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self._pids.append(pid)

    def _be_zygote(self, sock: socket.socket) -> None:
        end = sock.detach()
        before: list[int] = []

        def serve(channel: int, seed: int, limits: m.Limits) -> None:
            session = zygote._session
            assert session is not None  # the child's own copy: a notebook can read it as well
            Child(channel, seed, session.number, before).serve()

        scratch = self._folder / str(os.getpid())
        scratch.mkdir()
        nest = jail.Nest(namespaces=False, filter=False, scratch=str(scratch), data="/nonexistent")
        stream = JudgeStream(end, os.dup(end), "socket")
        for each in (stream.read, stream.write):
            os.set_blocking(each, False)
        zygote = Zygote(stream, nest, serve)
        spawn = zygote._spawn

        def noted(order: m.Spawn) -> None:
            spawn(order)
            before.append(order.session)

        zygote._spawn = noted  # type: ignore[method-assign]
        zygote.run(
            m.Hello(
                pid=os.getpid(),
                isolation="warm",
                packages={},
                jail={},
                warm_s=0.0,
                resident_bytes=0,
            )
        )

    def destroy(self) -> None:
        """Kill the zygote with all that it started."""
        pids, self._pids = self._pids, []
        for pid in [each for top in pids for each in (top, *descendants(top))]:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)

    def why_gone(self) -> str:
        """Nothing is known."""
        return ""

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def close_all_but(*kept: int) -> None:
    """As a program that is started anew: what else this process has open would be held open."""
    for number in (int(entry.name) for entry in list(Path("/proc/self/fd").iterdir())):
        if number > 2 and number not in kept:
            with suppress(OSError):
                os.close(number)


def be_engine(judge: socket.socket, zygote: socket.socket) -> None:
    """Carry bytes as an engine does that attaches a container's streams; never returns.

    Output comes in pieces of no size in particular, with words of the stderr in between.
    """
    try:
        turn = 0
        while True:
            ready, _, _ = select.select([judge, zygote], [], [])
            if judge in ready:
                data = judge.recv(1 << 16)
                if not data:
                    os._exit(0)
                zygote.sendall(data)
            if zygote in ready:
                turn += 1
                data = zygote.recv((1, 5, 13, 70, 1 << 16)[turn % 5])
                if not data:
                    os._exit(0)
                judge.sendall(struct.pack(">BxxxI", 1, len(data)) + data)
                if turn % 7 == 0:
                    words = frames.FRAME.pack(frames.STATUS, 1, 3) + b"abc"
                    judge.sendall(struct.pack(">BxxxI", 2, len(words)) + words)
    finally:
        os._exit(0)
