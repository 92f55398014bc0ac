"""Who is told how grading goes: one interface, from a worker's news to a line on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.grading.verdict import Verdict
    from grader.intake.collected import RefusedHandIn
    from grader.sandbox.choose import Choice


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Each is called in the thread that drives the work; whoever cares for one names it.

    `chosen`, `refused` and `planned` come before the first submission is run. `warm` says how many
    slots are. `begun` may come again for a submission whose worker was lost. `judged` comes when
    the verdict has been taken, so that what was told of is kept. `warned` is told what the work
    goes on without, and what is slow.
    """

    chosen: Callable[[Choice], None] = lambda choice: None
    refused: Callable[[RefusedHandIn], None] = lambda refused: None
    planned: Callable[[int, int], None] = lambda to_run, reused: None
    warm: Callable[[int], None] = lambda slots: None
    begun: Callable[[str], None] = lambda student: None
    cell: Callable[[str, int, int], None] = lambda student, cell, cells: None
    judged: Callable[[Verdict], None] = lambda verdict: None
    stopping: Callable[[], None] = lambda: None
    warned: Callable[[str], None] = lambda warning: None


SILENT = Progress()
"""For whoever asks for nothing but verdicts."""
