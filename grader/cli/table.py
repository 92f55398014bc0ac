"""The table of marks that `grader grade` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from grader.cli.output import console, plain
from grader.points import show

if TYPE_CHECKING:
    from rich.text import Text

    from grader.api.grading import Graded
    from grader.grading.verdict import Verdict

_MAX_CHANGES = 20
_NOTES_WIDTH = 240


def print_marks(graded: Graded) -> None:
    """Print the marks on stdout, and on stderr where the pages are."""
    shown = console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("student", overflow="fold")
    for question in graded.spec.questions:
        if question.points:
            table.add_column(question.id, justify="right")
    table.add_column("points", justify="right", style="bold")
    table.add_column("notes", overflow="fold")
    for verdict in graded.verdicts:
        table.add_row(*_row(graded, verdict))
    shown.print(table)
    quiet = console(err=True)
    for change in graded.changes[:_MAX_CHANGES]:
        if change.change and change.old_points is not None:
            quiet.print(f"changed: {change.student}: {change.change:+f} points")
    if graded.spec.manual_points:
        points = show(graded.spec.manual_points)
        quiet.print(f"{points} more points wait for a person who reads the written answers.")
    quiet.print(f"{graded.run} run, {graded.reused} unchanged, in {graded.duration_s:.1f} s.")
    quiet.print(f"Pages: {graded.class_page}", soft_wrap=True)


def shortened(notes: Sequence[str]) -> str:
    """The first note whole, since it says the cause of all others, and as many more as fit."""
    kept = list(notes[:1])
    for note in notes[1:]:
        if len("; ".join([*kept, note])) > _NOTES_WIDTH:
            break
        kept.append(note)
    left = len(notes) - len(kept)
    return "; ".join([*kept, *([f"and {left} more"] if left else [])])


def _row(graded: Graded, verdict: Verdict) -> list[Text]:
    marks = {q.id: q for q in verdict.questions}
    cells = [plain(verdict.student)]
    for question in graded.spec.questions:
        if question.points:
            found = marks.get(question.id) if verdict.outcome == "graded" else None
            points = show(found.points) if found else "–"
            style = "" if found and found.points == found.max_points else "yellow"
            cells.append(plain(points, style=style))
    if verdict.outcome == "graded":
        cells.append(plain(f"{show(verdict.points)} / {show(verdict.max_points)}"))
        cells.append(plain(shortened(verdict.notes), style="dim"))
    else:
        cells.append(plain("–"))
        cells.append(plain(f"{verdict.outcome}: {verdict.reason}"[:200], style="red"))
    return cells
