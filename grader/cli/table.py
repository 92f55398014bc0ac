"""The table of marks that `grader grade` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.points import show

if TYPE_CHECKING:
    from grader.api.grading import Graded
    from grader.grading.verdict import Verdict

_MAX_CHANGES = 20


def print_marks(graded: Graded) -> None:
    """Print the marks on stdout, and on stderr where the pages are."""
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("student", overflow="fold")
    for question in graded.spec.questions:
        if question.points:
            table.add_column(question.id, justify="right")
    table.add_column("points", justify="right", style="bold")
    table.add_column("notes", overflow="fold")
    for verdict in graded.verdicts:
        table.add_row(*_row(graded, verdict))
    console.print(table)
    quiet = Console(stderr=True, highlight=False)
    for change in graded.changes[:_MAX_CHANGES]:
        if change.change and change.old_points is not None:
            quiet.print(f"changed: {change.student}: {change.change:+f} points", markup=False)
    if graded.spec.manual_points:
        points = show(graded.spec.manual_points)
        quiet.print(f"{points} more points wait for a person who reads the written answers.")
    quiet.print(
        f"{graded.run} run, {graded.reused} unchanged, in {graded.duration_s:.1f} s.", markup=False
    )
    quiet.print(f"Pages: {graded.class_page}", markup=False, soft_wrap=True)


def _row(graded: Graded, verdict: Verdict) -> list[Text]:
    marks = {q.id: q for q in verdict.questions}
    cells = [Text(verdict.student)]
    for question in graded.spec.questions:
        if question.points:
            found = marks.get(question.id) if verdict.outcome == "graded" else None
            points = show(found.points) if found else "–"
            style = "" if found and found.points == found.max_points else "yellow"
            cells.append(Text(points, style=style))
    if verdict.outcome == "graded":
        cells.append(Text(f"{show(verdict.points)} / {show(verdict.max_points)}"))
        cells.append(Text("; ".join(verdict.notes)[:120], style="dim"))
    else:
        cells.append(Text("–"))
        cells.append(Text(f"{verdict.outcome}: {verdict.reason}"[:200], style="red"))
    return cells
