"""What a terminal's escape sequences say of colours, as HTML with classes.

Sequences for anything else are dropped. See https://en.wikipedia.org/wiki/ANSI_escape_code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

_SEQUENCE = re.compile("\x1b\\[(.*?)([@-~])")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_ANY = -1
"""A colour beyond the sixteen: it is not shown, since it could be the paper's own."""


@dataclass
class _Style:
    """How what follows is shown; colours are numbers below 16, `_ANY`, or None for the default."""

    foreground: int | None = None
    background: int | None = None
    bold: bool = False
    underline: bool = False
    inverse: bool = False

    def obey(self, numbers: list[int]) -> None:
        """Take in the numbers of one sequence."""
        left = iter(numbers)
        for number in left:
            tens, unit = divmod(number, 10)
            if number == 0:
                self.__init__()  # type: ignore[misc]
            elif number in (1, 5):  # what should blink is bold
                self.bold = True
            elif number in (21, 22):
                self.bold = False
            elif number in (4, 24):
                self.underline = number == 4
            elif number in (7, 27):
                self.inverse = number == 7
            elif number == 38 or (tens in (3, 9) and unit < 8):
                self.foreground = _colour(tens, unit, left)
            elif number == 48 or (tens in (4, 10) and unit < 8):
                self.background = _colour(tens, unit, left)
            elif number == 39:
                self.foreground = None
            elif number == 49:
                self.background = None

    def classes(self) -> list[str]:
        """The classes of what is shown so."""
        front, back = self.foreground, self.background
        if self.bold and front is not None and front in range(8):
            front += 8
        if self.inverse:
            front, back = back, front
        found = [*_class(front, "fg", self.inverse), *_class(back, "bg", self.inverse)]
        found += ["ansi-bold"] * self.bold + ["ansi-underline"] * self.underline
        return found


def _colour(tens: int, unit: int, left: Iterator[int]) -> int | None:
    """The colour that a number names, or that those after it do."""
    if unit < 8:
        return unit + 8 * (tens > 4)
    match next(left, None):
        case 5:
            index = next(left, _ANY)
            return index if index in range(16) else _ANY
        case 2:
            for _ in range(3):
                next(left, None)
    return _ANY


def _class(colour: int | None, side: str, inverse: bool) -> list[str]:
    if colour is None:
        return [f"ansi-default-inverse-{side}"] if inverse else []
    if colour == _ANY:
        return []
    bright = "-intense" if colour > 7 else ""
    return [f"ansi-{_NAMES[colour % 8]}{bright}-{side}"]


def without_sequences(text: str) -> str:
    """Return the text alone."""
    return _SEQUENCE.sub("", text)


def colours_html(text: str) -> Markup:
    """Return a text with its colours as HTML; the text is escaped."""
    style, shown, begin = _Style(), [], 0
    for found in _SEQUENCE.finditer(text):
        shown.append(_span(text[begin : found.start()], style))
        begin = found.end()
        numbers = found[1].split(";")
        if found[2] == "m" and all(n.isdecimal() or not n for n in numbers):
            style.obey([int(n[:4] or 0) for n in numbers])
    shown.append(_span(text[begin:], style))
    return Markup("").join(shown)


def _span(text: str, style: _Style) -> Markup:
    classes = style.classes() if text else []
    if not classes:
        return escape(text)
    return Markup('<span class="{}">{}</span>').format(" ".join(classes), text)
