"""What the engine tells the web process: news that is worth nothing once a try has ended.

One JSON object a line, over a pipe. What has to last is in the gradebook; a line that is lost costs
a page its "cell 3 of 12", and nothing else.
"""

from __future__ import annotations

import msgspec


class CellNews(msgspec.Struct, frozen=True, kw_only=True, tag="cell", tag_field="kind"):
    """A try is at a cell, from 1 of `cells`; 0 while it begins, `cells + 1` in the checks."""

    number: int
    cell: int
    cells: int


class EngineNews(msgspec.Struct, frozen=True, kw_only=True, tag="engine", tag_field="kind"):
    """How the engine is: `sandbox` in words, `trouble` while it can't judge."""

    sandbox: str = ""
    slots: int = 0
    trouble: str = ""


AnyNews = CellNews | EngineNews
_DECODER = msgspec.json.Decoder(AnyNews)


def to_line(news: AnyNews) -> bytes:
    """Return a line."""
    return msgspec.json.encode(news) + b"\n"


def from_line(line: bytes) -> AnyNews | None:
    """Read a line; None: it is none of ours."""
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError:
        return None
