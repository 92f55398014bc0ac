"""Sign in with a university's login, and link one to an account."""

from __future__ import annotations

import hmac
import logging

from starlette.responses import RedirectResponse, Response

from grader.desk.matching import claimed, known_in
from grader.desk.may import Action
from grader.desk.own_paths import is_led_here
from grader.desk.rendering import error_page, go, page
from grader.desk.routing import NotFound, OpenPage, Page, Visit, of_own
from grader.desk.sessions import doing_everywhere, session_lasts, set_session, users_of
from grader.desk.university.errors import NotBelievedError
from grader.desk.university.flow import LASTS_S, Flow, begin, resumed
from grader.desk.university.provider import Login, Provider

LOG = logging.getLogger("grader.desk")
_AGAIN = "Begin again, in the same browser."
_MAX_CODE = 4096


def ask(visit: Visit) -> Response:
    """Send the browser to the provider."""
    return _ask(visit, linking=False)


def ask_to_link(visit: Visit) -> Response:
    """Send the browser to the provider, to link the login with who is signed in here.

    Only from the button on the account's page: another site could lead there a browser in which
    its owner is signed in here and somebody else is at the provider, whose account it then were.
    """
    return _ask(visit, linking=True) if is_led_here(visit.request) else go("/account")


def answer(visit: Visit) -> Response:
    """Take the provider's answer: a code, which is exchanged for who it is."""
    provider = _provider(visit)
    flow = resumed(visit.request.cookies.get(_cookie(visit), ""), provider.settings.id)
    try:
        found = _answer(visit, provider, flow)
    except NotBelievedError as error:
        LOG.warning("sign-in by %s: %s", provider.settings.id, error)
        said = f"You are not signed in: {error.what}."
        found = error_page(visit, 403, said, error.hint or _AGAIN, not_signed_in="Not signed in")
    found.delete_cookie(_cookie(visit), path="/", secure=visit.desk.is_https, httponly=True)
    return found


def unlink(visit: Visit) -> Response:
    """Forget the logins of one's own account; what they had signed in elsewhere ends."""
    known_by, credentials = visit.known_by, visit.desk.credentials
    users = users_of(visit.desk, known_by.account, known_by.courses)
    who = {slug: user.person for slug, user in users.items()}
    with doing_everywhere(visit, who, "unlink a login"):
        for one in credentials.of(known_by.account, "session", now=visit.now):
            # A session that a login began has the provider's name.
            if one.label and one.id != known_by.id and known_by.covers(one):
                credentials.end(one.id, now=visit.now)
        for slug, user in users.items():
            visit.desk.identities.unlink(slug, user.account)
    return go("/account")


def _ask(visit: Visit, *, linking: bool) -> Response:
    provider = _provider(visit)
    wanted = "/account" if linking else visit.request.query_params.get("next", "/")
    flow = begin(provider.settings.id, linking=linking, wanted=wanted)
    found = RedirectResponse(provider.question(flow), status_code=303)
    found.set_cookie(
        _cookie(visit),
        flow.cookie,
        max_age=LASTS_S,
        path="/",
        secure=visit.desk.is_https,
        httponly=True,
        samesite="lax",  # the provider's answer comes from its site, as a navigation
    )
    return found


def _answer(visit: Visit, provider: Provider, flow: Flow | None) -> Response:
    said = visit.request.query_params
    if flow is None or not _same(said.get("state", ""), flow.state):
        raise NotBelievedError("this browser did not ask for it, or too long ago")
    provider.check_sender(said.get("iss", ""))
    if "error" in said:
        raise NotBelievedError(_refused(said["error"]))
    code = said.get("code", "")
    if not code or len(code) > _MAX_CODE:
        raise NotBelievedError("the provider gave no code")
    login = provider.login(flow, code=code, now=visit.now)
    value = claimed(login, provider.settings)
    if flow.linking:
        return _link(visit, login, value)
    return _sign_in(visit, provider, flow, login, value)


def _sign_in(visit: Visit, provider: Provider, flow: Flow, login: Login, value: str) -> Response:
    desk = visit.desk
    courses = known_in(desk, login, value, provider.settings.means, visit.now)
    users = users_of(desk, 0, courses)
    if not users:
        desk.audit.add(value, "sign in: on no roster", now=visit.now)
        out = provider.sign_out_address(f"{desk.origin}/sign-in")
        return page(visit, "nobody", 403, value=value, provider=provider.settings, out=out)
    lasts = session_lasts(users)
    who = {slug: user.person for slug, user in users.items()}
    with doing_everywhere(visit, who, "sign in", detail=provider.settings.name):
        session = desk.credentials.make(
            "session",
            next(iter(courses.values())),
            courses=courses,
            lasts=lasts,
            now=visit.now,
            label=provider.settings.name,
        )
        if visit.credential is not None and visit.session:  # what this browser had is over
            desk.credentials.end(visit.credential.id, now=visit.now)
    found = go(flow.wanted)
    set_session(visit, found, session, lasts)
    return found


def _link(visit: Visit, login: Login, value: str) -> Response:
    if visit.user is None or not visit.session:
        raise NotBelievedError("you are not signed in here any more")
    own = users_of(visit.desk, visit.known_by.account, visit.known_by.courses)
    who = {slug: user.person for slug, user in own.items()}
    refused: list[str] = []
    try:
        with doing_everywhere(visit, who, "link a login", thing=value):
            for slug, user in own.items():
                if not visit.desk.identities.link(
                    login.issuer, login.subject, slug, user.account, says=value, now=visit.now
                ):
                    refused.append(visit.desk.courses[slug].title)
            if refused:
                raise _LinkedElsewhereError
    except _LinkedElsewhereError:
        said = f"This login, or your account, is linked with another already: {', '.join(refused)}."
        return error_page(visit, 409, said, "Nothing was linked. Unlink it on the page Account.")
    return go("/account")


class _LinkedElsewhereError(Exception):
    """A login is another account's in one of the courses: it is linked in none."""


def _provider(visit: Visit) -> Provider:
    found = visit.desk.providers.get(visit.named("provider"))
    if found is None:
        raise NotFound
    return found


def _cookie(visit: Visit) -> str:
    return "__Host-grader-asked" if visit.desk.is_https else "grader-asked"


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _refused(error: str) -> str:
    if error in ("access_denied", "consent_required"):
        return "you did not let the desk know who you are"
    return "the provider refuses to say who you are"


_ADDRESS = "/sign-in/with/{provider}"
PAGES = [
    OpenPage(method="GET", path=_ADDRESS, view=ask, why="who signs in has not yet", per_minute=240),
    OpenPage(
        method="GET",
        path=f"{_ADDRESS}/answer",
        view=answer,
        why="it is bound to the browser that asked",
        per_minute=240,
    ),
    Page(
        method="GET",
        path="/account/link/{provider}",
        view=ask_to_link,
        action=Action.OWN_ACCOUNT,
        thing=of_own,
    ),
    Page(
        method="POST",
        path="/account/unlink",
        view=unlink,
        action=Action.OWN_ACCOUNT,
        thing=of_own,
    ),
]
