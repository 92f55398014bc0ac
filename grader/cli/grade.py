"""`grader grade`"""

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
    keep_option,
    print_json,
    runtime_option,
    sandbox_option,
)
from grader.cli.output import secho

if TYPE_CHECKING:
    from grader.api import Graded
    from grader.gradebook.untouched import Untouched


_MAX_NAMED = 10


class SlotCount(click.ParamType):  # type: ignore[type-arg]
    """A number of slots, or `auto` (None)."""

    name = "auto|N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Read the option's text."""
        if value is None or value == "auto":
            return None
        return click.IntRange(1, 256).convert(value, param, ctx)


@click.command("grade")
@click.argument("assignment")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Default: graded/ASSIGNMENT.")
@sandbox_option
@isolation_option
@runtime_option
@click.option(
    "--slots",
    type=SlotCount(),
    default="auto",
    help="Submissions at once; auto: so many that slots times threads are the cores.",
)
@click.option("--only", multiple=True, metavar="STUDENT", help="Only this student; repeatable.")
@click.option("--regrade", is_flag=True, help="Also run what has not changed.")
@click.option("--seed", type=int, help="Of the batch's random inputs; default: fresh.")
@click.option(
    "--gpus",
    metavar="DEVICES",
    default="",
    help="Where the assignment wants one: indices, UUIDs (also of MIG instances) or CDI names, "
    "with commas between; a slot for each. Default: all.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    default="",
    help="Grade on a Dask cluster: its scheduler's address, or local:N.",
)
@keep_option
@course_option
@json_option
def command(
    assignment: str,
    sources: tuple[Path, ...],
    out: Path | None,
    sandbox: str,
    isolation: str,
    runtime: str,
    slots: int | None,
    only: tuple[str, ...],
    regrade: bool,
    seed: int | None,
    gpus: str,
    cluster: str,
    keep: bool,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Grade submissions.

    SOURCES are what `grader collect` takes; default: `submissions/` of the course. Each result
    is saved at once: if a batch stops, start it again and it continues. A submission that has
    not changed is not run again. Exit code 0 when every submission has a result, whatever its
    marks; 1 when one has no mark, because the sandbox failed or a test is broken.

    \b
    Example:
      grader grade mlp-backprop submissions/ --out graded/
    """
    from grader.api import grade
    from grader.cli.progress import BatchProgress

    course = find(course_dir)
    with BatchProgress(assignment) as shown:
        graded = grade(
            course,
            assignment,
            sources or (course.submissions_dir,),
            out=out,
            sandbox=sandbox,
            isolation=isolation,
            runtime=runtime,
            slots=slots,
            only=only,
            regrade=regrade,
            seed=seed,
            gpus=[device.strip() for device in gpus.split(",") if device.strip()],
            cluster=cluster,
            keep=keep,
            progress=shown.progress(),
        )
    if as_json:
        print_json(document(graded))
    else:
        from grader.cli.table import print_marks

        print_marks(graded)
        for line in untouched_lines(graded.untouched):
            click.echo(line, err=True)
    faults = graded.suite_faults
    for fault in faults:
        secho(f"Broken test: {fault.test}: {fault.what}", fg="red", err=True)
        secho(f"  no mark for it: {_named(fault.students)}", err=True)
    if faults:
        click.echo(
            f"The suite is at fault, and nobody loses points. Fix it, try it with "
            f"`grader validate {assignment}`, and run the command again.",
            err=True,
        )
    if graded.infrastructure_errors:
        for verdict in graded.infrastructure_errors:
            secho(f"Not graded: {verdict.student}: {verdict.reason}", fg="red", err=True)
        click.echo("These have no mark. Fix the cause and run the command again.", err=True)
    if faults or graded.infrastructure_errors:
        raise click.exceptions.Exit(1)


def _named(students: Sequence[str]) -> str:
    more = f" and {len(students) - _MAX_NAMED} more" if len(students) > _MAX_NAMED else ""
    return ", ".join(students[:_MAX_NAMED]) + more


def untouched_lines(untouched: Untouched) -> list[str]:
    """Say which answers were not written, and what becomes of them."""
    what = "0 by rule" if untouched.zero else "to be marked as any other"
    return [
        f"{question}: {len(names)} {how}, {what}: {_named(names)}"
        for how, students in (
            ("untouched", untouched.students),
            ("in a notebook that was not handed in", untouched.absent),
        )
        for question, names in students.items()
    ]


def document(graded: Graded) -> dict[str, Any]:
    """The batch as one JSON document."""
    from grader.cli.report import document as standing_document

    return {
        "assignment": graded.assignment,
        "max_points": graded.spec.machine_points,
        "manual_points": graded.spec.manual_points,
        "sandbox": graded.choice.sandbox,
        "isolation": graded.choice.isolation,
        "seed": graded.seed,
        "duration_s": round(graded.duration_s, 3),
        "run": graded.run,
        "reused": graded.reused,
        "infrastructure_errors": len(graded.infrastructure_errors),
        "suite_errors": [
            {"test": f.test, "what": f.what, "students": list(f.students)}
            for f in graded.suite_faults
        ],
        "untouched": {
            "zero": graded.untouched.zero,
            "students": {q: list(names) for q, names in graded.untouched.students.items()},
            "absent": {q: list(names) for q, names in graded.untouched.absent.items()},
        },
        "refused": [{"source": r.source, "reason": r.reason} for r in graded.refused],
        **standing_document(graded),
    }
