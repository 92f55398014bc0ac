"""What a course has sent by mail, what became of it, and sending again what did not go."""

from __future__ import annotations

import secrets

from starlette.responses import Response

from grader.desk.letters import News, notify
from grader.desk.may import Action
from grader.desk.rendering import go, page
from grader.desk.routing import Page, Visit, whole_number
from grader.desk.views.course import number_in
from grader.errors import UsageError
from grader.gradebook.database import together, writing


def show_mail(visit: Visit) -> Response:
    """Show the mails of the course, newest first, and how many wait."""
    return page(
        visit,
        "mail",
        mails=visit.course.outbox.newest(before=number_in(visit, "before")),
        counts=visit.course.outbox.counts(),
        server=visit.desk.settings.file.mail,
        names={user.person: user.name for user in visit.course.people.all()},
    )


def send_again(visit: Visit) -> Response:
    """Send a mail again that failed, or of which nobody knows whether it went."""
    number = whole_number(visit.said("mail", 20))
    with together(visit.course.gradebook.engine):
        if number is None or not visit.course.outbox.again(number, now=visit.now):
            raise UsageError(
                "this mail is not one that can be sent again", hint="Load the page again."
            )
        visit.note("send a mail again", thing=str(number))
    return go(_address(visit))


def send_trial(visit: Visit) -> Response:
    """Send a mail to whoever asks, to see that it arrives."""
    if not visit.course.sends_mail:
        raise UsageError("this desk sends no mail", hint="Write [mail] into its desk.toml.")
    if not visit.me.email:
        raise UsageError("no e-mail of yours is known", hint="Put it in on the page People.")
    with writing(visit.course.gradebook.engine) as session:
        notify(
            visit.course,
            News.TRIAL,
            [visit.me.person],
            about=visit.said("key", 64) or secrets.token_hex(8),
            page=_address(visit),
            now=visit.now,
            session=session,
        )
        visit.note("send a trial mail", session=session)
    return go(_address(visit))


def _address(visit: Visit) -> str:
    return f"/c/{visit.course.slug}/mail"


_MAIL = "/c/{course}/mail"
PAGES = [
    Page(method="GET", path=_MAIL, view=show_mail, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_MAIL}/again", view=send_again, action=Action.MANAGE_PEOPLE),
    Page(method="POST", path=f"{_MAIL}/trial", view=send_trial, action=Action.MANAGE_PEOPLE),
]
