"""Sign in by a link, sign out, and look after one's own sessions and tokens."""

from __future__ import annotations

from starlette.responses import Response

from grader.desk.credentials import SESSION, STAFF_SESSION, TOKEN
from grader.desk.may import Action
from grader.desk.rendering import error_page, go, json_answer, page, wants_json
from grader.desk.routing import NotFound, OpenPage, Page, Visit, of_own, whole_number

_OLD_LINK = "This link was used, or is too old, or a newer one was made."
_NEW_LINK = "Ask the course staff for a new one."


def sign_in(visit: Visit) -> Response:
    """Say how to sign in."""
    if visit.user is not None:
        return go(_next(visit))
    return page(visit, "sign_in")


def show_link(visit: Visit) -> Response:
    """Ask before a link is used up: mail scanners open links, and press no buttons."""
    found = visit.desk.credentials.find("link", visit.named("link"), now=visit.now)
    if found is None:
        return error_page(visit, 404, _OLD_LINK, _NEW_LINK)
    return page(visit, "link", name=found.name, person=found.person)


def use_link(visit: Visit) -> Response:
    """Use a link up, and begin a session that is new."""
    credentials = visit.desk.credentials
    found = credentials.find("link", visit.named("link"), now=visit.now)
    if found is None:
        return error_page(visit, 404, _OLD_LINK, _NEW_LINK)
    lasts = SESSION
    for course in visit.desk.courses.values():
        user = course.people.user(found.account)
        if user is not None and user.role.value != "student":
            lasts = STAFF_SESSION
    value = credentials.use_link(visit.named("link"), lasts=lasts, now=visit.now)
    if value is None:
        return error_page(visit, 404, _OLD_LINK, _NEW_LINK)
    visit.desk.audit.add(found.person, "sign in", now=visit.now)
    answer = go("/")
    _set_cookie(visit, answer, value, int(lasts.total_seconds()))
    return answer


def sign_out(visit: Visit) -> Response:
    """End this session."""
    found = visit.desk.credentials.find("session", visit.session, now=visit.now)
    if found is not None:
        visit.desk.credentials.end(found.id, now=visit.now)
    answer = go("/sign-in")
    _set_cookie(visit, answer, "", 0)
    return answer


def account(visit: Visit) -> Response:
    """Show one's own sessions and tokens."""
    return _account(visit)


def make_token(visit: Visit) -> Response:
    """Make a personal token and show it, once."""
    label = visit.said("label", 100)
    if not label:
        return error_page(visit, 422, "The token needs a name.", "Such as: my laptop.")
    value = visit.desk.credentials.make(
        "token", visit.me.account, lasts=TOKEN, now=visit.now, label=label
    )
    visit.note("make a token", thing=label)
    return _account(visit, token=value)


def end_secret(visit: Visit) -> Response:
    """End one of one's own sessions or tokens."""
    number = whole_number(visit.said("secret", 20))
    if number is None:
        raise NotFound
    visit.desk.credentials.end(number, account=visit.me.account, now=visit.now)
    return go("/account")


def home(visit: Visit) -> Response:
    """Lead to the course; to a list where there are several."""
    account = visit.me.account
    own = [c for c in visit.desk.courses.values() if c.people.user(account) is not None]
    if wants_json(visit):
        return json_answer({"courses": [course.slug for course in own]})
    if len(own) == 1:
        return go(f"/c/{own[0].slug}/")
    return page(visit, "home", own=own)


def _account(visit: Visit, token: str = "") -> Response:
    own = visit.desk.credentials
    return page(
        visit,
        "account",
        sessions=own.of(visit.me.account, "session", now=visit.now),
        tokens=own.of(visit.me.account, "token", now=visit.now),
        token=token,
        origin=visit.desk.origin,
    )


def _set_cookie(visit: Visit, answer: Response, value: str, max_age: int) -> None:
    answer.set_cookie(
        visit.desk.cookie,
        value,
        max_age=max_age,
        path="/",
        secure=visit.desk.is_https,
        httponly=True,
        samesite="lax",
    )


def _next(visit: Visit) -> str:
    """Where somebody wanted to go; a path of ours and nothing else."""
    wanted = visit.request.query_params.get("next", "/")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if ours and wanted.isprintable() else "/"


PAGES = [
    OpenPage(method="GET", path="/sign-in", view=sign_in, why="who signs in has not yet"),
    OpenPage(method="GET", path="/s/{link}", view=show_link, why="the link is the secret"),
    OpenPage(method="POST", path="/s/{link}", view=use_link, why="the link is the secret"),
    Page(method="POST", path="/sign-out", view=sign_out, action=Action.OWN_ACCOUNT, thing=of_own),
    Page(method="GET", path="/", view=home, action=Action.OWN_ACCOUNT, thing=of_own),
    Page(method="GET", path="/account", view=account, action=Action.OWN_ACCOUNT, thing=of_own),
    Page(
        method="POST",
        path="/account/tokens",
        view=make_token,
        action=Action.OWN_ACCOUNT,
        thing=of_own,
    ),
    Page(
        method="POST",
        path="/account/end",
        view=end_secret,
        action=Action.OWN_ACCOUNT,
        thing=of_own,
    ),
]
