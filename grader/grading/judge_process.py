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

import msgspec

from grader import errors
from grader.errors import GraderError, InfrastructureError
from grader.grading.job import BatchConfig, WorkerError
from grader.grading.timeouts import COLLECT_S
from grader.sandbox.liveness import Liveness, processor_s
from grader.wire.environment import BEFORE_FORKS

_WORDS = 2_000
_END_S = 120.0
"""How long a busy machine may take to destroy its slots, once there is nothing more to do."""


class JudgeProcess:
    """A judge's process and one connection to each of its workers.

    It dies with the thread that makes it: make it in one that lives as long as the batch.
    """

    def __init__(self, config: BatchConfig, workers: int) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.connections: list[Connection] = []
        theirs = []
        for _ in range(workers):
            ours, other = socket.socketpair()
            self.connections.append(Connection(ours.detach()))
            theirs.append(other)
        command = [sys.executable, "-B", "-m", "grader.grading.judge_main"]
        self._process = subprocess.Popen(
            [*command, str(os.getpid()), *(str(s.fileno()) for s in theirs)],
            pass_fds=[s.fileno() for s in theirs],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **BEFORE_FORKS, "PYTHONPATH": _import_path()},
            start_new_session=True,
        )
        self._life = Liveness(lambda: processor_s(self._process.pid))
        for other in theirs:
            other.close()
        try:
            self.connections[0].send_bytes(msgspec.msgpack.encode(config))
        except OSError:
            pass  # it has ended already, and says so on every connection

    def stop(self) -> None:
        """Tell the judge and its workers to stop now; each worker destroys its slot first."""
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            pass

    def finish(self) -> None:
        """Close the connections and wait: a worker ends when it has nothing more to do."""
        for connection in self.connections:
            connection.close()
        try:
            self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

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
        used = processor_s(self._process.pid)
        if collecting and used is not None and used > COLLECT_S:
            raise InfrastructureError(
                f"the judge's process has used {used:.0f} s of processor and its suite is not "
                "collected",
                hint="Look for work at the top of the suite or the reference.",
            )

    def never_ready(self) -> InfrastructureError:
        """The error of a judge that ended before its first worker was ready, with what it said."""
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
