"""`grader marks`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.printable import printable_line

if TYPE_CHECKING:
    from grader.gradebook.marks import ItemMark

by_option = click.option(
    "--by", metavar="NAME", help="Who marks. Default: GRADER_MARKER, else the account's name."
)


@click.group("marks")
def command() -> None:
    """Marks from people and files, with their history; nothing is ever overwritten.

    \b
    Example:
      grader marks import quiz.csv --why "Quiz of week 6"
      grader marks history --student ada
    """


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--why", default="", help="Shown in the history; default: the file's name.")
@by_option
@click.option("--dry-run", is_flag=True, help="Check the file and record nothing.")
@click.option("--new-students", is_flag=True, help="Take students of whom nothing is known yet.")
@course_option
def import_(
    file: Path,
    why: str,
    by: str | None,
    dry_run: bool,
    new_students: bool,
    course_dir: Path | None,
) -> None:
    """Take marks from a CSV or xlsx file, all of them or none.

    Columns: student, item, points, and if you like handed in, excused, comment. An unknown item or
    student, points above the maximum, a line twice or a formula is named with its line, and nothing
    is recorded then. What the gradebook says already is not recorded again.

    \b
    Example:
      grader marks import quiz.csv --dry-run
    """
    from grader.api.marking import import_marks, marker

    done = import_marks(
        find(course_dir),
        file,
        who=marker(by),
        why=why or f"from {file.name}",
        new_students=new_students,
        dry_run=dry_run,
    )
    if dry_run:
        click.echo(f"{done.changes} entries could be recorded; nothing was.", err=True)
    else:
        click.echo(f"{done.added} recorded, {done.changes - done.added} were known.", err=True)


@command.command("show")
@click.option("--student", metavar="STUDENT", help="One student.")
@click.option("--item", metavar="ITEM", help="One item.")
@course_option
@json_option
def show_(student: str | None, item: str | None, course_dir: Path | None, as_json: bool) -> None:
    """Show the marks that hold, before late days and weights.

    \b
    Example:
      grader marks show --item project
    """
    from grader.api.marking import all_marks

    chosen = [
        mark
        for mark in all_marks(find(course_dir))
        if student in (None, mark.student) and item in (None, mark.item)
    ]
    if as_json:
        print_json([_document(mark) for mark in chosen])
        return
    for mark in chosen:
        click.echo(f"{mark.student:24} {mark.item:20} {_words(mark)}")
    if not chosen:
        click.echo("There are no marks yet.", err=True)


@command.command("history")
@click.option("--student", metavar="STUDENT", help="One student.")
@click.option("--item", metavar="ITEM", help="One item.")
@course_option
@json_option
def history(student: str | None, item: str | None, course_dir: Path | None, as_json: bool) -> None:
    """Show how the marks came about: when, what, who and why.

    \b
    Example:
      grader marks history --student ada
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


@command.command("excuse")
@click.argument("student")
@click.argument("item")
@click.option("--undo", is_flag=True, help="No longer excused.")
@click.option("--why", required=True, help="Shown in the history.")
@by_option
@course_option
def excuse_(
    student: str, item: str, undo: bool, why: str, by: str | None, course_dir: Path | None
) -> None:
    """Excuse a student from an item: it leaves the sum.

    \b
    Example:
      grader marks excuse ada quiz-2 --why "Ill, note received"
    """
    from grader.api.marking import excuse, marker

    added = excuse(find(course_dir), student, item, excused=not undo, who=marker(by), why=why)
    _said(len(added))


@command.command("extend")
@click.argument("student")
@click.argument("item")
@click.argument("until", required=False)
@click.option("--undo", is_flag=True, help="Due as for the class again.")
@click.option("--why", required=True, help="Shown in the history.")
@by_option
@course_option
def extend_(
    student: str,
    item: str,
    until: str | None,
    undo: bool,
    why: str,
    by: str | None,
    course_dir: Path | None,
) -> None:
    """Give a student until UNTIL, local to the course; late days count from there.

    \b
    Example:
      grader marks extend ada a2 "2024-11-20 12:00" --why "Ill, note received"
    """
    from grader.api.marking import extend, marker
    from grader.course.scheme import load_scheme
    from grader.gradebook.mark_cells import time_from

    if undo == bool(until):
        raise click.UsageError("Give a time, or --undo.")
    course = find(course_dir)
    moment = time_from(until or "", load_scheme(course).zone, where="UNTIL")
    _said(len(extend(course, student, item, until=moment, who=marker(by), why=why)))


@command.command("move")
@click.argument("old")
@click.argument("new")
@click.option("--of", metavar="ITEM", default="", help="The assignment or item they are in.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and record nothing.")
@click.option("--why", default="", help="Shown in the history.")
@by_option
@course_option
def move_(
    old: str,
    new: str,
    of: str,
    dry_run: bool,
    why: str,
    by: str | None,
    course_dir: Path | None,
) -> None:
    """Move everybody's marks from OLD to NEW, where it is called otherwise now.

    With --of, OLD and NEW are questions of an assignment or criteria of an item's rubric; without,
    items of course.toml. Nothing is moved where NEW has a mark already, or other points.

    \b
    Example:
      grader marks move q7 q2 --of hw1 --dry-run
    """
    from grader.api.marking import marker
    from grader.api.moving import move_marks

    course = find(course_dir)
    done = move_marks(course, old, new, of=of, who=marker(by), why=why, dry_run=dry_run)
    named = ", ".join(done.students[:10]) + ("…" if done.students[10:] else "")
    what = "moved" if done.recorded else "could be moved; nothing was"
    click.echo(printable_line(f"{done.marks} marks {what}: {named}"), err=True)


def _said(added: int) -> None:
    click.echo("Recorded." if added else "That was known already.", err=True)


def _words(mark: ItemMark) -> str:
    from grader.points import show

    words = mark.waits_for or "waits"
    if mark.points is not None:
        words = f"{show(mark.points)} / {show(mark.max_points)}"
    if mark.excused:
        words = "excused"
    return f"{words}  [{mark.source}]"


def _document(mark: ItemMark) -> dict[str, Any]:
    from grader.points import show

    document = asdict(mark)
    document |= {"max_points": show(mark.max_points), "source": mark.source.value}
    document["extra_points"] = show(mark.extra_points)
    document["points"] = None if mark.points is None else show(mark.points)
    document["criteria"] = {name: show(points) for name, points in mark.criteria.items()}
    return document
