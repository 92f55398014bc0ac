"""Coloured lines and tables: styled here, and made printable before they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from grader.printable import printable, styled_stream

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_INDENT = "    "
_MIN_WIDTH = 20


def secho(message: str, *, err: bool = False, nl: bool = True, **styles: Any) -> None:
    """Print a styled line, as `click.secho` does, of which only the style is obeyed."""
    click.echo(click.style(printable(message), **styles), file=styled_stream(err=err), nl=nl)


def counted(count: int, thing: str) -> str:
    """Return so many of a thing, in English: 1 page, 2 pages."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def console(*, err: bool = False) -> Console:
    """Return a console of rich's: no markup, no highlighting, nothing obeyed but its own styles."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class PrintableConsole(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=printable(segment.text))

    return PrintableConsole(file=styled_stream(err=err), highlight=False, markup=False, emoji=False)


def print_paragraph(shown: Console, text: Text) -> None:
    """Print text of which every line but the first is indented.

    A line broken at the terminal's width could otherwise begin with what a name ends with, and be
    taken for a line of ours.
    """
    from rich.text import Text

    lines = text.wrap(shown, max(shown.width - len(_INDENT), _MIN_WIDTH))
    for line in lines[1:]:
        line.pad_left(len(_INDENT))
    shown.print(Text("\n").join(lines))


def plain(text: str, style: str = "") -> Text:
    """Return text for a table, without markup; made printable before its width is measured."""
    from rich.text import Text

    return Text(printable(text), style=style)
