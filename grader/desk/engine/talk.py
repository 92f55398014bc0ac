"""What the engine tells: web processes where a try is, and whoever started it that it goes on.

One JSON object a line, over a pipe to whoever started the engine; where a try is, at a PostgreSQL
server instead in a message to every web process. What has to last is in the gradebook; news that
are lost cost a page its "cell 3 of 12", and nothing else.
"""

from __future__ import annotations

import msgspec

BEAT = b'{"kind":"beat"}\n'
"""The engine's loop has come round: written by the loop itself, not by a thread beside it."""
BEAT_S = 1.0
"""It is said no more often than this."""
HUNG_S = 300.0
"""An engine whose loop has not come round for so long hangs: to make slots takes less."""
SLOW_S = 60.0
"""So long nobody is told: slots are made meanwhile."""


class CellNews(msgspec.Struct, frozen=True, kw_only=True, tag="cell", tag_field="kind"):
    """A try is at a cell, from 1 of `cells`; 0 while it begins, `cells + 1` in the checks."""

    number: int
    cell: int
    cells: int


_DECODER = msgspec.json.Decoder(CellNews)


def to_line(news: CellNews) -> bytes:
    """Return a line."""
    return msgspec.json.encode(news) + b"\n"


def from_line(line: bytes | str) -> CellNews | None:
    """Read a line; None: it is none of ours."""
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError:
        return None
