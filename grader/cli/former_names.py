"""Names that commands had in the version before: they still work, with a hint."""

from __future__ import annotations

from collections.abc import Sequence

import click

# To be dropped after the version that has them.
_FORMER = {
    ("answers",): "mark-answers",
    ("marks", "import"): "import-marks",
    ("marks", "show"): "show-marks",
    ("marks", "history"): "history",
    ("marks", "excuse"): "excuse",
    ("marks", "extend"): "extend",
    ("marks", "move"): "move-marks",
}


def with_new_name(words: Sequence[str]) -> list[str]:
    """Put a command's name of today for a former one, and say so.

    Raises:
        click.UsageError: the former group alone, whose commands have names of their own.
    """
    for former, name in _FORMER.items():
        if tuple(words[: len(former)]) == former:
            was = " ".join(former)
            click.echo(f"`grader {was}` is called `grader {name}` now; use that.", err=True)
            return [name, *words[len(former) :]]
    if words[:1] == ["marks"]:
        names = ", ".join(name for former, name in _FORMER.items() if former[0] == "marks")
        raise click.UsageError(f"`grader marks` is several commands now: {names}.")
    return list(words)
