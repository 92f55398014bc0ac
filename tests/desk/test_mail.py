"""Mail is sent once, not lost when anything is killed, and carries nothing that was not meant."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from grader.desk.courses import DeskCourse, open_desk
from grader.desk.letters import News, notify
from grader.desk.people import Role
from grader.desk.postman import Postman
from grader.desk.settings import load_settings
from grader.gradebook.outbox import LEASE, MailState
from tests.desk.conftest import Tables
from tests.desk.test_publishing import publish
from tests.helpers.mail_server import MailServer, mail_server

WRITTEN = """\
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "desk@example.edu"
sender_name = "The desk"
"""


class Post:
    """A desk's outbox, with a postman whose clock stands still until a test moves it."""

    def __init__(self, tables: Tables, server: MailServer, file: Path, more: str = "") -> None:
        self.tables, self.server, self.file = tables, server, file
        self.use(WRITTEN.format(port=server.port) + more)
        for course in tables.desk.courses.values():
            object.__setattr__(course, "sends_mail", True)
        self.now = tables.now
        for person in ("ada", "ben"):
            tables.course.people.put(
                person, name=person.title(), email=f"{person}@example.edu", role=Role.STUDENT
            )

    def use(self, written: str) -> None:
        """Have the desk told this by its desk.toml."""
        self.file.write_text(written)
        object.__setattr__(self.tables.desk, "settings", load_settings(self.file))

    @property
    def course(self) -> DeskCourse:
        return self.tables.course

    def tell(self, *people: str, about: str = "1", **facts: str) -> None:
        said = {"assignment": "Warm-up", **facts}
        notify(
            self.course,
            News.PUBLISHED,
            people or ("ada",),
            about=about,
            page="/c/course/a/warm-up",
            now=self.now,
            **said,
        )

    def send(self, after: dt.timedelta = dt.timedelta()) -> int:
        self.now += after
        server = self.tables.desk.settings.file.mail
        assert server is not None
        return Postman(self.tables.desk, self.course, server, clock=lambda: self.now).send_due()

    def states(self) -> list[MailState]:
        return [mail.state for mail in self.course.outbox.newest()][::-1]


@pytest.fixture
def post(tables: Tables, tmp_path: Path) -> Iterator[Post]:
    with mail_server() as server:
        yield Post(tables, server, tmp_path / "desk.toml")


def test_the_same_news_is_told_to_each_once(post: Post) -> None:
    for _ in range(3):
        post.tell("ada", "ben")
        post.send()
    assert [one["To"] for one in post.server.taken] == ["ada@example.edu", "ben@example.edu"]
    assert "http://desk.test/c/course/a/warm-up" in post.server.texts()[0]
    assert "Hello Ada" in post.server.texts()[0]
    post.tell("ada", about="2")
    post.send()
    assert len(post.server.taken) == 3


def test_what_is_told_is_there_only_if_what_it_tells_is(post: Post) -> None:
    from grader.gradebook.database import writing

    with pytest.raises(ZeroDivisionError), writing(post.course.gradebook.engine) as session:
        notify(
            post.course,
            News.PUBLISHED,
            ["ada"],
            about="1",
            page="/",
            now=post.now,
            session=session,
            assignment="Warm-up",
        )
        raise ZeroDivisionError
    assert post.send() == 0


@pytest.mark.parametrize(
    "evil",
    [
        "Warm-up\nBcc: eve@evil.example",
        "Warm-up\r\nBcc: eve@evil.example",
        "Warm-up\r\n\r\nAnother text",
        "Warm-up\x00\x0b\x0c\x1c\x85\u2028Bcc: eve@evil.example",
        "x" * 3000,
    ],
    ids=ascii,
)
def test_no_name_begins_a_header_or_a_line(post: Post, evil: str) -> None:
    post.course.people.put("ada", name=evil, email="ada@example.edu", role=Role.STUDENT)
    post.tell("ada", assignment=evil)
    assert post.send() == 1
    (one,) = post.server.taken
    assert one["Bcc"] is None and one["To"] == "ada@example.edu"
    assert post.server.came == ["ada@example.edu"]
    plain = [line for line in str(one.get_content()).splitlines() if line.startswith("Bcc")]
    assert not plain and "\n" not in str(one["Subject"])


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@example.edu",
        "ada@example.edu, eve@evil.example",
        "ada@example.edu\nRCPT TO:<eve@evil.example>",
        "<ada@example.edu>",
        '"a b"@example.edu',
        "ada@exam ple.edu",
        "ada@-.edu\r\nDATA",
    ],
    ids=ascii,
)
def test_what_is_no_plain_address_is_written_to_by_nobody(post: Post, address: str) -> None:
    post.course.people.put("ada", name="Ada", email=address, role=Role.STUDENT)
    post.tell("ada")
    assert post.send() == 1
    assert post.states() == [MailState.FAILED]
    assert post.server.came == []


def test_a_server_that_says_later_is_asked_later_and_then_it_is_sent_once(post: Post) -> None:
    post.server.rcpt = ["451 greylisted", "452 still"]
    post.tell()
    post.send()
    assert post.states() == [MailState.WAITING]
    assert post.send() == 0  # not at once
    post.send(dt.timedelta(minutes=2))
    post.send(dt.timedelta(minutes=10))
    assert post.states() == [MailState.SENT]
    assert len(post.server.taken) == 1
    assert post.course.outbox.newest()[0].starts == 3


def test_a_refusal_is_final_and_costs_the_others_nothing(post: Post) -> None:
    post.server.rcpt = ["550 no such user"]
    post.tell("ada", "ben")
    post.send()
    assert post.states() == [MailState.FAILED, MailState.SENT]
    assert "no such user" in post.course.outbox.newest()[1].said


def test_a_server_that_is_away_costs_nothing_but_time(post: Post) -> None:
    post.use(WRITTEN.format(port=1))
    post.tell()
    assert post.send() == 1
    assert post.states() == [MailState.WAITING]
    post.use(WRITTEN.format(port=post.server.port))
    post.send(dt.timedelta(minutes=2))
    assert post.states() == [MailState.SENT]


def test_what_is_not_sent_in_three_days_has_failed(post: Post) -> None:
    post.server.rcpt = ["451 greylisted"] * 9
    post.tell()
    for _ in range(9):
        post.send(dt.timedelta(hours=9))
    assert post.states() == [MailState.FAILED]
    assert "greylisted" in post.course.outbox.newest()[0].said
    assert post.server.taken == []


def test_a_text_that_nobody_answered_is_not_sent_twice_by_itself(post: Post) -> None:
    post.server.data = ["close"]
    post.tell()
    post.send()
    assert post.states() == [MailState.UNSURE]
    post.send(dt.timedelta(days=1))
    assert len(post.server.taken) == 1
    (mail,) = post.course.outbox.newest()
    ines = post.tables.browser("ines")
    assert "not known" in ines.get("/c/course/mail").text
    assert ines.post("/c/course/mail/again", {"mail": str(mail.id)}).status_code == 303
    post.now = dt.datetime.now(dt.UTC)
    post.send()
    assert len(post.server.taken) == 2
    first, second = (one["Message-ID"] for one in post.server.taken)
    assert first == second
    assert ines.post("/c/course/mail/again", {"mail": str(mail.id)}).status_code == 422


def test_more_than_so_many_a_minute_wait_for_the_next(post: Post) -> None:
    post.use(WRITTEN.format(port=post.server.port) + "per_minute = 2\n")
    for about in "12345":
        post.tell(about=about)
    counts = []
    for _ in range(3):
        post.send(dt.timedelta(seconds=61))
        counts.append(len(post.server.taken))
    assert counts == [2, 4, 5]


def until(true: Callable[[], bool]) -> None:
    """Wait for something that will be."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


SENDER = """\
import sys
from pathlib import Path
from grader.desk.courses import open_desk
from grader.desk.postman import Postman
from grader.desk.settings import load_settings
desk = open_desk(
    [Path(sys.argv[1])], origin="http://desk.test", settings=load_settings(Path(sys.argv[2]))
)
Postman(desk, desk.courses["course"], desk.settings.file.mail).send_due()
"""


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_a_sender_that_is_killed_loses_nothing_and_sends_nothing_twice(
    post: Post, where: str
) -> None:
    setattr(post.server, where, ["hang"])
    post.tell("ada")
    post.tell("ben")
    root = post.course.course.root
    with subprocess.Popen([sys.executable, "-c", SENDER, str(root), str(post.file)]) as sender:
        until(lambda: bool(post.server.taken if where == "data" else post.server.came))
        os.kill(sender.pid, signal.SIGKILL)
    post.send()  # somebody else, at once: what the dead one had is still its own
    assert [one["To"] for one in post.server.taken].count("ben@example.edu") == 1
    post.send(LEASE + dt.timedelta(minutes=1))
    to = [one["To"] for one in post.server.taken]
    assert sorted(to) == ["ada@example.edu", "ben@example.edu"]
    assert post.states()[0] is (MailState.UNSURE if where == "data" else MailState.SENT)


def test_a_mailed_link_signs_in_and_is_nowhere_but_in_the_mail(post: Post) -> None:
    printed = post.tables.link("ada")
    notify(post.course, News.SIGN_IN, ["ada"], about="1", page="/", now=post.now)
    post.send()
    (text,) = post.server.texts()
    found = re.search(r"http://desk\.test/s/(\S+)", text)
    assert found is not None
    with sqlite3.connect(post.course.course.root / "gradebook.db") as database:
        assert found[1] not in "\n".join(database.iterdump())
    ada = post.tables.stranger()
    own = {"sec-fetch-site": "same-origin"}
    assert ada.client.post(f"/s/{found[1]}", headers=own, follow_redirects=False).status_code == 303
    assert "Ada" in ada.get("/account").text
    credentials = post.tables.desk.credentials
    assert credentials.find("link", printed, now=post.tables.now) is not None


def test_publishing_tells_those_who_handed_in_and_a_receipt_says_what_came(
    tables: Tables, tmp_path: Path
) -> None:
    with mail_server() as server:
        post = Post(tables, server, tmp_path / "desk.toml", "receipts = true\n")
        tables.judged("ada")
        ines = tables.browser("ines")
        ines.post("/c/course/a/warm-up/publish", {"what": "publish", "upto": "0", "tell": "1"})
        publish(tables, what="back")
        post.now = dt.datetime.now(dt.UTC)
        post.send()
        receipt, published = server.taken
        (one,) = tables.course.gradebook.tries.of("ada")
        assert one.sha256 in str(receipt.get_content())
        assert str(published["Subject"]).startswith("Marks are published")
        assert {str(m["To"]) for m in server.taken} == {"ada@example.edu"}


def test_a_desk_without_a_mail_server_keeps_no_mail_for_later(tables: Tables) -> None:
    notify(tables.course, News.SIGN_IN, ["ada"], about="1", page="/", now=tables.now)
    assert tables.course.outbox.newest() == []
    ines = tables.browser("ines")
    assert ines.post("/c/course/people/links", {"as": "mail"}).status_code == 422
    assert "sends no mail" in ines.get("/c/course/mail").text


def test_one_course_sends_nothing_of_anothers(post: Post) -> None:
    other = post.tables.desk.courses["other"]
    notify(other, News.SIGN_IN, ["ben"], about="1", page="/", now=post.now)
    assert post.send() == 0
    assert len(other.outbox.newest()) == 1


def test_every_letter_can_be_written(post: Post) -> None:
    facts = {
        "assignment": "Warm-up",
        "question": "q3",
        "attempt": "1",
        "file": "hw.ipynb",
        "received": "now",
        "sha256": "0" * 64,
    }
    for news in News:
        notify(post.course, news, ["ada"], about="1", page="/", now=post.now, **facts)
    post.send()
    assert len(post.server.taken) == len(News)
    assert set(post.states()) == {MailState.SENT}
    notify(post.course, News.TRIAL, ["ben", "nobody"], about="2", page="/", now=post.now)
    listed = post.tables.browser("ines").get("/c/course/mail").text
    assert "250 taken" in listed and "ada@example.edu" in listed and "waiting" in listed
    assert all(news.value.replace("-", " ").capitalize() in listed for news in News)


def test_the_web_server_sends_mail_beside_its_pages(filled: Path, tmp_path: Path) -> None:
    import shutil

    from starlette.testclient import TestClient

    from grader.desk.app import make_app

    shutil.copytree(filled, tmp_path / "desk")
    with mail_server() as server:
        (tmp_path / "desk.toml").write_text(WRITTEN.format(port=server.port))
        desk = open_desk(
            [tmp_path / "desk/course"],
            origin="http://desk.test",
            settings=load_settings(tmp_path / "desk.toml"),
        )
        course = desk.courses["course"]
        course.people.put("ada", name="Ada", email="ada@example.edu", role=Role.STUDENT)
        with TestClient(make_app(desk)):
            now = dt.datetime.now(dt.UTC)
            notify(course, News.SIGN_IN, ["ada"], about="1", page="/", now=now)
            until(lambda: bool(server.taken))
        course.gradebook.close()


class Authority:
    """A certificate authority of one's own, and a server's certificate of it."""

    def __init__(self, folder: Path) -> None:
        self.ca_file, self.server = folder / "ca.pem", folder / "server.pem"
        root, root_name = ec.generate_private_key(ec.SECP256R1()), named("a test's authority")
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate(root_name, root_name, root, root, authority=True)
        self.ca_file.write_bytes(made.public_bytes(Encoding.PEM))
        own = certificate(named("127.0.0.1"), root_name, key, root, authority=False)
        self.server.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + own.public_bytes(Encoding.PEM)
        )

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        return context


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(here, critical=False)
        .sign(by, hashes.SHA256())
    )


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_with_a_login_from_the_environment(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    authority = Authority(tmp_path)
    context = authority.context()
    login = 'user = "comp541"\npassword_env = "GRADER_TEST_MAIL"\nca_file = "ca.pem"\n'
    monkeypatch.setenv("GRADER_TEST_MAIL", "hunter2")
    how = {"starttls": context} if security == "starttls" else {"tls": context}
    with mail_server(**how, login="hunter2") as server:  # type: ignore[arg-type]
        post = Post(tables, server, tmp_path / "desk.toml")
        written = WRITTEN.format(port=server.port).replace('"none"', f'"{security}"')
        post.use(written + login)
        monkeypatch.setenv("GRADER_TEST_MAIL", "wrong")
        post.tell()
        post.send()
        assert post.states() == [MailState.WAITING] and server.came == []
        assert "535" in post.course.outbox.newest()[0].said
        monkeypatch.setenv("GRADER_TEST_MAIL", "hunter2")
        post.send(dt.timedelta(minutes=2))
        assert post.states() == [MailState.SENT]
        assert server.logins[-1] == (b"comp541", b"hunter2")
        post.use(written + login.replace('ca_file = "ca.pem"\n', ""))  # who signed that?
        post.tell(about="2")
        post.send()
        assert post.states()[-1] is MailState.WAITING
        said = post.course.outbox.newest()[0].said
        assert "certificate" in said and "hunter2" not in said
        listed = tables.browser("ines").get("/c/course/mail").text
        assert "hunter2" not in listed


def test_a_server_that_offers_no_encryption_gets_no_mail_and_no_password(post: Post) -> None:
    post.use(WRITTEN.format(port=post.server.port).replace('"none"', '"starttls"'))
    post.tell()
    post.send()
    assert post.states() == [MailState.WAITING]
    assert "STARTTLS" in post.course.outbox.newest()[0].said
    assert post.server.came == []
