"""Which logins of a university are which accounts, course by course.

The first time, a login is matched with a course by one claim. From then on it is known by issuer
and subject, which are never given to somebody else as e-mail addresses and names are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select

from grader.gradebook.database import ConflictError, reading, writing
from grader.gradebook.desk_tables import IdentityRow


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A login that is linked to an account; `says` is what it was matched by, for people."""

    id: int
    issuer: str
    course: str
    account: int
    says: str
    made_at: dt.datetime


class Identities:
    """The logins that are linked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def accounts(self, issuer: str, subject: str) -> dict[str, int]:
        """Return as which account a login is known, by course."""
        query = select(IdentityRow).where(
            IdentityRow.issuer == issuer, IdentityRow.subject == subject
        )
        with reading(self._engine) as session:
            return {row.course: row.account for row in session.scalars(query)}

    def link(
        self, issuer: str, subject: str, course: str, account: int, *, says: str, now: dt.datetime
    ) -> bool:
        """Link a login with an account; False: one of the two is linked with another already."""
        row = IdentityRow(
            issuer=issuer, subject=subject, course=course, account=account, says=says, made_at=now
        )
        try:
            with writing(self._engine) as session:
                session.add(row)
        except ConflictError:
            return self.accounts(issuer, subject).get(course) == account
        return True

    def of(self, course: str, account: int) -> list[Identity]:
        """Return the logins of an account in a course."""
        query = select(IdentityRow).where(
            IdentityRow.course == course, IdentityRow.account == account
        )
        names = Identity.__dataclass_fields__
        with reading(self._engine) as session:
            rows = session.scalars(query.order_by(IdentityRow.id)).all()
            return [Identity(**{name: getattr(row, name) for name in names}) for row in rows]

    def unlink(self, course: str, account: int) -> None:
        """Forget the logins of an account in a course: the next is matched anew."""
        with writing(self._engine) as session:
            session.execute(
                delete(IdentityRow).where(
                    IdentityRow.course == course, IdentityRow.account == account
                )
            )
