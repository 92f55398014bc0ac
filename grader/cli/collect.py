"""`grader collect`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json


@click.command("collect")
@click.argument("assignment")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Default: submissions/ in the course.")
@course_option
@json_option
def command(
    assignment: str,
    sources: tuple[Path, ...],
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Take in what students handed in.

    SOURCES are folders, zips, tars, inboxes or single notebooks. Each piece that is refused is
    named with its reason; a notebook that can't be read is kept and graded `invalid_submission`.

    \b
    Example:
      grader collect mlp-backprop ~/Downloads/submissions.zip
    """
    from grader.api import collect_submissions

    collected, folders = collect_submissions(find(course_dir), assignment, sources, out=out)
    if as_json:
        print_json(
            {
                "assignment": assignment,
                "submissions": [
                    {
                        "student": s.student,
                        "file": s.file,
                        "sha256": s.sha256,
                        "attempt": s.attempt,
                        "problem": s.problem,
                        "folder": str(folder),
                    }
                    for s, folder in zip(collected.submissions, folders, strict=True)
                ],
                "refused": [{"source": r.source, "reason": r.reason} for r in collected.refused],
                "warnings": list(collected.warnings),
            }
        )
        return
    for submission in collected.submissions:
        problem = f"   {submission.problem}" if submission.problem else ""
        click.echo(f"{submission.student:<28} {submission.file}{problem}")
    for refused in collected.refused:
        click.secho(f"Refused: {refused.source}: {refused.reason}", fg="yellow", err=True)
    for warning in collected.warnings:
        click.secho(f"Note: {warning}", fg="yellow", err=True)
    click.echo(
        f"{len(collected.submissions)} submissions, {len(collected.refused)} refused.", err=True
    )
