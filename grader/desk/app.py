"""The web application: pages become routes, and each request is looked at before its view runs."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import logging
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from grader.desk.bodies import Bodies
from grader.desk.counters import Counters
from grader.desk.courses import Desk
from grader.desk.credentials import Credential, form_token
from grader.desk.engine.supervisor import Supervisor
from grader.desk.events import News
from grader.desk.headers import Headers, says
from grader.desk.may import PROGRAMS, may
from grader.desk.own_paths import sign_in_before
from grader.desk.pages import all_pages
from grader.desk.postman import Postman, postmen
from grader.desk.rates import Rates
from grader.desk.refusals import log_refusal
from grader.desk.rendering import error_page
from grader.desk.routing import AnyPage, NotFound, Page, Visit
from grader.desk.turns import Turns
from grader.desk.uploads import NOTHING_HANDED_IN
from grader.errors import GradebookError, GraderError, InfrastructureError

LOG = logging.getLogger("grader.desk")
_MAX_FIELDS, _MAX_FIELD_BYTES, _MAX_TYPED_BYTES = 2_000, 1 << 20, 1 << 18
_LATER_S, _COUNTED_S = 5, 1.0
_KNOWN = dt.timedelta(seconds=5)
"""For so long who asks is taken for who they were found to be."""
_AWAY = (
    "Nothing that was acknowledged is lost. Wait a moment, then load the page again; if you sent "
    "something and saw no receipt, send it again: it counts once."
)
_TOO_OFTEN = (
    "That was too often, or too much. Wait a minute, after large uploads an hour, then try again."
)
_NO_PAGE = "There is no such page, or it is not for you."
_EARLIER = "This page is from an earlier sign-in. Nothing was saved. Load it again, then send it."
_FOREIGN = "This form was not sent from the desk itself. Load the page again, then send it."


def make_app(
    desk: Desk,
    *,
    supervisors: Sequence[Supervisor] = (),
    counters: Counters | None = None,
) -> Starlette:
    """Return the application.

    Args:
        desk: its courses and people.
        supervisors: keep an engine of each course running, as long as the application does.
        counters: of its answers.
    """

    counters = counters or Counters()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        news = News(desk, supervisors)
        app.state.news = news
        helpers: list[Supervisor | Postman] = [*supervisors, *postmen(desk)]
        for one in helpers:
            one.start()
        counting = asyncio.create_task(_keep_counting(counters, news))
        async with news:
            yield
        counting.cancel()
        for one in helpers:
            one.stop()

    def refused(scope: Scope, status: int, said: str) -> Response:
        """What was not read is answered without asking who it is: that would ask the database."""
        now = dt.datetime.now(dt.UTC)
        return error_page(Visit(request=Request(scope), desk=desk, now=now), status, said)

    rates, turns = Rates(desk.accounts.engine), Turns()
    app = Starlette(
        routes=[_route(page, rates, turns, counters) for page in all_pages()],
        middleware=[
            Middleware(Headers, is_https=desk.is_https),
            Middleware(Bodies, max_bytes=(desk.max_upload_mb + 1) << 20, page=refused),
        ],
        exception_handlers={HTTPException: _http_error, Exception: _broken},
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.state.counters = counters
    return app


async def _keep_counting(counters: Counters, news: News) -> None:
    """Let the other web processes read what this one has counted."""
    while True:
        counters.own.watchers = news.watchers
        await run_in_threadpool(counters.keep)
        await asyncio.sleep(_COUNTED_S)


def _route(page: AnyPage, rates: Rates, turns: Turns, counters: Counters) -> Route:
    name = f"{page.method} {page.path}"

    async def endpoint(request: Request) -> Response:
        visit = Visit(request=request, desk=request.app.state.desk, now=dt.datetime.now(dt.UTC))
        began = time.monotonic()
        status = 500
        try:
            answer = await _said(visit, page, rates, turns)
            status = answer.status_code
        finally:
            counters.answered(name, status, time.monotonic() - began)
        return answer

    return Route(page.path, endpoint, methods=[page.method], name=page.name or page.view.__name__)


async def _said(visit: Visit, page: AnyPage, rates: Rates, turns: Turns) -> Response:
    """Answer, with a sentence where something is wrong."""
    try:
        return await _answer(visit, page, rates, turns)
    except NotFound:
        return error_page(visit, 404, _NO_PAGE)
    except (GradebookError, InfrastructureError) as error:
        if isinstance(error.__cause__, SQLAlchemyError):  # what it says is for who runs the desk
            LOG.error("%s", error)
            return _later(visit, "The desk can't reach its database right now.", _AWAY)
        LOG.error("%s", error)
        return _later(visit, error.what, error.hint)
    except GraderError as error:
        return error_page(visit, 422, error.what, error.hint)


def _later(visit: Visit, said: str, hint: str | None) -> Response:
    """Say that it can't be done now; a page that was only looked at comes back by itself."""
    answer = error_page(visit, 503, said, hint)
    answer.headers["retry-after"] = str(_LATER_S)
    if visit.request.method == "GET":
        answer.headers["refresh"] = str(_LATER_S)
    return answer


async def _answer(visit: Visit, page: AnyPage, rates: Rates, turns: Turns) -> Response:
    scope = visit.request.scope
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # no database looks up a null
        raise NotFound
    await run_in_threadpool(_recognise, visit)
    if isinstance(page, Page) and visit.user is None:
        await _read_what_was_typed(visit)
        return _sign_in_first(visit)
    if not rates.allow(visit, page):
        log_refusal(visit, f"too often, {page.method} {page.path}")
        return error_page(visit, 429, _TOO_OFTEN)
    if page.method == "POST":
        if not _same_site(visit):
            log_refusal(visit, f"a form of another site, {page.path}")
            return error_page(visit, 403, _FOREIGN)
        try:
            visit.form = await visit.request.form(
                max_files=60, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
            )
        except MultiPartException as error:
            return error_page(visit, 400, f"The form can't be read: {error.message}")
        except OSError as error:
            LOG.error("an upload can't be kept: %s", error)
            return _later(visit, f"The upload can't be kept: {error.strerror}.", NOTHING_HANDED_IN)
        except ClientDisconnect:
            return error_page(visit, 400, "The upload was cut off. Nothing was handed in.")
        if not await _still_known(visit, page):
            return _sign_in_first(visit)
        if isinstance(page, Page) and not _own_form(visit):
            log_refusal(visit, f"a form of another session, {page.path}")
            return error_page(visit, 403, _EARLIER)
    try:
        async with turns.of(visit.user.account) if visit.user else nullcontext():
            return await run_in_threadpool(_view, visit, page)
    finally:
        if isinstance(visit.form, FormData):
            await visit.form.close()


async def _still_known(visit: Visit, page: AnyPage) -> bool:
    """Have the visit be now that all of it is there; False: they are nobody here any more.

    A body may take hours to come: what was begun on time, or by somebody who has been taken out
    since, would else be handed in before the due date, or done all the same.
    """
    began, visit.now = visit.now, dt.datetime.now(dt.UTC)
    if visit.now - began > _KNOWN:
        await run_in_threadpool(_recognise, visit)
    return visit.user is not None or not isinstance(page, Page)


def _view(visit: Visit, page: AnyPage) -> Response:
    if isinstance(page, Page):
        if not visit.session and page.action not in PROGRAMS and not page.for_programs:
            raise NotFound
        if not may(visit.me, page.action, page.thing(visit)):
            log_refusal(visit, f"{page.action}, {page.method} {visit.request.url.path!r}")
            raise NotFound
    return page.view(visit)


def _recognise(visit: Visit) -> None:
    """Find out who it is: by a session's cookie, or by a token that a program sends."""
    slug = visit.named("course")
    visit.here = visit.desk.courses.get(slug)
    visit.credential, visit.user = _credential(visit), None
    if visit.credential is None or (slug and visit.here is None):
        return
    courses = [visit.here] if visit.here else list(visit.desk.courses.values())
    users = (course.user(visit.credential) for course in courses)
    visit.user = next((user for user in users if user is not None), None)


def _credential(visit: Visit) -> Credential | None:
    credentials = visit.desk.credentials
    scheme, _, value = visit.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.find("token", value.strip(), now=visit.now)
    value = visit.request.cookies.get(visit.desk.cookie, "")
    found = credentials.find("session", value, now=visit.now) if value else None
    visit.session = value if found else ""
    return found


def _same_site(visit: Visit) -> bool:
    """Say whether a form comes from the desk itself: another site's must change nothing here."""
    request = visit.request
    if "authorization" in request.headers and not visit.session:
        return True  # a program's token, which no browser sends by itself
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host", "")


def _own_form(visit: Visit) -> bool:
    if not visit.session:
        return "authorization" in visit.request.headers
    given = visit.said("form")
    return hmac.compare_digest(given.encode(), form_token(visit.session).encode())


async def _read_what_was_typed(visit: Visit) -> None:
    """Read the form of somebody who is not signed in (any more), to give its text back.

    Only a form of the desk's own, without files: no other site puts words into our pages.
    """
    headers = visit.request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip()
    length = headers.get("content-length", "")
    small = length.isdigit() and int(length) <= _MAX_TYPED_BYTES
    form = "application/x-www-form-urlencoded"
    if visit.request.method == "POST" and kind == form and small and _same_site(visit):
        with suppress(ClientDisconnect):
            visit.form = await visit.request.form(max_fields=_MAX_FIELDS)


def _sign_in_first(visit: Visit) -> Response:
    if "authorization" in visit.request.headers:
        log_refusal(visit, "a token that is not known")
        return error_page(visit, 401, "The token is not one of this desk's, or not any more.")
    if visit.request.method != "GET" or visit.session:
        if visit.session:  # of another course or none: which courses there are is not said
            return error_page(visit, 404, _NO_PAGE)
        return error_page(visit, 401, "Sign in first. Nothing was saved.")
    return RedirectResponse(sign_in_before(visit.request.scope), status_code=303)


async def _broken(request: Request, error: Exception) -> Response:
    """Say that something of ours is broken; what, is in the log, where it is raised again."""
    desk = request.app.state.desk
    visit = Visit(request=request, desk=desk, now=dt.datetime.now(dt.UTC))
    said = "Something broke on our side, not yours. The people who run the desk find it in its log."
    answer = error_page(visit, 500, said, _AWAY)
    for name, value in says(is_https=desk.is_https).items():  # nothing else adds them any more
        answer.headers.setdefault(name, value)
    return answer


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    visit = Visit(request=request, desk=request.app.state.desk, now=dt.datetime.now(dt.UTC))
    said = {404: _NO_PAGE, 405: "This is not done that way."}
    return error_page(visit, error.status_code, said.get(error.status_code, error.detail))
