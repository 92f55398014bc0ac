"""`grader validate`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import (
    course_option,
    find,
    isolation_option,
    json_option,
    print_json,
    sandbox_option,
)


@click.command("validate")
@click.argument("assignment")
@sandbox_option
@isolation_option
@course_option
@json_option
def command(
    assignment: str, sandbox: str, isolation: str, course_dir: Path | None, as_json: bool
) -> None:
    """Try an assignment before its release; each fault is named.

    The spec is read and the suites are held against it; the reference must get full marks through
    the sandbox and pass the public tests; the released notebook must run without an error, hold
    no line of the solution, and earn nothing. Exit code 1 when there is a fault.

    \b
    Example:
      grader validate mlp-backprop
    """
    from grader.api import validate

    def tell(text: str) -> None:
        click.echo(text, err=True)

    faults = validate(find(course_dir), assignment, sandbox=sandbox, isolation=isolation, tell=tell)
    if as_json:
        print_json([{"check": f.check, "what": f.what} for f in faults])
    for fault in faults if not as_json else ():
        click.echo(f"✗ {fault.check}: {fault.what}")
    if faults:
        raise click.exceptions.Exit(1)
    if not as_json:
        click.echo(f"{assignment} is ready to be released.")
