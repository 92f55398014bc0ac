"""A zygote as a process of this machine: what the local and the unsafe slot share."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.errors import InfrastructureError
from grader.sandbox.base import SlotOptions
from grader.sandbox.liveness import processor_s
from grader.sandbox.owners import own_folder
from grader.sandbox.stream import StreamSlot
from grader.sandbox.transport import SocketTransport, Transport

OWN_PROCESSES = 32
"""What a slot itself may have of processes and threads, where the kernel counts all together."""
_LAST_WORDS = 2_000
_END_S = 10.0
"""How long a process that was killed, or whose stream has ended, may take to be gone."""


class ProcessSlot(StreamSlot):
    """A slot whose zygote is a child process, reached over a socket pair."""

    def __init__(self, options: SlotOptions) -> None:
        super().__init__(options)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @abstractmethod
    def command(self, folder: Path) -> tuple[list[str], dict[str, str]]:
        """The command that becomes the zygote, and its environment; `folder` is its own."""

    def credentials(self, folder: Path) -> dict[str, Any]:
        """More arguments of `Popen`: whose process it is; ours, unless a slot says otherwise."""
        return {}

    def connect(self) -> Transport:
        """Start the process with both ends of its standard streams on one socket."""
        self._folder = own_folder()
        folder = Path(self._folder.name)
        Path(folder, "root").mkdir()
        ours, theirs = socket.socketpair()
        arguments, environment = self.command(folder)
        try:
            with theirs, Path(folder, "log").open("wb") as log:
                self._process = subprocess.Popen(
                    arguments,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                    **self.credentials(folder),
                )
        except (OSError, subprocess.SubprocessError) as error:
            ours.close()
            raise InfrastructureError(f"a process could not be started: {error}") from error
        return SocketTransport(ours)

    def destroy(self) -> None:
        """Kill the process with all that it started and remove its folder."""
        process, self._process = self._process, None
        if process is not None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
            with suppress(subprocess.TimeoutExpired):  # killed, and not yet out of the kernel
                process.wait(timeout=_END_S)
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def why_gone(self) -> str:
        """The process's exit code, if it has ended, and last words."""
        if self._process is None or self._folder is None:
            return ""
        log = Path(self._folder.name, "log")
        try:
            code = self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            return log.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace").strip()
        words = log.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace").strip()
        return f"its process ended with code {code}. {words}".strip()

    def used_s(self) -> float | None:
        """As the kernel counts it for the process and all below it."""
        return None if self._process is None else processor_s(self._process.pid)
