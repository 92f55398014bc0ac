"""`grader receipt`"""

from __future__ import annotations

from pathlib import Path

import click


@click.group("receipt")
def command() -> None:
    """Look at receipts of what was handed in.

    \b
    Example:
      grader receipt verify mlp-backprop-001.receipt.json --inbox inbox/
    """


@command.command("verify")
@click.argument("receipt", type=click.Path(path_type=Path))
@click.option("--inbox", required=True, type=click.Path(path_type=Path), help="The inbox.")
def verify(receipt: Path, inbox: Path) -> None:
    """Check that a receipt is ours, and that the inbox still holds what it names.

    \b
    Example:
      grader receipt verify mlp-backprop-001.receipt.json --inbox inbox/
    """
    from grader.api import verify_receipt

    held = verify_receipt(receipt, inbox)
    found = held.receipt
    click.echo(
        f"The receipt holds: {found.student} handed in {found.assignment}, try {found.attempt}, "
        f"at {found.submitted_at:%Y-%m-%d %H:%M:%S} UTC."
    )
    click.echo(f"  {held.folder}")
