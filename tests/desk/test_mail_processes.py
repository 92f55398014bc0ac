"""Several processes send the same outbox: each mail goes once, also when one of them is killed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.desk.courses import Desk, open_desk
from grader.desk.letters import News, notify
from grader.desk.people import Role
from grader.desk.postman import Postman
from grader.desk.settings import load_settings
from grader.gradebook.outbox import LEASE, MailState
from tests.desk.conftest import make_course
from tests.desk.test_mail import SENDER, WRITTEN
from tests.helpers.mail_server import MailServer, mail_server
from tests.helpers.waiting import until

PEOPLE = [f"s{number:02}" for number in range(24)]
SENDERS = 3


@dataclass
class Office:
    """A desk with mail to everybody in its outbox, in a file or at a server."""

    desk: Desk
    server: MailServer
    settings: Path

    def senders(self, count: int) -> list[subprocess.Popen[bytes]]:
        """Processes that send until nothing is due, as a web process does beside its pages."""
        root = self.desk.courses["course"].course.root
        command = [sys.executable, "-c", SENDER, str(root), str(self.settings)]
        return [subprocess.Popen(command) for _ in range(count)]

    def send(self, *, later: dt.timedelta = dt.timedelta()) -> None:
        assert self.desk.settings.file.mail is not None
        course, mail = self.desk.courses["course"], self.desk.settings.file.mail
        Postman(self.desk, course, mail, clock=lambda: dt.datetime.now(dt.UTC) + later).send_due()

    def states(self) -> dict[MailState, int]:
        return self.desk.courses["course"].outbox.counts()

    def taken(self) -> Counter[str]:
        return Counter(str(one["To"]).partition("@")[0] for one in self.server.taken)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    if request.param == "postgresql":
        monkeypatch.setenv("GRADER_DATABASE_URL", request.getfixturevalue("postgres_url"))
    root, file = make_course(tmp_path / "course"), tmp_path / "desk.toml"
    with mail_server() as server:
        file.write_text(WRITTEN.format(port=server.port) + "per_minute = 10000\n")
        desk = open_desk([root], origin="http://desk.test", settings=load_settings(file))
        course, now = desk.courses["course"], dt.datetime.now(dt.UTC)
        for person in PEOPLE:
            address = f"{person}@example.edu"
            course.people.put(person, name=person, email=address, role=Role.STUDENT)
        page = "/c/course/a/warm-up"
        notify(course, News.PUBLISHED, PEOPLE, about="1", page=page, now=now, assignment="Warm-up")
        yield Office(desk, server, file)
        course.gradebook.close()


@pytest.mark.slow
def test_several_processes_send_each_mail_once(office: Office) -> None:
    for sender in office.senders(SENDERS):
        assert sender.wait(240) == 0
    assert office.taken() == Counter(PEOPLE)
    assert office.states() == {MailState.SENT: len(PEOPLE)}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_a_killed_process_leaves_nothing_unsent_and_nothing_doubled(
    office: Office, where: str
) -> None:
    setattr(office.server, where, ["hang"])
    senders = office.senders(SENDERS)
    # One waits for the server for ever; the others send all the rest beside it.
    until(lambda: len(office.server.taken) >= len(PEOPLE) - (where == "rcpt"), "all but one mail")
    until(lambda: sum(one.poll() is None for one in senders) == 1, "the others' end")
    (hung,) = (one for one in senders if one.poll() is None)
    os.kill(hung.pid, signal.SIGKILL)
    hung.wait()
    office.send()  # at once: what the dead one had is still its own
    assert office.taken().total() == len(PEOPLE) - (where == "rcpt")
    office.send(later=LEASE + dt.timedelta(minutes=1))
    assert office.taken() == Counter(PEOPLE)
    # A text that nobody answered is not sent again by itself: a person is asked.
    unsure = {MailState.UNSURE: 1} if where == "data" else {}
    sent = {MailState.SENT: len(PEOPLE) - len(unsure)}
    assert office.states() == sent | unsure


def test_a_sender_that_was_asleep_for_longer_than_its_lease_sends_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a machine is suspended between a claim and the text."""
    written = Postman._written

    def asleep(self: Postman, *said: object) -> object:
        monkeypatch.setattr(Postman, "_written", written)
        office.send(later=LEASE + dt.timedelta(minutes=1))  # the others, while it sleeps
        assert office.taken() == Counter(PEOPLE)
        return written(self, *said)  # type: ignore[arg-type]

    monkeypatch.setattr(Postman, "_written", asleep)
    office.send()
    assert office.taken() == Counter(PEOPLE)
    assert office.states() == {MailState.SENT: len(PEOPLE)}
