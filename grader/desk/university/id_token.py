"""Which ID token is believed (OpenID Connect Core 1.0, 3.1.3.7): the signature, then each claim."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, MissingKeyError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from grader.desk.university.errors import NotBelievedError

ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512")
"""With a key that only the provider has: neither `none`, nor one with a shared secret."""
_HEADERS = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
"""Headers that are not known are left alone, as RFC 7515, 4 asks; `crit` is not."""
SKEW = dt.timedelta(minutes=2)
"""How far two clocks may be apart."""
_LONGEST = dt.timedelta(hours=1)
"""How old a token may be that was fetched a moment ago."""


class UnknownKeyError(NotBelievedError):
    """A key that is not among the provider's, or not yet: keys are changed."""


def public_keys(document: Any) -> KeySet:
    """Return the keys of a provider's document with which an ID token can be signed.

    Raises:
        NotBelievedError: it has none.
    """
    found = document.get("keys") if isinstance(document, dict) else None
    keys = [key for key in found if _can_sign(key)] if isinstance(found, list) else []
    try:
        return KeySet.import_key_set({"keys": keys})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise NotBelievedError("the provider names no key that can be used") from error


def _can_sign(key: Any) -> bool:
    if not isinstance(key, dict) or key.get("kty") not in ("RSA", "EC"):
        return False
    return key.get("use", "sig") == "sig" and "d" not in key


def believed(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    now: dt.datetime,
) -> dict[str, Any]:
    """Return what an ID token says, once all of it is as it must be.

    Raises:
        UnknownKeyError: it is signed by a key that is not among these.
        NotBelievedError: it is not for this desk, this sign-in, or now; says which.
    """
    try:
        read = jwt.decode(token, keys, algorithms=ALGORITHMS, registry=_HEADERS)
    except (InvalidKeyIdError, MissingKeyError) as error:
        raise UnknownKeyError("the ID token is signed with a key that is not known") from error
    except (JoseError, ValueError, TypeError) as error:
        raise NotBelievedError("the ID token is not signed by the provider") from error
    claims = read.claims
    _check_whose(claims, issuer, client_id)
    _check_when(claims, now)
    _check_sign_in(claims, nonce, _half_hash(access_token, read.header["alg"]))
    return claims


def _check_whose(claims: dict[str, Any], issuer: str, client_id: str) -> None:
    if claims.get("iss") != issuer:
        raise NotBelievedError("the ID token is of another provider")
    for_whom = claims.get("aud")
    audiences = for_whom if isinstance(for_whom, list) else [for_whom]
    if client_id not in audiences:
        raise NotBelievedError("the ID token is for another program")
    if ("azp" in claims or len(audiences) > 1) and claims.get("azp") != client_id:
        raise NotBelievedError("the ID token was asked for by another program")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise NotBelievedError("the ID token names nobody")


def _check_when(claims: dict[str, Any], now: dt.datetime) -> None:
    moment = now.timestamp()
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    times["nbf"] = times["iat"] if times["nbf"] is None else times["nbf"]
    if any(isinstance(t, bool) or not isinstance(t, int | float) for t in times.values()):
        raise NotBelievedError("the ID token has no time")
    exp, iat, nbf = (float(times[name]) for name in ("exp", "iat", "nbf"))  # type: ignore[arg-type]
    skew = SKEW.total_seconds()
    if not exp > moment - skew:
        raise NotBelievedError("the ID token is over", hint="Is the clock of this machine right?")
    if not max(iat, nbf) < moment + skew or not iat > moment - skew - _LONGEST.total_seconds():
        raise NotBelievedError(
            "the ID token is not valid now", hint="Is the clock of this machine right?"
        )


def _check_sign_in(claims: dict[str, Any], nonce: str, access_hash: str) -> None:
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotBelievedError("the ID token is of another sign-in")
    if "at_hash" in claims and claims["at_hash"] != access_hash:
        raise NotBelievedError("the ID token came with the access token of another")


def _half_hash(access_token: str, algorithm: str) -> str:
    digest = hashlib.new(f"sha{algorithm[2:]}", access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
