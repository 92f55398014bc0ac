"""`grader mark`"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import by_option, course_option, find
from grader.printable import printable_line

if TYPE_CHECKING:
    from grader.course.components import Criterion
    from grader.course.directory import Course
    from grader.gradebook.hand_marks import HandMark


@click.command("mark")
@click.argument("student_or_item")
@click.argument("item", required=False)
@click.option("--set", "given", multiple=True, metavar="CRITERION=POINTS", help="May be repeated.")
@click.option(
    "--comment",
    "comments",
    multiple=True,
    metavar="CRITERION=TEXT",
    help="May be repeated; with --question the text alone.",
)
@click.option("--question", metavar="QUESTION", help="Add to the tests' points for a question.")
@click.option("--add", metavar="POINTS", help="More points for the question; -1 for less.")
@click.option("--points", metavar="POINTS", help="For the whole item, over all its parts.")
@click.option("--undo", is_flag=True, help="Take back the points of the whole item, or --add.")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a table of ITEM: xlsx or CSV.",
)
@click.option(
    "--import",
    "table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read a filled table of ITEM back.",
)
@click.option("--why", default="", help="Shown in the history.")
@click.option("--new-student", is_flag=True, help="Take a student who is not known yet.")
@by_option
@course_option
def command(
    student_or_item: str,
    item: str | None,
    given: tuple[str, ...],
    comments: tuple[str, ...],
    question: str | None,
    add: str | None,
    points: str | None,
    undo: bool,
    export: Path | None,
    table: Path | None,
    why: str,
    new_student: bool,
    by: str | None,
    course_dir: Path | None,
) -> None:
    """Mark an item by hand: grader mark STUDENT ITEM, or grader mark ITEM --export FILE.

    Without options you are asked criterion by criterion. Each answer is saved at once, so you
    can stop and continue later. Press Enter to keep what is there, `-` to remove points, `<` to
    go back. Or use a table: --export writes a line for each student, --import reads it back,
    all of it or nothing. A mark that somebody changed in between is refused.

    With --question, you add points to what the tests gave (or take some off), between 0 and the
    question's points. The student sees them with the comment. They stay with the submission
    that you read, also when it is graded again; a new submission does not get them.

    \b
    Example:
      grader mark ada project
      grader mark ada project --set clarity=8.5 --comment "clarity=Say what the axes are."
      grader mark ada hw1 --question q2 --add 4 --comment "Right but for the cuda line."
      grader mark hw1 --question q2 --export q2.xlsx
      grader mark project --export project.xlsx
      grader mark project --import project.xlsx
    """
    from grader.api.marking import give, marker

    course, who = find(course_dir), marker(by)
    if export is not None or table is not None:
        if item is not None or (export is not None and table is not None):
            raise click.UsageError("A table is about an ITEM: name it alone, with one option.")
        _table(course, student_or_item, question, export, table, who=who, why=why)
        return
    if item is None:
        raise click.UsageError("Name STUDENT and ITEM.")
    if question is not None or add is not None:
        if given or points or len(comments) > 1 or question is None or (add is None) != undo:
            raise click.UsageError("Give --question with --add (and one --comment), or --undo.")
        _adjust(course, student_or_item, item, question, add, comments, who=who, why=why)
        return
    if not (given or comments or points or undo):
        _ask(course, student_or_item, item, who=who, why=why, new_student=new_student)
        return
    added = give(
        course,
        student_or_item,
        item,
        who=who,
        why=why,
        criteria=[(name, _points(text)) for name, text in map(_pair, given)],
        comments=[_pair(text) for text in comments],
        points=_points(points) if points else None,
        take_back=undo,
        new_student=new_student,
    )
    click.echo(f"{len(added)} recorded." if added else "That was known already.", err=True)


def _adjust(
    course: Course,
    student: str,
    item: str,
    question: str,
    add: str | None,
    comments: tuple[str, ...],
    *,
    who: str,
    why: str,
) -> None:
    from grader.api.adjusting import adjust
    from grader.gradebook.mark_cells import difference_from

    points = difference_from(add or "", where="--add")
    comment = comments[0] if comments else ""
    added = adjust(course, student, item, question, points, comment=comment, who=who, why=why)
    click.echo(f"{len(added)} recorded." if added else "That was known already.", err=True)


def _table(
    course: Course,
    item: str,
    question: str | None,
    export: Path | None,
    table: Path | None,
    *,
    who: str,
    why: str,
) -> None:
    from grader.api.adjusting import export_adjustments, import_adjustments
    from grader.api.rubrics import export_rubric, import_rubric

    if export is not None:
        if export.exists():
            raise click.UsageError(f"{export} is there already; it may hold marks.")
        if question is None:
            count = export_rubric(course, item, export)
        else:
            count = export_adjustments(course, item, question, export)
        click.echo(f"{count} students: {export}", err=True)
    elif table is not None:
        reason = why or f"from {table.name}"
        if question is None:
            added = import_rubric(course, item, table, who=who, why=reason)
        else:
            added = import_adjustments(course, item, question, table, who=who, why=reason)
        click.echo(f"{added} recorded.", err=True)


def _ask(course: Course, student: str, item: str, *, who: str, why: str, new_student: bool) -> None:
    """Ask criterion by criterion; what was answered is recorded at once."""
    from grader.api.marking import give
    from grader.api.rubrics import marked_parts
    from grader.errors import UnknownStudentError, UsageError
    from grader.gradebook.hand_marks import Fact, Kind

    at = 0
    while True:
        chosen, newest = marked_parts(course, item)
        criteria = [c for c in chosen.rubric if not c.machine]
        if at >= len(criteria):
            break
        part = criteria[at]
        fact = Fact(student=student, item=item, kind=Kind.POINTS, part=part.id)
        text = _prompt(part, newest.get(fact))
        at += 1
        if text == "<":
            at = max(0, at - 2)
        if text in ("", "<"):
            continue
        comments = []
        try:
            points = _points(text, part.points)
            if points is not None:
                before = newest.get(fact)
                held = before.says.comment if before else ""
                said = click.prompt(
                    "  comment",
                    default=(shown := printable_line(held)),
                    show_default=bool(shown),
                    err=True,
                )
                comments = [(part.id, held if said == shown else said)]
            give(
                course,
                student,
                item,
                who=who,
                why=why,
                criteria=[(part.id, points)],
                comments=comments,
                new_student=new_student,
            )
        except (UsageError, click.UsageError) as error:
            click.echo(f"  {error}", err=True)
            if isinstance(error, UnknownStudentError):
                raise
            at -= 1
    click.echo("Everything is asked.", err=True)


def _prompt(part: Criterion, mark: HandMark | None) -> str:
    from grader.points import show

    now = "" if mark is None or mark.says.points is None else f", now {show(mark.says.points)}"
    answer: str = click.prompt(
        # The terminal's own line editor writes a prompt, past our streams.
        printable_line(f"{part.title} (of {show(part.points)}{now})"),
        default="",
        show_default=False,
        err=True,
    )
    return answer.strip()


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.UsageError(f"Expected CRITERION=VALUE, got {text!r}.")
    return name.strip(), value.strip()


def _points(text: str, highest: Decimal = Decimal(1_000_000)) -> Decimal | None:
    from grader.gradebook.mark_cells import points_from

    return points_from("" if text == "-" else text, highest, where="points")
