"""A program hands in to a desk as a browser does: told first, kept once, refused with a reason."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner

from grader.api.desk_client import DeskClient
from grader.cli.submit import command
from grader.desk.app import make_app
from grader.desk.courses import Desk, open_desk
from grader.errors import InfrastructureError, UsageError
from tests.helpers.assignments import make_assignment
from tests.helpers.notebooks import code, notebook

PLAIN = notebook([code("x = 1", count=1)])
WARNED = notebook([code("import tensorflow", count=1)])


class LiveDesk:
    """A desk that really listens, and a student's token for it."""

    def __init__(self, desk: Desk, origin: str, token: str) -> None:
        self.desk, self.origin, self.token = desk, origin, token

    def client(self, token: str = "") -> DeskClient:
        return DeskClient(self.origin, token or self.token)

    def tries(self) -> list[Any]:
        return self.desk.courses["course"].gradebook.tries.of("ada")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveDesk]:
    make_assignment(tmp_path / "course", "warm-up")
    (tmp_path / "course" / "roster.csv").write_text("id,name\nada,Ada\n")
    desk = open_desk([tmp_path / "course"], origin="http://127.0.0.1")
    course = desk.courses["course"]
    course.people.take_students(course.roster.people.values())
    (ada,) = course.people.all()
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    token = desk.credentials.make(
        "token", ada.account, courses=None, lasts=day, now=now, label="test"
    )
    config = uvicorn.Config(make_app(desk), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    origin = f"http://127.0.0.1:{port}"
    object.__setattr__(desk, "origin", origin)
    yield LiveDesk(desk, origin, token)
    server.should_exit = True
    thread.join()
    course.gradebook.close()


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "hw.ipynb"
    path.write_bytes(data)
    return path


def never(_: tuple[str, ...]) -> bool:
    raise AssertionError("there was nothing to ask")


def test_a_notebook_is_handed_in_and_followed(live: LiveDesk, tmp_path: Path) -> None:
    client = live.client()
    answer = client.hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=lambda _: True)
    (one,) = live.tries()
    assert answer.said["try"] == one.id
    assert answer.said["sha256"] == one.sha256
    tries = live.desk.courses["course"].gradebook.tries
    told: list[dict[str, Any]] = []

    def then_fail(said: dict[str, Any]) -> None:
        told.append(said)
        tries.fail(one.id, "the disk", now=one.received_at)

    ended = client.follow(answer, then_fail)
    assert (ended.said["state"], ended.said["problem"]) == ("failed", "the disk")
    assert told[0]["state"] == "waiting"


def test_what_is_said_before_it_counts_is_asked(live: LiveDesk, tmp_path: Path) -> None:
    path = write(tmp_path, WARNED)
    with pytest.raises(UsageError, match="nothing was handed in"):
        live.client().hand_in(path, "warm-up", is_sure=lambda warnings: False)
    assert live.tries() == []
    answer = live.client().hand_in(path, "warm-up", is_sure=lambda w: "tensorflow" in " ".join(w))
    assert answer.said["state"] == "waiting"
    assert len(live.tries()) == 1


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["no terminal", "JSON"])
def test_where_nobody_can_be_asked_it_is_said_how_to_be_sure(
    live: LiveDesk, tmp_path: Path, more: list[str]
) -> None:
    path = write(tmp_path, WARNED)
    call = [str(path), "--to", live.origin, "--assignment", "warm-up", "--no-wait", *more]
    run, token = CliRunner(), {"GRADER_TOKEN": live.token}
    refused = run.invoke(command, call, env=token)
    assert isinstance(refused.exception, UsageError) and live.tries() == []
    assert "hand it in as it is: --anyway" in str(refused.exception)
    assert "tensorflow" in refused.stderr
    assert run.invoke(command, [*call, "--anyway"], env=token).exit_code == 0
    assert len(live.tries()) == 1


@pytest.mark.parametrize(
    ("token", "name", "data", "said"),
    [
        ("x", "warm-up", PLAIN, "not one of this desk's"),
        ("", "no-such", PLAIN, "no such page"),
        ("", "warm-up", b"{", "cut off"),
        ("", None, PLAIN, "which assignment"),
    ],
    ids=["token", "assignment", "no notebook", "no name"],
)
def test_a_refusal_says_why(
    live: LiveDesk, tmp_path: Path, token: str, name: str | None, data: bytes, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        live.client(token).hand_in(write(tmp_path, data), name, is_sure=never)
    assert live.tries() == []


def test_a_desk_that_is_not_there_is_said(tmp_path: Path) -> None:
    client = DeskClient("http://127.0.0.1:9/c/course", "token")
    with pytest.raises(InfrastructureError, match="can't be reached"):
        client.hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=never)


def test_a_token_is_not_sent_in_the_clear() -> None:
    with pytest.raises(UsageError, match="in the clear"):
        DeskClient("http://desk.example.edu", "token")
