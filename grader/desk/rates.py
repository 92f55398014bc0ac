"""How often forms are taken of a person, and open pages asked for from one address.

A whole class may be behind one address: what is counted there is what costs something, and not
what can't be guessed anyway.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from limits import RateLimitItemPerHour, RateLimitItemPerMinute, parse
from limits.storage import MemoryStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from grader.desk.routing import AnyPage, OpenPage, Visit
from grader.errors import GradebookError
from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import RateRow

_PERSON = parse("600/minute")  # a marker's keys
_UPLOADS = parse("20/minute")
MEGABYTES_AN_HOUR = 2_000
"""So much may one person upload, counted or not: else one could fill the disk for the class."""
_SWEEP_EVERY = 500


class Rates:
    """Counts in the database where several processes may serve the desk, else in memory."""

    def __init__(self, engine: Engine) -> None:
        shared = engine.dialect.name == "postgresql"
        self._limiter = FixedWindowRateLimiter(SharedCounts(engine) if shared else MemoryStorage())

    def allow(self, visit: Visit, page: AnyPage) -> bool:
        """Count a request, where such requests are counted; False: it is one too many."""
        if isinstance(page, OpenPage):
            if not page.per_minute:
                return True
            host = visit.request.client.host if visit.request.client else ""
            limit = RateLimitItemPerMinute(page.per_minute)
            return self._limiter.hit(limit, page.path, host)
        return page.method == "GET" or self._allow_form(visit)

    def _allow_form(self, visit: Visit) -> bool:
        account = str(visit.me.account)
        kind = visit.request.headers.get("content-type", "")
        if kind.startswith("multipart/") and not self._allow_upload(visit, account):
            return False
        return self._limiter.hit(_PERSON, "person", account)

    def _allow_upload(self, visit: Visit, account: str) -> bool:
        most = visit.desk.max_upload_mb + 1
        length = visit.request.headers.get("content-length", "")
        size = -(-int(length) >> 20) if length.isdigit() else most  # one that does not say it
        an_hour = RateLimitItemPerHour(max(MEGABYTES_AN_HOUR, most))
        return self._limiter.hit(_UPLOADS, "upload", account) and self._limiter.hit(
            an_hour, "megabytes", account, cost=max(size, 1)
        )


class SharedCounts(Storage):
    """Counts of `limits` in a table: all processes count together."""

    STORAGE_SCHEME = None

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._insert = (sqlite if engine.dialect.name == "sqlite" else postgresql).insert
        self._hits = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong here."""
        return GradebookError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and return how many there are by now in the span that runs."""
        now = _now()
        until = now + dt.timedelta(seconds=expiry)
        is_over = RateRow.until <= now
        query = (
            self._insert(RateRow)
            .values(key=key, count=amount, until=until)
            .on_conflict_do_update(
                index_elements=[RateRow.key],
                set_={
                    "count": case((is_over, amount), else_=RateRow.count + amount),
                    "until": case((is_over, until), else_=RateRow.until),
                },
            )
            .returning(RateRow.count)
        )
        self._hits += 1
        with writing(self._engine) as session:
            if self._hits % _SWEEP_EVERY == 0:
                session.execute(delete(RateRow).where(RateRow.until <= now))
            return int(session.scalar(query) or 0)

    def get(self, key: str) -> int:
        """Return how many there are by now."""
        row = self._row(key)
        return row.count if row is not None else 0

    def get_expiry(self, key: str) -> float:
        """Return when the span that runs is over, in seconds since 1970."""
        row = self._row(key)
        return (row.until if row is not None else _now()).timestamp()

    def check(self) -> bool:
        """Say whether the table can be read."""
        self._row("")
        return True

    def reset(self) -> int | None:
        """Forget all counts."""
        with writing(self._engine) as session:
            found: Any = session.execute(delete(RateRow))
            return int(found.rowcount)

    def clear(self, key: str) -> None:
        """Forget one count."""
        with writing(self._engine) as session:
            session.execute(delete(RateRow).where(RateRow.key == key))

    def _row(self, key: str) -> RateRow | None:
        query = select(RateRow).where(RateRow.key == key, RateRow.until > _now())
        with reading(self._engine) as session:
            return session.scalars(query).first()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
