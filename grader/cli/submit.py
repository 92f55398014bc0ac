"""`grader submit`"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import json_option
from grader.cli.output import secho
from grader.errors import GraderError
from grader.printable import printable_json, printable_line
from grader.storage import write_atomically

if TYPE_CHECKING:
    from grader.intake.receipt import Receipt


@click.command("submit")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--to", "inbox", required=True, type=click.Path(path_type=Path), help="The inbox.")
@click.option("--assignment", help="Default: what the released notebook and its folder say.")
@click.option(
    "--anyway", is_flag=True, help="Hand in as --assignment, whatever notebook and folder say."
)
@click.option(
    "--student", help="Default: who is logged in. A shared inbox goes by the login alone."
)
@click.option(
    "--receipt", "receipt_path", type=click.Path(path_type=Path), help="Where to keep the receipt."
)
@json_option
def command(
    notebook: Path,
    inbox: Path,
    assignment: str | None,
    anyway: bool,
    student: str | None,
    receipt_path: Path | None,
    as_json: bool,
) -> None:
    """Hand in a notebook.

    Puts a copy into the inbox. Your earlier tries stay there. No other student can read, change
    or delete it. The released notebook says which assignment it is; if that is unclear, you are
    asked. Other files that the assignment asks for, and its other notebooks where it has several,
    are taken from the notebook's folder, and listed.

    Prints and saves a receipt without a signature, which finds your try in the inbox. After the
    staff have collected, `grader receipt fetch` gets the signed one.

    \b
    Example:
      grader submit mlp-backprop.ipynb --to /courses/comp541/inbox
    """
    if anyway and not assignment:
        raise click.UsageError("--anyway needs --assignment.")
    who = student or getpass.getuser()
    receipt = _submit(notebook, inbox, who, assignment, anyway, ask=not as_json)
    for warning in receipt.warnings:
        secho(f"Note: {warning}", fg="yellow", err=True)
    path = receipt_path or notebook.with_name(
        f"{receipt.assignment}-{receipt.handed_in_at:%Y%m%dT%H%M%SZ}-{receipt.name[-8:]}"
        ".receipt.json"
    )
    raw = receipt.to_json()
    if as_json:
        click.echo(printable_json(raw.decode()), nl=False)
    else:
        when = receipt.handed_in_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        click.echo(printable_line(f"Handed in: {receipt.assignment}, {receipt.student}"))
        click.echo(f"  time    {when}\n  sha256  {receipt.sha256}")
        for file in receipt.files:
            click.echo(f"  with    {printable_line(file.path)}")
    _save(raw, path)
    if not as_json:
        click.echo(f"  receipt {path} (not signed; see `grader receipt`)")


def _submit(
    notebook: Path, inbox: Path, who: str, assignment: str | None, sure: bool, *, ask: bool
) -> Receipt:
    from grader.api import submit
    from grader.api.inboxes import DoubtfulAssignmentError

    try:
        return submit(notebook, inbox, student=who, assignment=assignment, sure=sure)
    except DoubtfulAssignmentError as doubt:
        if not (ask and doubt.names and sys.stdin.isatty()):
            raise
        click.echo(f"{doubt.where}: {doubt.what}.", err=True)
        names = [printable_line(name) for name in doubt.names]
        chosen = click.prompt("Which assignment is it?", type=click.Choice(names), err=True)
        named = doubt.names[names.index(chosen)]
    return submit(notebook, inbox, student=who, assignment=named, sure=True)


def _save(raw: bytes, path: Path) -> None:
    try:
        write_atomically(path, raw)
    except OSError as error:
        # It is handed in all the same, and a second try would be one more.
        click.echo(printable_json(raw.decode()), err=True, nl=False)
        raise GraderError(
            f"the notebook is handed in, but its receipt can't be saved: {error.strerror}",
            where=path,
            hint="Keep the receipt above: `grader receipt` takes it from any file.",
        ) from error
