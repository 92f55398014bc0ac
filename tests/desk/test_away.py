"""A database that is away: a sentence, and everything goes on when it is back."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from grader.api.receiving import settle_broken_off
from grader.desk.app import make_app
from grader.desk.courses import Desk, open_desk
from grader.desk.engine import work
from grader.desk.engine.work import Engine
from grader.errors import GradebookError
from grader.gradebook.claims import TryClaims
from grader.gradebook.store import Gradebook
from grader.gradebook.tries import DeskTries, DeskTry, TryState
from tests.desk.conftest import Tables, make_course
from tests.helpers.light_engine import LightJudging

WAIT_S = 120.0


def no_line(one: DeskTry) -> None:
    """The log is not looked at."""


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not found():
        assert time.monotonic() < end, "it did not come to an end"
        time.sleep(0.05)


@contextmanager
def away(url: str) -> Iterator[None]:
    """Let nobody connect to a database, and cut off who is."""
    address = make_url(url)
    folder, name = str(address.query["host"]), address.database
    with psycopg.connect(host=folder, user="grader", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


@pytest.fixture
def faculty(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """A desk whose course is in PostgreSQL."""
    root = make_course(tmp_path / "course")
    monkeypatch.setenv("GRADER_DATABASE_URL", postgres_url)
    desk = open_desk([root], origin="http://desk.test")
    course = desk.courses["course"]
    assert course.gradebook.engine.dialect.name == "postgresql"
    course.people.take_students(course.roster.people.values())
    with TestClient(make_app(desk), base_url=desk.origin) as client:
        yield Tables(desk, client)
    course.gradebook.close()


def engine_of(desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(work, "Judging", LightJudging)
    course = desk.courses["course"]
    return Engine(course.course, course.gradebook, name)


@contextmanager
def running(engine: Engine) -> Iterator[None]:
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield
    finally:
        engine.stop()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_pages_say_so_and_come_back_by_themselves(faculty: Tables, postgres_url: str) -> None:
    ada = faculty.browser("ada")
    form = ada.form("/account")
    with away(postgres_url):
        page = ada.get("/c/course/")
        assert page.status_code == 503
        assert "reach its database" in page.text and "grader" not in page.text
        assert page.headers["refresh"] == page.headers["retry-after"] == "5"
        sent = ada.client.post(
            "/c/course/a/warm-up/hand-in",
            data={**form, "key": "k1"},
            files={"files": ("a.ipynb", b"{}")},
            headers={"sec-fetch-site": "same-origin"},
        )
        assert sent.status_code == 503 and "counts once" in sent.text
        assert "refresh" not in sent.headers
        assert faculty.stranger().get("/healthz/live").status_code == 200
        assert faculty.stranger().get("/healthz/ready").text == "the database does not answer\n"
    assert ada.get("/c/course/").status_code == 200
    assert faculty.stranger().get("/healthz/ready").status_code == 200


def test_what_is_handed_in_is_judged_when_the_database_is_back(
    faculty: Tables, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_AWAY_S", 0.1)
    tries = faculty.course.gradebook.tries
    with running(engine_of(faculty.desk, "e1", monkeypatch)):
        first = faculty.tried("ada")
        until(lambda: tries.some([first.id])[0].state is TryState.JUDGED)
        with away(postgres_url):
            time.sleep(0.5)  # the engine meets a closed door some times
        second = faculty.tried("ben")
        until(lambda: tries.some([second.id])[0].state is TryState.JUDGED)
    assert len(faculty.course.gradebook.history("warm-up")) == 2


class Flaky:
    """Lets the database go away in the middle of what an engine does, once for each step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = {"take", "any_free", "record"}
        for kind, name in ((TryClaims, "take"), (TryClaims, "any_free"), (Gradebook, "record")):
            monkeypatch.setattr(kind, name, self._once(name, getattr(kind, name)))

    def _once(self, name: str, really: Callable[..., object]) -> Callable[..., object]:
        def done(*arguments: object, **more: object) -> object:
            found = really(*arguments, **more)
            if name in self.left and found:
                self.left.discard(name)
                lost = OperationalError("", {}, Exception("server closed the connection"))
                raise GradebookError("the answer was lost") from lost
            return found

        return done


def test_an_engine_that_does_not_hear_what_became_of_its_words_judges_once(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_AWAY_S", 0.01)
    flaky = Flaky(monkeypatch)
    wanted = [tables.tried(student).id for student in ("ada", "ben", "cem")]
    tries = tables.course.gradebook.tries
    engine = engine_of(tables.desk, "e1", monkeypatch)
    with running(engine):
        until(lambda: "take" not in flaky.left)
        # The claim is in the database, and the engine does not know of it: its lease runs out.
        monkeypatch.setattr(work, "_now", lambda: tables.now + 2 * work.LEASE)
        until(lambda: all(t.state is TryState.JUDGED for t in tries.some(wanted)))
    assert flaky.left == set()
    assert len(tables.course.gradebook.history("warm-up")) == len(wanted)


def test_a_full_disk_is_said_and_nothing_is_half_handed_in(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    ada = tables.browser("ada")
    tries = tables.course.gradebook.tries
    submissions = tables.course.course.submissions_dir
    for where in (
        "grader.desk.uploads._copy",
        "grader.intake.stored._write",
        "starlette.datastructures.UploadFile.write",
    ):
        with monkeypatch.context() as broken:
            broken.setattr(where, full)
            answer = ada.hand_in(key="k1")
        assert answer.status_code == 503, (where, answer.text)
        assert "No space left" in answer.text, where
        assert tries.receiving() == tries.of("ada") == []
        assert list(tables.desk.uploads.iterdir()) == []
        assert [p for p in submissions.glob("warm-up/ada/*") if p.is_dir()] == []
    assert ada.hand_in(key="k1").status_code == 303


def test_a_database_that_fills_up_in_between_acknowledges_nothing_and_loses_nothing(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = tables.browser("ada")
    with monkeypatch.context() as patch:

        def full(*_: object, **__: object) -> None:
            cause = OperationalError("", {}, Exception("database or disk is full"))
            raise GradebookError("the disk is full") from cause

        patch.setattr(DeskTries, "stored", full)
        answer = ada.hand_in(key="k1")
    assert answer.status_code == 503
    assert "reach its database" in answer.text
    assert tables.course.gradebook.tries.of("ada") == []
    # Its bytes are whole on disk: it is kept, though nothing was promised.
    course = tables.course
    assert (
        settle_broken_off(
            course.course, course.gradebook, older_than=dt.timedelta(), beside=no_line
        )
        == 1
    )
    assert ada.hand_in(key="k1").headers["location"].endswith("/t/1")
    assert len(course.gradebook.tries.of("ada")) == 1


def test_two_at_once_and_a_double_click(tables: Tables) -> None:
    ada = tables.browser("ada")
    answers: list[str] = []

    def send(key: str) -> None:
        answers.append(ada.hand_in(key=key).headers["location"])

    threads = [threading.Thread(target=send, args=[key]) for key in ("k1", "k1", "k2", "k2", "k1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(answers) == 5 and len(set(answers)) == 2
    found = tables.course.gradebook.tries.of("ada")
    assert sorted(t.attempt for t in found) == [1, 2]


def test_a_double_click_on_the_last_try_leads_to_that_try(tables: Tables) -> None:
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text() + "\n[attempts]\nlimit = 1\n")
    ada = tables.browser("ada")
    first, again = ada.hand_in(key="k1"), ada.hand_in(key="k1")
    assert (first.status_code, again.status_code) == (303, 303), again.text
    assert first.headers["location"] == again.headers["location"]
    other = ada.hand_in(key="k2")
    assert other.status_code == 422 and "the one try is used" in other.text
