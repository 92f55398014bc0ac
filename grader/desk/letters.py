"""What the desk tells by mail: which letters there are, and how each becomes a message.

A letter says that there is something to read and where, and nothing of what is there: no marks, no
comment, no word of an appeal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from grader.desk.courses import DeskCourse
from grader.desk.settings import MailServer
from grader.gradebook.outbox import KEEP_TRYING, Letter, Mail, put_letters
from grader.printable import printable_line
from grader.resources import shipped_dir

_MAX_SUBJECT = 150


class News(StrEnum):
    """The letters that there are; each is a template in `templates/mail/`, subject first.

    Beside `page`, PUBLISHED, SHARE and those of time and excuses are given the `assignment`; those
    of appeals and second looks the `assignment` and the `question`; RECEIPT `assignment`,
    `attempt`, `file`, `received` and `sha256`.
    """

    SIGN_IN = "sign-in"
    PUBLISHED = "published"
    RECEIPT = "receipt"
    APPEAL_OPENED = "appeal-opened"
    APPEAL_REPLIED = "appeal-replied"
    APPEAL_ANSWERED = "appeal-answered"
    SECOND_LOOKS = "second-looks"
    SHARE = "share"
    LONGER = "longer"
    NOT_LONGER = "not-longer"
    EXCUSED = "excused"
    NOT_EXCUSED = "not-excused"
    TRIAL = "trial"


def notify(
    course: DeskCourse,
    news: News,
    people: Iterable[str],
    *,
    about: str,
    page: str,
    now: dt.datetime,
    session: Session | None = None,
    lasts: dt.timedelta = KEEP_TRYING,
    **facts: str,
) -> None:
    """Tell people something by mail, once; nothing is done where the desk sends none.

    Args:
        course: of which.
        news: what.
        people: whom, by their ids in the course.
        about: what no other letter of this kind tells, such as the appeal's and answer's numbers:
            the same is told to the same person once, however often this is called.
        page: where to read it, a path of the desk.
        now: the time.
        session: of the course's gradebook, so that the letter is there if what it tells is;
            default: one of its own.
        lasts: after this the letter is not worth sending.
        facts: what the template asks for.
    """
    if not course.sends_mail:
        return
    letters = [
        Letter(person=person, kind=news, about=about, facts={**facts, "page": page})
        for person in dict.fromkeys(people)
    ]
    if session is None:
        course.outbox.put(letters, now=now, lasts=lasts)
    else:
        put_letters(session, letters, now=now, lasts=lasts)


def message(
    mail: Mail,
    server: MailServer,
    *,
    address: str,
    name: str,
    course: str,
    link: str,
    now: dt.datetime,
) -> EmailMessage:
    """Return a mail as it is sent. Whatever stands in its facts is one line of text.

    Args:
        mail: from the outbox.
        server: says whom it comes from.
        address: whom it goes to; a plain one.
        name: how they are greeted.
        course: its title.
        link: where to read on.
        now: the time.
    """
    facts = {**mail.facts, "name": name, "person": mail.person, "course": course, "link": link}
    text = _templates().get_template(f"mail/{News(mail.kind).value}.txt.j2").render(facts)
    subject, _, body = text.partition("\n")
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(_one_line(server.sender_name or course), addr_spec=server.sender)
    made["To"] = Address(addr_spec=address)
    if server.reply_to:
        made["Reply-To"] = Address(addr_spec=server.reply_to)
    made["Subject"] = _one_line(subject)[:_MAX_SUBJECT]
    made["Date"] = now
    # The same whenever it is sent, so that a mail server or a reader knows it again.
    made["Message-ID"] = (
        f"<{mail.made_at:%Y%m%d%H%M%S}.{mail.id}@{server.sender.rpartition('@')[2]}>"
    )
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer of an absence note
    made.set_content(body, cte="quoted-printable")  # seven bits: every server takes it
    return made


def _one_line(text: str) -> str:
    """Text on one line: what would begin a header, or a line that we have not written, is spelt."""
    return printable_line(text.replace("\t", " "))


def _shown(value: Any) -> Any:
    return _one_line(value) if isinstance(value, str) else value


@cache
def _templates() -> Environment:
    return Environment(  # noqa: S701 - plain text: there is nothing to escape
        loader=FileSystemLoader(str(shipped_dir("templates"))),
        undefined=StrictUndefined,
        finalize=_shown,
        keep_trailing_newline=True,
    )
