"""`grader roster`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import secho
from grader.lms.registry import names
from grader.printable import printable_line


@click.group("roster")
def command() -> None:
    """Keep the list of who takes the course.

    \b
    Example:
      grader roster import ~/Downloads/gradebook.csv
      grader roster show
    """


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--from",
    "system",
    type=click.Choice(["auto", *names()]),
    default="auto",
    help="Default: by the columns.",
)
@click.option(
    "--id",
    "id_from",
    type=click.Choice(["login", "number", "email"]),
    help="What becomes the id of a new student; default: the first of these that is there.",
)
@course_option
@json_option
def import_(
    file: Path, system: str, id_from: str | None, course_dir: Path | None, as_json: bool
) -> None:
    """Add the students of FILE, a gradebook or list that a system exported.

    Known students get what was missing. A line that may or may not be a known student goes to
    matches.csv, for a person to decide. Nobody is removed.

    \b
    Example:
      grader roster import gradebook.csv --from canvas
    """
    from grader.api.roster import import_roster

    chosen = None if system == "auto" else system
    done = import_roster(find(course_dir), file, system=chosen, id_from=id_from)
    if as_json:
        print_json(asdict(done))
        return
    for sentence in done.doubtful:
        secho(f"Not taken: {sentence}", fg="yellow", err=True)
    if done.absent:
        secho(f"Note: not in this file, and kept: {', '.join(done.absent)}", fg="yellow", err=True)
    click.echo(
        f"From {done.system}: {len(done.added)} added, {len(done.filled_in)} filled in, "
        f"{len(done.doubtful)} not taken.",
        err=True,
    )


@command.command("show")
@course_option
@json_option
def show_(course_dir: Path | None, as_json: bool) -> None:
    """Show the roster.

    \b
    Example:
      grader roster show
    """
    from grader.api.roster import show_roster
    from grader.course.roster import COLUMNS

    roster = show_roster(find(course_dir))
    if as_json:
        print_json([{c: getattr(p, c) for c in COLUMNS} for p in roster.people.values()])
        return
    width = max(len(student) for student in roster.people)
    for person in roster.people.values():
        rest = map(printable_line, (person.name, person.email, person.section))
        click.echo(f"{person.id:<{width}}  {'   '.join(r for r in rest if r)}".rstrip())


@command.command("match")
@course_option
@json_option
def match_(course_dir: Path | None, as_json: bool) -> None:
    """List who could not be matched with the roster, and where to write who they are.

    Write the student's id into the last column of matches.csv, or - for somebody who is not in
    the course. Every later import, collection and export uses it.

    \b
    Example:
      grader roster match
    """
    from grader.course.matches import load_matcher, read_matches

    matcher = load_matcher(find(course_dir))
    rows = [row for _, row in read_matches(matcher.path)]
    if as_json:
        print_json(rows)
        return
    waiting = [row for row in rows if not row["student"]]
    for row in waiting:
        perhaps = f" – perhaps {row['perhaps']}" if row["perhaps"] else ""
        click.echo(f"{row['system']}: {row['name'] or row['key']}: {row['why']}{perhaps}")
    click.echo(
        f"{len(waiting)} of {len(rows)} wait for a person: {matcher.path}"
        if rows
        else "Everybody was matched.",
        err=True,
    )
