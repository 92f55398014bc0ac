"""What may reach a terminal: the one place where everything printed passes.

A terminal obeys what it is sent: an escape sequence in a student's name, a file's name or an error
from a notebook can clear the screen, rename the window, write the clipboard or move the cursor over
another student's mark, and a bidirectional control shows a line in another order than it has. So
nothing that tells a terminal what to do leaves this process but what our own styling wrote.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

# Controls of C0 (but tab and newline), DEL, C1; bidirectional, invisible and tag characters;
# separators that some terminals take for a new line; halves of characters, which can't be encoded.
# ZWJ and ZWNJ stay: names in Persian, in Indic scripts, and emoji need them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)

_LINE_BREAK = re.compile("\\s*[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\\s*")


def printable(text: str) -> str:
    r"""Return text in which each character that a terminal obeys is spelt out, such as ``\x1b``."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def printable_line(text: str) -> str:
    """Return text as one printable line: a name with a newline can't begin a line of its own."""
    return printable(_LINE_BREAK.sub(" ", text).strip())


def printable_json(text: str) -> str:
    """Return a JSON document that means the same and holds nothing that a terminal obeys."""
    return _UNPRINTABLE.sub(_json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class PrintableStream(io.TextIOBase):
    """A text stream that spells out what a terminal would obey; `styled` is the stream below."""

    def __init__(self, stream: TextIO) -> None:
        self.styled = stream

    def write(self, text: str, /) -> int:
        """Write printable text; what the terminal's encoding lacks is spelt out too."""
        shown = printable(text)
        encoding = self.encoding
        if encoding.lower().replace("-", "") != "utf8":
            shown = shown.encode(encoding, "backslashreplace").decode(encoding)
        self.styled.write(shown)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        self.styled.flush()

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return self.styled.isatty()

    def fileno(self) -> int:
        """Return the descriptor below."""
        return self.styled.fileno()

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream below."""
        return self.styled.encoding or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """How the stream below takes what it can't encode."""
        return self.styled.errors


@contextmanager
def printing_safely() -> Iterator[None]:
    """Let stdout and stderr of this process print nothing that a terminal obeys."""
    before = sys.stdout, sys.stderr
    ours = [s if isinstance(s, PrintableStream) else PrintableStream(s) for s in before]
    sys.stdout, sys.stderr = ours
    try:
        yield
    finally:
        for stream in ours:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # who reads us has gone; the caller has said so
        sys.stdout, sys.stderr = before


def styled_stream(*, err: bool) -> TextIO:
    """Return the stream below stdout or stderr, for text that was made printable before."""
    stream = sys.stderr if err else sys.stdout
    return stream.styled if isinstance(stream, PrintableStream) else stream
