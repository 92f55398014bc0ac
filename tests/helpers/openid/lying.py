"""A provider that speaks OpenID Connect well, until a test has it lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

Key = RSAKey | ECKey


def new_key(name: str) -> RSAKey:
    """A key to sign with."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"}, private=True)


@cache
def usual_key() -> RSAKey:
    """The key of every provider that is told no other: to make one takes as long as a sign-in."""
    return new_key("k1")


@dataclass
class LyingProvider:
    """What it says, each part of which a test may change.

    `claims` are added to the ID token's right ones, a value of None takes one away; `header` and
    `signing` say how it is signed; `shown` are the keys that it publishes.
    """

    issuer: str = ""
    signing: Any = field(default_factory=usual_key)
    shown: list[Key] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forge: Callable[[dict[str, Any]], str] | None = None

    def authorise(self, question: str) -> str:
        """What a person's sign-in ends with: a code for this question."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(question).query).items()}
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return code

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        right = {
            "iss": self.issuer,
            "sub": "sub-ada",
            "aud": "desk",
            "exp": now + 600,
            "iat": now,
            "nonce": asked["nonce"],
            "email": "ada@example.edu",
            "email_verified": True,
        }
        said = {k: v for k, v in {**right, **self.claims}.items() if v is not None}
        token = self.forge(said) if self.forge else self.sign(said)
        return 200, {"id_token": token, "access_token": "access", "token_type": "Bearer"}

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign with the key that it has."""
        kid = {} if isinstance(self.signing, OctKey) else {"kid": self.signing.kid}
        header = {"alg": "RS256", **kid, **self.header}
        return jwt.encode(header, claims, self.signing, algorithms=[header["alg"]])

    def says(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        if path == "/token":
            status, said = self.token(form)
            return status, json.dumps(said).encode()
        if path == "/keys":
            keys = KeySet(self.shown or [self.signing]).as_dict(private=False)
            return 200, json.dumps(keys).encode()
        if path == "/me":
            return 200, json.dumps(self.userinfo).encode()
        right = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/ask",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
        }
        return 200, json.dumps({**right, **self.description}).encode()


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    """Run one on a free port."""
    provider = LyingProvider()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            form = {n: v[0] for n, v in parse_qs(self.rfile.read(size).decode()).items()}
            status, data = provider.says(urlsplit(self.path).path, form)
            self.send_response(status)
            if status // 100 == 3:
                self.send_header("location", data.decode())
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
