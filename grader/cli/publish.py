"""`grader publish`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import counted, secho


@click.command("publish")
@click.argument("assignments", nargs=-1)
@click.option("--url", default="", help="Where the folder will be on the web, for the links.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="The folder; default: published/."
)
@click.option(
    "--links",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The list for the mail merge; default: published-links.csv.",
)
@course_option
@json_option
def command(
    assignments: tuple[str, ...],
    url: str,
    out: Path | None,
    links: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Lay out students' pages for a static web server, each at an address that nobody can guess.

    ASSIGNMENTS (or `totals`): default is everything with pages in graded/. Addresses stay the
    same; the secret that makes them is in .published.key. The folder has no list of them. A CSV
    with name, e-mail and link is written beside it, for a mail merge.

    \b
    Example:
      grader publish --url https://example.edu/comp541/marks
      rsync -a --delete published/ server:marks/
    """
    from grader.api.publishing import publish

    done = publish(find(course_dir), assignments, url=url, out=out, links=links)
    if as_json:
        print_json(asdict(done))
        return
    if not url:
        secho("Note: without --url the links are only ends of addresses.", fg="yellow", err=True)
    if done.unreachable:
        listed = ", ".join(done.unreachable[:10]) + ("…" if done.unreachable[10:] else "")
        secho(f"Note: the roster has no e-mail of {listed}", fg="yellow", err=True)
    click.echo(
        f"{counted(done.pages, 'page')} of {counted(done.students, 'student')}: {done.folder}",
        err=True,
    )
    click.echo(str(done.links))
