"""`grader export`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import counted, secho
from grader.lms.registry import export_systems

_PLAIN = ("csv", "xlsx")


@click.command("export")
@click.argument("system", type=click.Choice([*export_systems(), *_PLAIN]))
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file that the system itself exported; it is filled in and never overwritten.",
)
@click.option("--item", "items", multiple=True, metavar="ITEM", help="Default: all with marks.")
@click.option("--totals", is_flag=True, help="The total instead of items.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ITEM=TITLE",
    help="The file's column for an item.",
)
@click.option("--scale", is_flag=True, help="Give the share of what the file counts out of.")
@click.option(
    "--comments",
    is_flag=True,
    help="Also write points by question and people's comments, where the file takes comments.",
)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: in exports/."
)
@course_option
@json_option
def command(
    system: str,
    into: Path | None,
    items: tuple[str, ...],
    totals: bool,
    columns: tuple[str, ...],
    scale: bool,
    comments: bool,
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Write marks into the file that SYSTEM exported, or into a plain csv or xlsx.

    Ids, other columns and the file's dialect stay as they are. Lines without a mark, marks
    without a line, and what the system's import would silently skip are named. Points of
    items are before late days; --totals has everything that course.toml says.

    \b
    Example:
      grader export canvas --into gradebook.csv --item hw1
      grader export moodle --into worksheet.csv --item hw1 --comments
      grader export xlsx --totals
    """
    from grader.api.exporting import Wish, export_into, export_table
    from grader.lms.registry import named

    if totals and items:
        raise click.UsageError("Give --item or --totals, not both.")
    pairs = [column.partition("=") for column in columns]
    if any(not name or not title for name, _, title in pairs):
        raise click.UsageError("--column is written ITEM=TITLE.")
    titles = {name: title for name, _, title in pairs}
    wish = Wish(items=items, totals=totals, columns=titles, scale=scale, comments=comments)
    course = find(course_dir)
    if system in _PLAIN:
        if into is not None or comments:
            raise click.UsageError("--into and --comments are for a system's own file.")
        done = export_table(course, wish, kind=system, out=out)
    else:
        if into is None:
            raise click.UsageError(
                f"Give the file with --into. {system}: {named(system).download}."
            )
        done = export_into(course, system, into, wish, out=out)
    if as_json:
        print_json(asdict(done))
        return
    for warning in done.warnings:
        secho(f"Note: {warning}", fg="yellow", err=True)
    if done.to_match:
        secho("Lines for a person: grader roster match", fg="yellow", err=True)
    changed = f", {done.changed} of them in place of another" if done.changed else ""
    said = f", {counted(done.comments, 'comment')}" if comments else ""
    click.echo(f"{counted(done.filled, 'mark')} written{changed}{said}.", err=True)
    click.echo(str(done.path))
