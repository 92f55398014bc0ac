"""How many requests of one person are answered at a time: nobody takes all threads of the desk.

A page of a large notebook takes seconds to be made. Whoever asked for it again and again, at once,
would keep the class from handing in; so the others of that person's requests wait for these.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 6
"""As many as a browser asks for at a time over connections of its own."""


class Turns:
    """Whose requests are being answered, and whose wait; of one process, in its event loop."""

    def __init__(self) -> None:
        self._turns: dict[int, asyncio.Semaphore] = {}
        self._here: dict[int, int] = {}

    @asynccontextmanager
    async def of(self, account: int) -> AsyncIterator[None]:
        """Wait for a turn of this account's, and have it in the block."""
        turn = self._turns.setdefault(account, asyncio.Semaphore(AT_ONCE))
        self._here[account] = self._here.get(account, 0) + 1
        try:
            async with turn:
                yield
        finally:
            self._here[account] -= 1
            if not self._here[account]:
                del self._here[account], self._turns[account]
