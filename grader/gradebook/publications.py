"""Whether marks are out: draft or published, with who said so and when, and up to which line.

What is published is a cut through the record of what people said: students see the lines up to it.
What is marked after it is a draft until it is published too. An answer to an appeal is the one line
that its student sees at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, and_, false, func, or_, select, text
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.database import Along, reading, writing
from grader.gradebook.desk_tables import (
    AppealChangeRow,
    AppealMessageRow,
    AppealRow,
    PublicationRow,
)
from grader.gradebook.hand_marks import Fact, HandMark, HandMarks, Kind
from grader.gradebook.tables import HandMarkRow

MARKS = (Kind.POINTS, Kind.ANSWER, Kind.ADJUSTMENT)
"""What is published. That something is excused, or due later, its student may know at once."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The newest word on the marks of an assignment, or of an item without one.

    `upto` is the last line of the record that students see.
    """

    published: bool
    upto: int
    who: str
    made_at: dt.datetime
    id: int = 0


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is published together.

    Attributes:
        name: as publications have it: the assignment's, or `item_scope(…)`.
        assignment: empty where an item has none.
        items: ids in the course file.
    """

    name: str
    assignment: str = ""
    items: tuple[str, ...] = ()


def item_scope(item: str) -> Scope:
    """Return the scope of an item that has no assignment; no assignment has such a name."""
    return Scope(name=f"items/{item}", items=(item,))


class Publications:
    """The publications of a course."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> dict[str, Publication]:
        """Return what holds, by the name of the scope."""
        newest = select(func.max(PublicationRow.id)).group_by(PublicationRow.assignment)
        query = select(PublicationRow).where(PublicationRow.id.in_(newest))
        with reading(self._engine) as session:
            return {row.assignment: _publication(row) for row in session.scalars(query)}

    def of(self, name: str) -> Publication | None:
        """Return what holds; None: never published."""
        return next(reversed(self.history(name)), None)

    def history(self, name: str) -> list[Publication]:
        """Return everything that was ever said, oldest first."""
        query = (
            select(PublicationRow)
            .where(PublicationRow.assignment == name)
            .order_by(PublicationRow.id)
        )
        with reading(self._engine) as session:
            return [_publication(row) for row in session.scalars(query)]

    def is_published(self, name: str) -> bool:
        """Say whether students may see the marks."""
        newest = self.of(name)
        return newest is not None and newest.published

    def publish(
        self,
        name: str,
        *,
        upto: int,
        seen: int | None,
        who: str,
        now: dt.datetime,
        along: Along | None = None,
    ) -> None:
        """Show the marks of the record's lines up to `upto`; what was shown before is replaced.

        Nothing is done where that has just been done.

        Args:
            name: of the scope.
            upto: the last line that was looked at.
            seen: the number of the publication that held when it was looked at; None: none did.
            who: the person.
            now: when.
            along: given the publication's number, does what is to be done with it or not at all.

        Raises:
            UsageError: somebody has published other marks meanwhile, or taken them back.
        """
        with self._changing(name) as (session, newest):
            if newest is not None and newest.id != seen:
                if newest.published and newest.upto == upto:
                    return
                raise _meanwhile(newest)
            row = PublicationRow(assignment=name, published=True, upto=upto, who=who, made_at=now)
            session.add(row)
            session.flush()
            if along is not None:
                along(session, row.id)

    def take_back(
        self, name: str, *, seen: int, who: str, now: dt.datetime, along: Along | None = None
    ) -> None:
        """Show no marks any more; all else is as in `publish`."""
        with self._changing(name) as (session, newest):
            if newest is None or not newest.published:
                return
            if newest.id != seen:
                raise _meanwhile(newest)
            row = PublicationRow(assignment=name, published=False, upto=0, who=who, made_at=now)
            session.add(row)
            session.flush()
            if along is not None:
                along(session, row.id)

    @contextmanager
    def _changing(self, name: str) -> Iterator[tuple[Session, PublicationRow | None]]:
        """A transaction in which what holds goes on holding until its end."""
        with writing(self._engine) as session:
            if self._engine.dialect.name == "postgresql":
                session.execute(text("LOCK TABLE desk_publications IN SHARE ROW EXCLUSIVE MODE"))
            query = select(PublicationRow).where(PublicationRow.assignment == name)
            yield session, session.scalars(query.order_by(PublicationRow.id.desc())).first()

    def marks(
        self, scopes: Iterable[Scope], instead: Mapping[str, int] | None = None
    ) -> PublishedMarks:
        """Return what students may see of what people said.

        Args:
            scopes: all that can be published.
            instead: by scope, as if its lines up to this one were published.
        """
        cuts = {name: one.upto for name, one in self.all().items() if one.published}
        cuts |= instead or {}
        return PublishedMarks(self._engine, [(s, cuts[s.name]) for s in scopes if s.name in cuts])


class PublishedMarks:
    """What students may see of what people said; read like `HandMarks`."""

    def __init__(self, engine: Engine, shown: Sequence[tuple[Scope, int]]) -> None:
        self._marks = HandMarks(engine)
        scopes = [_within(scope, upto) for scope, upto in shown]
        open_to_see = HandMarkRow.kind.not_in([kind.value for kind in MARKS])
        self._among = or_(open_to_see, *scopes)

    def newest(
        self, *, student: str | None = None, item: str | None = None
    ) -> dict[Fact, HandMark]:
        """Return what may be seen, by fact."""
        return self._marks.newest(student=student, item=item, among=self._among)


def first_shown(history: Sequence[Publication], line: int) -> dt.datetime | None:
    """Return when a line was published that is out now; None: it is not out.

    A line that was taken back and published again was published again.
    """
    since: dt.datetime | None = None
    for one in history:
        if not one.published or one.upto < line:
            since = None
        elif since is None:
            since = one.made_at
    return since


def _within(scope: Scope, upto: int) -> ColumnElement[bool]:
    """The lines of a scope that are out: up to the cut, and answers to appeals."""
    of_answers: ColumnElement[bool] = false()
    if scope.assignment:
        kinds = (Kind.ANSWER.value, Kind.ADJUSTMENT.value)
        of_answers = and_(HandMarkRow.item == scope.assignment, HandMarkRow.kind.in_(kinds))
    of_items = and_(HandMarkRow.item.in_(scope.items), HandMarkRow.kind == Kind.POINTS.value)
    by_appeal = (
        select(AppealChangeRow.mark)
        .join(AppealMessageRow, AppealMessageRow.id == AppealChangeRow.message)
        .join(AppealRow, AppealRow.id == AppealMessageRow.appeal)
        .where(AppealRow.assignment == scope.assignment)
    )
    return and_(
        or_(of_answers, of_items), or_(HandMarkRow.id <= upto, HandMarkRow.id.in_(by_appeal))
    )


def _meanwhile(newest: PublicationRow) -> UsageError:
    did = "published later marks" if newest.published else "taken the marks back"
    return UsageError(f"{newest.who} has {did} meanwhile", hint="Load the page again.")


def _publication(row: PublicationRow) -> Publication:
    return Publication(
        id=row.id, published=row.published, upto=row.upto, who=row.who, made_at=row.made_at
    )
