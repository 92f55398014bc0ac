"""`grader history`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import (
    course_option,
    find,
    item_option,
    json_option,
    print_json,
    student_option,
)
from grader.printable import printable_line


@click.command("history")
@student_option
@item_option
@course_option
@json_option
def command(student: str, item: str, course_dir: Path | None, as_json: bool) -> None:
    """Show each change of a mark: when, what, who and why.

    \b
    Example:
      grader history --student ada
    """
    from grader.api.marking import mark_events

    events = mark_events(find(course_dir), student=student, item=item)
    if as_json:
        print_json([asdict(event) for event in events])
        return
    for event in events:
        by = f" ({event.who})" if event.who else ""
        why = f" – {event.why}" if event.why else ""
        line = f"{event.student}, {event.item}: {event.what}{by}{why}"
        click.echo(f"{event.at:%Y-%m-%d %H:%M}  {printable_line(line)}")
