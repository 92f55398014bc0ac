"""The tables that `grader totals` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from grader.cli.output import console, plain, print_paragraph
from grader.gradebook.totals.need import plainly
from grader.gradebook.totals.rounding import show_fraction
from grader.gradebook.totals.total_lines import ItemTotal, State, StudentTotal
from grader.points import show
from grader.printable import printable_line
from grader.report.totals_pages import remarks

if TYPE_CHECKING:
    from rich.text import Text

    from grader.api.totals import CourseTotals
    from grader.gradebook.marks import MarkEvent

_NONE = "–"


def print_class(computed: CourseTotals) -> None:
    """Print everybody's total on stdout, and on stderr what is missing."""
    shown = console()
    quiet = console(err=True)
    if not computed.totals:
        quiet.print("There are no marks yet: grade an assignment, or import marks.")
        return
    table = _table("student")
    table.add_column("total", justify="right", style="bold")
    if computed.scheme.letters:
        table.add_column("letter")
    table.add_column("so far", justify="right")
    for component in computed.scheme.components:
        table.add_column(component.id, justify="right")
    table.add_column("notes", overflow="fold")
    for total in computed.totals.values():
        table.add_row(*_class_row(computed, total))
    shown.print(table)
    waiting = sum(bool(total.waiting) for total in computed.totals.values())
    if waiting:
        quiet.print(
            f"{waiting} of {len(computed.totals)} have no total yet: marks are missing. "
            "At the end of the course, --final counts what has no mark as nothing."
        )


def _class_row(computed: CourseTotals, total: StudentTotal) -> list[Text]:
    cells = [plain(total.student), plain(_NONE if total.total is None else show(total.total))]
    if computed.scheme.letters:
        cells.append(plain(total.letter or _NONE, style="red" if total.failed else ""))
    cells.append(plain(_NONE if total.so_far is None else show_fraction(total.so_far)))
    for component in total.components:
        known = component.weight is not None or component.contribution
        cells.append(plain(show_fraction(component.contribution) if known else _NONE))
    cells.append(plain("; ".join(remarks(total))[:160], style="red" if total.failed else "dim"))
    return cells


def print_student(computed: CourseTotals, total: StudentTotal, target: str | None) -> None:
    """Print one student's total, line by line."""
    shown = console()
    table = _table("item")
    for name in ("points", "late days", "after", "weight", "adds"):
        table.add_column(name, justify="right")
    table.add_column("why", overflow="fold")
    for component in total.components:
        known = component.weight is not None
        table.add_row(
            plain(component.title, style="bold"),
            "",
            "",
            "",
            plain(show_fraction(component.weight) if component.weight is not None else _NONE),
            plain(show_fraction(component.contribution) if known else _NONE, style="bold"),
            "",
        )
        for item in component.items:
            table.add_row(*_item_row(item))
    shown.print(table)
    for sentence in _summary(computed, total):
        print_paragraph(shown, plain(sentence))
    if target is not None:
        print_paragraph(shown, plain(plainly(computed.need(total.student, target))))
    for event in computed.history.get(total.student, ()):
        print_paragraph(shown, plain(_event(computed, event), style="dim"))


def _item_row(item: ItemTotal) -> list[Text]:
    style = "" if item.state is State.COUNTED else "dim"
    points = _NONE if item.points is None else f"{show(item.points)} / {show(item.max_points)}"
    cells = [
        f"  {item.title}",
        points,
        show_fraction(item.days_late) if item.days_late else "",
        "" if item.earned is None else show_fraction(item.earned),
        show_fraction(item.weight) if item.weight else _NONE,
        show_fraction(item.contribution) if item.weight else _NONE,
        item.why,
    ]
    return [plain(cell, style=style) for cell in cells]


def _summary(computed: CourseTotals, total: StudentTotal) -> list[str]:
    said = []
    if total.total is not None:
        letter = f", {total.letter}" if total.letter else ""
        said.append(f"Total: {show(total.total)}{letter}")
    elif total.so_far is not None:
        said.append(
            f"So far: {show_fraction(total.so_far)} % of what has been marked; the total will "
            f"lie between {show(total.at_least)} and {show(total.at_most)}."
        )
    late = computed.scheme.late
    if total.grace_left is not None and late and late.grace_days:
        left = show_fraction(total.grace_left)
        said.append(f"Grace days: {left} of {late.grace_days} left.")
    return said + [f"Not passed: {title}" for title in total.failed]


def _event(computed: CourseTotals, event: MarkEvent) -> str:
    when = event.at.astimezone(computed.scheme.zone)
    who = f" by {event.who}" if event.who else ""
    why = f" ({event.why})" if event.why else ""
    return printable_line(f"{when:%Y-%m-%d %H:%M}  {event.item}: {event.what}{who}{why}")


def print_needs(computed: CourseTotals, target: str) -> None:
    """Print what everybody would need."""
    shown = console()
    table = _table("student")
    table.add_column("so far", justify="right")
    table.add_column("needed", overflow="fold")
    for total in computed.totals.values():
        so_far = _NONE if total.so_far is None else show_fraction(total.so_far)
        sentence = plainly(computed.need(total.student, target))
        table.add_row(plain(total.student), plain(so_far), plain(sentence))
    shown.print(table)


def _table(first: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold")
    return table
