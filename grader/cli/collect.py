"""`grader collect`"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import counted, secho
from grader.lms.registry import archive_systems


@click.command("collect")
@click.argument("assignment")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--from",
    "system",
    type=click.Choice(["auto", *archive_systems(), "folder"]),
    default="auto",
    help="Which system made SOURCES; default: the names in them tell.",
)
@click.option(
    "--worksheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table with the times of handing in: Moodle's grading worksheet, grades of "
    "Gradescope, Sakai or nbgrader, or one of your own with id and submitted_at.",
)
@click.option(
    "--dates",
    type=click.Choice(["day-first", "month-first"]),
    help="Of the worksheet, where 03/04/2024 could be of two months.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Default: submissions/ in the course.")
@course_option
@json_option
def command(
    assignment: str,
    sources: tuple[Path, ...],
    system: str,
    worksheet: Path | None,
    dates: Literal["day-first", "month-first"] | None,
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Take in what students handed in.

    SOURCES are folders, zips, tars, inboxes or single notebooks, or an archive of Canvas,
    Moodle, Blackboard, Gradescope, Brightspace, ILIAS, Sakai or nbgrader. Each file that is
    refused is named with the reason. A notebook that can't be read is kept, and graded
    `invalid_submission`. Files are matched with the roster; a doubtful match keeps the name
    that the system gave, and goes to matches.csv.

    With --worksheet and no SOURCES, nothing is collected: the newest try of each student gets
    the time in the table, in submissions/ and in the gradebook. Nothing is run again.

    \b
    Example:
      grader collect mlp-backprop ~/Downloads/submissions.zip
      grader collect mlp-backprop moodle.zip --worksheet grades.csv
      grader collect mlp-backprop --worksheet grades.csv
    """
    from grader.api.handing_in import collect_submissions

    if not sources:
        if worksheet is None:
            raise click.UsageError("Name what came in, or a table of times with --worksheet.")
        _times_alone(assignment, worksheet, system, dates, out, course_dir, as_json=as_json)
        return
    collected, folders = collect_submissions(
        find(course_dir),
        assignment,
        sources,
        out=out,
        system=None if system == "auto" else system,
        worksheet=worksheet,
        dates=dates,
    )
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
                        "submitted_at": s.submitted_at and s.submitted_at.isoformat(),
                        "problem": s.problem,
                        "notes": list(s.notes),
                        "folder": str(folder),
                    }
                    for s, folder in zip(collected.submissions, folders, strict=True)
                ],
                "refused": [{"source": r.source, "reason": r.reason} for r in collected.refused],
                "warnings": list(collected.warnings),
            }
        )
        return
    tries = Counter(submission.student for submission in collected.submissions)
    for submission in collected.submissions:
        one_of = f", try {submission.attempt}" if tries[submission.student] > 1 else ""
        problem = f"   {submission.problem}" if submission.problem else ""
        click.echo(f"{submission.student + one_of:<28} {submission.file}{problem}")
    for refused in collected.refused:
        secho(f"Refused: {refused.source}: {refused.reason}", fg="yellow", err=True)
    for warning in collected.warnings:
        secho(f"Note: {warning}", fg="yellow", err=True)
    click.echo(
        f"{counted(len(collected.submissions), 'submission')}, {len(collected.refused)} refused.",
        err=True,
    )


def _times_alone(
    assignment: str,
    worksheet: Path,
    system: str,
    dates: Literal["day-first", "month-first"] | None,
    out: Path | None,
    course_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    from grader.api.handing_in import collect_times

    done, said = collect_times(
        find(course_dir),
        assignment,
        worksheet,
        out=out,
        system=None if system == "auto" else system,
        dates=dates,
    )
    if as_json:
        times = [
            {
                "student": one.student,
                "submitted_at": one.at.isoformat(),
                "before": one.before and one.before.isoformat(),
            }
            for one in done.learnt
        ]
        print_json(
            {
                "assignment": assignment,
                "times": times,
                "unchanged": done.unchanged,
                "warnings": list(said),
            }
        )
        return
    for sentence in said:
        secho(f"Note: {sentence}", fg="yellow", err=True)
    renew = f" Pages: grader report {assignment}" if done.learnt else ""
    click.echo(
        f"{len(done.learnt)} hand-in times learnt, {done.unchanged} known before.{renew}", err=True
    )
