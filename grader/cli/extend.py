"""`grader extend`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import by_option, course_option, find, say_recorded


@click.command("extend")
@click.argument("student")
@click.argument("item")
@click.argument("until", required=False)
@click.option("--undo", is_flag=True, help="Back to the class's due date.")
@click.option("--why", required=True, help="Shown in the history.")
@by_option
@course_option
def command(
    student: str,
    item: str,
    until: str | None,
    undo: bool,
    why: str,
    by: str | None,
    course_dir: Path | None,
) -> None:
    """Give a student until UNTIL, in the course's time zone; late days count from then.

    \b
    Example:
      grader extend ada a2 "2024-11-20 12:00" --why "Ill, note received"
    """
    from grader.api.marking import extend, marker
    from grader.course.scheme import load_scheme
    from grader.gradebook.mark_cells import deadline_from

    if undo == bool(until):
        raise click.UsageError("Give a time, or --undo.")
    course = find(course_dir)
    moment = deadline_from(until or "", load_scheme(course).zone, where="UNTIL")
    say_recorded(len(extend(course, student, item, until=moment, who=marker(by), why=why)))
