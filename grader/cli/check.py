"""`grader check`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import json_option, keep_option, print_json, sandbox_option
from grader.cli.output import secho

if TYPE_CHECKING:
    from grader.api import CheckedNotebook


@click.command("check")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--assignment", help="Its name, where the notebook does not lie in its release.")
@sandbox_option
@keep_option
@json_option
def command(
    notebook: Path, assignment: str | None, sandbox: str, keep: bool, as_json: bool
) -> None:
    """Run the public tests on a notebook, as a student does before handing in.

    Runs the notebook from top to bottom in a fresh sandbox (`auto`: the local one), then the
    public tests. They are in tests/ beside the notebook, in its release, or in the course
    directory around it. Also says what will not run when the notebook is graded, such as the
    import of a library that the assignment does not provide. Of several notebooks, name one: its
    own tests run. Exit code 1 when a test did not pass.

    \b
    Example:
      grader check mlp-backprop.ipynb
    """
    from grader.api import check

    def tell(text: str) -> None:
        click.echo(text, err=True)

    found = check(
        notebook,
        assignment=assignment,
        sandbox="local" if sandbox == "auto" else sandbox,
        keep=keep,
        tell=tell,
    )
    if as_json:
        print_json(_document(found))
    else:
        _show(found)
    if any(r.outcome != "passed" for r in found.results):
        raise click.exceptions.Exit(1)


def _document(found: CheckedNotebook) -> dict[str, Any]:
    return {
        "tests": [
            {
                "name": r.name,
                "outcome": str(r.outcome),
                "partly": r.partly,
                "title": r.title,
                "message": r.message,
                "hints": list(r.hints),
                "traceback": r.traceback,
            }
            for r in found.results
        ],
        "notes": found.notes,
        "ahead": list(found.ahead),
        "missing_modules": list(found.missing_modules),
        "answers": sorted(found.answers),
        "unanswered": _unanswered(found),
    }


def _show(found: CheckedNotebook) -> None:
    for note in found.notes:
        secho(f"  ! {note}", fg="yellow")
    for sentence in found.ahead:
        secho(f"  ! when it is graded: {sentence}", fg="yellow")
    for cell in found.cells:
        errors = [o for o in cell.outputs if o.get("output_type") == "error"]
        for error in errors:
            text = f"{error['ename']}: {error['evalue']}"[:300]
            secho(f"  ! cell {cell.index} raised {text}", fg="yellow")
    for result in found.results:
        passed = result.outcome == "passed"
        sign, colour = (
            ("✓", "green") if passed else ("◐", "yellow") if result.partly else ("✗", "red")
        )
        secho(f"{sign} ", fg=colour, nl=False)
        click.echo(result.title or result.name)
        if passed:
            continue
        for line in (result.message, *(f"Hint: {h}" for h in result.hints)):
            if line:
                click.echo(f"    {line}")
        for line in result.traceback.splitlines():
            click.echo(f"    │ {line}")
    passed_count = sum(r.outcome == "passed" for r in found.results)
    click.echo(f"{passed_count} of {len(found.results)} public tests passed.")
    if found.answers:
        click.echo(f"Written answers found: {', '.join(sorted(found.answers))}.")
    for question, place in _unanswered(found).items():
        why = "it is as it was handed out" if place == "untouched" else "its place is gone"
        secho(f"  ! no answer to {question}: {why}", fg="yellow")


def _unanswered(found: CheckedNotebook) -> dict[str, str]:
    return {
        question: str(at.place)
        for question, at in sorted(found.answer_places.items())
        if question not in found.answers or at.place == "untouched"
    }
