"""How far `grader validate` is with the notebooks that it tries, on stderr."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader.cli.output import console


class StepProgress:
    """A bar on a terminal, a line for each step where stderr is piped; a context manager."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._console = console(err=True)
        self._bar: Progress | None = None

    def __enter__(self) -> StepProgress:
        if self._console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
            )
            self._bar = Progress(
                *columns,
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.start()
            self._bar.add_task(self._what, total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def done(self, done: int, total: int, name: str) -> None:
        """Tell that one more step is done."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, description=name)
        else:
            self._console.print(f"[{done}/{total}] {self._what}: {name}", soft_wrap=True)
