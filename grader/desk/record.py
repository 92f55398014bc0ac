"""Who did what at the desk: lines that are only ever added."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, delete, select, tuple_
from sqlalchemy.orm import Session

from grader.course.directory import Course
from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import AuditRow
from grader.gradebook.tries import DeskTry
from grader.intake.names import student_id

_AT_ONCE = 500


def slug_of(course: Course) -> str:
    """Return a course's name in the desk's addresses and logs."""
    return student_id(course.root.name).lower()


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
        self.engine = engine

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
        with writing(self.engine) as own:
            own.add(row)

    def hand_in(self, one: DeskTry, *, course: str, now: dt.datetime) -> None:
        """Write that a try was handed in; a kill may have broken it off before it was whole."""
        thing = f"{one.assignment} {one.student} {one.attempt}"
        self.add(
            one.received_from, "hand in", now=now, course=course, thing=thing, detail=one.sha256
        )

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
        query = query.order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
        with reading(self.engine) as session:
            line = session.get(AuditRow, before) if before else None
            if line is not None:  # by time: lines of an older desk were added after newer ones
                query = query.where(tuple_(AuditRow.at, AuditRow.id) < (line.at, line.id))
            rows = session.scalars(query).all()
            names = AuditLine.__dataclass_fields__
            return [AuditLine(**{name: getattr(row, name) for name in names}) for row in rows]

    def known(self, course: str) -> tuple[list[str], list[str]]:
        """Return who did anything in a course, and what was done, sorted."""
        with reading(self.engine) as session:
            people, actions = (
                session.scalars(select(column).where(AuditRow.course == course).distinct()).all()
                for column in (AuditRow.who, AuditRow.action)
            )
        return sorted(people), sorted(actions)

    def move_to(self, other: Audit, course: str) -> int:
        """Move a course's lines into the log that is its own now; return how many there were.

        Broken off between the two databases and done again, it moves what is left, and no line
        twice.
        """
        if other.engine is self.engine:
            return 0
        mine = select(AuditRow).where(AuditRow.course == course).order_by(AuditRow.id)
        with reading(self.engine) as session:
            rows = [(row.id, _says(row)) for row in session.scalars(mine)]
        if not rows:
            return 0
        with writing(other.engine) as session:
            until = max(said["at"] for _, said in rows)
            theirs = select(AuditRow).where(AuditRow.course == course, AuditRow.at <= until)
            there = Counter(tuple(_says(row).values()) for row in session.scalars(theirs))
            for _, said in rows:
                key = tuple(said.values())
                if there[key]:
                    there[key] -= 1
                else:
                    session.add(AuditRow(**said))
        with writing(self.engine) as session:
            for at in range(0, len(rows), _AT_ONCE):
                numbers = [number for number, _ in rows[at : at + _AT_ONCE]]
                session.execute(delete(AuditRow).where(AuditRow.id.in_(numbers)))
        return len(rows)


def _says(row: AuditRow) -> dict[str, Any]:
    names = ("at", "who", "course", "action", "thing", "detail")
    return {name: getattr(row, name) for name in names}
