"""`grader list`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json


@click.command("list")
@course_option
@json_option
def command(course_dir: Path | None, as_json: bool) -> None:
    """List the assignments of the course.

    \b
    Example:
      grader list --json
    """
    from grader.points import show

    course = find(course_dir)
    rows = []
    for name in course.names():
        spec = course.assignment(name).spec
        rows.append(
            {
                "assignment": name,
                "title": spec.title,
                "points": spec.points,
                "machine_points": spec.machine_points,
                "manual_points": spec.manual_points,
                "due": spec.dates.due.isoformat() if spec.dates.due else None,
            }
        )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        due = f"   due {row['due'][:16].replace('T', ' ')}" if row["due"] else ""  # type: ignore[index]
        click.echo(f"{row['assignment']:<22} {show(row['points']):>5} points  {row['title']}{due}")  # type: ignore[arg-type]
