"""Bounds how long a request's head may take: a connection that says nothing whole is closed.

uvicorn waits for a head for ever, so that a few hundred connections that each send a byte a minute
would use up the desk's descriptors (a "slowloris").
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0


class HeadsInTime(H11Protocol):
    """A connection that is closed where no request begins, or one begun has no whole head."""

    _looks: asyncio.TimerHandle | None = None
    _seen: object = None
    _was_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to look after the connection."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._looks is not None:
            self._looks.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._looks = self.loop.call_later(HEAD_S, self._look)

    def _look(self) -> None:
        """Close what waited at the last look, and still waits for the very same head."""
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self._was_waiting and self._seen is self.cycle:
            self.transport.close()
            return
        self._was_waiting, self._seen = waits, self.cycle
        self._look_later()
