"""`grader doctor`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from grader.cli.options import json_option, print_json, runtime_option, sandbox_option
from grader.cli.output import secho

if TYPE_CHECKING:
    from grader.sandbox.doctor import Check


@click.command("doctor")
@sandbox_option
@runtime_option
@click.option("--gpu", is_flag=True, help="A GPU is needed: fail where there is none.")
@json_option
def command(sandbox: str, runtime: str, gpu: bool, as_json: bool) -> None:
    """Try every promise of the sandbox on this machine.

    Looks from inside a box whether the network is closed; whether memory, processes, disk,
    output and time are limited; whether tests can be seen; whether one submission leaves
    anything for the next. What fails is named, with what to do. Exit code 1 if anything fails.

    \b
    Example:
      grader doctor --sandbox docker
    """
    from grader.sandbox.doctor import diagnose

    marks = {True: ("✓", "green"), False: ("✗", "red"), None: ("–", None)}
    checks = []
    for check in _with_kept(diagnose(sandbox, gpu=gpu, runtime=runtime)):
        checks.append(check)
        if not as_json:
            sign, colour = marks[check.ok]
            secho(f"{sign} ", fg=colour, nl=False)
            click.echo(f"{check.name:<46} {check.found}")
            if check.fix and check.ok is not True:
                click.echo(f"    {check.fix}")
    if as_json:
        print_json([{"name": c.name, "ok": c.ok, "found": c.found, "fix": c.fix} for c in checks])
    unknown = [c.name for c in checks if c.ok is None and c.found.startswith("slow")]
    if unknown:
        click.echo(f"Too slow to tell: {', '.join(unknown)}.", err=True)
    failed = [c.name for c in checks if c.ok is False]
    if failed:
        click.echo(f"Does not hold: {', '.join(failed)}.", err=True)
        raise click.exceptions.Exit(1)


def _with_kept(checks: Iterator[Check]) -> Iterator[Check]:
    from grader.api import kept_check

    yield from checks
    yield kept_check()
