"""Write docs/cli.md from the commands' own help: python -m docs.make_cli_reference"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from grader.cli import cli

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 88
_INTRODUCTION = """\
# Commands

*Written by `python -m docs.make_cli_reference` from each command's `--help`; a test fails when it
is out of date.*

Results go to stdout, everything else to stderr. With `--json` stdout is one JSON document. Exit
codes: 0 done (low marks are still 0), 1 it failed, or what was tried does not hold (`check`,
`validate`, `doctor`, `sandbox status`), 2 it was called in a way that can't work, 130 interrupted.
`NO_COLOR` is respected.

The gradebook is `gradebook.db` in the course directory, or the database that the environment
variable `GRADER_DATABASE_URL` names (`postgresql://…`).
"""


def reference() -> str:
    """Return the page: the commands in the order of `grader --help`, each with its help."""
    sections = [
        f"## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(cli, "grader", None)
    ]
    return "\n".join([_INTRODUCTION, *sections])


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its full name: `grader receipt verify`."""
    for name, command, _ in _walk(cli, "grader", None):
        if not isinstance(command, click.Group):
            yield name, command


def _helps(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    for full_name, found, context in _walk(command, name, parent):
        text = found.get_help(context)
        yield full_name, re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def _walk(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    own = name.rpartition(" ")[2]
    settings = {**command.context_settings, "terminal_width": WIDTH}
    context = click.Context(command, info_name=own, parent=parent, **settings)
    # click keeps the option of the first context in which a command was called: one that a test
    # has called by itself would know `--help` alone.
    if hasattr(command, "_help_option"):
        command._help_option = None
    yield name, command, context
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is None:
                raise LookupError(f"{name} lists {sub}, which is no command")
            yield from _walk(found, f"{name} {sub}", context)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
