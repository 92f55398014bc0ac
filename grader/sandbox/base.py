"""What every sandbox offers: slots that stay warm, sessions that serve one submission.

Who calls it: `grading.worker` keeps one `Slot` and opens a `Session` for each submission;
`suite.plugin` does the same for plain pytest; `sandbox.doctor` opens sessions to try each promise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from grader.sandbox.conversation import StreamLease, Trouble
from grader.sandbox.link import Position
from grader.sandbox.outputs import OutputRoom
from grader.wire import messages as m
from grader.wire.kinds import Blob

Isolation = Literal["warm", "single-use", "unsafe"]
SandboxName = Literal["docker", "local", "user", "unsafe"]

Preload = Literal["training", "pictures", "errors"]
ALL_PRELOADS: tuple[Preload, ...] = ("training", "pictures", "errors")


@dataclass(frozen=True, kw_only=True)
class SlotOptions:
    """What a slot needs to know before it starts."""

    data: Path | None = None
    """Read-only folder that the notebook sees as ./data."""
    isolation: Isolation = "warm"
    memory_bytes: int = 1 << 30
    disk_bytes: int = 256 << 20
    processes: int = 128
    cpus: float = 1.0
    threads: int = 1
    gpu: bool | str = False
    """False, or the device that this slot has alone (an index, a UUID or a CDI name)."""
    image: str | None = None
    """Docker only: the image to run."""
    preloads: tuple[Preload, ...] = ALL_PRELOADS
    """What is loaded before a session, beside what all need; the rest is when it is used."""
    runtime: str = ""
    """Docker only: the engine's runtime, such as `runsc`; empty is the engine's default."""


@dataclass(kw_only=True)
class CellResult:
    """What came of one cell. `outputs` are nbformat v4 output dicts, still untrusted.

    `line` is where in the cell it raised, 0 where that is not known; `waited_s` for how much of
    `duration_s` it had no processor; all untrusted too.
    """

    index: int
    status: Literal["ok", "error", "timeout", "output_limit", "killed"]
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    duration_s: float = 0.0
    waited_s: float = 0.0
    error: str = ""
    line: int = 0


class Session(ABC):
    """One submission's stay in a box."""

    forged = False
    """Whether it ended over what the notebook itself wrote into the channel to the judge."""

    @abstractmethod
    def run_cell(
        self,
        source: str,
        *,
        index: int,
        timeout_s: float,
        output_bytes: int,
        room: OutputRoom | None = None,
        on_output: Callable[[CellResult], None] | None = None,
    ) -> CellResult:
        """Run a cell and gather its outputs, those that `room` has room for.

        Raises:
            BoxFailure: the session ended under it; `on_output` has seen what came before.
            InfrastructureError: the slot is gone, through no doing of the submission.
        """

    @abstractmethod
    def request(
        self, request: m.Request, blobs: Sequence[Blob] = ()
    ) -> tuple[m.Reply, list[memoryview]]:
        """Send one request and wait for its reply, at most its time limit and a grace.

        Returns the reply and the blobs that its value tree refers to.

        Raises:
            BoxFailure: see `run_cell`.
            InfrastructureError: see `run_cell`.
        """

    def lease(self) -> StreamLease | None:
        """Let a process that is forked now make the requests; None where that can't be."""
        return None

    def take_back(
        self, loan: StreamLease, position: Position | None, trouble: Trouble | None = None
    ) -> None:
        """Go on where the borrower stopped.

        Args:
            loan: what was lent.
            position: of the stream; None of a borrower that is gone without a word.
            trouble: why it stopped, if it was not through.

        Raises:
            BoxFailure: see `run_cell`; that is what the trouble was.
            InfrastructureError: see `run_cell`.
        """
        raise AssertionError("this session lends nothing")

    @abstractmethod
    def close(self) -> m.Ended:
        """End the session and all that it started. Never raises a `BoxFailure`."""


class Slot(ABC):
    """A warm place that serves sessions, one at a time."""

    on_slow: Callable[[float], None] = staticmethod(lambda seconds: None)
    """Told now and then, while a start is waited for, how long it has taken so far."""

    @abstractmethod
    def start(self) -> None:
        """Begin to start; returns before the slot is warm (so that slots warm side by side)."""

    @abstractmethod
    def wait_ready(self) -> m.Hello:
        """Wait until the zygote is warm.

        Raises:
            InfrastructureError: it can't be started here: why, and what to do.
        """

    @abstractmethod
    def open(self, *, seed: int, limits: m.Limits) -> Session:
        """Start a session. The slot replaces its container first when it has to."""

    @abstractmethod
    def stop(self) -> None:
        """Destroy the slot and everything in it. Safe to call twice and after a crash."""
