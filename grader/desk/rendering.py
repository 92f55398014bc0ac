"""Pages of the desk from templates, and the answers that every view gives."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.responses import HTMLResponse, RedirectResponse, Response

from grader.desk.credentials import form_token
from grader.desk.notices import notices_for
from grader.desk.own_paths import came_from
from grader.desk.routing import Visit
from grader.gradebook.database import together
from grader.report.templates import render

_TITLES = {
    400: "That did not work",
    401: "Sign in",
    403: "Not sent from here",
    404: "Not found",
    409: "That did not work",
    408: "Cut off",
    413: "Too large",
    422: "That did not work",
    429: "Too often",
    503: "Not now",
}


def page(visit: Visit, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page.

    Args:
        visit: whose it is.
        template: below `templates/desk/`, without its ending.
        status: of the answer.
        context: the template's variables.
    """
    zone = visit.here.zone if visit.here else dt.UTC
    html = render(
        f"desk/{template}.html.j2",
        {
            "user": visit.user,
            "course": visit.here,
            "courses": list(visit.desk.courses.values()),
            "base": f"/c/{visit.here.slug}" if visit.here else "",
            "start": f"/c/{visit.here.slug}/{visit.user.role.start}"
            if visit.here and visit.user
            else "/",
            "path": visit.request.url.path,
            "form_token": form_token(visit.session) if visit.session else "",
            "key": secrets.token_hex(16),
            "now": visit.now,
            # An error may be that the database is away.
            "notices": notices_for(visit) if status == 200 else [],
            "local": lambda time: time.astimezone(zone) if time is not None else None,
            "link": lambda text: quote(str(text), safe=""),
            "named": lambda person: _name(visit, person),
            **context,
        },
    )
    return HTMLResponse(html, status_code=status)


def _name(visit: Visit, person: str) -> str:
    """Return how somebody is called who has done something in the course; else their id."""
    known: dict[str, str] = visit.kept.setdefault("names", {})
    if person not in known:
        user = visit.course.people.named(person)
        known[person] = user.name if user is not None else person
    return known[person]


_TYPED = ("comment", "says")
"""Fields of forms into which people write at length,"""
_MOST_TYPED = 20_000
"""and so many characters of them are given back where they could not be saved."""


def error_page(
    visit: Visit, status: int, said: str, hint: str | None = None, *, not_signed_in: str = ""
) -> Response:
    """Return what went wrong, as a page, or as JSON where a program asks.

    `not_signed_in` is the title where somebody who wanted to sign in has not: they may begin again.
    """
    if wants_json(visit):
        return json_answer({"error": said, "hint": hint or ""}, status)
    return page(
        visit,
        "error",
        status,
        title=not_signed_in or _TITLES.get(status, "Something is broken"),
        said=said,
        hint=hint or "",
        back=_back(visit) if status != HTTPStatus.NOT_FOUND else "",
        came_from=came_from(visit.request) if visit.request.method == "POST" else "",
        typed=[text for name in _TYPED if (text := visit.said(name, _MOST_TYPED).strip())],
        sign_in=_sign_in(visit) if not_signed_in or status == HTTPStatus.UNAUTHORIZED else "",
    )


def _sign_in(visit: Visit) -> str:
    page = came_from(visit.request)
    return f"/sign-in?next={quote(page)}" if page else "/sign-in"


def _back(visit: Visit) -> str:
    """Where a form about an assignment was: that page, so that it can be sent again, mended."""
    name = visit.named("assignment")
    if visit.here is None or visit.user is None or not name:
        return ""
    return f"/c/{visit.here.slug}/a/{quote(name, safe='')}"


def wants_json(visit: Visit) -> bool:
    """Say whether a program asks, not a browser's window."""
    request = visit.request
    return "application/json" in request.headers.get("accept", "") or (
        "authorization" in request.headers
    )


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


@contextmanager
def sending(visit: Visit, *about: str) -> Iterator[bool]:
    """Do what a form asks for, once: not again by a double click, nor by a reload.

    Inside is one transaction of the accounts' database, and whether the form is sent for the first
    time: what fails, or is killed, leaves a form that can be sent again. Of two at once the second
    waits. What is done in another database is committed before that: a kill between the two lets
    the form be sent again though it was done, and what guards the deed itself says so then.

    Args:
        visit: the request.
        about: all forms of a page have one key; this tells them apart.
    """
    own = _form(visit, about)
    with together(visit.desk.accounts.engine):
        account = visit.known_by.account
        yield not own or visit.desk.credentials.first_time(own, account, now=visit.now)


def was_sent(visit: Visit, *about: str) -> bool:
    """Say whether a form was sent before, and what it asks for is done."""
    own = _form(visit, about)
    return bool(own) and visit.desk.credentials.was_sent(own, visit.known_by.account)


def _form(visit: Visit, about: Sequence[str]) -> str:
    key = visit.said("key", 64)
    return "\t".join((visit.request.url.path, *about, key)) if key else ""


def go(path: str) -> RedirectResponse:
    """Have the browser load another page, after a form."""
    return RedirectResponse(path, status_code=303)


def file_answer(data: bytes, name: str, media_type: str) -> Response:
    """Return a file to be saved: nothing that a student made is opened by the browser."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type=media_type, headers={"content-disposition": disposition})
