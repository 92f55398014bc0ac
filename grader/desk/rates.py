"""How often forms are taken: of a person, and from an address before anybody has signed in."""

from __future__ import annotations

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from grader.desk.routing import Visit

_PERSON = parse("600/minute")  # a marker's keys
_UPLOADS = parse("20/minute")
_STRANGER = parse("30/minute")


class Rates:
    """Counts in this process's memory."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allow(self, visit: Visit) -> bool:
        """Count a form, or an answer of a provider; False where it is one too many."""
        if visit.user is None:
            host = visit.request.client.host if visit.request.client else ""
            return self._limiter.hit(_STRANGER, "stranger", host)
        account = str(visit.user.account)
        kind = visit.request.headers.get("content-type", "")
        if kind.startswith("multipart/") and not self._limiter.hit(_UPLOADS, "upload", account):
            return False
        return self._limiter.hit(_PERSON, "person", account)
