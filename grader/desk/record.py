"""Who did what at the desk: lines that are only ever added."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, select

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
    """The audit log of a desk."""

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
    ) -> None:
        """Write a line."""
        with writing(self._engine) as session:
            session.add(
                AuditRow(at=now, who=who, course=course, action=action, thing=thing, detail=detail)
            )

    def newest(self, course: str, *, before: int = 0, limit: int = 100) -> list[AuditLine]:
        """Return a course's lines, newest first, a page at a time."""
        query = select(AuditRow).where(AuditRow.course == course)
        if before:
            query = query.where(AuditRow.id < before)
        with reading(self._engine) as session:
            rows = session.scalars(query.order_by(AuditRow.id.desc()).limit(limit)).all()
            names = AuditLine.__dataclass_fields__
            return [AuditLine(**{name: getattr(row, name) for name in names}) for row in rows]
