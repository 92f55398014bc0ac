"""Sends the mail of the desk's courses, beside the web server: no page ever waits for it."""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage

from grader.desk.addresses import plain_address
from grader.desk.courses import Desk, DeskCourse
from grader.desk.letters import News, message
from grader.desk.mail_server import (
    NotNowError,
    RefusedError,
    UnsureError,
    connected,
    hand_over,
)
from grader.desk.people import User
from grader.desk.settings import MailServer
from grader.errors import GraderError
from grader.gradebook.outbox import LostClaimError, Mail

LOG = logging.getLogger("grader.desk.mail")
LINK = dt.timedelta(hours=12)
"""How long a mailed link can be used; one that is printed, longer."""
_LOOK_S = 2.0
_AWAY_S, _LONGEST_S = 15.0, 600.0
"""Ever longer between two tries at a server that does not let us in: it may lock the login."""


def now_utc() -> dt.datetime:
    """Return the time."""
    return dt.datetime.now(dt.UTC)


class Postman:
    """One for each course: what one course sends, or can't, keeps no other waiting.

    Args:
        desk: whose mail it is.
        course: of which.
        server: where to hand it over.
        clock: tells the time.
    """

    def __init__(
        self,
        desk: Desk,
        course: DeskCourse,
        server: MailServer,
        *,
        clock: Callable[[], dt.datetime] = now_utc,
    ) -> None:
        self._desk = desk
        self._course = course
        self._server = server
        self._clock = clock
        self._failures = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"mail of {course.slug}", daemon=True
        )

    def start(self) -> None:
        """Begin to look for mail."""
        self._thread.start()

    def stop(self) -> None:
        """End after the mail that is being sent; what is not sent stays in the outbox."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.send_due()
                wait_s = min(_LOOK_S * 4**self._failures, _LONGEST_S)
            except GraderError as error:  # the database is away: the mail stays where it is
                LOG.error("mail of %s: %s", self._course.slug, error)
                wait_s = _AWAY_S
            self._stopping.wait(wait_s)

    def send_due(self) -> int:
        """Send what is due, over one connection; return how many mails were looked at."""
        mail = self._next()
        if mail is None:
            return 0
        settings, count = self._desk.settings, 0
        ca_file = settings.root / self._server.ca_file if self._server.ca_file else None
        try:
            with connected(self._server, settings.mail_password(self._server), ca_file) as smtp:
                self._failures = 0
                while mail is not None:
                    count += 1
                    if not self._send(smtp, mail) or self._stopping.is_set():
                        return count
                    mail = self._next()
        except NotNowError as error:
            LOG.warning("mail of %s waits: %s", self._course.slug, error)
            self._failures += 1
            if mail is not None:
                self._course.outbox.later(mail, str(error), now=self._clock())
            count += 1
        return count

    def _next(self) -> Mail | None:
        return self._course.outbox.claim(now=self._clock(), per_minute=self._server.per_minute)

    def _send(self, smtp: smtplib.SMTP, mail: Mail) -> bool:
        """Send one mail; return whether the connection can be used for another."""
        outbox, user = self._course.outbox, self._course.people.named(mail.person)
        address = plain_address(user.email) if user is not None else None
        if user is None or address is None:
            why = "They are not in the course any more." if user is None else "No e-mail is known."
            outbox.failed(mail, why, now=self._clock())
            return True
        written = self._written(mail, user, address)

        def hold() -> None:
            nonlocal mail
            mail = outbox.handing_over(mail, address, now=self._clock())

        try:
            sender = self._server.sender
            said = hand_over(smtp, written, sender=sender, address=address, before=hold)
        except LostClaimError:
            return self._reset(smtp)
        except RefusedError as error:
            outbox.failed(mail, str(error), now=self._clock())
            return self._reset(smtp)
        except NotNowError as error:
            outbox.later(mail, str(error), now=self._clock())
            return self._reset(smtp)
        except UnsureError as error:
            outbox.unsure(mail, str(error), now=self._clock())
            return False
        outbox.sent(mail, said, now=self._clock())
        return True

    def _written(self, mail: Mail, user: User, address: str) -> EmailMessage:
        now = self._clock()
        if mail.kind == News.SIGN_IN:
            link, until = f"{self._desk.origin}/s/{self._link(user, now)}", now + LINK
            when = until.astimezone(self._course.zone)
            mail = replace(mail, facts={**mail.facts, "until": f"{when:%-d %B, %H:%M}"})
        else:
            link = f"{self._desk.origin}{mail.facts['page']}"
        return message(
            mail,
            self._server,
            address=address,
            name=user.name,
            course=self._course.title,
            link=link,
            now=now,
        )

    def _link(self, user: User, now: dt.datetime) -> str:
        """A sign-in link, made as it is sent: none lies in the outbox, and printed ones stay."""
        return self._desk.credentials.make(
            "link",
            user.account,
            courses={self._course.slug: user.account},
            lasts=LINK,
            now=now,
        )

    @staticmethod
    def _reset(smtp: smtplib.SMTP) -> bool:
        with suppress(OSError, smtplib.SMTPException):
            return bool(smtp.rset()[0] == 250)
        return False


def postmen(desk: Desk) -> list[Postman]:
    """Return what sends the mail of each course; none where the desk sends no mail."""
    server = desk.settings.file.mail
    return [Postman(desk, course, server) for course in desk.courses.values()] if server else []
