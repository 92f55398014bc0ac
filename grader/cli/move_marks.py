"""`grader move-marks`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import by_option, course_option, find
from grader.printable import printable_line


@click.command("move-marks")
@click.argument("old")
@click.argument("new")
@click.option("--of", metavar="ITEM", default="", help="The assignment or item they are in.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and record nothing.")
@click.option("--why", default="", help="Shown in the history.")
@by_option
@course_option
def command(
    old: str,
    new: str,
    of: str,
    dry_run: bool,
    why: str,
    by: str | None,
    course_dir: Path | None,
) -> None:
    """Move everybody's marks from OLD to NEW, its new name.

    With --of, OLD and NEW are questions of an assignment or criteria of an item's rubric;
    without, items of course.toml. Nothing is moved if NEW has marks already, or other points.

    \b
    Example:
      grader move-marks q7 q2 --of hw1 --dry-run
    """
    from grader.api.marking import marker
    from grader.api.moving import move_marks

    course = find(course_dir)
    done = move_marks(course, old, new, of=of, who=marker(by), why=why, dry_run=dry_run)
    named = ", ".join(done.students[:10]) + ("…" if done.students[10:] else "")
    what = "moved" if done.recorded else "could be moved; nothing was"
    click.echo(printable_line(f"{done.marks} marks {what}: {named}"), err=True)
