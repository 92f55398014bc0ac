"""Hostile text made fit to be shown: bounded, printable, as a terminal would show it."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from grader.report.terminal_colours import colours_html, without_sequences

MAX_FIELD = 20_000
MAX_ESCAPES = 2_000

# Control characters, lone surrogates, and the marks that turn the direction of text: these last
# let a file name or a line of code read as another one ("Trojan source").
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
_UNPRINTABLE_BUT_ESCAPE = re.compile(
    _UNPRINTABLE.pattern.replace("\x0b-\x1f", "\x0b-\x1a\x1c-\x1f")
)


def clean(text: str, limit: int = MAX_FIELD) -> str:
    """Return printable text of at most `limit` characters; what can't be shown becomes �."""
    return _UNPRINTABLE.sub("\ufffd", shorten(text, limit))


def shorten(text: str, limit: int) -> str:
    """Keep the beginning and the end of a long text, and say how much is left out between."""
    if len(text) <= limit:
        return text
    head, tail = limit * 3 // 4, limit // 4
    left_out = f"\n… {len(text) - head - tail:,} more characters are not shown …\n"
    return text[:head] + left_out + text[len(text) - tail :]


def show_terminal(text: str) -> Markup:
    """Return text as a terminal would show it: colours kept, overwritten lines dropped."""
    text = shorten(text, MAX_FIELD)
    text = "\n".join(_overwritten(line) for line in text.split("\n"))
    text = _UNPRINTABLE_BUT_ESCAPE.sub("\ufffd", text)
    if "\x1b" not in text:
        return escape(text)
    # An "ANSI bomb" makes an element of every few bytes and chokes the browser.
    if text.count("\x1b") > MAX_ESCAPES:
        return escape(without_sequences(text).replace("\x1b", "\ufffd"))
    return Markup(colours_html(text).replace("\x1b", "\ufffd"))  # noqa: S704 - escaped there


def _overwritten(line: str) -> str:
    """What a carriage return leaves of a line, as with progress bars."""
    parts = [part for part in line.split("\r") if part]
    return parts[-1] if parts else ""
