"""`grader excuse`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import by_option, course_option, find, say_recorded


@click.command("excuse")
@click.argument("student")
@click.argument("item")
@click.option("--undo", is_flag=True, help="No longer excused.")
@click.option("--why", required=True, help="Shown in the history.")
@by_option
@course_option
def command(
    student: str, item: str, undo: bool, why: str, by: str | None, course_dir: Path | None
) -> None:
    """Excuse a student from an item: it no longer counts.

    \b
    Example:
      grader excuse ada quiz-2 --why "Ill, note received"
    """
    from grader.api.marking import excuse, marker

    added = excuse(find(course_dir), student, item, excused=not undo, who=marker(by), why=why)
    say_recorded(len(added))
