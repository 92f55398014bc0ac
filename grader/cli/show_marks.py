"""`grader show-marks`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import (
    course_option,
    find,
    item_option,
    json_option,
    print_json,
    student_option,
)

if TYPE_CHECKING:
    from grader.gradebook.marks import ItemMark


@click.command("show-marks")
@student_option
@item_option
@course_option
@json_option
def command(student: str, item: str, course_dir: Path | None, as_json: bool) -> None:
    """Show the current marks, before late days and weights.

    \b
    Example:
      grader show-marks --item project
    """
    from grader.api.marking import all_marks

    chosen = all_marks(find(course_dir), student=student, item=item)
    if as_json:
        print_json([_document(mark) for mark in chosen])
        return
    for mark in chosen:
        click.echo(f"{mark.student:24} {mark.item:20} {_words(mark)}")
    if not chosen:
        click.echo("No marks found.", err=True)


def _words(mark: ItemMark) -> str:
    from grader.points import show

    words = mark.waits_for or "waits"
    if mark.points is not None:
        words = f"{show(mark.points)} / {show(mark.max_points)}"
    if mark.excused:
        words = "excused"
    return f"{words}  [{mark.source}]"


def _document(mark: ItemMark) -> dict[str, Any]:
    from grader.points import show

    document = asdict(mark)
    document |= {"max_points": show(mark.max_points), "source": mark.source.value}
    document["extra_points"] = show(mark.extra_points)
    document["points"] = None if mark.points is None else show(mark.points)
    document["criteria"] = {name: show(points) for name, points in mark.criteria.items()}
    return document
