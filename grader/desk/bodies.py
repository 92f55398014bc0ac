"""Bounds what a browser sends: how much, and how slowly."""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

IDLE_S = 60.0
"""So long may nothing come of a body before it is taken for cut off."""
LEAST_BYTES_S = 2_000
"""So much comes of one a second, after a minute: a byte now and then holds no connection."""
STRANGERS_BYTES = 1 << 20
"""What may come from somebody who has not signed in: a form, no files."""

LINGERS_S = 20.0
"""So long a connection is kept for somebody who was refused in the middle of sending,"""
QUIET_S = 2.0
"""and so long after the last that came."""


class _TooLarge(Exception):
    pass


class _TooSlow(Exception):
    pass


class Bodies:
    """Refuses a body that is too large, before or while it comes, and one that stalls."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, idle_s: float = IDLE_S) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        known = b"cookie" in headers or b"authorization" in headers
        most = self._max_bytes if known else min(self._max_bytes, STRANGERS_BYTES)
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > most:
            await self._refuse(413, scope, receive, send)
            return
        size, complete, begun = 0, False, False
        since = time.monotonic()

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:  # what comes now is that the browser has gone; that may take for ever
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._idle_s)
            except TimeoutError:
                raise _TooSlow from None
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > most:
                raise _TooLarge
            lasts_s = time.monotonic() - since
            if not complete and lasts_s > self._idle_s and size < lasts_s * LEAST_BYTES_S:
                raise _TooSlow
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, bounded, watched)
        except (_TooLarge, _TooSlow) as error:
            if begun:
                raise
            status = 413 if isinstance(error, _TooLarge) else 408
            await self._refuse(status, scope, receive, send)

    async def _refuse(self, status: int, scope: Scope, receive: Receive, send: Send) -> None:
        megabytes = self._max_bytes // (1 << 20) - 1
        said = (
            f"The upload is larger than {megabytes} MB. Nothing was handed in. Clear the "
            "notebook's outputs, leave out data, and hand in again.\n"
            if status == 413
            else "The upload stopped, or hardly went on. Nothing was handed in. Try again.\n"
        )
        answer = PlainTextResponse(said, status_code=status, headers={"connection": "close"})

        async def then_lingers(message: Message) -> None:
            if message["type"] == "http.response.body":
                await send({**message, "more_body": True})
                await _let_it_read(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await answer(scope, receive, then_lingers)


async def _let_it_read(receive: Receive) -> None:
    """Take in for a while what still comes, and forget it.

    A connection that is closed while the browser still sends is reset, and the answer may be lost
    with it: instead of our sentence somebody would read that the connection was reset.
    Source: RFC 9112, 9.6.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGERS_S):
            while True:
                message = await asyncio.wait_for(receive(), QUIET_S)
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
