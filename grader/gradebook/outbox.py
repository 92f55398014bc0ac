"""Mail that is to be sent: rows beside what they tell, sent by whoever has time, once each.

A mail is put into the outbox in the transaction of what it tells, so neither is there without the
other. A row has no text: that is made when it is sent, and so has no sign-in link either.

SMTP has one moment at which nobody knows: the text was handed over, and the server's answer has
not come (RFC 1047). A row says so before it begins. One whose sender ended then is `unsure`, stands
in the list, and is sent again only when a person says so: nothing is sent twice by itself, and
nothing is lost without a word.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import MailRow

KEEP_TRYING = dt.timedelta(days=3)
LEASE = dt.timedelta(minutes=15)
"""Longer than a mail server may take to answer, see `grader.desk.mail_server`."""
_WAITS = tuple(dt.timedelta(minutes=m) for m in (1, 5, 15, 60, 180))


class MailState(StrEnum):
    """What became of a mail. HANDING: its text is given to the server now. UNSURE: it was."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    HANDING = "handing over"
    SENT = "sent"
    UNSURE = "unsure"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What somebody is to be told. `about` is what no other letter to them tells."""

    person: str
    kind: str
    about: str
    facts: Mapping[str, str]

    @property
    def key(self) -> str:
        """The same for the same news."""
        parts = "\0".join((self.kind, self.person, self.about))
        return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail; `said` is what the server said last, or why it was not sent."""

    id: int
    person: str
    kind: str
    facts: dict[str, str]
    made_at: dt.datetime
    next_at: dt.datetime
    until: dt.datetime
    state: MailState
    starts: int
    address: str
    said: str
    ended_at: dt.datetime | None


class LostClaimError(Exception):
    """A mail is not its sender's any more: another may have sent it."""


def put_letters(
    session: Session,
    letters: Iterable[Letter],
    *,
    now: dt.datetime,
    lasts: dt.timedelta = KEEP_TRYING,
) -> None:
    """Put letters into the outbox, in somebody's transaction; what was told before is left out."""
    rows = [
        {
            "key": letter.key,
            "person": letter.person,
            "kind": letter.kind,
            "facts": dict(letter.facts),
            "made_at": now,
            "next_at": now,
            "until": now + lasts,
            "state": MailState.WAITING,
            "starts": 0,
            "address": "",
            "said": "",
        }
        for letter in letters
    ]
    if rows:
        ours = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(ours.insert(MailRow).on_conflict_do_nothing(index_elements=["key"]), rows)


class Outbox:
    """The mail of a course, in its gradebook."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(
        self,
        letters: Iterable[Letter],
        *,
        now: dt.datetime,
        lasts: dt.timedelta = KEEP_TRYING,
    ) -> None:
        """Put letters into the outbox; what was told before is left out."""
        with writing(self._engine) as session:
            put_letters(session, letters, now=now, lasts=lasts)

    def claim(self, *, now: dt.datetime, per_minute: int) -> Mail | None:
        """Take the next mail that is due, for as long as `LEASE`; None: there is none, or not yet.

        What nobody has sent in its time has failed; what a sender that ended had is free again,
        but for what it may have handed over.
        """
        if not self._something_is_due(now):
            return None
        with writing(self._engine) as session:
            self._settle(session, now)
            minute = select(func.count()).where(
                MailRow.ended_at > now - dt.timedelta(minutes=1), MailRow.state == MailState.SENT
            )
            if int(session.scalar(minute) or 0) >= per_minute:
                return None
            query = (
                select(MailRow)
                .where(MailRow.state == MailState.WAITING, MailRow.next_at <= now)
                .order_by(MailRow.next_at, MailRow.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = session.scalars(query).first()
            if row is None:
                return None
            row.state, row.next_at = MailState.CLAIMED, now + LEASE
            row.starts += 1
            session.flush()
            return _mail(row)

    def handing_over(self, mail: Mail, address: str, *, now: dt.datetime) -> Mail:
        """Say that a mail's text is about to be given to the server, before it is.

        Returns the mail, held anew.

        Raises:
            LostClaimError: it took longer than `LEASE` to come so far, and another may send it.
        """
        held = replace(mail, state=MailState.HANDING, next_at=now + LEASE)
        values = {"state": held.state, "address": address, "next_at": held.next_at}
        if not self._set(mail, now, ended=False, **values):
            raise LostClaimError
        return held

    def sent(self, mail: Mail, said: str, *, now: dt.datetime) -> None:
        """Say that the server has taken a mail; here as below, unless another holds it by now."""
        self._set(mail, now, state=MailState.SENT, said=said)

    def unsure(self, mail: Mail, said: str, *, now: dt.datetime) -> None:
        """Say that nobody knows whether the server has taken a mail."""
        self._set(mail, now, state=MailState.UNSURE, said=said)

    def failed(self, mail: Mail, said: str, *, now: dt.datetime) -> None:
        """Say that a mail can't be sent, now or later."""
        self._set(mail, now, state=MailState.FAILED, said=said)

    def later(self, mail: Mail, said: str, *, now: dt.datetime) -> None:
        """Say that a mail was not taken, and is tried again."""
        wait = _WAITS[min(max(mail.starts, 1), len(_WAITS)) - 1]
        self._set(mail, now, state=MailState.WAITING, said=said, next_at=now + wait, ended=False)

    def again(self, number: int, *, now: dt.datetime) -> bool:
        """Send a mail again that failed, or of which nobody knows; False: it is no such."""
        with writing(self._engine) as session:
            found = session.execute(
                update(MailRow)
                .where(
                    MailRow.id == number,
                    MailRow.state.in_([MailState.FAILED, MailState.UNSURE]),
                )
                .values(
                    state=MailState.WAITING,
                    next_at=now,
                    until=now + KEEP_TRYING,
                    starts=0,
                    ended_at=None,
                )
            )
            return bool(found.rowcount)  # type: ignore[attr-defined]

    def newest(self, *, before: int = 0, limit: int = 100) -> list[Mail]:
        """Return mails, newest first, a page at a time."""
        query = select(MailRow).order_by(MailRow.id.desc()).limit(limit)
        if before:
            query = query.where(MailRow.id < before)
        with reading(self._engine) as session:
            return [_mail(row) for row in session.scalars(query)]

    def counts(self) -> dict[MailState, int]:
        """Return how many mails are in each state."""
        query = select(MailRow.state, func.count()).group_by(MailRow.state)
        with reading(self._engine) as session:
            return {MailState(state): count for state, count in session.execute(query)}

    def _settle(self, session: Session, now: dt.datetime) -> None:
        over = MailRow.next_at <= now
        session.execute(
            update(MailRow)
            .where(MailRow.state == MailState.CLAIMED, over)
            .values(state=MailState.WAITING, next_at=now)
        )
        session.execute(
            update(MailRow)
            .where(MailRow.state == MailState.HANDING, over)
            .values(
                state=MailState.UNSURE,
                ended_at=now,
                said="The program ended before the mail server had answered.",
            )
        )
        said = case((MailRow.said == "", "It could not be sent in its time."), else_=MailRow.said)
        session.execute(
            update(MailRow)
            .where(MailRow.state == MailState.WAITING, MailRow.until <= now)
            .values(state=MailState.FAILED, ended_at=now, said=said)
        )

    def _something_is_due(self, now: dt.datetime) -> bool:
        """Look without the write lock, since this is asked all the time."""
        open_states = (MailState.WAITING, MailState.CLAIMED, MailState.HANDING)
        due = or_(MailRow.next_at <= now, MailRow.until <= now)
        query = select(MailRow.id).where(MailRow.state.in_(open_states), due).limit(1)
        with reading(self._engine) as session:
            return session.scalar(query) is not None

    def _set(self, mail: Mail, now: dt.datetime, *, ended: bool = True, **values: Any) -> bool:
        """Change a mail that is still held by who claimed it; False: it is not.

        The end of a claim tells it from every other. One whose end has passed while the server was
        silent may be called unsure by others; what it then says is the better word.
        """
        if "said" in values:
            values["said"] = values["said"][:500]
        states = {mail.state, MailState.UNSURE} if mail.state is MailState.HANDING else {mail.state}
        with writing(self._engine) as session:
            found = session.execute(
                update(MailRow)
                .where(
                    MailRow.id == mail.id,
                    MailRow.state.in_(states),
                    MailRow.next_at == mail.next_at,
                )
                .values(ended_at=now if ended else None, **values)
            )
            return bool(found.rowcount)  # type: ignore[attr-defined]


def _mail(row: MailRow) -> Mail:
    values = {name: getattr(row, name) for name in Mail.__dataclass_fields__}
    return Mail(**{**values, "state": MailState(row.state)})
