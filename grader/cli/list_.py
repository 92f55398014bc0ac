"""`grader list`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.points import show

if TYPE_CHECKING:
    from grader.course.directory import Assignment


@click.command("list")
@click.option("--catalog", is_flag=True, help="List what ships instead, and which courses use it.")
@course_option
@json_option
def command(catalog: bool, course_dir: Path | None, as_json: bool) -> None:
    """List the assignments of the course, or of the catalog.

    \b
    Example:
      grader list --json
      grader list --catalog
    """
    if catalog:
        from grader.course.catalog import catalog_entries

        listed = [(e.assignment, e.courses) for e in catalog_entries()]
    else:
        course = find(course_dir)
        listed = [(course.assignment(name), ()) for name in course.names()]
    if as_json:
        print_json(
            [_row(one) | ({"courses": courses} if catalog else {}) for one, courses in listed]
        )
        return
    width = max((len(one.name) for one, _ in listed), default=0)
    for one, courses in listed:
        spec = one.spec
        due = spec.dates.due
        when = f"   due {due:%Y-%m-%d %H:%M}" if due and not catalog else ""
        click.echo(f"{one.name:<{width}} {show(spec.points):>5} points  {spec.title}{when}")
        if catalog:
            click.echo(f"{'':<{width}}               {', '.join(courses) or 'in no course yet'}")
    if catalog:
        click.echo("Next: grader init DIRECTORY --course COURSE", err=True)


def _row(assignment: Assignment) -> dict[str, object]:
    spec = assignment.spec
    return {
        "assignment": assignment.name,
        "title": spec.title,
        "points": spec.points,
        "machine_points": spec.machine_points,
        "manual_points": spec.manual_points,
        "due": spec.dates.due.isoformat() if spec.dates.due else None,
    }
