"""`grader release`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find


@click.command("release")
@click.argument("assignment")
@click.option("--out", type=click.Path(path_type=Path), help="Default: released/ in the course.")
@course_option
def command(assignment: str, out: Path | None, course_dir: Path | None) -> None:
    """Write what students get: a folder and a zip.

    Both contain the notebook without its solutions, the public tests, the data and a README.
    The same input gives the same bytes. A release that would show a line of the solution is
    refused.

    \b
    Example:
      grader release mlp-backprop
    """
    from grader.api import release

    bundle = release(find(course_dir), assignment, out=out)
    click.echo(bundle.zip)
    click.echo(f"{len(bundle.files)} files in {bundle.folder}", err=True)
