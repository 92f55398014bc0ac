"""`grader import-marks`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import by_option, course_option, find


@click.command("import-marks")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--why", default="", help="Shown in the history; default: the file's name.")
@by_option
@click.option("--dry-run", is_flag=True, help="Check the file and record nothing.")
@click.option("--new-students", is_flag=True, help="Take students who are not known yet.")
@course_option
def command(
    file: Path,
    why: str,
    by: str | None,
    dry_run: bool,
    new_students: bool,
    course_dir: Path | None,
) -> None:
    """Take marks from a CSV or xlsx file, all of them or none.

    Columns: student, item, points; optional: handed in, excused, comment. If a line has an
    unknown item or student, points above the maximum, a formula, or stands twice, it is named
    and nothing is recorded. What the gradebook has already is not recorded again.

    \b
    Example:
      grader import-marks quiz.csv --dry-run
    """
    from grader.api.marking import import_marks, marker

    done = import_marks(
        find(course_dir),
        file,
        who=marker(by),
        why=why or f"from {file.name}",
        new_students=new_students,
        dry_run=dry_run,
    )
    if dry_run:
        click.echo(f"{done.changes} entries could be recorded; nothing was.", err=True)
    else:
        click.echo(f"{done.added} recorded, {done.changes - done.added} were known.", err=True)
