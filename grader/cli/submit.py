"""`grader submit`"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.account import account_name
from grader.cli.options import json_option, print_json
from grader.cli.output import secho
from grader.errors import GraderError, UsageError
from grader.printable import printable_json, printable_line
from grader.storage import write_atomically

if TYPE_CHECKING:
    from grader.intake.receipt import Receipt


_MESSAGE_LINES = 6


@click.command("submit")
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--to", required=True, help="The inbox, or the address of a desk.")
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
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Your token for the desk; default: the variable GRADER_TOKEN.",
)
@click.option("--wait/--no-wait", default=True, help="Wait for the desk's checks; default: yes.")
@json_option
def command(
    notebook: Path,
    to: str,
    assignment: str | None,
    anyway: bool,
    student: str | None,
    receipt_path: Path | None,
    token_file: Path | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Hand in a notebook, or the folder in which it lies.

    Puts a copy into the inbox. Your earlier tries stay there. No other student can read, change
    or delete it. The released notebook says which assignment it is; if that is unclear, you are
    asked. Other files that the assignment asks for, and its other notebooks where it has several,
    are taken from the notebook's folder, and listed.

    Prints and saves a receipt without a signature, which finds your try in the inbox. After the
    staff have collected, `grader receipt fetch` gets the signed one.

    To a desk (`--to https://…`) it goes with your token. What the desk says before it counts is
    printed; on a terminal you are asked, else --anyway says that you are sure.

    \b
    Example:
      grader submit mlp-backprop.ipynb --to /courses/comp541/inbox
      grader submit mlp-backprop.ipynb --to https://desk.example.edu --token-file token.txt
    """
    if to.startswith(("http://", "https://")):
        _to_desk(notebook, to, assignment, anyway, token_file, wait=wait, as_json=as_json)
        return
    inbox = Path(to)
    if anyway and not assignment:
        raise click.UsageError("--anyway needs --assignment.")
    who = student or account_name(instead="Say who you are: --student ID.")
    receipt = _submit(notebook, inbox, who, assignment, anyway, ask=not as_json)
    for warning in receipt.warnings:
        secho(f"Note: {warning}", fg="yellow", err=True)
    folder = notebook if notebook.is_dir() else notebook.parent
    path = receipt_path or folder / (
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


def _to_desk(
    notebook: Path,
    address: str,
    assignment: str | None,
    sure: bool,
    token_file: Path | None,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    from grader.api.desk_client import DeskClient

    def is_sure(warnings: tuple[str, ...]) -> bool:
        for warning in warnings:
            secho(f"Before it counts: {warning}", fg="yellow", err=True)
        if sure:
            return True
        if as_json or not sys.stdin.isatty():
            raise UsageError(
                "nothing was handed in, because of what is said above",
                hint="Fix the notebook, then again; or hand it in as it is: --anyway.",
            )
        return click.confirm("Hand it in as it is?", err=True)

    client = DeskClient(address, _token(token_file))
    answer = client.hand_in(notebook, assignment, is_sure=is_sure)
    if not as_json:
        said = f"Handed in: {answer.said['assignment']}, try {answer.said['attempt']}"
        click.echo(printable_line(said))
        click.echo(f"  sha256  {printable_line(str(answer.said['sha256']))}")
        click.echo(f"  page    {printable_line(str(answer.said['page']))}")
        if answer.said.get("sent_before"):
            at = printable_line(str(answer.said["received_at"]))
            click.echo(f"  It had arrived before, at {at}; it is the same try, and counts once.")
    if wait:
        try:
            answer = client.follow(answer, _silent if as_json else _Meanwhile())
        except GraderError:
            if as_json:  # what was acknowledged is printed whatever comes of it
                print_json({**answer.said, "warnings": list(answer.warnings)})
            raise
    if as_json:
        print_json({**answer.said, "warnings": list(answer.warnings)})
    elif answer.said["state"] == "judged":
        points = f"{answer.said.get('points')} of {answer.said.get('max_points')}"
        click.echo(f"  {printable_line(f'checks  {points} points that can be seen now')}")
        _print_failed(answer.said.get("questions", []))
    elif wait:
        said = answer.said.get("problem") or answer.said["state"]
        click.echo(f"  {printable_line(f'checks  {said}')}")


class _Meanwhile:
    """Prints where a try is, as often as that is something new."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, said: dict[str, Any]) -> None:
        says = str(said.get("says") or "")
        if says and says != self._said:
            click.echo(f"  {printable_line(says)}", err=True)
            self._said = says


def _silent(_: dict[str, Any]) -> None:
    pass


def _print_failed(questions: list[dict[str, Any]]) -> None:
    for question in questions:
        for test in question["failed"]:
            which = printable_line(f"{question['title']}: {test['test']}")
            click.echo(f"  failed  {which}")
            for line in str(test["message"]).splitlines()[:_MESSAGE_LINES]:
                click.echo(f"          {printable_line(line)}")


def _token(path: Path | None) -> str:
    token = os.environ.get("GRADER_TOKEN", "")
    if path is not None:
        try:
            token = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise UsageError("the token can't be read", where=path) from error
    if not token.strip():
        raise UsageError(
            "the desk asks for your token",
            hint="Make one on its page Account; keep it in a file for --token-file.",
        )
    return token.strip()


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
