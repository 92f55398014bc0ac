"""How a browser is signed in and out: for how long, and by which cookie."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager

from starlette.responses import Response

from grader.desk.courses import Desk
from grader.desk.credentials import SESSION, STAFF_SESSION
from grader.desk.deeds import Line, with_lines
from grader.desk.people import Role, User
from grader.desk.routing import Visit


def users_of(desk: Desk, account: int, courses: dict[str, int] | None) -> dict[str, User]:
    """Return who an account is, by course; `courses` as in a `Credential`."""
    found = {}
    for slug, course in desk.courses.items():
        own = account if courses is None else courses.get(slug)
        user = course.people.user(own) if own is not None else None
        if user is not None:
            found[slug] = user
    return found


def doing_everywhere(
    visit: Visit, who: dict[str, str], action: str, *, thing: str = "", detail: str = ""
) -> AbstractContextManager[None]:
    """Do something to an account inside, with a line in each course where it is somebody.

    Args:
        visit: the request.
        who: whom it is about, by course; "" is the desk itself.
        action, thing, detail: of the lines.
    """
    lines = [
        Line(
            log=visit.desk.log_of(course),
            who=person,
            action=action,
            now=visit.now,
            course=course,
            thing=thing,
            detail=detail,
        )
        for course, person in who.items()
    ]
    return with_lines(lines, to=visit.desk.accounts.engine)


def session_lasts(users: dict[str, User]) -> dt.timedelta:
    """Return how long somebody stays signed in: who sees everybody's work, for a day's work."""
    staff = any(user.role is not Role.STUDENT for user in users.values())
    return STAFF_SESSION if staff else SESSION


def set_session(visit: Visit, answer: Response, value: str, lasts: dt.timedelta) -> None:
    """Have the browser keep a session; an empty value and no time have it forget."""
    answer.set_cookie(
        visit.desk.cookie,
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=visit.desk.is_https,
        httponly=True,
        samesite="lax",
    )
