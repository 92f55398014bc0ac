"""`grader report`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find


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

    click.echo(write_report(find(course_dir), assignment, out=out))
