"""Who may sign in, and as what: accounts, with a role in each course."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from grader.course.roster import Person
from grader.errors import UsageError
from grader.gradebook.database import reading, writing
from grader.gradebook.desk_tables import AccountRow, RoleRow

MAX_NAME = 200


class Role(StrEnum):
    """What a person is in a course; `ADMIN` looks after accounts and sees no work."""

    STUDENT = "student"
    MARKER = "marker"
    HEAD_MARKER = "head marker"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"

    @property
    def is_staff(self) -> bool:
        """Whether this role sees other people's work."""
        return self in (Role.MARKER, Role.HEAD_MARKER, Role.INSTRUCTOR)

    @property
    def has_section(self) -> bool:
        """Whether a section belongs to it: a student is in one, a marker sees one alone.

        Heads and instructors act on the whole class at once: they publish, export, divide.
        """
        return self in (Role.STUDENT, Role.MARKER)

    @property
    def start(self) -> str:
        """The page below the course's address that this role begins with; it may see it."""
        return "people" if self is Role.ADMIN else ""


@dataclass(frozen=True, kw_only=True)
class User:
    """A person in a course. `person` is the roster's id, or the name that staff were given.

    `section` is a student's own, or narrows what a marker sees; empty: the whole course.
    """

    account: int
    person: str
    name: str
    email: str
    role: Role
    section: str = ""


class People:
    """The accounts of a desk and what they are in one of its courses."""

    def __init__(self, engine: Engine, course: str) -> None:
        self._engine = engine
        self._course = course

    def user(self, account: int) -> User | None:
        """Return who an account is in this course; None: nobody, or it was switched off."""
        with reading(self._engine) as session:
            found = session.get(AccountRow, account)
            if found is None or found.disabled:
                return None
            role = _role(session, account, self._course)
            return _user_of(found, role) if role is not None else None

    def named(self, person: str) -> User | None:
        """Return who has this id in the course, or None."""
        return next(iter(self._some(AccountRow.person == person)), None)

    def with_email(self, email: str) -> list[User]:
        """Return those of whom the course has this e-mail, however it is written."""
        return self._some(func.lower(RoleRow.email) == email.strip().lower())

    def all(self) -> list[User]:
        """Return everybody in the course: staff first, then by name."""
        order = list(Role)[::-1]
        return sorted(
            self._some(), key=lambda u: (order.index(u.role), u.name.casefold(), u.person)
        )

    def put(
        self, person: str, *, name: str, email: str = "", role: Role, section: str = ""
    ) -> User:
        """Make an account, or change what it says and what it is in this course.

        Raises:
            UsageError: the person has no name, or it is too long; or the role has no section.
        """
        if not person.strip() or len(person) > MAX_NAME:
            raise UsageError(f"a person's id has 1 to {MAX_NAME} characters")
        with writing(self._engine) as session:
            return _put(session, self._course, person.strip(), name, email, role, section)

    def take_students(self, people: Iterable[Person]) -> int:
        """Give everybody on the roster an account, as a student; return how many are new.

        Who is staff already stays so: a teaching assistant may be on the roster too.
        """
        new = 0
        with writing(self._engine) as session:
            query = (
                select(AccountRow.person, RoleRow)
                .join(RoleRow, RoleRow.account == AccountRow.id)
                .where(RoleRow.course == self._course)
            )
            known = {row[0]: row[1] for row in session.execute(query)}
            for person in people:
                role = known.get(person.id)
                if role is not None and role.role != Role.STUDENT:
                    continue
                says = (person.name or person.id, person.email, person.section)
                if role and (role.name, role.email, role.section) == says:
                    continue
                _put(session, self._course, person.id, says[0], says[1], Role.STUDENT, says[2])
                new += role is None
        return new

    def remove(self, account: int) -> None:
        """Take a person out of the course; what they did stays in the record."""
        with writing(self._engine) as session:
            for row in session.scalars(
                select(RoleRow).where(RoleRow.account == account, RoleRow.course == self._course)
            ):
                session.delete(row)

    def _some(self, *wanted: ColumnElement[bool]) -> list[User]:
        columns = (AccountRow.id, AccountRow.person, RoleRow.name, RoleRow.email, RoleRow.role)
        query = (
            select(*columns, RoleRow.section)  # not whole rows: it is asked for 1,500 of them
            .join(RoleRow, RoleRow.account == AccountRow.id)
            .where(RoleRow.course == self._course, AccountRow.disabled.is_(False), *wanted)
        )
        with reading(self._engine) as session:
            return [_user(*row) for row in session.execute(query)]


def _put(
    session: Session, course: str, person: str, name: str, email: str, role: Role, section: str
) -> User:
    if section.strip() and not role.has_section:
        raise UsageError(
            f"a section narrows what a marker sees, and {person} is to be {role.value}",
            hint="Leave the section empty, or make the person a marker of it.",
        )
    account = session.scalars(select(AccountRow).where(AccountRow.person == person)).first()
    if account is None:
        account = AccountRow(person=person, made_at=dt.datetime.now(dt.UTC), disabled=False)
        session.add(account)
        session.flush()
    row = _role(session, account.id, course)
    if row is None:
        row = RoleRow(account=account.id, course=course)
        session.add(row)
    row.role, row.section = role, section.strip()
    row.name, row.email = name.strip() or person, email.strip()
    session.flush()
    return _user_of(account, row)


def _role(session: Session, account: int, course: str) -> RoleRow | None:
    query = select(RoleRow).where(RoleRow.account == account, RoleRow.course == course)
    return session.scalars(query).first()


def _user_of(account: AccountRow, row: RoleRow) -> User:
    return _user(account.id, account.person, row.name, row.email, row.role, row.section)


def _user(account: int, person: str, name: str, email: str, said_role: str, section: str) -> User:
    role = Role(said_role)
    if section and not role.has_section:
        # Of a desk that allowed it: the section was meant to narrow, so it does. An admin sees no
        # work, with or without one.
        role, section = (Role.MARKER, section) if role.is_staff else (role, "")
    return User(account=account, person=person, name=name, email=email, role=role, section=section)
