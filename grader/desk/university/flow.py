"""What binds a provider's answer to the browser that asked: one secret in that browser's cookie.

State, nonce and the verifier of PKCE (RFC 7636) are made of it, each with the provider's id. So
nothing is kept here, every web process can take the answer, and an answer is worth nothing in
another browser, or as that of another provider.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from grader.desk.own_paths import own_path

LASTS_S = 900
_SECRET_CHARACTERS = 43


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A sign-in that was begun.

    Attributes:
        provider: the id of the one that was asked.
        secret: what only this browser knows.
        linking: whether somebody who is signed in wants to link the login.
        wanted: where to go afterwards.
    """

    provider: str
    secret: str
    linking: bool = False
    wanted: str = "/"

    @property
    def state(self) -> str:
        """What the answer must repeat, so that it is one to this browser's question."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What the ID token must repeat, so that it is of this sign-in."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What the code is exchanged with, so that a code that was stolen is worth nothing."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        """The verifier's hash, which the provider is told first (S256)."""
        return _base64(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        return f"{self.provider}~{self.secret}~{int(self.linking)}~{self.wanted}"

    def _made(self, of: str) -> str:
        text = f"grader {of} {self.provider} {int(self.linking)}"
        return _base64(hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest())


def begin(provider: str, *, linking: bool, wanted: str) -> Flow:
    """Begin a sign-in."""
    return Flow(
        provider=provider,
        secret=secrets.token_urlsafe(32),
        linking=linking,
        wanted=own_path(wanted),
    )


def resumed(cookie: str, provider: str) -> Flow | None:
    """Return the sign-in that a browser began with a provider; None: it began none."""
    parts = cookie.split("~", 3)
    if len(parts) != 4 or parts[0] != provider or len(parts[1]) != _SECRET_CHARACTERS:
        return None
    return Flow(
        provider=provider,
        secret=parts[1],
        linking=parts[2] == "1",
        wanted=own_path(parts[3]),
    )


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
