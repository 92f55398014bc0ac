"""What people are told, until they have looked at the page that it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import NoticeRow

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One thing that a person is told. `path` is the page that it is about."""

    says: str
    path: str
    made_at: dt.datetime


class Notifications:
    """The notices of a course's people."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unseen(self, person: str) -> list[Notification]:
        """Return what a person has not looked at yet, newest first."""
        query = (
            select(NoticeRow)
            .where(NoticeRow.person == person, NoticeRow.seen_at.is_(None))
            .order_by(NoticeRow.id.desc())
            .limit(_SHOWN)
        )
        with reading(self._engine) as session:
            return [
                Notification(says=row.says, path=row.path, made_at=row.made_at)
                for row in session.scalars(query)
            ]

    def seen(self, person: str, path: str, *, now: dt.datetime) -> None:
        """A person has looked at a page."""
        with writing(self._engine) as session:
            session.execute(
                update(NoticeRow)
                .where(
                    NoticeRow.person == person,
                    NoticeRow.path == path,
                    NoticeRow.seen_at.is_(None),
                )
                .values(seen_at=now)
            )


def put_notifications(
    session: Session, people: Iterable[str], says: str, path: str, *, now: dt.datetime
) -> None:
    """Tell people something, along with what it tells of.

    Who was told the same of the same page, and has not looked yet, is not told again.
    """
    query = select(NoticeRow.person).where(
        NoticeRow.path == path, NoticeRow.says == says, NoticeRow.seen_at.is_(None)
    )
    told = set(session.scalars(query))
    session.add_all(
        NoticeRow(person=person, says=says, path=path, made_at=now)
        for person in dict.fromkeys(people)
        if person not in told
    )
