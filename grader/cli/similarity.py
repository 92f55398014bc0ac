"""`grader similarity`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_option, find, json_option, print_json

if TYPE_CHECKING:
    from grader.api.similarity import Similarity


@click.command("similarity")
@click.argument("assignment")
@click.argument("sources", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Default: graded/ASSIGNMENT.")
@course_option
@json_option
def command(
    assignment: str,
    sources: tuple[Path, ...],
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Find pairs of submissions that are closer than the class.

    Compares code by runs of tokens and by syntax trees. Released code, names, comments, layout
    and outputs don't count, nor does code that many in the class have. It is a signal for a
    person, never a mark: look at the page, which shows the passages side by side.

    \b
    Example:
      grader similarity mlp-backprop
      grader similarity mlp-backprop submissions.zip --json
    """
    from grader.api.similarity import similarity, write_similarity

    course = find(course_dir)
    found = similarity(course, assignment, sources)
    page = write_similarity(course, found, out=out)
    if as_json:
        print_json(_document(found))
        return
    _print(found)
    click.echo(f"Page: {page}", err=True)


def _print(found: Similarity) -> None:
    compared = found.comparison
    for pair in compared.pairs:
        one, other = pair.students
        known = f"   {pair.known}" if pair.known else ""
        click.echo(f"{pair.score:>5.0%}  {one}  {other}{known}")
    unknown = sum(not pair.known for pair in compared.pairs)
    click.echo(
        f"{compared.compared} submissions compared; {unknown} pairs are closer than the class "
        f"(from {compared.least:.0%}): a signal for a person, never a mark.",
        err=True,
    )
    if compared.small:
        click.echo("A class as small as this says little about what is usual in it.", err=True)
    for student in compared.too_short:
        click.echo(f"{student}: too little code of their own to compare", err=True)
    for student, reason in found.unread.items():
        click.echo(f"{student}: {reason}", err=True)


def _document(found: Similarity) -> dict[str, Any]:
    compared = found.comparison
    return {
        "assignment": found.assignment.name,
        "meaning": "a signal for a person, never a mark",
        "compared": compared.compared,
        "small_class": compared.small,
        "median": round(compared.median, 4),
        "spread": round(compared.spread, 4),
        "least": round(compared.least, 4),
        "too_short": list(compared.too_short),
        "unread": dict(found.unread),
        "pairs": [
            {
                "students": list(pair.students),
                "score": round(pair.score, 4),
                "deviations": round(pair.deviations, 1),
                "shared": pair.shared,
                "known": pair.known or None,
            }
            for pair in compared.pairs
        ],
    }
