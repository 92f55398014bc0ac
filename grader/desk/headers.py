"""What every answer of the desk tells the browser: load nothing else, be framed by nobody."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
STUDENT_CSP = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""For what students made: shown in a frame of ours, without an origin, script or connection."""


def says(*, is_https: bool) -> dict[str, str]:
    """Return the headers of every answer that does not say something else itself."""
    found = {
        "content-security-policy": CSP,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-store",
    }
    return found | ({"strict-transport-security": "max-age=31536000"} if is_https else {})


class Headers:
    """Adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._says = says(is_https=is_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._says.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
