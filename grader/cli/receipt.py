"""`grader receipt`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.account import login_of
from grader.cli.options import course_option, find
from grader.printable import printable_line
from grader.storage import write_atomically

_receipt = click.argument("receipt", type=click.Path(path_type=Path))


@click.group("receipt")
def command() -> None:
    """Look at receipts of what was handed in.

    `grader submit` writes one without a signature, which finds the try in the inbox and proves
    nothing by itself. `grader collect` signs one for each try, with a key that only the staff have.

    \b
    Example:
      grader receipt verify warm-up.receipt.json --inbox /courses/comp541/inbox
      grader receipt fetch warm-up.receipt.json --inbox /courses/comp541/inbox
      grader receipt verify warm-up.receipt.json
    """


@command.command("verify")
@_receipt
@click.option("--inbox", type=click.Path(path_type=Path), help="Look for the try there.")
@course_option
def verify(receipt: Path, inbox: Path | None, course_dir: Path | None) -> None:
    """Check a receipt.

    With --inbox: whether the try is in the inbox, who owns the file, and since when it has not
    been changed. Only its owner and the staff can see that. Without: whether this course signed
    the receipt.

    \b
    Example:
      grader receipt verify warm-up.receipt.json
    """
    if inbox is not None:
        _show_held(receipt, inbox)
        return
    from grader.api import verify_receipt

    verified = verify_receipt(receipt, find(course_dir))
    found = verified.receipt
    said = (
        f"The receipt is ours: {found.student} (login {found.login}) handed in "
        f"{found.assignment} at {found.handed_in_at:%Y-%m-%d %H:%M:%S} UTC."
    )
    click.echo(printable_line(said))
    click.echo(f"  sha256  {found.sha256}")
    if verified.folder is not None:
        click.echo(f"  {verified.folder}")
    else:
        click.echo("Note: no such notebook is kept under submissions/.", err=True)


def _show_held(receipt: Path, inbox: Path) -> None:
    from grader.api.inboxes import find_try

    held = find_try(receipt, inbox)
    found = held.receipt
    owner = login_of(held.owner) or held.owner
    said = (
        f"The inbox holds it: {found.assignment}, a file of user {owner}, unchanged "
        f"since {held.handed_in_at:%Y-%m-%d %H:%M:%S} UTC."
    )
    click.echo(printable_line(said))
    click.echo(f"  {held.path}")


@command.command("fetch")
@_receipt
@click.option("--inbox", required=True, type=click.Path(path_type=Path), help="The inbox.")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: over RECEIPT."
)
def fetch(receipt: Path, inbox: Path, out: Path | None) -> None:
    """Get the signed receipt of a try, after the staff have collected it.

    \b
    Example:
      grader receipt fetch warm-up.receipt.json --inbox /courses/comp541/inbox
    """
    from grader.api.inboxes import fetch_receipt

    data = fetch_receipt(receipt, inbox)
    write_atomically(out or receipt, data)
    click.echo(f"Signed: {out or receipt}", err=True)
