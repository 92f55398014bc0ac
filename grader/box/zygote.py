"""The warm process of a slot: imports everything once, then only forks.

It holds no test, no token and no submission, ever. It speaks frames over its stdin and stdout or a
socket, and is the only one that writes them: what a child sends is payload.

    python -m grader.box.zygote --isolation warm|single-use|unsafe [--socket PATH]
                                [--processes N] [--memory counted] [--processors bounded|pinned]
                                [--scratch DIR] [--data DIR] [--preload training pictures errors]
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from grader.box import jail, linux
from grader.box.child import Serve, be_child
from grader.box.clearing import empty, kill_descendants
from grader.box.memory import MemoryWatch, resident
from grader.box.preloading import PRELOADS, warm_up
from grader.box.session import BoxSession, channel, widen, write_some
from grader.box.stream import JudgeStream, to_judge
from grader.wire import frames
from grader.wire import messages as m

READ = frames.MAX_FRAME
HIGH_WATER = 4 << 20
"""Bytes that wait for the judge before nothing more is read of a child: a notebook that prints for
ever waits for its reader, and does not fill the zygote's memory (attack exhaust/output-flood)."""
WATCH_MS = 50
"""How often memory is looked at. What a child takes in between is bounded by its address space
(`jail.set_limits`) and the slot's control group."""
REPORT_LIMIT = 2_000
JAIL_LIFELESS_S = 120.0
"""A child that has used no processor for so long closes no jail; a slow one is waited for."""


class Zygote:
    """Forks one jailed child at a time and carries its bytes to the judge and back."""

    def __init__(self, stream: JudgeStream, nest: jail.Nest, serve: Serve) -> None:
        self._nest = nest
        self._serve = serve
        self._in, self._out = stream.read, stream.write
        for end in (self._in, self._out):
            widen(end)
        self._inbox = bytearray()
        self._kind = self._number = self._left = 0
        self._outbox: deque[memoryview] = deque()
        self._outbox_size = 0
        self._session: BoxSession | None = None
        self._poll = select.poll()
        self._polled: list[tuple[int, int]] = []
        self._look_at = 0.0
        """When to look next whether the session lives and what memory it uses."""
        # poll(2) is begun again after a handler (PEP 475): only a descriptor ends the wait when a
        # child dies. It must not block: a full pipe wakes as well.
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        if sys.platform == "linux":
            # A grandchild whose parent ends comes to this process, not to init (prctl(2)): one that
            # forks twice and lives on is found, and killed with its session (attack
            # forge/programs-that-outlive).
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
            # Where the child has no pid namespace of its own (single-use), it must not be able
            # to open /proc/1/fd or trace this process and write frames of its own: what is not
            # dumpable belongs to root there (proc(5), ptrace(2); attacks
            # forge/frames-of-the-zygote, steal/processes-of-the-slot).
            linux.prctl(linux.PR_SET_DUMPABLE, 0)

    def run(self, hello: m.Hello) -> None:
        """Serve until the judge closes the stream."""
        self._status(frames.NO_SESSION, hello)
        while self._turn():
            pass
        if self._session is not None:
            self._kill("killed", "the judge went away")

    def _turn(self) -> bool:
        session = self._session
        wanted = self._wanted(session)
        if wanted != self._polled:
            self._poll = select.poll()
            for descriptor, events in wanted:
                self._poll.register(descriptor, events)
            self._polled = wanted
        ready = dict(self._poll.poll(WATCH_MS if session is not None else None))
        if self._in in ready and not self._read_judge():
            return False
        if self._wake in ready:
            os.read(self._wake, 4096)
            self._look_at = 0.0  # a process has ended
        if self._outbox:
            self._write_judge()
        if session is not None and self._session is session:
            self._tend(session, ready)
        return True

    def _wanted(self, session: BoxSession | None) -> list[tuple[int, int]]:
        """What to wait for: descriptors and events."""
        wanted = [(self._in, select.POLLIN), (self._wake, select.POLLIN)]
        if self._outbox:
            wanted.append((self._out, select.POLLOUT))
        if session is not None and session.started:
            events = select.POLLOUT if session.pending else 0
            events |= select.POLLIN if self._outbox_size < HIGH_WATER else 0
            wanted.append((session.channel, events))
        elif session is not None:
            wanted.append((session.report, select.POLLIN))
        return wanted

    def _tend(self, session: BoxSession, ready: dict[int, int]) -> None:
        if not session.started:
            self._hear_report(session, session.report in ready)
            return
        if session.channel in ready:
            session.write()
            if ready[session.channel] & (select.POLLIN | select.POLLHUP) and not self._read_child(
                session
            ):
                self._reap(session)
                return
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + WATCH_MS / 1000
        if session.memory.exceeded(session.pid):
            self._kill("memory", f"more than {session.limits.memory_bytes >> 20} MB")
        elif session.gone():
            self._reap(session)

    # -- the judge's side

    def _read_judge(self) -> bool:
        try:
            data = os.read(self._in, READ)
        except BlockingIOError:
            return True
        if not data:
            return False
        rest = memoryview(data)
        while rest:
            rest = self._take(rest)
        session = self._session
        if session is not None and session.started:
            session.write()
        return True

    def _take(self, data: memoryview) -> memoryview:
        """Take in the rest of the frame that has begun, or a header; return what follows.

        What is for the child goes to it piece by piece: no frame is put together here, so that a
        large one costs no memory. Of a session that is over the rest is dropped by its number: the
        judge may have sent it before it heard.
        """
        if not self._left:
            missing = frames.FRAME.size - len(self._inbox)
            self._inbox += data[:missing]
            if len(self._inbox) == frames.FRAME.size:
                self._kind, self._number, self._left = frames.FRAME.unpack(self._inbox)
                self._inbox.clear()
            return data[missing:]
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        if self._kind == frames.CONTROL:
            self._inbox += piece
            if not self._left:
                order = frames.unpack(bytes(self._inbox), m.Control)
                self._inbox.clear()
                self._obey(order)
        elif self._kind == frames.DATA:
            session = self._session
            if session is not None and session.number == self._number:
                session.pending.append(piece)
        return rest

    def _obey(self, order: m.Control) -> None:
        session = self._session
        if isinstance(order, m.Spawn):
            self._spawn(order)
        elif session is not None and session.number == order.session:
            self._kill("killed", order.reason)

    def _write_judge(self) -> None:
        self._outbox_size -= write_some(self._out, self._outbox)

    def _send(self, kind: int, number: int, payload: bytes) -> None:
        header = frames.FRAME.pack(kind, number, len(payload))
        parts = [header + payload] if len(payload) <= frames.SMALL else [header, payload]
        for part in parts:
            self._outbox.append(memoryview(part))
            self._outbox_size += len(part)
        self._write_judge()

    def _status(self, number: int, status: m.Status) -> None:
        self._send(frames.STATUS, number, msgspec.msgpack.encode(status))

    # -- the child's side

    def _spawn(self, order: m.Spawn) -> None:
        if self._session is not None:  # never two: the second could meet what is the first's
            self._kill("killed", "a new session was asked for")
        ours, theirs = channel()
        report, write = os.pipe()
        memory = MemoryWatch(
            order.limits.memory_bytes,
            counted=self._nest.counted,
            private=self._nest.private,
        )
        session = self._session = BoxSession(order.session, ours, report, order.limits, memory)
        try:
            session.pid = self._fork()
        except OSError as error:
            os.close(theirs)
            os.close(write)
            self._refuse(session, f"{type(error).__name__}: {error}")
            return
        if session.pid == 0:
            be_child(
                theirs,
                write,
                nest=self._nest,
                seed=order.seed,
                limits=order.limits,
                serve=self._serve,
            )
        # Held here, too, they would never say that the child is gone.
        for end in (theirs, write):
            os.close(end)
        os.set_blocking(report, False)

    def _fork(self) -> int:
        """Process 1 of new namespaces, where there are any: with it ends all that it started."""
        return linux.fork_into(jail.NAMESPACES) if self._nest.namespaces else os.fork()

    def _hear_report(self, session: BoxSession, ready: bool) -> None:
        """Hear whether the child has closed its jail."""
        if not ready:
            if session.lifeless_s() > JAIL_LIFELESS_S:
                what = f"the child has used no processor for {JAIL_LIFELESS_S:g} s"
                self._refuse(session, f"{what}, and its jail is not closed")
            return
        data = os.read(session.report, REPORT_LIMIT)
        session.said += data
        # Written before the child has seen a byte of the notebook, on a pipe that it then closes:
        # no notebook can say that its jail is closed.
        line, whole, _ = session.said.decode("utf-8", "replace").partition("\n")
        word, _, text = line.partition(" ")
        if whole and word == "refused":
            self._refuse(session, text)
        elif whole and word == "ready":
            self._begin(session, float(text))
        elif not data:
            self._refuse(session, "the child ended before its jail was closed")

    def _begin(self, session: BoxSession, milliseconds: float) -> None:
        try:
            session.memory.start(session.pid)
        except OSError as error:
            self._refuse(session, f"its memory can't be watched: {error}")
            return
        os.close(session.report)
        session.started = True
        self._status(session.number, m.Started(session=session.number, jail_ms=milliseconds))
        session.write()

    def _refuse(self, session: BoxSession, reason: str) -> None:
        os.close(session.report)
        os.close(session.channel)
        self._end_processes(session)
        self._session = None
        self._status(session.number, m.Refused(session=session.number, reason=reason[:1000]))

    def _read_child(self, session: BoxSession) -> bool:
        try:
            data = os.read(session.channel, READ)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if data:
            self._send(frames.DATA, session.number, data)
        return bool(data)

    def _kill(self, cause: Any, detail: str) -> None:
        session = self._session
        if session is None:
            return
        session.cause, session.detail = cause, detail
        self._reap(session)

    def _reap(self, session: BoxSession) -> None:
        """See to it that nothing of the session lives, send its last bytes, say that it ended."""
        alive = not session.gone()
        if alive and session.cause == "exited":
            session.cause = "closed"  # it closed its channel in good order, or is told to
        status, usage_s, peak = self._end_processes(session)
        # Only now, when nobody writes any more: there is an end to what is left, and the judge has
        # all of it before it hears that the session ended.
        while self._outbox_size < HIGH_WATER and session.started and self._read_child(session):
            pass
        if session.cause in ("exited", "closed") and status is not None:
            session.explain(status)
        os.close(session.channel)
        self._session = None
        self._status(
            session.number,
            m.Ended(
                session=session.number,
                cause=session.cause,
                detail=session.detail[:500],
                cpu_s=usage_s,
                wall_s=time.monotonic() - session.began,
                peak_memory_bytes=max(session.memory.peak, peak - session.memory.resident_at_start),
            ),
        )

    def _end_processes(self, session: BoxSession) -> tuple[int | None, float, int]:
        """Kill the child and all that it started; return its status, CPU seconds, peak bytes."""
        grace = time.monotonic() + (0.5 if session.cause == "closed" else 0.0)
        while session.pid and time.monotonic() < grace and not session.gone():
            time.sleep(0.002)
        if session.pid:
            # Process 1 of a pid namespace takes all the others with it (pid_namespaces(7)); where
            # there is none, its group goes, and then whoever has left the group.
            for target in (session.pid, -session.pid):
                try:
                    os.kill(target, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
        if not self._nest.namespaces:
            kill_descendants()
        found: tuple[int | None, float, int] = (None, 0.0, 0)
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            try:
                # -1: orphans, too. None may be left to the next session, of whose limits it takes.
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                time.sleep(0.001)
            elif pid == session.pid:
                unit = 1 if sys.platform == "darwin" else 1024
                found = (status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)
        session.pid = 0
        session.memory.close()
        if self._nest.scratch != jail.Nest.scratch:
            empty(Path(self._nest.scratch))
        return found


def main() -> None:
    """Warm up, say hello, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--isolation", choices=("warm", "single-use", "unsafe"), required=True)
    parser.add_argument("--socket", default="", help="of the judge; else stdin and stdout")
    parser.add_argument("--processes", type=int, default=0, help="at most, where nothing counts")
    parser.add_argument("--memory", choices=("counted", "watched"), default="watched")
    parser.add_argument("--processors", choices=("bounded", "pinned", "shared"), default="shared")
    parser.add_argument("--scratch", default=jail.Nest.scratch)
    parser.add_argument("--data", default=jail.Nest.data)
    parser.add_argument("--preload", nargs="*", choices=PRELOADS, default=PRELOADS)
    options = parser.parse_args()
    began = time.monotonic()
    stream = to_judge(options.socket)
    if options.processes:
        resource.setrlimit(resource.RLIMIT_NPROC, (options.processes, options.processes))
    serve, versions = warm_up(options.preload)
    nest = jail.Nest(
        namespaces=options.isolation == "warm",
        filter=options.isolation != "unsafe",
        counted=options.memory == "counted",
        pinned=options.processors == "pinned",
        scratch=options.scratch,
        data=options.data,
    )
    hello = m.Hello(
        pid=os.getpid(),
        isolation=options.isolation,
        packages=versions,
        jail={
            "namespaces": str(nest.namespaces),
            "seccomp": str(nest.filter),
            "memory": options.memory,
            "processors": options.processors,
        },
        warm_s=time.monotonic() - began,
        resident_bytes=resident(os.getpid()),
        stream=stream.kind,
    )
    Zygote(stream, nest, serve).run(hello)


if __name__ == "__main__":
    main()
