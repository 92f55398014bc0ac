"""The judge's process with its workers, as whoever started it sees them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

import msgspec

from grader import errors
from grader.errors import GraderError, InfrastructureError
from grader.grading.job import BatchConfig, WorkerError
from grader.grading.keeping.kept import KeptJudge, take
from grader.grading.timeouts import COLLECT_S
from grader.sandbox.liveness import Liveness, processor_s
from grader.wire.environment import BEFORE_FORKS

_WORDS = 2_000
_END_S = 120.0
"""How long a busy machine may take to destroy its slots, once there is nothing more to do."""


class JudgeProcess:
    """A judge's process and one connection to each of its workers.

    It dies with the thread that makes it: make it in one that lives as long as the batch. Where
    the setting has `keep`, it is a judge that has stayed, if one fits; and it stays at the end.
    """

    def __init__(self, config: BatchConfig, workers: int) -> None:
        if workers > 1 or not config.alone:
            config = msgspec.structs.replace(config, keep="")
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._told: socket.socket | None = None
        self.connections: list[Connection] = []
        self._kept: KeptJudge | None = take(config)
        if self._kept is not None:
            self._pid = self._kept.pid
            self.connections = [self._kept.connection]
        else:
            self._pid = self._start(config, workers)
        self._life = Liveness(lambda: processor_s(self._pid))

    @property
    def has_stayed(self) -> bool:
        """Whether it is one that an earlier command has left."""
        return self._kept is not None

    def _start(self, config: BatchConfig, workers: int) -> int:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        theirs = []
        for _ in range(workers):
            ours, other = socket.socketpair()
            self.connections.append(Connection(ours.detach()))
            theirs.append(other)
        if config.keep:
            self._told, other = socket.socketpair()
            theirs.append(other)
        # -P: nothing is imported from the working directory, in which a student's files may lie.
        command = [sys.executable, "-B", "-P", "-m", "grader.grading.judge_main"]
        self._process = subprocess.Popen(
            [*command, str(os.getpid()), *(str(s.fileno()) for s in theirs)],
            pass_fds=[s.fileno() for s in theirs],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **BEFORE_FORKS, "PYTHONPATH": _import_path()},
            start_new_session=True,
        )
        for other in theirs:
            other.close()
        try:
            self.connections[0].send_bytes(msgspec.msgpack.encode(config))
        except OSError:
            pass  # it has ended already, and says so on every connection
        return self._process.pid

    def stop(self) -> None:
        """Tell the judge and its workers to stop now; each worker destroys its slot first."""
        if self._kept is not None:
            self._kept.stop()
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            pass

    def finish(self) -> None:
        """Close the connections and wait: a worker ends when it has nothing more to do."""
        for connection in self.connections:
            connection.close()
        if self._kept is not None:
            self._kept.finish()
        if self._process is None or self._log is None:
            return
        if self._stays():
            self._process.returncode = 0  # it is nobody's child from now on
            self._log.close()
            return
        try:
            self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def has_ended(self) -> bool:
        """Whether nothing of it is left but to `finish` it."""
        return all(c.closed for c in self.connections) and self._has_exited()

    def _has_exited(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _stays(self) -> bool:
        """Whether it waits for the next command now; it says so, or ends."""
        if self._told is None:
            return False
        with self._told as told:
            told.settimeout(_END_S)
            try:
                return bool(told.recv(1))
            except OSError:
                return False

    def look(self, *, collecting: bool) -> None:
        """Look whether it shows signs of life while it collects its suite or its slots warm up.

        Raises:
            InfrastructureError: it does not, or collects for ever.
        """
        try:
            self._life.look()
        except InfrastructureError as error:
            raise InfrastructureError(
                f"the judge's process hangs: {error.what}",
                hint="See whether it was stopped, or waits for something that does not come.",
            ) from error
        used = processor_s(self._pid)
        if collecting and used is not None and used > COLLECT_S:
            raise InfrastructureError(
                f"the judge's process has used {used:.0f} s of processor and its suite is not "
                "collected",
                hint="Look for work at the top of the suite or the reference.",
            )

    def never_ready(self) -> InfrastructureError:
        """The error of a judge that ended before its first worker was ready, with what it said."""
        words = ""
        if self._log is not None:
            self._log.seek(0)
            words = self._log.read()[-_WORDS:].decode("utf-8", "replace").strip()
        return InfrastructureError(
            f"the judge's process ended before it was ready. {words}".strip(),
            hint="Run `grader doctor`.",
        )


def raised(message: WorkerError) -> GraderError:
    """The error that a worker has sent, as the same kind of error here."""
    kind = getattr(errors, message.error, InfrastructureError)
    if not (isinstance(kind, type) and issubclass(kind, GraderError)):
        kind = InfrastructureError
    return kind(message.what, where=message.where or None, hint=message.hint or None)


def _import_path() -> str:
    import grader

    own = str(Path(grader.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH", "")
    return f"{own}{os.pathsep}{inherited}" if inherited else own
