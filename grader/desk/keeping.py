"""Keeps a process of the desk running: starts it, and starts it again when it dies or hangs."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

LOG = logging.getLogger("grader.desk")
AFTER_HANG = "--after-hang"
"""Told to a process that is started in the place of one that hung."""
BEGINS_S = 300.0
_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 15.0)
_LIVED_S = 60.0
_END_S = 30.0


def _pass_over(line: bytes) -> None:
    pass


class Kept:
    """One process of ours, `python -m MODULE ARGUMENTS`, as long as this one lives.

    Args:
        name: what people call it.
        module, arguments: of the command.
        hear: given what it writes to standard output, line by line, in a thread.
        inherits: descriptors that it gets.
        silent_s: one that has written nothing for so long hangs, and is killed; None: it may.
            Until the first line it has `BEGINS_S`, or that if it is longer.
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        *,
        hear: Callable[[bytes], None] = _pass_over,
        inherits: Sequence[int] = (),
        silent_s: float | None = None,
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", module, *arguments]
        self._hear = hear
        self._inherits = tuple(inherits)
        self._silent_s = silent_s
        self._heard = 0.0
        self._has_hung = False
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process, and a thread that looks after it."""
        self._thread.start()

    def stop(self) -> None:
        """Have the process end in order."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(_END_S)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set():
                return
            # One that was killed is wanted at once; one that can't start is tried less and less.
            failed = code > 0 and time.monotonic() - began < _LIVED_S
            failures = failures + 1 if failed else 0
            wait_s = _AGAIN_S[min(failures, len(_AGAIN_S) - 1)]
            LOG.error("%s ended (%d); it is started again in %.1f s", self.name, code, wait_s)
            self._stopping.wait(wait_s)

    def _run_once(self) -> int:
        """Run the process until it ends; return its exit code, below 0 for a signal."""
        self.starts += 1
        began = self._heard = time.monotonic()
        with subprocess.Popen(
            [*self._command, *([AFTER_HANG] if self._has_hung else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            pass_fds=self._inherits,
            start_new_session=True,
        ) as process:
            self._process = process
            if self._stopping.is_set():
                process.send_signal(signal.SIGTERM)
            assert process.stdout is not None  # noqa: S101 - it was asked for
            self._has_hung = False
            if self._silent_s is not None:
                watch = (process, began, self._silent_s)
                threading.Thread(target=self._watch, args=watch, daemon=True).start()
            for line in process.stdout:
                self._heard = time.monotonic()
                self._hear(line)
        return process.returncode

    def _watch(self, process: subprocess.Popen[bytes], began: float, silent_s: float) -> None:
        """Kill the process once it hangs: whatever it waits for, it heeds no other signal."""
        while process.poll() is None:
            silent = time.monotonic() - self._heard
            if silent > (max(silent_s, BEGINS_S) if self._heard == began else silent_s):
                LOG.error("%s hangs: it has said nothing for %.0f s", self.name, silent)
                self._has_hung = True
                process.kill()
                return
            time.sleep(min(silent_s / 4, 5.0))
