"""The table of marks that `grader grade` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.cli.output import console, plain, print_paragraph
from grader.points import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.text import Text

    from grader.api.graded import Graded
    from grader.api.pages import Report
    from grader.gradebook.standings import Standing
    from grader.grading.verdict import Verdict

_MAX_CHANGES = 20
_NOTES_WIDTH = 240
_REASON_WIDTH = 400
_MAX_NAMED = 5


def print_marks(graded: Graded) -> None:
    """Print the marks on stdout, and on stderr where the pages are."""
    from rich import box
    from rich.table import Table

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
    print_findings(graded)
    quiet.print(f"{graded.run} run, {graded.reused} unchanged, in {graded.duration_s:.1f} s.")
    quiet.print(f"Pages: {graded.class_page}", soft_wrap=True)


def reason_shown(verdict: Verdict) -> str:
    """Say why there is no mark; what is to be done about it is at its end, and seldom cut off."""
    return textwrap.shorten(f"{verdict.outcome}: {verdict.reason}", _REASON_WIDTH, placeholder=" …")


def shortened(notes: Sequence[str]) -> str:
    """The first note whole, since it says the cause of all others, and as many more as fit."""
    notes = [note.removesuffix(".") for note in notes]
    kept = notes[:1]
    for note in notes[1:]:
        if len("; ".join([*kept, note])) > _NOTES_WIDTH:
            break
        kept.append(note)
    left = len(notes) - len(kept)
    return "; ".join([*kept, *([f"and {left} more"] if left else [])])


def print_findings(report: Report | Graded) -> None:
    """Print on stderr what is worth a look, with some of the names behind it."""
    if not report.findings:
        return  # no need of rich
    quiet = console(err=True)
    for finding in report.findings:
        who = [_name(report.standings, student) for student in finding.students]
        more = f" and {len(who) - _MAX_NAMED} more" if len(who) > _MAX_NAMED else ""
        text = plain(f"! {finding.text}" if finding.grave else f"  {finding.text}")
        if finding.grave:
            text.stylize("yellow")
        if who:
            text.append_text(plain(f": {', '.join(who[:_MAX_NAMED])}{more}", style="dim"))
        print_paragraph(quiet, text)


def _name(standings: Mapping[str, Standing], student: str) -> str:
    name = standings[student].name if student in standings else ""
    return name or student


def _row(graded: Graded, verdict: Verdict) -> list[Text]:
    marks = {q.id: q for q in verdict.questions}
    cells = [plain(verdict.student)]
    for question in graded.spec.questions:
        if question.points:
            found = marks.get(question.id) if verdict.outcome == "graded" else None
            points = show(found.points) if found else "–"
            style = "" if found and found.points == found.max_points else "yellow"
            cells.append(plain(points, style=style))
    mark = graded.marks.get(verdict.student)
    cells.append(plain(mark.words if mark else "–"))
    if verdict.outcome == "graded":
        standing = graded.standings.get(verdict.student)
        notes = [standing.late] if standing and standing.late else []
        cells.append(plain(shortened([*verdict.notes, *notes]), style="dim"))
    else:
        cells.append(plain(reason_shown(verdict), style="red"))
    return cells
