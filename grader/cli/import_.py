"""`grader import`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import secho

if TYPE_CHECKING:
    from grader.api.importing import System, WrittenDraft

_TITLES = {
    "unfinished": "Could not be turned: mend these before you grade",
    "weaker": "Turned, but weaker than a test of ours",
    "look": "To look at",
}


@click.group("import")
def command() -> None:
    """Take over an assignment that was written for another system.

    Its notebook becomes a reference with solution regions, its tests become suites that ask the
    student's notebook from outside. Nothing of the source is run. What can't be turned is listed,
    line by line; until it is mended, nothing can be graded with it.

    \b
    Example:
      grader import nbgrader course101/source/ps1
      grader validate ps1
    """


_source = click.argument("source", type=click.Path(exists=True, path_type=Path))
_name = click.option("--name", metavar="NAME", help="What the assignment is called here.")


@command.command("nbgrader")
@_source
@_name
@course_option
@json_option
def nbgrader(source: Path, name: str | None, course_dir: Path | None, as_json: bool) -> None:
    """Take over an assignment of nbgrader's.

    SOURCE is a folder of nbgrader's source/, or one notebook of it. Solution cells become solution
    regions, each graded test cell a hidden test with its points, what students may see of it a
    public test; answers and tasks that a person marks become written answers.

    \b
    Example:
      grader import nbgrader course101/source/ps1 --name tensors
    """
    _import("nbgrader", source, name, course_dir, as_json)


@command.command("otter")
@_source
@_name
@course_option
@json_option
def otter(source: Path, name: str | None, course_dir: Path | None, as_json: bool) -> None:
    """Take over an assignment of Otter's.

    SOURCE is a master notebook, as `otter assign` takes it, or a folder that holds one. Solution
    blocks become solution regions, each test case a hidden test with its share of the points, and
    a public test too where students may see it; questions marked by hand become written answers.

    
    Example:
      grader import otter hw01/hw01.ipynb
    """
    _import("otter", source, name, course_dir, as_json)


def _import(
    system: System, source: Path, name: str | None, course_dir: Path | None, as_json: bool
) -> None:
    from grader.api.importing import import_assignment

    imported = import_assignment(find(course_dir), system, source, name=name)
    if as_json:
        print_json([_document(one) for one in imported])
    else:
        for one in imported:
            _show(one)
    if any(one.unfinished for one in imported):
        raise click.exceptions.Exit(1)


def _document(one: WrittenDraft) -> dict[str, Any]:
    return {
        "assignment": one.name,
        "folder": one.folder,
        "reference": one.reference,
        "points": one.points,
        "manual": one.manual,
        "tests": one.tests,
        "remarks": [{"kind": r.kind, "where": r.where, "what": r.what} for r in one.remarks],
    }


def _show(one: WrittenDraft) -> None:
    from grader.points import show

    by_hand = f", {show(one.manual)} by hand" if one.manual else ""
    click.echo(f"{one.name}: {one.tests} tests, {show(one.points)} points{by_hand}")
    click.echo(f"  {one.folder}\n  {one.reference}")
    for kind, title in _TITLES.items():
        remarks = [remark for remark in one.remarks if remark.kind == kind]
        if remarks:
            secho(f"{title}:", fg="red" if kind == "unfinished" else "yellow")
        for remark in remarks:
            click.echo(f"  {remark}")
    click.echo(f"Next: grader validate {one.name}")
