"""`grader submit`"""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from grader.cli.options import json_option
from grader.cli.output import secho
from grader.errors import GraderError
from grader.printable import printable_json


@click.command("submit")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--to", "inbox", required=True, type=click.Path(path_type=Path), help="The inbox.")
@click.option("--assignment", help="Default: the notebook's name.")
@click.option("--student", help="Default: who is logged in.")
@click.option(
    "--receipt", "receipt_path", type=click.Path(path_type=Path), help="Where to keep the receipt."
)
@json_option
def command(
    notebook: Path,
    inbox: Path,
    assignment: str | None,
    student: str | None,
    receipt_path: Path | None,
    as_json: bool,
) -> None:
    """Hand in a notebook.

    It is read, kept in the inbox beside your earlier tries (none is overwritten), and a receipt
    with time and hash is printed and saved beside the notebook.

    \b
    Example:
      grader submit mlp-backprop.ipynb --to /courses/comp541/inbox
    """
    from grader.api import submit

    receipt = submit(
        notebook,
        inbox,
        student=student or getpass.getuser(),
        assignment=assignment or notebook.stem,
    )
    for warning in receipt.warnings:
        secho(f"Note: {warning}", fg="yellow", err=True)
    name = f"{receipt.assignment}-{receipt.attempt:03d}.receipt.json"
    path = receipt_path or notebook.with_name(name)
    raw = receipt.to_json()
    if as_json:
        click.echo(printable_json(raw.decode()), nl=False)
    else:
        when = receipt.submitted_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        click.echo(f"Handed in: {receipt.assignment}, {receipt.student}, try {receipt.attempt}")
        click.echo(f"  time    {when}\n  sha256  {receipt.sha256}")
    _save(raw, path)
    if not as_json:
        click.echo(f"  receipt {path}")


def _save(raw: bytes, path: Path) -> None:
    try:
        path.write_bytes(raw)
    except OSError as error:
        # It is handed in all the same, and a second try would be a second attempt.
        click.echo(printable_json(raw.decode()), err=True, nl=False)
        raise GraderError(
            f"the notebook is handed in, but its receipt can't be saved: {error.strerror}",
            where=path,
            hint="Keep the receipt above: `grader receipt verify` takes it from any file.",
        ) from error
