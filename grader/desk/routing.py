"""How a page is declared: an address, who may see it, and what makes it.

A page can't be declared without saying what is done there and to what: `Page` asks for both, and
the app is made from pages alone. So a new page without a rule does not start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from grader.desk.courses import Desk, DeskCourse
from grader.desk.credentials import Credential
from grader.desk.deeds import Line, with_lines
from grader.desk.may import Action, Thing
from grader.desk.people import User


class NotFound(Exception):
    """There is no such thing, or none that this person may know of: both look the same."""


@dataclass(kw_only=True)
class Visit:
    """One request, with what is known of it.

    Attributes:
        user: who it is; None where nobody has signed in, on pages that anybody may see.
        credential: with what they are known: a session, or a program's token.
        session: the value of the session's cookie, of which form tokens are made.
        form: what was posted.
        kept: what a view has read for this request, and may ask for again.
    """

    request: Request
    desk: Desk
    now: dt.datetime
    user: User | None = None
    here: DeskCourse | None = None
    credential: Credential | None = None
    session: str = ""
    form: FormData = field(default_factory=FormData)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def me(self) -> User:
        """Who it is, on pages that ask for a sign-in."""
        if self.user is None:
            raise NotFound
        return self.user

    @property
    def known_by(self) -> Credential:
        """With what they are known, on pages that ask for a sign-in."""
        if self.credential is None:
            raise NotFound
        return self.credential

    @property
    def course(self) -> DeskCourse:
        """The course in whose address the page is."""
        if self.here is None:
            raise NotFound
        return self.here

    def named(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params.get(name, ""))

    def sees(self, student: str) -> bool:
        """Say whether a list may name a student to this member of the staff."""
        section = self.me.section
        if not section:
            return True
        if "roster" not in self.kept:
            self.kept["roster"] = self.course.roster
        person = self.kept["roster"].people.get(student)
        return person is not None and person.section == section

    def note(
        self, action: str, *, thing: str = "", detail: str = "", session: Session | None = None
    ) -> None:
        """Write into the log what was done here.

        With a session of the course's gradebook, the line is there if what it tells of is.
        """
        course = self.here.slug if self.here else ""
        self.desk.log_of(course).add(
            self.me.person,
            action,
            now=self.now,
            course=course,
            thing=thing,
            detail=detail,
            session=session,
        )

    def doing(
        self, action: str, *, thing: str = "", detail: str = "", to: Engine | None = None
    ) -> AbstractContextManager[None]:
        """Do something inside, with its line in the course's log; see `deeds` for the order.

        Args:
            action, thing, detail: of the line.
            to: the database in which it is done; None: in files, or in several places.
        """
        line = Line(
            log=self.course.audit,
            who=self.me.person,
            action=action,
            now=self.now,
            course=self.course.slug,
            thing=thing,
            detail=detail,
        )
        return with_lines([line], to=to)

    def said(self, name: str, most: int = 1000) -> str:
        """Return a field of the form as text, cut at `most` characters.

        Browsers end lines with two characters; everything of ours with one. No keyboard types a
        null, and PostgreSQL stores none.
        """
        return _text(self.form.get(name), most)

    def asked(self, name: str, most: int = 1000) -> str:
        """Return a field of the form as text; of the address's query where nothing is posted."""
        if self.request.method == "POST":
            return self.said(name, most)
        return _text(self.request.query_params.get(name), most)


def _text(value: object, most: int) -> str:
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").replace("\r\n", "\n").strip()[:most]


def whole_number(text: str) -> int | None:
    """Return a number of up to nine digits, or None: it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


View = Callable[[Visit], Response]


def of_course(visit: Visit) -> Thing:
    """What is the course's own."""
    return Thing()


def of_own(visit: Visit) -> Thing:
    """What is the visitor's own."""
    return Thing(student=visit.me.person)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One address.

    Attributes:
        view: makes the answer; it may block, and runs in a thread.
        action: what is done there.
        thing: to what; it raises NotFound where there is no such thing.
        for_programs: whether a personal token opens it, though its action is none of a program's.
    """

    method: Literal["GET", "POST"]
    path: str
    view: View
    action: Action
    thing: Callable[[Visit], Thing] = of_course
    for_programs: bool = False
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class OpenPage:
    """An address for which nobody needs to have signed in: signing in, health, files of ours."""

    method: Literal["GET", "POST"]
    path: str
    view: View
    why: str
    """Why it is open; a test lists these."""
    name: str = ""
    per_minute: int = 0
    """How often it may be asked for from one address; 0: as often as one likes."""


AnyPage = Page | OpenPage
