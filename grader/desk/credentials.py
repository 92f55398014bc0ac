"""Sign-in links, sessions and personal tokens: random, kept as hashes, revocable.

Each holds in some courses, or wherever its account is somebody. A link that a course's staff makes
holds in that course alone: whom they can name in it, they must not become in another.

A link is used once. It is not used up by being opened, since mail scanners open links: the page
behind it has a button. A session is always new at sign-in, so that nobody can be made to use one
that somebody else knows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from grader.gradebook.database import ConflictError, reading, writing
from grader.gradebook.desk_tables import AccountRow, SecretRow

Kind = Literal["link", "session", "token"]
LINK = dt.timedelta(days=30)
"""How long a sign-in link can be used: a list of them is printed for a class's first week."""
SESSION = dt.timedelta(days=14)
STAFF_SESSION = dt.timedelta(hours=12)
"""Who sees everybody's work signs in each day."""
TOKEN = dt.timedelta(days=180)
_SEEN_EVERY = dt.timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What is known of a link, session or token; its value is known to its holder alone.

    `courses` says in which it holds and as which account there; None: in all, as `account`.
    """

    id: int
    account: int
    person: str
    courses: dict[str, int] | None
    label: str
    made_at: dt.datetime
    seen_at: dt.datetime | None
    expires_at: dt.datetime

    def account_in(self, course: str) -> int | None:
        """Return as which account it holds in a course, or None."""
        return self.account if self.courses is None else self.courses.get(course)

    def covers(self, other: Credential) -> bool:
        """Say whether whoever holds this may look after another of the same account."""
        if self.courses is None:
            return True
        return other.courses is not None and other.courses.items() <= self.courses.items()


class LinkUsedError(Exception):
    """A link was used meanwhile, or has ended."""


class Credentials:
    """The secrets of a desk's accounts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(
        self,
        kind: Kind,
        account: int,
        *,
        courses: dict[str, int] | None,
        lasts: dt.timedelta,
        now: dt.datetime,
        label: str = "",
    ) -> str:
        """Make a secret and return its value, which is kept nowhere."""
        value = secrets.token_urlsafe(32)
        with writing(self._engine) as session:
            _add(session, kind, value, account, courses, now + lasts, now, label)
        return value

    def make_links(
        self, accounts: list[int], *, course: str | None, now: dt.datetime
    ) -> dict[int, str]:
        """Make a sign-in link for each account; those of before can't be used any more.

        Args:
            accounts: whose.
            course: in which the links hold, and those of before end; None: in all.
            now: the time.
        """
        links = {account: secrets.token_urlsafe(32) for account in accounts}
        before = select(SecretRow).where(
            SecretRow.account.in_(accounts),
            SecretRow.kind == "link",
            SecretRow.ended_at.is_(None),
        )
        with writing(self._engine) as session:
            for row in session.scalars(before):
                if course is None or (row.courses is not None and set(row.courses) == {course}):
                    row.ended_at = now
            for account, value in links.items():
                holds = None if course is None else {course: account}
                _add(session, "link", value, account, holds, now + LINK, now, "")
        return links

    def first_time(self, key: str, account: int, *, now: dt.datetime) -> bool:
        """Say whether an account sends a form for the first time, by a key that is the form's own.

        What is made by a form and shown once must not be made again by a double click, or by
        loading the answer anew. To be asked in the transaction of what is done, so that nothing is
        left of a form whose sending was broken off.
        """
        form = SecretRow(
            kind="form",
            sha256=_hash(f"{account}\t{key}"),
            account=account,
            label="",
            made_at=now,
            expires_at=now,
            ended_at=now,
        )
        try:
            with writing(self._engine) as session:
                session.add(form)
        except ConflictError:
            return False
        return True

    def was_sent(self, key: str, account: int) -> bool:
        """Say whether an account has sent a form, and what it is for is done."""
        query = select(SecretRow.id).where(
            SecretRow.kind == "form", SecretRow.sha256 == _hash(f"{account}\t{key}")
        )
        with reading(self._engine) as session:
            return session.scalar(query) is not None

    def find(self, kind: Kind, value: str, *, now: dt.datetime) -> Credential | None:
        """Return what a value stands for; None: nothing, or not any more."""
        with reading(self._engine) as session:
            row = _valid(session, kind, value, now)
            found = _credential(session, row) if row is not None else None
        if found and kind != "link" and now - (found.seen_at or found.made_at) > _SEEN_EVERY:
            with writing(self._engine) as session:
                session.execute(
                    update(SecretRow).where(SecretRow.id == found.id).values(seen_at=now)
                )
        return found

    def use_link(
        self,
        value: str,
        *,
        lasts: dt.timedelta,
        now: dt.datetime,
        held: Credential | None = None,
    ) -> str:
        """Use up a link and return a new session.

        `held` is the session that the browser had, which ends with it; where it is of the same
        account, the new one holds in its courses too.

        Raises:
            LinkUsedError: the link can't be used (any more).
        """
        session_value = secrets.token_urlsafe(32)
        with writing(self._engine) as session:
            row = _valid(session, "link", value, now)
            if row is None:
                raise LinkUsedError
            row.ended_at = now
            courses = row.courses
            if courses is not None and held is not None and held.account == row.account:
                courses = None if held.courses is None else {**held.courses, **courses}
            _add(session, "session", session_value, row.account, courses, now + lasts, now, "")
            if held is not None:
                _end(session, held.id, now)
        return session_value

    def end(self, secret: int, *, now: dt.datetime) -> None:
        """End a secret."""
        with writing(self._engine) as session:
            _end(session, secret, now)

    def end_in(
        self, account: int, course: str, *, others: Collection[str], now: dt.datetime
    ) -> None:
        """End everything with which an account could be used in one course.

        What holds elsewhere too goes on there: in those of its courses that are among `others`,
        the rest of the desk's.
        """
        with writing(self._engine) as session:
            rows = session.scalars(select(SecretRow).where(SecretRow.ended_at.is_(None))).all()
            for row in rows:
                holds = row.courses
                if holds is None:
                    holds = dict.fromkeys((course, *others), row.account)
                if holds.get(course) != account:
                    continue
                left = {slug: own for slug, own in holds.items() if slug != course}
                if left:
                    row.courses = left
                else:
                    row.ended_at = now

    def count(self, kind: Kind, *, now: dt.datetime) -> int:
        """Return how many secrets of a kind can be used."""
        query = select(func.count()).where(
            SecretRow.kind == kind, SecretRow.ended_at.is_(None), SecretRow.expires_at > now
        )
        with reading(self._engine) as session:
            return int(session.scalar(query) or 0)

    def of(self, account: int, kind: Kind, *, now: dt.datetime) -> list[Credential]:
        """Return an account's secrets that can be used, oldest first."""
        query = (
            select(SecretRow)
            .where(
                SecretRow.account == account,
                SecretRow.kind == kind,
                SecretRow.ended_at.is_(None),
                SecretRow.expires_at > now,
            )
            .order_by(SecretRow.id)
        )
        with reading(self._engine) as session:
            return [_credential(session, row) for row in session.scalars(query)]

    def reached(self, course: str, *, now: dt.datetime) -> tuple[set[int], set[int]]:
        """Return which accounts of a course were ever signed in, and which have a link to use."""
        usable = (SecretRow.ended_at.is_(None)) & (SecretRow.expires_at > now)
        query = select(SecretRow.kind, SecretRow.account, SecretRow.courses).where(
            (SecretRow.kind == "session") | ((SecretRow.kind == "link") & usable)
        )
        found: dict[str, set[int]] = {"session": set(), "link": set()}
        with reading(self._engine) as session:
            for kind, account, courses in session.execute(query):
                holds = account if courses is None else courses.get(course)
                if holds is not None:
                    found[kind].add(holds)
        return found["session"], found["link"]


def _end(session: Session, secret: int, now: dt.datetime) -> None:
    session.execute(
        update(SecretRow)
        .where(SecretRow.id == secret, SecretRow.ended_at.is_(None))
        .values(ended_at=now)
    )


def form_token(session_value: str) -> str:
    """Return what a form of this session carries, so that another site's forms are told from it."""
    return hmac.new(session_value.encode(), b"grader desk form", hashlib.sha256).hexdigest()


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def _add(
    session: Session,
    kind: Kind,
    value: str,
    account: int,
    courses: dict[str, int] | None,
    expires_at: dt.datetime,
    now: dt.datetime,
    label: str,
) -> None:
    session.add(
        SecretRow(
            kind=kind,
            sha256=_hash(value),
            account=account,
            courses=courses,
            label=label,
            made_at=now,
            expires_at=expires_at,
        )
    )


def _valid(session: Session, kind: Kind, value: str, now: dt.datetime) -> SecretRow | None:
    query = select(SecretRow).where(
        SecretRow.sha256 == _hash(value),
        SecretRow.kind == kind,
        SecretRow.ended_at.is_(None),
        SecretRow.expires_at > now,
    )
    return session.scalars(query).first()


def _credential(session: Session, row: SecretRow) -> Credential:
    account = session.get_one(AccountRow, row.account)
    return Credential(
        id=row.id,
        account=row.account,
        person=account.person,
        courses=row.courses,
        label=row.label,
        made_at=row.made_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
