"""What the zygote knows of its one child, and how it came to its end."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from typing import Any

from grader.box.memory import MemoryWatch, processor_ticks
from grader.wire import messages as m

BUFFER = 1 << 20
_LOOK_S = 1.0


class BoxSession:
    """What the zygote knows of its one child."""

    def __init__(
        self, number: int, channel: int, report: int, limits: m.Limits, memory: MemoryWatch
    ) -> None:
        self.number = number
        self.channel = channel
        self.report = report
        self.limits = limits
        self.pid = 0
        self.said = b""
        self.started = False
        self.cause: Any = "exited"
        self.detail = ""
        self.began = time.monotonic()
        self.pending: deque[memoryview] = deque()
        self.memory = memory
        self._ticks = -1
        self._looked = self._lived = self.began

    def write(self) -> None:
        """Give the child what waits for it, as far as it takes it."""
        try:
            write_some(self.channel, self.pending)
        except OSError:  # it has closed its end; its death comes next
            self.pending.clear()

    def lifeless_s(self) -> float:
        """For how long the child has used no processor: on a busy machine it is slow, and does."""
        now = time.monotonic()
        if now - self._looked > _LOOK_S:
            self._looked, ticks = now, processor_ticks(self.pid)
            if ticks != self._ticks:
                self._ticks, self._lived = ticks, now
        return now - self._lived

    def gone(self) -> bool:
        """Whether the child has ended, waited for or not."""
        try:
            result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return result is not None

    def explain(self, status: int) -> None:
        """Say why it ended, from the status that was waited for."""
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            self.cause, self.detail = "closed", ""
        elif code > 0:
            self.cause, self.detail = "exited", f"exit code {code}"
        elif -code == signal.SIGKILL and self.memory.killed_by_kernel():
            self.cause, self.detail = "memory", "the kernel ended it for the memory it used"
        else:
            self.cause, self.detail = "signal", _signal_name(-code)


def write_some(descriptor: int, waiting: deque[memoryview]) -> int:
    """Write of what waits as much as a descriptor takes without blocking; how many bytes."""
    written = 0
    while waiting:
        try:
            sent = os.write(descriptor, waiting[0])
        except BlockingIOError:
            break
        written += sent
        if sent == len(waiting[0]):
            waiting.popleft()
        else:
            waiting[0] = waiting[0][sent:]
    return written


def channel() -> tuple[int, int]:
    """A pair of sockets: the zygote's end, which never blocks, and the child's."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    ours.setblocking(False)
    return ours.detach(), theirs.detach()


def widen(descriptor: int) -> None:
    """Let a pipe, if it is one, hold a megabyte: large tensors take fewer turns through it."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, BUFFER)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
