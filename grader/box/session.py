"""What the zygote knows of its one child, and how it came to its end."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import deque
from typing import Any

from grader.box.memory import MemoryWatch
from grader.wire import messages as m

BUFFER = 1 << 20


class Session:
    """What the zygote knows of its one child."""

    def __init__(self, number: int, channel: int, report: int, limits: m.Limits) -> None:
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
        self.memory = MemoryWatch(limits.memory_bytes)

    def write(self) -> None:
        """Give the child what waits for it, as far as it takes it."""
        while self.pending:
            try:
                sent = os.write(self.channel, self.pending[0])
            except BlockingIOError:
                return
            except OSError:  # it has closed its end; its death comes next
                self.pending.clear()
                return
            if sent == len(self.pending[0]):
                self.pending.popleft()
            else:
                self.pending[0] = self.pending[0][sent:]

    def gone(self) -> bool:
        """Whether the child has ended, waited for or not."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        try:
            result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # alive, and not ours until the process between us has ended
            return False
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


def channel() -> tuple[int, int]:
    """A pair of sockets: the zygote's end, which never blocks, and the child's."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    ours.setblocking(False)
    return ours.detach(), theirs.detach()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
