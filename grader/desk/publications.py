"""Whether an assignment's marks are out: draft or published, with who said so and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import PublicationRow


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The newest word on an assignment's marks."""

    published: bool
    who: str
    made_at: dt.datetime


class Publications:
    """The publications of a course."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, assignment: str) -> Publication | None:
        """Return what holds; None: never published."""
        query = (
            select(PublicationRow)
            .where(PublicationRow.assignment == assignment)
            .order_by(PublicationRow.id.desc())
            .limit(1)
        )
        with reading(self._engine) as session:
            row = session.scalars(query).first()
        if row is None:
            return None
        return Publication(published=row.published, who=row.who, made_at=row.made_at)

    def all(self) -> dict[str, Publication]:
        """Return what holds of every assignment that was ever published."""
        newest = select(func.max(PublicationRow.id)).group_by(PublicationRow.assignment)
        query = select(PublicationRow).where(PublicationRow.id.in_(newest))
        with reading(self._engine) as session:
            return {
                row.assignment: Publication(
                    published=row.published, who=row.who, made_at=row.made_at
                )
                for row in session.scalars(query)
            }

    def is_published(self, assignment: str) -> bool:
        """Say whether students may see the marks."""
        newest = self.of(assignment)
        return newest is not None and newest.published

    def set(
        self,
        assignment: str,
        published: bool,
        *,
        who: str,
        now: dt.datetime,
        along: Callable[[Session, int], None] | None = None,
    ) -> None:
        """Publish an assignment's marks, or take them back.

        Args:
            assignment: its name.
            published: or not any more.
            who: says so.
            now: the time.
            along: given the publication's number, does what is to be done with it or not at all.
        """
        row = PublicationRow(assignment=assignment, published=published, who=who, made_at=now)
        with writing(self._engine) as session:
            session.add(row)
            session.flush()
            if along is not None:
                along(session, row.id)
