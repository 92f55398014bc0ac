"""`grader totals`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_option, find, json_option, print_json

if TYPE_CHECKING:
    from grader.api.totals import CourseTotals


@click.command("totals")
@click.option("--student", metavar="STUDENT", help="One student, line by line.")
@click.option(
    "--need", "target", metavar="LETTER|TOTAL", help="What would be needed to reach this."
)
@click.option("--final", is_flag=True, help="The course is over: a missing mark counts as zero.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Of the pages; default: graded/totals."
)
@course_option
@json_option
def command(
    student: str | None,
    target: str | None,
    final: bool,
    out: Path | None,
    course_dir: Path | None,
    as_json: bool,
) -> None:
    """Compute totals from all marks, as course.toml says.

    Prints the class, and writes a page for the class and one for each student: what counted,
    what was dropped, which late days were charged, and why. A missing mark is not a zero: it is
    left out of "so far", and there is no total yet. Set what the course file leaves open first;
    it is named.

    \b
    Example:
      grader totals
      grader totals --student ada --need B
    """
    from grader.api.totals import course_totals, write_totals

    course = find(course_dir)
    computed = course_totals(course, final=final)
    for remark in computed.remarks:
        click.echo(remark, err=True)
    if as_json:
        print_json(_document(computed, student, target))
        return
    from grader.cli.totals_table import print_class, print_needs, print_student

    if student is not None:
        print_student(computed, computed.of(student), target)
        return
    if target is not None:
        print_needs(computed, target)
        return
    print_class(computed)
    click.echo(f"Pages: {write_totals(course, computed, out=out)}", err=True)


def _document(computed: CourseTotals, student: str | None, target: str | None) -> dict[str, Any]:
    from grader.gradebook.totals.document import event_document, need_document, totals_document

    chosen = list(computed.totals.values()) if student is None else [computed.of(student)]
    document = totals_document(computed.scheme, chosen)
    for one in document["students"]:
        one["history"] = [event_document(e) for e in computed.history.get(one["student"], ())]
        if target is not None:
            one["need"] = need_document(computed.need(one["student"], target))
    return document
