"""One provider of OpenID Connect: found by its issuer, asked over TLS, believed in little."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from grader.desk.settings import Secret, SignIn, is_secure_address
from grader.desk.university.errors import NotBelievedError, ProviderAwayError
from grader.desk.university.flow import Flow
from grader.desk.university.id_token import UnknownKeyError, believed, public_keys

_TIMEOUT_S, _WHOLE_S = 10.0, 20.0
_MAX_BYTES = 1 << 20
_KEEP_S = 3600.0
_KEYS_AGAIN_S = 10.0
"""An unknown key has the keys read again, but not as often as somebody sends such tokens."""
_AT_ONCE = 8
"""Requests that wait for the provider at most: a slow one must not take all the desk's threads."""
_AWAY = "The sign-in of {name} does not answer."
_AWAY_HINT = "Try again in a minute. A sign-in link from the course staff works meanwhile."


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a code is exchanged for."""

    id_token: str
    access_token: str = ""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in at a provider: `subject` is for ever theirs, the rest is what it says now."""

    issuer: str
    subject: str
    claims: dict[str, Any]


class Provider:
    """A university's sign-in, as this desk uses it.

    Args:
        settings: of `desk.toml`.
        secret: of this desk at the provider; an empty one for a public client.
        address: of this desk, to which the provider sends browsers back.
        clock: tells the seconds that pass.
    """

    def __init__(
        self,
        settings: SignIn,
        secret: Secret,
        address: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.address = address
        self._secret = secret
        self._clock = clock
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._description: Description | None = None
        self._described_at = 0.0
        self._keys: Any = None
        self._keys_at = 0.0

    def question(self, flow: Flow) -> str:
        """Return the address at which a browser asks the provider who its user is.

        Raises:
            ProviderAwayError: the provider does not say where that is.
        """
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.address,
            "scope": " ".join(self.settings.scopes),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(self.description().authorization_endpoint, asked)

    def login(self, flow: Flow, *, code: str, now: dt.datetime) -> Login:
        """Exchange a code, and return who it is of.

        Raises:
            ProviderAwayError: the provider can't be reached.
            NotBelievedError: it refuses the code, or what it says is not believed.
        """
        tokens = self._exchange(flow, code)
        try:
            claims = self._believed(tokens, flow, now, self._known_keys())
        except UnknownKeyError:
            claims = self._believed(tokens, flow, now, self._known_keys(again=True))
        if self.settings.claim not in claims:
            claims = {**self._more(tokens, str(claims["sub"])), **claims}
        return Login(issuer=self.settings.issuer, subject=str(claims["sub"]), claims=claims)

    def check_sender(self, issuer: str) -> None:
        """Look at the answer's own word on whose it is (RFC 9207), which is there or must be.

        Raises:
            NotBelievedError: it is another provider's.
        """
        must = self.description().authorization_response_iss_parameter_supported
        if (must or issuer) and issuer != self.settings.issuer:
            raise NotBelievedError("the answer is of another provider")

    def sign_out_address(self, back: str) -> str:
        """Return where a browser signs out of the provider too; empty where nobody knows."""
        known = self._description
        if known is None or not known.end_session_endpoint:
            return ""
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return _with_query(known.end_session_endpoint, asked)

    def description(self) -> Description:
        """Return what the provider says of itself; read once an hour.

        Raises:
            ProviderAwayError: it says nothing, or says what is not believed.
        """
        with self._lock:
            known = self._description
            if known is not None and self._clock() - self._described_at < _KEEP_S:
                return known
        address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            found = msgspec.convert(self._read("GET", address), Description)
        except msgspec.ValidationError as error:
            raise self._away(f"its description: {error}") from error
        addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        more = (found.userinfo_endpoint, found.end_session_endpoint)
        if found.issuer != self.settings.issuer:
            raise self._away(f"it calls itself {found.issuer!r}, not as desk.toml says")
        if not all(map(is_secure_address, [*addresses, *filter(None, more)])):
            raise self._away("an address of its description is not https")
        with self._lock:
            self._description, self._described_at = found, self._clock()
        return found

    def _known_keys(self, *, again: bool = False) -> Any:
        with self._lock:
            age = self._clock() - self._keys_at
            if self._keys is not None and age < (_KEYS_AGAIN_S if again else _KEEP_S):
                return self._keys
        keys = public_keys(self._read("GET", self.description().jwks_uri))
        with self._lock:
            self._keys, self._keys_at = keys, self._clock()
        return keys

    def _believed(self, tokens: Tokens, flow: Flow, now: dt.datetime, keys: Any) -> dict[str, Any]:
        return believed(
            tokens.id_token,
            keys,
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=flow.nonce,
            access_token=tokens.access_token,
            now=now,
        )

    def _exchange(self, flow: Flow, code: str) -> Tokens:
        known = self.description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.address,
            "code_verifier": flow.verifier,
        }
        login, secret = None, self._secret.read()
        if secret and "client_secret_basic" in known.token_endpoint_auth_methods_supported:
            # RFC 6749, 2.3.1: both are written as in a form before they are joined.
            login = (quote_plus(self.settings.client_id), quote_plus(secret))
        else:
            form["client_id"] = self.settings.client_id
            form |= {"client_secret": secret} if secret else {}
        said = self._read("POST", known.token_endpoint, data=form, auth=login)
        try:
            return msgspec.convert(said, Tokens)
        except msgspec.ValidationError as error:
            raise NotBelievedError("the provider gave no ID token") from error

    def _more(self, tokens: Tokens, subject: str) -> dict[str, Any]:
        """What the provider says beside the token; nothing where it is of another person."""
        address = self.description().userinfo_endpoint
        if not address or not tokens.access_token:
            return {}
        said = self._read(
            "GET", address, headers={"authorization": f"Bearer {tokens.access_token}"}
        )
        if not isinstance(said, dict) or said.get("sub") != subject:
            raise NotBelievedError("the provider speaks of another person")
        return said

    def _read(self, method: str, address: str, **more: Any) -> Any:
        """Ask the provider, and return the JSON that it answers."""
        import requests  # half a second of imports that a desk without providers need not pay

        with self._place():
            try:
                with requests.request(
                    method,
                    address,
                    timeout=_TIMEOUT_S,
                    allow_redirects=False,
                    stream=True,
                    **_accepting_json(more),
                ) as answer:
                    data = _bounded(answer.iter_content(1 << 14), time.monotonic() + _WHOLE_S)
                    status = answer.status_code
            except requests.RequestException as error:
                raise self._away(type(error).__name__) from error
        if method == "POST" and status in (400, 401, 403):
            raise NotBelievedError(_refusal(data))
        if status != 200 or data is None:
            raise self._away(f"{urlsplit(address).path} answers {status}")
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._away(f"{urlsplit(address).path} answers no JSON") from error

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise self._away("it is slow, and others wait already")
        try:
            yield
        finally:
            self._places.release()

    def _away(self, why: str) -> ProviderAwayError:
        return ProviderAwayError(
            _AWAY.format(name=self.settings.name),
            where=f"{self.settings.issuer} ({why})",
            hint=_AWAY_HINT,
        )


def _with_query(address: str, asked: dict[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"


def _accepting_json(more: dict[str, Any]) -> dict[str, Any]:
    return {**more, "headers": {"accept": "application/json", **more.get("headers", {})}}


def _bounded(pieces: Iterator[bytes], until: float) -> bytes | None:
    """All of an answer, or None where it is larger, or comes more slowly, than any may."""
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > _MAX_BYTES or time.monotonic() > until:
            return None
    return bytes(data)


def _refusal(data: bytes | None) -> str:
    """What a provider says when it refuses a code (RFC 6749, 5.2): a word of a known list."""
    try:
        said = msgspec.json.decode(data or b"", type=dict[str, Any]).get("error")
    except (msgspec.DecodeError, RecursionError):
        said = None
    if said == "invalid_grant":
        return "the sign-in was used already, or took too long"
    if said in ("invalid_client", "unauthorized_client"):
        return "the provider does not know this desk: its client_id or secret is wrong"
    return "the provider refuses the sign-in"
