"""`grader gradescope-bundle`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find
from grader.storage import write_atomically


@click.command("gradescope-bundle")
@click.argument("assignment")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The zip to write; default: ASSIGNMENT-autograder.zip here.",
)
@click.option(
    "--index-url",
    metavar="URL",
    default="",
    help="Where the autograder installs packages from; default: where pip does.",
)
@course_option
def command(assignment: str, out: Path | None, index_url: str, course_dir: Path | None) -> None:
    """Write an autograder for Gradescope.

    The zip contains the hidden suite and the reference: upload it to Gradescope, and give it to
    nobody else. There the notebook runs as another user, who can read neither.
    docs/how-to/gradescope-autograder.md says what is weaker than on your own machine.

    \b
    Example:
      grader gradescope-bundle mlp-backprop -o autograder.zip
    """
    from grader.release.gradescope import gradescope_bundle

    chosen = find(course_dir).assignment(assignment)
    data = gradescope_bundle(chosen, index_url=index_url)
    target = out or Path(f"{assignment}-autograder.zip")
    write_atomically(target, data)
    click.echo(target)
    click.echo(
        "It holds the hidden tests and the reference: upload it, publish it nowhere.", err=True
    )
