"""`grader feedback`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import secho
from grader.printable import printable_line


@click.command("feedback")
@click.argument("system", type=click.Choice(["moodle"]))
@click.argument("assignment")
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The grading worksheet that the system itself exported: it says who is who there.",
)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: in exports/."
)
@course_option
@json_option
def command(
    system: str,
    assignment: str,
    into: Path,
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Pack the students' pages of ASSIGNMENT into a zip for SYSTEM's bulk upload.

    Moodle: the assignment → Submissions → Upload multiple feedback files in a zip; feedback files
    must be switched on for it. Each page stands under its student's name and participant number,
    as Moodle's own archives do. Who has no line or no page is named.

    \b
    Example:
      grader report hw1
      grader feedback moodle hw1 --into worksheet.csv
    """
    from grader.api.feedback import write_feedback

    done = write_feedback(find(course_dir), assignment, system, into, out=out)
    if as_json:
        print_json(asdict(done))
        return
    for warning in done.warnings:
        secho(f"Note: {printable_line(warning)}", fg="yellow", err=True)
    if done.to_match:
        secho("Lines for a person: grader roster match", fg="yellow", err=True)
    click.echo(f"{done.pages} pages packed.", err=True)
    click.echo(str(done.path))
