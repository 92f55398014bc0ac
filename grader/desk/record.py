"""Who did what at the desk: lines that are only ever added."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import AuditRow


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One thing that somebody did."""

    id: int
    at: dt.datetime
    who: str
    course: str
    action: str
    thing: str
    detail: str


class Audit:
    """An audit log: each course has its own, and the desk one of what is no course's.

    That of a course is in the course's gradebook, so that a line and what it tells of are committed
    together.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        who: str,
        action: str,
        *,
        now: dt.datetime,
        course: str = "",
        thing: str = "",
        detail: str = "",
        session: Session | None = None,
    ) -> None:
        """Write a line; in a transaction of this log's gradebook, or in one of its own."""
        row = AuditRow(at=now, who=who, course=course, action=action, thing=thing, detail=detail)
        if session is not None:
            session.add(row)
            return
        with writing(self._engine) as own:
            own.add(row)

    def newest(
        self,
        course: str,
        *,
        who: str = "",
        action: str = "",
        thing: str = "",
        before: int = 0,
        limit: int = 100,
    ) -> list[AuditLine]:
        """Return a course's lines, newest first, a page at a time.

        Args:
            course: whose.
            who, action: of this person, of this kind.
            thing: about something whose name has this in it.
            before: older than this line.
            limit: at most so many.
        """
        query = select(AuditRow).where(AuditRow.course == course)
        if who:
            query = query.where(AuditRow.who == who)
        if action:
            query = query.where(AuditRow.action == action)
        if thing:
            query = query.where(AuditRow.thing.icontains(thing, autoescape=True))
        if before:
            query = query.where(AuditRow.id < before)
        with reading(self._engine) as session:
            rows = session.scalars(query.order_by(AuditRow.id.desc()).limit(limit)).all()
            names = AuditLine.__dataclass_fields__
            return [AuditLine(**{name: getattr(row, name) for name in names}) for row in rows]

    def known(self, course: str) -> tuple[list[str], list[str]]:
        """Return who did anything in a course, and what was done, sorted."""
        with reading(self._engine) as session:
            people, actions = (
                session.scalars(select(column).where(AuditRow.course == course).distinct()).all()
                for column in (AuditRow.who, AuditRow.action)
            )
        return sorted(people), sorted(actions)
