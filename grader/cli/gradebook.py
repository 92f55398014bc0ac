"""`grader gradebook`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find


@click.group("gradebook")
def command() -> None:
    """Look after the gradebook's database.

    It is `gradebook.db` in the course directory, unless GRADER_DATABASE_URL or the key `database`
    of course.toml names another, such as postgresql://grader@marks.example.edu/comp541.

    \b
    Example:
      grader gradebook upgrade
    """


@command.command("upgrade")
@click.option("--database", metavar="URL", help="Default: the course's.")
@course_option
def upgrade(database: str | None, course_dir: Path | None) -> None:
    """Bring the gradebook's tables to this grader's version.

    A file is upgraded when it is opened, and a copy of it is kept. A database server waits for this
    command, because graders that are older than this one can't use its tables afterwards. All of it
    is done, or nothing.

    \b
    Example:
      grader gradebook upgrade --database postgresql://grader@marks.example.edu/comp541
    """
    from grader.gradebook.schema import upgrade as upgrade_tables

    before, after = upgrade_tables(database or find(course_dir).database_url)
    if before == after:
        click.echo(f"The gradebook is of version {after} already.", err=True)
    else:
        click.echo(
            f"The gradebook is of version {after} now; before: {before or 'none'}.", err=True
        )
