"""Keeps a process of the desk running: starts it, and starts it again when it dies."""

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
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        *,
        hear: Callable[[bytes], None] = _pass_over,
        inherits: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._command = [sys.executable, "-m", module, *arguments]
        self._hear = hear
        self._inherits = tuple(inherits)
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
        with subprocess.Popen(
            self._command,
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
            for line in process.stdout:
                self._hear(line)
        return process.returncode
