"""`grader init`"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--course", "course", help="A course of the catalog, such as koc-comp541.")
def command(directory: Path, course: str | None) -> None:
    """Make a course directory.

    DIRECTORY gets `assignments/` and `reference/`: the assignments of a course from the catalog,
    or one example to start from.

    \b
    Example:
      grader init comp541 --course koc-comp541
    """
    from grader.api import init_course

    made = init_course(directory, course)
    for name in made.names():
        click.echo(name)
    click.echo(f"Course directory: {made.root}", err=True)
    click.echo(f"Next: cd {directory} && grader list", err=True)
