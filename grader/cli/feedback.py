"""`grader feedback`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import counted, secho
from grader.lms.registry import feedback_systems
from grader.printable import printable_line

_FOLDER = "folder"


@click.command("feedback")
@click.argument("system", type=click.Choice([*feedback_systems(), _FOLDER]))
@click.argument("assignment")
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the system itself exported, and says who is who there: Moodle's grading worksheet, "
    "Canvas' zip of the submissions.",
)
@click.option("--pdf", is_flag=True, help="Print each page; needs Chromium and `grader[pdf]`.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Default: in exports/ of the course."
)
@course_option
@json_option
def command(
    system: str,
    assignment: str,
    into: Path | None,
    pdf: bool,
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Pack the students' pages of ASSIGNMENT for SYSTEM's bulk upload, or into a folder.

    Moodle: the assignment → Submissions → Upload multiple feedback files in a zip; switch on
    feedback files first. Canvas: the assignment → Upload Submissions; each page becomes a comment.
    `folder`: a file for each student. Each page is named as the system expects it. Students
    without a page, or without a line in the system's file, are named.

    \b
    Example:
      grader report hw1
      grader feedback moodle hw1 --into worksheet.csv
      grader feedback canvas hw1 --into submissions.zip
      grader feedback folder hw1 --pdf
    """
    from grader.api.feedback import write_feedback

    def printed(pages: int) -> None:
        if pages % 50 == 0:
            click.echo(f"{pages} pages printed.", err=True)

    if system == _FOLDER and into is not None:
        raise click.UsageError("--into is for a system's own file.")
    course = find(course_dir)
    done = write_feedback(course, assignment, system, into, pdf=pdf, out=out, printed=printed)
    if as_json:
        print_json(asdict(done))
        return
    for warning in done.warnings:
        secho(f"Note: {printable_line(warning)}", fg="yellow", err=True)
    if done.to_match:
        secho("Lines for a person: grader roster match", fg="yellow", err=True)
    click.echo(f"{counted(done.pages, 'page')} packed.", err=True)
    if done.upload:
        click.echo(f"Upload it at: {done.upload}.", err=True)
    click.echo(str(done.path))
