"""`grader inbox`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import course_option


@click.group("inbox")
def command() -> None:
    """Let students of this machine hand in to a folder.

    \b
    Example:
      grader inbox make /courses/comp541/inbox
    """


@command.command("make")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--group", help="Group of the staff, who may read everything; default: your own.")
@click.option("--private", is_flag=True, help="For yourself alone, on a machine of your own.")
@course_option
def make(folder: Path, group: str | None, private: bool, course_dir: Path | None) -> None:
    """Make an inbox, or renew the list of assignments that one takes.

    Every user of the machine may hand in. No user can read, change, delete or list what another
    has handed in; members of the group can read everything. Students must be able to enter the
    folders above DIR.

    \b
    Example:
      grader inbox make /courses/comp541/inbox --group comp541-staff
    """
    from grader.api import find_course, make_inbox
    from grader.errors import UsageError

    try:
        course = find_course(course_dir)
    except UsageError:
        if course_dir is not None:
            raise
        course = None  # a try then names its assignment itself, and no list is offered
    made = make_inbox(folder, course=course, group=group, private=private)
    listed = ", ".join(made.assignments) or "any assignment (made outside a course directory)"
    click.echo(f"{made.root}: takes {listed}")
