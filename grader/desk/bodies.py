"""Bounds what a browser sends: how much, and how slowly."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.responses import Response
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
    """Refuses a body that is too large, before or while it comes, and one that stalls.

    Whoever is answered while still sending can read the answer, whatever it says.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        idle_s: float = IDLE_S,
        page: Callable[[Scope, int, str], Response],
    ) -> None:
        """`page` makes the answer to who is refused, of a status and a sentence."""
        self._app = app
        self._page = page
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
        comes = declared != b"0" or b"transfer-encoding" in headers
        body = _Body(receive, most=most, idle_s=self._idle_s, complete=not comes)
        answer = _Answer(send, body)
        if not declared.isdigit() or int(declared) > most:
            await self._refuse(413, scope, body, answer)
            return
        try:
            await self._app(scope, body.receive, answer.send)
        except (_TooLarge, _TooSlow) as error:
            if answer.begun:
                raise
            status = 413 if isinstance(error, _TooLarge) else 408
            await self._refuse(status, scope, body, answer)

    async def _refuse(self, status: int, scope: Scope, body: _Body, answer: _Answer) -> None:
        megabytes = self._max_bytes // (1 << 20) - 1
        said = (
            f"The upload is larger than {megabytes} MB. Nothing was handed in. Clear the "
            "notebook's outputs, leave out data, and hand in again."
            if status == 413
            else "The upload stopped, or hardly went on. Nothing was handed in. Try again."
        )
        await self._page(scope, status, said)(scope, body.receive, answer.send)


class _Body:
    """What comes of a request, within its bounds; `complete` when nothing more is to come."""

    def __init__(self, receive: Receive, *, most: int, idle_s: float, complete: bool) -> None:
        self._receive = receive
        self._most = most
        self._idle_s = idle_s
        self._size = 0
        self._since = time.monotonic()
        self._ended = False
        self.complete = complete

    async def receive(self) -> Message:
        """The next piece."""
        if self._ended:  # what comes now is that the browser has gone; that may take for ever
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._idle_s)
        except TimeoutError:
            raise _TooSlow from None
        self._size += len(message.get("body", b""))
        self._ended = self.complete = not message.get("more_body", False)
        if self._size > self._most:
            raise _TooLarge
        lasts_s = time.monotonic() - self._since
        if not self._ended and lasts_s > self._idle_s and self._size < lasts_s * LEAST_BYTES_S:
            raise _TooSlow
        return message

    async def forget(self) -> None:
        """Take in for a while what still comes, and forget it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGERS_S):
                while True:
                    message = await asyncio.wait_for(self._receive(), QUIET_S)
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return


class _Answer:
    """Sends an answer; one that comes before the whole body ends only when that was taken in.

    A connection that is closed while the browser still sends is reset, and the answer may be lost
    with it: instead of our sentence, or of the way to the sign-in, somebody would read that the
    connection was reset. Source: RFC 9112, 9.6.
    """

    def __init__(self, send: Send, body: _Body) -> None:
        self._send = send
        self._body = body
        self._is_early = False
        self.begun = False

    async def send(self, message: Message) -> None:
        """Pass a message of the answer on."""
        if message["type"] == "http.response.start":
            self.begun = True
            self._is_early = not self._body.complete
            if self._is_early:
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
        elif self._is_early and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.forget()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
