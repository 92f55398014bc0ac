"""Who a login is in a course: by the link that was made, else by one claim, strictly."""

from __future__ import annotations

import datetime as dt

from grader.course.roster import plain_id
from grader.desk.courses import Desk, DeskCourse
from grader.desk.people import User
from grader.desk.settings import SignIn
from grader.desk.university.errors import NotBelievedError
from grader.desk.university.provider import Login
from grader.errors import GraderError

_MAX_CLAIM = 200


def claimed(login: Login, settings: SignIn) -> str:
    """Return what a login says of whose it is; an e-mail only if the provider has verified it.

    Raises:
        NotBelievedError: it does not say, or a claim is not what `require` asks for.
    """
    for name, wanted in settings.require.items():
        if login.claims.get(name) != wanted:
            raise NotBelievedError(f"this login is not one of {settings.name}'s")
    value = login.claims.get(settings.claim)
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_CLAIM:
        raise NotBelievedError(
            f"{settings.name} does not say who you are",
            hint=f"The course staff can ask there for the claim {settings.claim}.",
        )
    if settings.claim == "email" and login.claims.get("email_verified") not in (True, "true"):
        raise NotBelievedError(
            f"{settings.name} has not verified your e-mail address",
            hint="Verify it there, then sign in again.",
        )
    return value.strip()


def known_in(desk: Desk, login: Login, value: str, means: str, now: dt.datetime) -> dict[str, int]:
    """Return as which account a login is known in each course, and link where it is new.

    Each course is looked at by itself: what one says of a person makes them nobody in another, and
    a course whose roster can't be read keeps nobody out of the others.
    """
    linked = desk.identities.accounts(login.issuer, login.subject)
    known = {}
    for slug, course in desk.courses.items():
        if slug in linked:
            if course.people.user(linked[slug]) is not None:
                known[slug] = linked[slug]
            continue
        user = _matched(course, value, means)
        if user is not None and desk.identities.link(
            login.issuer, login.subject, slug, user.account, says=value, now=now
        ):
            known[slug] = user.account
    return known


def _matched(course: DeskCourse, value: str, means: str) -> User | None:
    """The one whom a claim means; None: nobody, or more than one."""
    if means == "email":
        found = [user for user in course.people.with_email(value) if _reads(user.email, value)]
        return found[0] if len(found) == 1 else None
    own = course.people.named(value)
    if means == "id":
        return own
    try:
        people = course.roster.people.values()
    except GraderError:
        return None
    students = [p.id for p in people if _reads(getattr(p, means), value)]
    if own is not None and own.role.is_staff and not students:
        return own  # staff are on no roster: their id is their login
    return course.people.named(students[0]) if len(students) == 1 else None


def _reads(ours: str, value: str) -> bool:
    """Say whether two are one without case: of letters that are not ASCII none becomes one that is.

    The long s and the sign for Kelvin are s and k in small letters, and no letters of a login that
    a university has given.
    """
    return plain_id(ours) == plain_id(value) and ours.isascii() == value.isascii()
