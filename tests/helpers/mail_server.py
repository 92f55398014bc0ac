"""A mail server of this machine that keeps what it is given, and can be told what to answer."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class MailServer:
    """What came, and what is answered next.

    `rcpt` and `data` are answers, taken one by one before "250"; "close" closes the connection
    after the text has come, and "hang" answers nothing more.
    """

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    came: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        self.came.append(address)
        if self.rcpt:
            answer = self.rcpt.pop(0)
            if answer == "hang":
                await asyncio.sleep(600)
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        answer = self.data.pop(0) if self.data else "250 taken"
        if answer[0] not in "45":
            read = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(read, EmailMessage)
            self.taken.append(read)
        if answer == "hang":
            await asyncio.sleep(600)
        if answer == "close":
            assert server.transport is not None
            server.transport.close()
        return answer

    def texts(self) -> list[str]:
        """The bodies that were taken."""
        return [str(one.get_content()) for one in self.taken]


class _Here(Controller):
    """Listens on a port that is free, whichever that is."""

    def __init__(self, handler: MailServer, listening: socket.socket, **more: Any) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=listening.getsockname()[1], **more)
        self._listening = listening

    def _create_server(self) -> Any:
        return self.loop.create_server(
            self._factory_invoker, sock=self._listening, ssl=self.ssl_context
        )


@contextmanager
def mail_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, login: str = ""
) -> Iterator[MailServer]:
    """Run a server: over TLS from the first byte, or from STARTTLS on; with a login's password."""
    handler = MailServer()

    def check(
        server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any
    ) -> AuthResult:
        handler.logins.append((data.login, data.password))
        # handled=False: aiosmtpd is to answer 535; else the client waits for an answer in vain.
        return AuthResult(success=data.password == login.encode(), handled=False)

    listening = socket.create_server(("127.0.0.1", 0))
    controller = _Here(
        handler,
        listening,
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=check if login else None,
        auth_required=bool(login),
        auth_require_tls=starttls is not None,
        ready_timeout=60,
    )
    handler.port = listening.getsockname()[1]
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()
