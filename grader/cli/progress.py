"""How a batch goes: a bar on a terminal, plain lines where stderr is piped."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from grader.points import show

if TYPE_CHECKING:
    from grader.api.grading import Progress as Watchers
    from grader.grading.verdict import Verdict
    from grader.intake.collect import Refused
    from grader.sandbox.choose import Choice


class BatchProgress:
    """Tells on stderr what a batch does; use as a context manager."""

    def __init__(self, assignment: str) -> None:
        self._assignment = assignment
        self._console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._running: list[str] = []
        self._total = self._done = 0

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

    def progress(self) -> Watchers:
        """The callbacks for `grader.api.grade`."""
        from grader.api.grading import Progress as Watchers

        return Watchers(
            chosen=self._chosen,
            planned=self._planned,
            warm=self._warm,
            begun=self._begun,
            judged=self._judged,
            refused=self._refused,
            warned=lambda warning: self._say(f"Note: {warning}"),
        )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def _chosen(self, choice: Choice) -> None:
        self._say(f"Sandbox: {choice.sandbox}, {choice.isolation} ({choice.why})")
        if choice.sandbox == "unsafe":
            self._console.print("No sandbox: these notebooks can read what you can.", style="red")

    def _planned(self, to_run: int, reused: int) -> None:
        self._total = to_run
        kept = f", {reused} unchanged" if reused else ""
        self._say(f"{self._assignment}: {to_run} to run{kept}")
        if to_run and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._bar.add_task("warming up", total=to_run)

    def _warm(self, slots: int) -> None:
        self._describe("" if self._running else "warm")

    def _begun(self, student: str) -> None:
        self._running.append(student)
        self._describe()

    def _judged(self, verdict: Verdict) -> None:
        if verdict.student in self._running:
            self._running.remove(verdict.student)
        self._done += 1
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
            self._describe()
        else:
            points = f"{show(verdict.points)} of {show(verdict.max_points)}"
            said = points if verdict.outcome == "graded" else f"{verdict.outcome}: {verdict.reason}"
            self._say(f"[{self._done}/{self._total}] {verdict.student}: {said}")

    def _refused(self, refused: Refused) -> None:
        self._say(f"Refused: {refused.source}: {refused.reason}")

    def _describe(self, text: str = "") -> None:
        if self._bar is not None:
            shown = text or ", ".join(self._running[:3])
            self._bar.update(self._bar.task_ids[0], description=shown[:40])
