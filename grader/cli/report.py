"""`grader report`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find
from grader.printable import printable_line


@click.command("report")
@click.argument("assignment")
@click.option("--out", type=click.Path(path_type=Path), help="Default: graded/ASSIGNMENT.")
@course_option
def command(assignment: str, out: Path | None, course_dir: Path | None) -> None:
    """Write the pages of an assignment from the gradebook.

    Nothing is run, and pages that would come out the same are left alone. Use it after a change
    of templates, or when the due date has passed and tests shown `after_due` may be seen.

    \b
    Example:
      grader report mlp-backprop
    """
    from grader.api import write_report
    from grader.api.mark_notes import notes_on_marks

    course = find(course_dir)
    page = write_report(course, assignment, out=out)
    for note in notes_on_marks(course, course.assignment(assignment)):
        click.echo(f"Note: {printable_line(note)}", err=True)
    click.echo(page)
