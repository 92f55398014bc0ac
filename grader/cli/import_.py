"""`grader import`"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_option, find, json_option, print_json
from grader.cli.output import secho

if TYPE_CHECKING:
    from grader.api.importing import WrittenDraft

_TITLES = {
    "unfinished": "Could not be converted: fix these before you grade",
    "weaker": "Converted, but weaker than our own tests",
    "look": "To look at",
}


class _Systems(click.Group):
    """A command for each system, also for those of other packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from grader.api.importing import systems

        return sorted(systems())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from grader.api.importing import systems

        system = systems().get(cmd_name)
        if system is None:
            return None
        command = click.Command(cmd_name, callback=partial(_import, cmd_name), help=system.help)
        for option in (_source, _name, course_option, json_option):
            option(command)
        return command


@click.group("import", cls=_Systems)
def command() -> None:
    """Take over an assignment that was written for another system.

    Its notebook becomes a reference with solution regions. Its tests become suites that ask the
    student's notebook from outside. Nothing of the source is run. Tests that can't be converted
    are listed, line by line; fix them before you grade.

    \b
    Example:
      grader import nbgrader course101/source/ps1
      grader validate ps1
    """


_source = click.argument("source", type=click.Path(exists=True, path_type=Path))
_name = click.option("--name", metavar="NAME", help="What the assignment is called here.")


def _import(
    system: str, source: Path, name: str | None, course_dir: Path | None, as_json: bool
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
