"""The tables of the desk: who may do what, what was handed in through it, what is published.

They are in the gradebook's database, so that a try and its verdict change in one transaction.
Tokens are never kept, only their SHA-256: who reads the database can't sign in with it.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from grader.gradebook.tables import Hundredths, Table, UtcTime


class AccountRow(Table):
    """A person who can sign in. `person` is the roster's id, or a name that staff were given."""

    __tablename__ = "desk_accounts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    person: Mapped[str] = mapped_column(String(200), unique=True)
    disabled: Mapped[bool] = mapped_column(Boolean)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class RoleRow(Table):
    """What an account is in one course; `section` narrows it to a section of the roster.

    Name and e-mail are what this course says of the person: what another course says must not
    decide where a mail of this one goes.
    """

    __tablename__ = "desk_roles"
    __table_args__ = (Index("desk_roles_of_an_account", "account", "course", unique=True),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    account: Mapped[int] = mapped_column(ForeignKey("desk_accounts.id"))
    course: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    section: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(Text, server_default="")
    email: Mapped[str] = mapped_column(Text, server_default="")


class SecretRow(Table):
    """Something with which a person is known again: a sign-in link, a session, a personal token.

    `kind` is "link", "session" or "token". A link is used once, and then makes a session. A "form"
    was sent, and its key is not taken a second time.
    `courses` says where it holds, and as which account there; null: wherever `account` is somebody.
    """

    __tablename__ = "desk_secrets"
    __table_args__ = (Index("desk_secrets_of_an_account", "account", "kind"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    account: Mapped[int] = mapped_column(ForeignKey("desk_accounts.id"))
    courses: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    label: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class IdentityRow(Table):
    """A login of somebody else's that was seen to be an account's, in one course.

    `issuer` and `subject` are OpenID Connect's; those of LTI 1.3 have the same shape.
    """

    __tablename__ = "desk_identities"
    __table_args__ = (
        Index("desk_identities_of_a_login", "issuer", "subject", "course", unique=True),
        Index("desk_identities_of_an_account", "issuer", "course", "account", unique=True),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    course: Mapped[str] = mapped_column(String(200))
    account: Mapped[int] = mapped_column(ForeignKey("desk_accounts.id"))
    says: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class MailRow(Table):
    """A mail that is to be sent, or was: what it is about, for whom, and what became of it.

    It holds no text and no link: both are made when it is sent. `key` is of what it tells, so that
    nothing is told twice.
    """

    __tablename__ = "desk_mails"
    __table_args__ = (
        Index("desk_mails_due", "state", "next_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    person: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    facts: Mapped[dict[str, str]] = mapped_column(JSON)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    next_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(12))
    starts: Mapped[int] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, index=True)


class TryRow(Table):
    """One hand-in through the desk, and what became of it: the queue of the engine.

    `key` is the form's, so that a form that is sent twice counts once. `lease_until` is until when
    the engine that claimed it is believed to be at work.
    """

    __tablename__ = "desk_tries"
    __table_args__ = (
        Index("desk_tries_waiting", "state", "priority", "id"),
        Index("desk_tries_of_a_student", "assignment", "student", "attempt"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    assignment: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(Text)
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    received_from: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    priority: Mapped[int] = mapped_column(Integer)
    seed: Mapped[int] = mapped_column(BigInteger)
    starts: Mapped[int] = mapped_column(Integer)
    claimed_by: Mapped[str] = mapped_column(String(60))
    lease_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    began_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    verdict: Mapped[int | None] = mapped_column(ForeignKey("verdicts.id"))
    problem: Mapped[str] = mapped_column(Text)


class EngineRow(Table):
    """An engine that judges this course's tries, and when it was last known to be at work.

    `trouble` says why it can't judge; empty: it can.
    """

    __tablename__ = "desk_engines"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    sandbox: Mapped[str] = mapped_column(Text)
    trouble: Mapped[str] = mapped_column(Text)


class RateRow(Table):
    """How often something was done in a span of time, for the limits that all processes share."""

    __tablename__ = "desk_rates"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    until: Mapped[dt.datetime] = mapped_column(UtcTime)


class PublicationRow(Table):
    """Marks of an assignment shown to students, or taken back. The newest row holds.

    `upto` is the last line of `hand_marks` that is shown.
    """

    __tablename__ = "desk_publications"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200), index=True)
    published: Mapped[bool] = mapped_column(Boolean)
    upto: Mapped[int] = mapped_column(Integer, server_default="0")
    who: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class AuditRow(Table):
    """One thing that somebody did at the desk. Rows are only ever added."""

    __tablename__ = "desk_audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    who: Mapped[str] = mapped_column(String(200), index=True)
    course: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    thing: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)


class AppealRow(Table):
    """A student who asks for a second look at one question; what is said is in its messages.

    `marker` is whose mark it is about, empty where the machine's alone. `state` is "open",
    "answered" or "closed".
    """

    __tablename__ = "desk_appeals"
    __table_args__ = (
        Index("desk_appeals_of_a_question", "assignment", "question", "student", unique=True),
        Index("desk_appeals_by_state", "state", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    assignment: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(String(200))
    student: Mapped[str] = mapped_column(String(200))
    marker: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class AppealMessageRow(Table):
    """One thing that was said in an appeal. `key` is the form's, so that it is said once.

    `speaks` is what they are there: "student", "marker" or "head marker".
    """

    __tablename__ = "desk_appeal_messages"
    __table_args__ = (
        Index("desk_appeal_messages_by_time", "who", "made_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    appeal: Mapped[int] = mapped_column(ForeignKey("desk_appeals.id"), index=True)
    who: Mapped[str] = mapped_column(String(200))
    speaks: Mapped[str] = mapped_column(String(20))
    says: Mapped[str] = mapped_column(Text)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class AppealChangeRow(Table):
    """A mark that an answer to an appeal changed: the line of the record, and what was before."""

    __tablename__ = "desk_appeal_changes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    message: Mapped[int] = mapped_column(ForeignKey("desk_appeal_messages.id"), index=True)
    mark: Mapped[int] = mapped_column(ForeignKey("hand_marks.id"))
    was: Mapped[Decimal] = mapped_column(Hundredths)
    becomes: Mapped[Decimal] = mapped_column(Hundredths)


class NoticeRow(Table):
    """Something that a person is told, until they have looked at the page that it is about."""

    __tablename__ = "desk_notices"
    __table_args__ = (
        Index("desk_notices_of_a_person", "person", "seen_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    person: Mapped[str] = mapped_column(String(200))
    says: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
