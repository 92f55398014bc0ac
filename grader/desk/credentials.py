"""Sign-in links, sessions and personal tokens: random, kept as hashes, revocable.

A link is used once. It is not used up by being opened, since mail scanners open links: the page
behind it has a button. A session is always new at sign-in, so that nobody can be made to use one
that somebody else knows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
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
    """What is known of a link, session or token; its value is known to its holder alone."""

    id: int
    account: int
    person: str
    name: str
    label: str
    made_at: dt.datetime
    seen_at: dt.datetime | None
    expires_at: dt.datetime


class Credentials:
    """The secrets of a desk's accounts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(
        self, kind: Kind, account: int, *, lasts: dt.timedelta, now: dt.datetime, label: str = ""
    ) -> str:
        """Make a secret and return its value, which is kept nowhere."""
        value = secrets.token_urlsafe(32)
        with writing(self._engine) as session:
            _add(session, kind, value, account, now + lasts, now, label)
        return value

    def make_links(
        self, accounts: list[int], *, now: dt.datetime, lasts: dt.timedelta = LINK
    ) -> dict[int, str]:
        """Make a sign-in link for each account; those of before can't be used any more."""
        links = {account: secrets.token_urlsafe(32) for account in accounts}
        with writing(self._engine) as session:
            session.execute(
                update(SecretRow)
                .where(
                    SecretRow.account.in_(accounts),
                    SecretRow.kind == "link",
                    SecretRow.ended_at.is_(None),
                )
                .values(ended_at=now)
            )
            for account, value in links.items():
                _add(session, "link", value, account, now + lasts, now, "")
        return links

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

    def use_link(self, value: str, *, lasts: dt.timedelta, now: dt.datetime) -> str | None:
        """Use up a link and return a new session; None: the link can't be used (any more)."""
        session_value = secrets.token_urlsafe(32)
        with writing(self._engine) as session:
            row = _valid(session, "link", value, now)
            if row is None:
                return None
            row.ended_at = now
            _add(session, "session", session_value, row.account, now + lasts, now, "")
        return session_value

    def end(self, secret: int, *, account: int | None = None, now: dt.datetime) -> None:
        """End a secret; with `account`, only one of that account's."""
        wanted = [SecretRow.id == secret, SecretRow.ended_at.is_(None)]
        if account is not None:
            wanted.append(SecretRow.account == account)
        with writing(self._engine) as session:
            session.execute(update(SecretRow).where(*wanted).values(ended_at=now))

    def end_all(self, account: int, *, now: dt.datetime) -> None:
        """End everything with which an account could be used."""
        with writing(self._engine) as session:
            session.execute(
                update(SecretRow)
                .where(SecretRow.account == account, SecretRow.ended_at.is_(None))
                .values(ended_at=now)
            )

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
    expires_at: dt.datetime,
    now: dt.datetime,
    label: str,
) -> None:
    session.add(
        SecretRow(
            kind=kind,
            sha256=_hash(value),
            account=account,
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
        name=account.name,
        label=row.label,
        made_at=row.made_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
