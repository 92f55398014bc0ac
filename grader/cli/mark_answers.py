"""`grader mark-answers`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import by_option, course_option, find


@click.command("mark-answers")
@click.argument("assignment")
@click.option("--question", metavar="Q", help="Only this question.")
@click.option("--anonymous", is_flag=True, help="Students under stable pseudonyms.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV tables instead of xlsx.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: graded/ASSIGNMENT/answers.")
@click.option(
    "--import",
    "table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the table of --question back.",
)
@click.option("--why", default="", help="Shown in the history.")
@by_option
@course_option
def command(
    assignment: str,
    question: str | None,
    anonymous: bool,
    as_csv: bool,
    out: Path | None,
    table: Path | None,
    why: str,
    by: str | None,
    course_dir: Path | None,
) -> None:
    """Mark written answers question by question: one person, one question, the whole class.

    Writes a page to read and, for each question, a table of the answers with columns for points
    and comments. With --import the filled table is read back, all of it or nothing; a mark or
    an answer that has changed in between is refused. Totals count the points at once. `grader
    report` puts points and comments on the students' pages.

    \b
    Example:
      grader mark-answers mlp-backprop --question q7 --anonymous
      grader mark-answers mlp-backprop --question q7 --import graded/mlp-backprop/answers/q7.xlsx
    """
    from grader.api.answers import gather_answers, import_answers
    from grader.api.marking import marker
    from grader.cli.grade import untouched_lines

    course = find(course_dir)
    if table is not None:
        if question is None:
            raise click.UsageError("Name the --question that the table is about.")
        added = import_answers(
            course, assignment, question, table, who=marker(by), why=why or f"from {table.name}"
        )
        click.echo(f"{added} recorded.", err=True)
        return
    suffix = ".csv" if as_csv else ".xlsx"
    gathered = gather_answers(
        course, assignment, question=question, anonymous=anonymous, out=out, suffix=suffix
    )
    for identifier, path in gathered.tables.items():
        click.echo(f"{identifier}: {gathered.waiting[identifier]} to be marked, {path}", err=True)
    for line in untouched_lines(gathered.untouched):
        click.echo(line, err=True)
    click.echo(gathered.page)
