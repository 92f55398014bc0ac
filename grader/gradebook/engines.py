"""Which engines judge a course's tries, as they say themselves: every web process reads it here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select

from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import EngineRow

GONE = dt.timedelta(seconds=90)
"""An engine that has said nothing for so long is taken for dead, and what it had for free."""


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """What an engine says of itself. `trouble` is why it can't judge; empty: it can."""

    name: str
    seen_at: dt.datetime
    sandbox: str
    trouble: str


class DeskEngines:
    """The engines of a course."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def here(self, name: str, *, now: dt.datetime, sandbox: str = "", trouble: str = "") -> None:
        """Say that an engine is at work, and how it does."""
        with writing(self._engine) as session:
            session.merge(EngineRow(name=name, seen_at=now, sandbox=sandbox, trouble=trouble))

    def left(self, name: str) -> None:
        """Say that an engine has ended in order."""
        with writing(self._engine) as session:
            session.execute(delete(EngineRow).where(EngineRow.name == name))

    def at_work(self, *, now: dt.datetime) -> list[EngineState]:
        """Return the engines that have said something of late, by name."""
        query = select(EngineRow).where(EngineRow.seen_at > now - GONE).order_by(EngineRow.name)
        with reading(self._engine) as session:
            names = EngineState.__dataclass_fields__
            return [
                EngineState(**{name: getattr(row, name) for name in names})
                for row in session.scalars(query)
            ]
