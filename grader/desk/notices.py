"""Tell people what concerns them: on their pages at the desk, and by mail."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from grader.desk.letters import News, notify
from grader.desk.routing import Visit
from grader.gradebook.notifications import Notification, Notifications, put_notifications
from grader.gradebook.outbox import KEEP_TRYING


def tell(
    session: Session,
    visit: Visit,
    people: Iterable[str],
    says: str,
    path: str,
    *,
    news: News,
    about: str,
    by_mail: bool = True,
    **facts: str,
) -> None:
    """Tell people of this course something, once: on their pages, and by mail where it is sent.

    The one place from which anybody is told anything that they did not ask for.

    Args:
        session: of the course's gradebook: they are told if it has happened, or not at all.
        visit: whose doing it is; they are not told themselves.
        people: by their ids in the course.
        says: one sentence, without a name of anybody and without a mark.
        path: the page that it is about: it is told until they have looked there.
        news: the letter.
        about: what no other letter of this kind tells.
        by_mail: or on their pages alone.
        facts: what the letter asks for.
    """
    others = [person for person in people if person != visit.me.person]
    put_notifications(session, others, says, path, now=visit.now)
    if by_mail:
        notify(
            visit.course,
            news,
            others,
            about=about,
            page=path,
            now=visit.now,
            session=session,
            lasts=KEEP_TRYING,
            **facts,
        )


def notices_for(visit: Visit) -> list[Notification]:
    """Return what the visitor has not looked at yet; this page they look at now."""
    if visit.user is None or visit.here is None:
        return []
    own = Notifications(visit.here.gradebook.engine)
    found = own.unseen(visit.user.person)
    path = visit.request.url.path
    if visit.request.method == "GET" and any(notice.path == path for notice in found):
        own.seen(visit.user.person, path, now=visit.now)
    return [notice for notice in found if notice.path != path]
