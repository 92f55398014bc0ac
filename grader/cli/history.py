"""`grader history`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.printable import printable_line


@click.command("history")
@click.option("--student", metavar="STUDENT", help="One student.")
@click.option("--item", metavar="ITEM", help="One item.")
@course_option
@json_option
def command(student: str | None, item: str | None, course_dir: Path | None, as_json: bool) -> None:
    """Show each change of a mark: when, what, who and why.

    \b
    Example:
      grader history --student ada
    """
    from grader.api.marking import mark_events

    events = [
        event
        for event in mark_events(find(course_dir))
        if student in (None, event.student) and item in (None, event.item)
    ]
    if as_json:
        print_json([asdict(event) for event in events])
        return
    for event in events:
        by = f" ({event.who})" if event.who else ""
        why = f" – {event.why}" if event.why else ""
        line = f"{event.student}, {event.item}: {event.what}{by}{why}"
        click.echo(f"{event.at:%Y-%m-%d %H:%M}  {printable_line(line)}")
