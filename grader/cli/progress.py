"""How a batch goes: a bar on a terminal, plain lines where stderr is piped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from grader.cli.output import console, plain
from grader.points import show

if TYPE_CHECKING:
    from grader.grading.progress import Progress as Told
    from grader.grading.verdict import Verdict
    from grader.intake.collected import RefusedHandIn
    from grader.sandbox.choose import Choice


TENTHS = 10
SHOWN = 3
"""Submissions that are named at once; the others are counted."""


@dataclass
class Running:
    """A submission that is being run, and where it is."""

    began: float = field(default_factory=time.monotonic)
    cell: int = 0
    cells: int = 0

    def told(self, student: str, now: float) -> str:
        """Such as `ada (cell 3 of 12, 4 s)`."""
        place = f"cell {self.cell} of {self.cells}, " if self.cells else ""
        return f"{student[:20]} ({place}{now - self.began:.0f} s)"


class BatchProgress:
    """Tells on stderr what a batch does; use as a context manager."""

    def __init__(self, assignment: str) -> None:
        self._assignment = assignment
        self._console = console(err=True)
        self._bar: Progress | None = None
        self._running: dict[str, Running] = {}
        self._total = self._done = self._slots = 0
        self._began = time.monotonic()

    def __enter__(self) -> BatchProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self) -> Told:
        """The callbacks for `grader.api.grade`."""
        from grader.grading.progress import Progress as Told

        return Told(
            chosen=self._chosen,
            planned=self._planned,
            warm=self._warm,
            begun=self._begun,
            cell=self._cell,
            stopping=self._stopping,
            judged=self._judged,
            refused=self._refused,
            warned=lambda warning: self._say(f"Note: {warning}"),
        )

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def _chosen(self, choice: Choice) -> None:
        self._say(f"Sandbox: {choice.sandbox}, {choice.isolation} ({choice.why})")
        if choice.sandbox == "unsafe":
            self._console.print("No sandbox: these notebooks can read what you can.", style="red")

    def _planned(self, to_run: int, reused: int) -> None:
        self._total, self._began = to_run, time.monotonic()
        kept = f", {reused} unchanged" if reused else ""
        self._say(f"{self._assignment}: {to_run} to run{kept}")
        if to_run and self._console.is_terminal:
            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                _RunningColumn(self),
                console=self._console,
                transient=True,
                redirect_stdout=False,  # rich would obey what is printed there
                redirect_stderr=False,
            )
            self._bar.start()
            self._bar.add_task("", total=to_run)

    def _warm(self, slots: int) -> None:
        self._slots = slots

    def _begun(self, student: str) -> None:
        self._running[student] = Running()

    def _cell(self, student: str, cell: int, cells: int) -> None:
        if student in self._running:
            self._running[student].cell, self._running[student].cells = cell, cells

    def _stopping(self) -> None:
        self._say(
            "Stopping: what runs is finished and kept. Press Ctrl-C again to stop at once; "
            "what is done is kept, and the same command continues."
        )

    def running(self) -> str:
        """Who is being run, where they are and for how long."""
        now = time.monotonic()
        told = [place.told(student, now) for student, place in list(self._running.items())]
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        if told:
            return ", ".join(told[:SHOWN]) + more
        return "" if self._slots else "warming up"

    def _judged(self, verdict: Verdict) -> None:
        self._running.pop(verdict.student, None)
        self._done += 1
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
        else:
            points = f"{show(verdict.points)} of {show(verdict.max_points)}"
            said = points if verdict.outcome == "graded" else f"{verdict.outcome}: {verdict.reason}"
            self._say(f"[{self._done}/{self._total}] {verdict.student}: {said}{self._left()}")

    def _refused(self, refused: RefusedHandIn) -> None:
        self._say(f"Refused: {refused.source}: {refused.reason}")

    def _left(self) -> str:
        """When the rest will be done, said now and then: after each tenth of a batch."""
        left = self._total - self._done
        if not left or self._total < 2 * TENTHS or self._done % (self._total // TENTHS):
            return ""
        seconds = (time.monotonic() - self._began) / self._done * left
        return f" ({left} left, about {_duration(seconds)})"


class _RunningColumn(ProgressColumn):
    """Asked by the bar whenever it draws itself, so that seconds go on counting."""

    def __init__(self, shown: BatchProgress) -> None:
        super().__init__()
        self._shown = shown

    def render(self, task: Task) -> Text:
        """Plain text: a student's name is no markup."""
        running = plain(self._shown.running())
        running.overflow, running.no_wrap = "ellipsis", True
        return running


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
