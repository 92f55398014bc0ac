"""`grader validate`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import (
    course_option,
    find,
    isolation_option,
    json_option,
    print_json,
    sandbox_option,
)

if TYPE_CHECKING:
    from grader.api import Fault
    from grader.course.directory import Course


@click.command("validate")
@click.argument("assignment")
@sandbox_option
@isolation_option
@click.option(
    "--attacks",
    is_flag=True,
    help="Also try to earn its points without solving it; each point that is earned is named.",
)
@course_option
@json_option
def command(
    assignment: str,
    sandbox: str,
    isolation: str,
    attacks: bool,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Try an assignment before its release; each fault is named.

    The spec is read and the suites are held against it; the reference must get full marks through
    the sandbox and pass the public tests; the released notebook must run without an error, hold
    no line of the solution, and earn nothing. Exit code 1 when there is a fault.

    With --attacks, dishonest notebooks are graded too: functions that return None, zeros, noise or
    an answer for other inputs; objects that equal everything; patched libraries; forged results; a
    search for the reference. No test may give any of them a point.

    \b
    Example:
      grader validate mlp-backprop
      grader validate mlp-backprop --attacks
    """
    from grader.api import validate

    def tell(text: str) -> None:
        click.echo(text, err=True)

    course = find(course_dir)
    faults = validate(course, assignment, sandbox=sandbox, isolation=isolation, tell=tell)
    if attacks and not any(f.check in ("spec", "hidden suite") for f in faults):
        faults += _attack(course, assignment, sandbox, isolation)
    if as_json:
        print_json([{"check": f.check, "what": f.what} for f in faults])
    for fault in faults if not as_json else ():
        click.echo(f"✗ {fault.check}: {fault.what}")
    if faults:
        raise click.exceptions.Exit(1)
    if not as_json:
        click.echo(f"{assignment} is ready to be released.")


def _attack(course: Course, assignment: str, sandbox: str, isolation: str) -> list[Fault]:
    from grader.api import Fault
    from grader.api.attacks import attack
    from grader.cli.attack_progress import AttackProgress

    with AttackProgress() as progress:
        found = attack(
            course, assignment, sandbox=sandbox, isolation=isolation, on_attack=progress.attacked
        )
    return [Fault(check="attacks", what=str(earned)) for earned in found.earned]
