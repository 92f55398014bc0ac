"""`grader validate`"""

from __future__ import annotations

from collections.abc import Sequence
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
from grader.printable import printable_line

if TYPE_CHECKING:
    from grader.api import Fault
    from grader.api.attacks import Attacked
    from grader.api.measuring import Measured
    from grader.course.directory import Course
    from grader.course.spec import Accepted


@click.command("validate")
@click.argument("assignment")
@sandbox_option
@isolation_option
@click.option(
    "--attacks",
    is_flag=True,
    help="Also try to earn its points without solving it; each point that is earned is named.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="Of the runs of the reference, where a test measures something.",
)
@course_option
@json_option
def command(
    assignment: str,
    sandbox: str,
    isolation: str,
    attacks: bool,
    seeds: int,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Try an assignment before its release.

    Reads the spec and checks the suites against it. In the sandbox, the reference must get full
    marks and pass the public tests; the released notebook must run without an error, contain no
    line of the solution, and earn nothing. Each fault is named. Exit code 1 when there is one.

    Where a test measures something, such as an accuracy, the reference is run with several
    seeds. The values and their spread are printed: set a threshold well away from them.

    With --attacks, dishonest notebooks are graded too: functions that return None, zeros,
    noise, an argument or an answer for other inputs; objects that agree with everything;
    repeated random draws; recognised public data; patched libraries; forged results; a search
    for the reference. No test may give any of them a point, unless an [[accepted]] of the spec
    allows it.

    \b
    Example:
      grader validate mlp-backprop
      grader validate mlp-backprop --attacks
    """
    from grader.api import Fault, validate
    from grader.api.mark_notes import notes_on_marks
    from grader.cli.step_progress import StepProgress

    def tell(text: str) -> None:
        click.echo(text, err=True)

    course = find(course_dir)
    measured: list[Measured] = []
    with StepProgress("tried") as progress:
        faults = validate(
            course,
            assignment,
            sandbox=sandbox,
            isolation=isolation,
            seeds=seeds,
            tell=tell,
            on_step=progress.done,
            on_measured=measured.extend,
        )
    attacked = None
    if attacks and not any(f.check in ("spec", "hidden suite") for f in faults):
        attacked = _attack(course, assignment, sandbox, isolation)
        faults += [Fault(check="attacks", what=str(earned)) for earned in attacked.earned]
    notes = notes_on_marks(course, course.assignment(assignment)) if not faults else []
    if as_json:
        print_json(_document(faults, measured, attacked) | {"notes": notes})
    else:
        for note in notes:
            click.echo(f"note: {printable_line(note)}")
        _print(faults, measured, attacked)
    if faults:
        raise click.exceptions.Exit(1)
    if not as_json:
        click.echo(f"{assignment} is ready to be released.")


def _attack(course: Course, assignment: str, sandbox: str, isolation: str) -> Attacked:
    from grader.api.attacks import attack
    from grader.cli.step_progress import StepProgress

    with StepProgress("attack") as progress:
        return attack(
            course, assignment, sandbox=sandbox, isolation=isolation, on_attack=progress.done
        )


def _print(
    faults: Sequence[Fault], measured: Sequence[Measured], attacked: Attacked | None
) -> None:
    for one in measured:
        click.echo(f"measured: {one}")
    if attacked is not None:
        for accepted in attacked.accepted:
            click.echo(f"accepted: {accepted.earned}. {accepted.reason}")
        for outdated in attacked.outdated:
            click.echo(f"note: {_outdated(outdated)}")
    for fault in faults:
        click.echo(f"✗ {fault.check}: {fault.what}")


def _outdated(accepted: Accepted) -> str:
    return (
        f"assignment.toml accepts that {accepted.attack} earns points of "
        f"{accepted.test or accepted.question}, and it earned none: remove that [[accepted]]"
    )


def _document(
    faults: Sequence[Fault], measured: Sequence[Measured], attacked: Attacked | None
) -> dict[str, Any]:
    return {
        "faults": [{"check": f.check, "what": f.what} for f in faults],
        "measured": [
            {
                "test": m.test,
                "question": m.question,
                "values": list(m.values),
                "shares": list(m.shares),
                "mean": m.mean,
                "deviation": m.deviation,
            }
            for m in measured
        ],
        "accepted": [
            {"what": str(a.earned), "reason": a.reason}
            for a in (attacked.accepted if attacked else ())
        ],
        "outdated": [_outdated(a) for a in (attacked.outdated if attacked else ())],
    }
