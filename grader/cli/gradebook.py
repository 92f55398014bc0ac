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
        click.echo(f"The gradebook has version {after} already.", err=True)
    else:
        click.echo(f"The gradebook has version {after} now; before: {before or 'none'}.", err=True)


@command.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@course_option
def backup(folder: Path, course_dir: Path | None) -> None:
    """Copy the course and its gradebook into a new FOLDER, while people work in it.

    The copy is a course directory. Of a gradebook in PostgreSQL it has `gradebook.dump`, which
    `pg_restore` reads.

    \b
    Example:
      grader gradebook backup /backup/comp541-2026-05-04
    """
    from grader.api.back_up import back_up

    database = back_up(find(course_dir), folder)
    click.echo(f"The course is in {folder}, its gradebook in {database.name} there.", err=True)
