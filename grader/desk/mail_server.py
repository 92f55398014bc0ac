"""Handing one mail to a mail server, and what its answers mean."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from grader.desk.settings import MailServer, Secret
from grader.errors import SpecError

CONNECT_S = 30.0
ANSWER_S = 600.0
"""RFC 5321, 4.5.3.2.6: a server may take ten minutes over the end of a mail's text."""


class RefusedError(Exception):
    """This mail is not taken, now or later."""


class NotNowError(Exception):
    """Nothing was handed over: the server is away, refuses the login, or says "later"."""


class UnsureError(Exception):
    """The text was handed over, and no answer came."""


@contextmanager
def connected(server: MailServer, password: Secret, ca_file: Path | None) -> Iterator[smtplib.SMTP]:
    """Connect to the mail server and log in.

    Raises:
        NotNowError: it can't be done; says why.
    """
    try:
        smtp = _open(server, ca_file)
    except (OSError, smtplib.SMTPException) as error:
        raise NotNowError(f"{server.host}:{server.real_port}: {_said(error)}") from error
    try:
        try:
            if server.security == "starttls":
                smtp.starttls(context=_context(ca_file))
            if server.user:
                smtp.login(server.user, password.read())
            smtp.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as error:
            raise NotNowError(f"{server.host}: {_said(error)}") from error
        except SpecError as error:
            raise NotNowError(error.what) from error
        yield smtp
    finally:
        try:
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()


def hand_over(
    smtp: smtplib.SMTP,
    message: EmailMessage,
    *,
    sender: str,
    address: str,
    before: Callable[[], None],
) -> str:
    """Hand a mail over; return what the server said.

    Args:
        smtp: connected.
        message: the mail.
        sender: whom failures are reported to.
        address: whom it is for.
        before: called when everything but the text is agreed on.

    Raises:
        RefusedError: it is not taken.
        NotNowError: nothing was taken, and another time it may be.
        UnsureError: nobody knows.
    """
    try:
        for code, said in (smtp.mail(sender), smtp.rcpt(address)):
            if code // 100 != 2:
                raise _meaning(code, said)
    except smtplib.SMTPServerDisconnected as error:
        raise NotNowError(_said(error)) from error
    except OSError as error:
        raise NotNowError(_said(error)) from error
    before()
    assert smtp.sock is not None  # noqa: S101 - it has just answered
    smtp.sock.settimeout(ANSWER_S)
    try:
        code, said = smtp.data(message.as_bytes())
    except smtplib.SMTPDataError as error:  # to DATA itself: no text was sent
        raise _meaning(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise UnsureError(_said(error)) from error
    if code // 100 != 2:
        raise _meaning(code, said)
    return _line(code, said)


def _open(server: MailServer, ca_file: Path | None) -> smtplib.SMTP:
    host, port = server.host, server.real_port
    if server.security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=CONNECT_S, context=_context(ca_file))
    return smtplib.SMTP(host, port, timeout=CONNECT_S)


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _meaning(code: int, said: bytes | str) -> Exception:
    """What a refusal means: 4xx is for now, 5xx for ever (RFC 5321, 4.2.1); 421 ends the talk."""
    return NotNowError(_line(code, said)) if code // 100 == 4 else RefusedError(_line(code, said))


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _line(error.smtp_code, error.smtp_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    return str(error) or type(error).__name__


def _line(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"
