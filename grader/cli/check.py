"""`grader check`"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import json_option, keep_option, print_json, sandbox_option
from grader.cli.output import secho
from grader.printable import printable_line

if TYPE_CHECKING:
    from grader.api import CheckedNotebook
    from grader.suite.results import TestResult


@click.command("check")
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--assignment", help="Its name, where the notebook does not lie in its release.")
@sandbox_option
@keep_option
@json_option
def command(
    notebooks: tuple[Path, ...],
    assignment: str | None,
    sandbox: str,
    keep: bool,
    as_json: bool,
) -> None:
    """Run the public tests on a notebook, as a student does before handing in.

    Runs the notebook from top to bottom in a fresh sandbox (`auto`: the local one), then the
    public tests. They are in tests/ beside the notebook, in its release, or in the course
    directory around it, else around the working directory. Also says what will not run when the
    notebook is graded, such as the import of a library that the assignment does not provide. Of an
    assignment with several notebooks, name one, some, or the folder: the tests of each run. Exit
    code 1 when a test did not pass.

    \b
    Example:
      grader check mlp-backprop.ipynb
      grader check homework-2/
    """
    from grader.api import check
    from grader.api.checking import notebooks_to_check

    chosen = [notebooks_to_check(path, assignment) for path in notebooks]
    notes = [note for own in chosen for note in own.notes]
    paths = list(dict.fromkeys(path for own in chosen for path in own.paths.values()))
    found = {}
    for path in paths:
        found[path] = check(
            path,
            assignment=assignment,
            sandbox="local" if sandbox == "auto" else sandbox,
            keep=keep,
            tell=lambda text: click.echo(text, err=True),
        )
        if not as_json:
            if len(paths) > 1:
                secho(printable_line(path.name), bold=True)
            _show(found[path])
    if as_json:
        alone = len(notebooks) == 1 and not notebooks[0].is_dir()
        each = [{"notebook": path.name, **_document(one)} for path, one in found.items()]
        print_json(_document(found[paths[0]]) if alone else {"notebooks": each, "notes": notes})
    else:
        for note in notes:
            secho(f"  ! {printable_line(note)}", fg="yellow")
    if any(r.outcome != "passed" for one in found.values() for r in one.results):
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
    for result, title in _titled(found.results):
        passed = result.outcome == "passed"
        sign, colour = (
            ("✓", "green") if passed else ("◐", "yellow") if result.partly else ("✗", "red")
        )
        secho(f"{sign} ", fg=colour, nl=False)
        click.echo(title)
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


def _titled(results: Sequence[TestResult]) -> Iterator[tuple[TestResult, str]]:
    """Give each test a line, and a test of several cases one where all passed, else one for each.

    Else the same words would stand there as often as there are cases.
    """
    from grader.suite.results import case_of, function_of

    def test_of(result: TestResult) -> tuple[str, str]:
        return function_of(result.name), result.title

    for (function, words), group in groupby(results, test_of):
        title, cases = words or function, list(group)
        if len(cases) == 1:
            yield cases[0], title
        elif all(one.outcome == "passed" for one in cases):
            yield cases[0], f"{title} ({len(cases)} cases)"
        else:
            yield from ((one, f"{title} [{case_of(one)}]") for one in cases)


def _unanswered(found: CheckedNotebook) -> dict[str, str]:
    return {
        question: str(at.place)
        for question, at in sorted(found.answer_places.items())
        if question not in found.answers or at.place == "untouched"
    }
