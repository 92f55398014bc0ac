"""Sign in by a link, sign out, and look after one's own sessions and tokens."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager

from starlette.responses import Response

from grader.desk.courses import DeskCourse
from grader.desk.credentials import TOKEN, Credential, Kind, LinkUsedError
from grader.desk.letters import News, notify
from grader.desk.may import Action
from grader.desk.own_paths import own_path
from grader.desk.refusals import log_refusal
from grader.desk.rendering import error_page, go, json_answer, page, sending, wants_json
from grader.desk.routing import NotFound, OpenPage, Page, Visit, of_own, whole_number
from grader.desk.sessions import doing_everywhere, session_lasts, set_session, users_of
from grader.desk.university.identities import Identity

_OLD_LINK = "This link was used, or is too old, or a newer one was made."
_LINK_WAITS = dt.timedelta(hours=1)
"""How long a link that was asked for is worth sending."""
_WANTED_S = 1800
"""For so long the page is remembered that somebody wanted to see before they signed in."""


def sign_in(visit: Visit) -> Response:
    """Say how to sign in."""
    wanted = own_path(visit.request.query_params.get("next", "/"))
    if visit.user is not None:
        return go(wanted)
    left = visit.desk.providers.get(visit.request.query_params.get("out", ""))
    answer = page(
        visit,
        "sign_in",
        left=left.settings.name if left else "",
        sign_out_there=left.sign_out_address(f"{visit.desk.origin}/sign-in") if left else "",
        wanted=wanted,
        providers=list(visit.desk.providers.values()),
        sends_mail=_sends_mail(visit),
    )
    if wanted != "/":  # a link that is mailed now is opened in this browser
        _remember(visit, answer, wanted)
    return answer


def _sends_mail(visit: Visit) -> bool:
    return any(course.sends_mail for course in visit.desk.courses.values())


def _remember(visit: Visit, answer: Response, wanted: str) -> None:
    """Have the browser keep which page was wanted; an empty one has it forget."""
    answer.set_cookie(
        _cookie(visit),
        wanted,
        max_age=_WANTED_S if wanted else 0,
        path="/",
        secure=visit.desk.is_https,
        httponly=True,
        samesite="lax",
    )


def _cookie(visit: Visit) -> str:
    return "__Host-grader-wanted" if visit.desk.is_https else "grader-wanted"


def _wanted(visit: Visit, courses: dict[str, int] | None) -> str:
    """Return the page that was wanted, where a link opens the course that it is of."""
    wanted = own_path(visit.request.cookies.get(_cookie(visit), "/"))
    opened = visit.desk.courses if courses is None else courses
    return wanted if any(wanted.startswith(f"/c/{slug}/") for slug in opened) else "/"


def mail_link(visit: Visit) -> Response:
    """Mail a link to whoever a course has this address of; the answer does not say whether."""
    email = visit.said("email", 254)
    # Asked for again and again, it is mailed once in ten minutes.
    about = f"asked {int(visit.now.timestamp()) // 600}"
    for course in visit.desk.courses.values():
        notify(
            course,
            News.SIGN_IN,
            [user.person for user in course.people.with_email(email)] if email else [],
            about=about,
            page="/",
            now=visit.now,
            lasts=_LINK_WAITS,
        )
    return page(visit, "mailed", email=email)


def show_link(visit: Visit) -> Response:
    """Ask before a link is used up: mail scanners open links, and press no buttons."""
    found = visit.desk.credentials.find("link", visit.named("link"), now=visit.now)
    if found is None:
        return _refused_link(visit)
    users = users_of(visit.desk, found.account, found.courses)
    name = next((user.name for user in users.values()), found.person)
    return page(visit, "link", name=name, person=found.person)


def use_link(visit: Visit) -> Response:
    """Use a link up, and begin a session that is new."""
    credentials = visit.desk.credentials
    found = credentials.find("link", visit.named("link"), now=visit.now)
    if found is None and visit.user is not None:  # as a double click is: the first has signed in
        return go("/")
    if found is None:
        return _refused_link(visit)
    lasts = session_lasts(users_of(visit.desk, found.account, None))
    who = dict.fromkeys(found.courses or ("",), found.person)
    try:
        with doing_everywhere(visit, who, "sign in"):
            value = credentials.use_link(
                visit.named("link"),
                lasts=lasts,
                now=visit.now,
                held=visit.credential if visit.session else None,
            )
    except LinkUsedError:
        return _refused_link(visit)
    answer = go(_wanted(visit, found.courses))
    _remember(visit, answer, "")
    set_session(visit, answer, value, lasts)
    return answer


def _refused_link(visit: Visit) -> Response:
    log_refusal(visit, "a sign-in link that is not known, or not any more")
    mailed = "Have a new one mailed, or ask the course staff."
    hint = mailed if _sends_mail(visit) else "Ask the course staff for a new one."
    return error_page(visit, 404, _OLD_LINK, hint, not_signed_in="This link does not sign you in")


def sign_out(visit: Visit) -> Response:
    """End this session."""
    known_by = visit.known_by
    with _doing(visit, "sign out"):
        visit.desk.credentials.end(known_by.id, now=visit.now)
    # A session that a login began has the provider's name: its own session there goes on.
    there = next(
        (n for n, one in visit.desk.providers.items() if one.settings.name == known_by.label), ""
    )
    answer = go(f"/sign-in?out={there}" if there else "/sign-in")
    set_session(visit, answer, "", dt.timedelta())
    return answer


def account(visit: Visit) -> Response:
    """Show one's own sessions and tokens."""
    return _account(visit)


def make_token(visit: Visit) -> Response:
    """Make a personal token and show it, once."""
    label = visit.said("label", 100)
    if not label:
        return error_page(visit, 422, "The token needs a name.", "Such as: my laptop.")
    with sending(visit) as first:
        if not first:
            return error_page(
                visit,
                409,
                "This token was made already. It was shown once, and nobody can look it up.",
                "If you have not kept it, end it on the page Account and make another.",
            )
        with _doing(visit, "make a token", label):
            value = visit.desk.credentials.make(
                "token",
                visit.known_by.account,
                courses=visit.known_by.courses,
                lasts=TOKEN,
                now=visit.now,
                label=label,
            )
    return _account(visit, token=value)


def end_secret(visit: Visit) -> Response:
    """End one of one's own sessions or tokens, or all sessions but this one."""
    if visit.said("secret", 20) == "others":
        with _doing(visit, "end a session or token", "all other sessions"):
            for one in _own(visit, "session"):
                if one.id != visit.known_by.id:
                    visit.desk.credentials.end(one.id, now=visit.now)
        return go("/account")
    number = whole_number(visit.said("secret", 20))
    kinds: tuple[Kind, ...] = ("session", "token")
    own = {one.id: (kind, one.label) for kind in kinds for one in _own(visit, kind)}
    if number not in own:
        raise NotFound
    with _doing(visit, "end a session or token", " ".join(own[number]).strip()):
        visit.desk.credentials.end(number, now=visit.now)
    return go("/account")


def home(visit: Visit) -> Response:
    """Lead to the course; to a list where there are several."""
    users = users_of(visit.desk, visit.known_by.account, visit.known_by.courses)
    if wants_json(visit):
        return json_answer({"courses": list(users)})
    if len(users) == 1:
        slug, user = next(iter(users.items()))
        return go(f"/c/{slug}/{user.role.start}")
    new = visit.known_by.courses is not None
    return page(
        visit,
        "home",
        new_need_signing_in=new,
        own=[(visit.desk.courses[slug], u) for slug, u in users.items()],
    )


def _doing(visit: Visit, action: str, thing: str = "") -> AbstractContextManager[None]:
    """Do something to one's own account, with a line where the visitor is somebody."""
    users = users_of(visit.desk, visit.known_by.account, visit.known_by.courses)
    who = {slug: user.person for slug, user in users.items()}
    return doing_everywhere(visit, who, action, thing=thing)


def _account(visit: Visit, token: str = "") -> Response:
    return page(
        visit,
        "account",
        sessions=_own(visit, "session"),
        tokens=_own(visit, "token"),
        token=token,
        origin=visit.desk.origin,
        providers=list(visit.desk.providers.values()),
        logins=_logins(visit),
    )


def _logins(visit: Visit) -> list[tuple[DeskCourse, Identity]]:
    """A university's logins that are linked with the visitor's own accounts."""
    users = users_of(visit.desk, visit.known_by.account, visit.known_by.courses)
    return [
        (visit.desk.courses[slug], one)
        for slug, user in users.items()
        for one in visit.desk.identities.of(slug, user.account)
    ]


def _own(visit: Visit, kind: Kind) -> list[Credential]:
    """Those of the visitor's own that hold nowhere else than what shows them."""
    known_by = visit.known_by
    found = visit.desk.credentials.of(known_by.account, kind, now=visit.now)
    return [one for one in found if known_by.covers(one)]


PAGES = [
    OpenPage(method="GET", path="/sign-in", view=sign_in, why="who signs in has not yet"),
    OpenPage(
        method="POST",
        path="/sign-in/mail",
        view=mail_link,
        why="who signs in has not yet",
        per_minute=30,
    ),
    OpenPage(method="GET", path="/s/{link}", view=show_link, why="the link is the secret"),
    OpenPage(
        method="POST",
        path="/s/{link}",
        view=use_link,
        why="the link is the secret",
        per_minute=240,
    ),
    Page(method="POST", path="/sign-out", view=sign_out, action=Action.OWN_ACCOUNT, thing=of_own),
    Page(
        method="GET",
        path="/",
        view=home,
        action=Action.OWN_ACCOUNT,
        thing=of_own,
        for_programs=True,
    ),
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
