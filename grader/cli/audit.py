"""`grader audit`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import (
    course_option,
    find,
    isolation_option,
    json_option,
    print_json,
    sandbox_option,
)
from grader.printable import printable, printable_line

if TYPE_CHECKING:
    from grader.audit.findings import Audit

_PARTS = ("mutants", "luck", "tolerances", "room", "tests", "attacks")


@click.command("audit")
@click.argument("assignment")
@click.option(
    "--only",
    "parts",
    multiple=True,
    type=click.Choice(_PARTS),
    help="Look at this part alone; may be given several times. Default: all of them.",
)
@click.option(
    "--budget",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    metavar="N",
    help="Run so many mutants at most, chosen from every function and every kind of mistake.",
)
@click.option(
    "--seeds",
    type=click.IntRange(2, 1000),
    default=20,
    show_default=True,
    help="With how many each notebook is run to find out whether luck changes a mark.",
)
@click.option(
    "--at-least",
    type=click.FloatRange(0, 100),
    default=95.0,
    show_default=True,
    metavar="PERCENT",
    help="Of the mistakes must be noticed; else the exit code is 1.",
)
@sandbox_option
@isolation_option
@course_option
@json_option
def command(
    assignment: str,
    parts: tuple[str, ...],
    budget: int,
    seeds: int,
    at_least: float,
    sandbox: str,
    isolation: str,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Find out whether a suite can be trusted, before students depend on it.

    Puts mistakes into the reference solution, one at a time, and says which of them no test
    notices. Runs the reference, the samples and some guesses with many seeds: luck must not change
    a mark. Compares tolerances with the errors of right and of wrong solutions, and limits with
    what the reference uses. Names tests that do nothing, and points that can be had without work.

    Mutants that are no mistake are listed, with the reason, in the assignment's audit.toml.
    Findings are kept: what has not changed is not run again. Writes a page, and says where.

    Exit code 1 when something is found.

    \b
    Example:
      grader audit mlp-backprop
      grader audit mlp-backprop --only mutants --budget 60
      grader audit mlp-backprop --at-least 90 --json
    """
    from grader.api.auditing import audit
    from grader.api.auditing.audit_page import write_audit_page
    from grader.cli.step_progress import StepProgress

    course = find(course_dir)
    with StepProgress("audit") as progress:
        found = audit(
            course,
            assignment,
            parts=parts or _PARTS,  # type: ignore[arg-type]
            budget=budget,
            seeds=seeds,
            sandbox=sandbox,
            isolation=isolation,
            tell=lambda text: click.echo(text, err=True),
            on_step=progress.done,
        )
    faults = found.faults(at_least / 100)
    page = write_audit_page(course, found, at_least=at_least / 100)
    if as_json:
        print_json(_document(found, faults, page))
    else:
        _print(found, faults)
        click.echo(f"Page: {page}")
    if faults:
        raise click.exceptions.Exit(1)


def _document(found: Audit, faults: list[str], page: Path) -> dict[str, Any]:
    import msgspec

    figures = {"mistakes": found.mistakes, "noticed": found.noticed, "share": found.share}
    return msgspec.to_builtins(found) | figures | {"faults": faults, "page": str(page)}  # type: ignore[no-any-return]


def _print(found: Audit, faults: list[str]) -> None:
    if "mutants" in found.parts:
        equivalent = sum(bool(m.equivalent) for m in found.mutants)
        listed = f"; {equivalent} are listed as no mistake" if equivalent else ""
        click.echo(
            f"mutants: {found.noticed} of {found.mistakes} mistakes are noticed "
            f"({found.share:.1%}), of {found.mutants_in_all} that there are{listed}"
        )
        for mutant in found.mutants:
            if mutant.unseen:
                click.echo(f"✗ unseen: {mutant.id}")
                for line in mutant.diff.splitlines():
                    click.echo(f"    {printable(line)}")
    if "luck" in found.parts:
        notebooks = ", ".join(found.luck_notebooks)
        click.echo(
            f"luck: {len(found.luck)} tests end otherwise with some of {found.luck_seeds} seeds "
            f"(on {printable_line(notebooks)})"
        )
    for question in found.questions:
        click.echo(
            f"{question.question}: {question.noticed} of {question.mutants} mistakes are noticed, "
            f"{question.points:g} points"
        )
    for name in found.idle_tests:
        click.echo(f"note: no mutant fails {name}")
    for group in found.alike:
        click.echo(f"note: these always fail together: {', '.join(group)}")
    for fault in faults:
        click.echo(f"✗ {printable_line(fault)}")
    if not faults:
        click.echo(f"{found.assignment}: nothing was found against its suite.")
