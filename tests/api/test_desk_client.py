"""A program hands in to a desk as a browser does: told first, kept once, refused with a reason."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import uvicorn
from click.testing import CliRunner

from grader.api import desk_client, unanswered
from grader.api.desk_client import DeskClient
from grader.cli.submit import command
from grader.desk.app import make_app
from grader.desk.courses import Desk, open_desk
from grader.errors import InfrastructureError, UsageError
from grader.gradebook.queue import TryQueue
from grader.grading.make_verdict import question_marks
from grader.grading.verdict import SubmissionRecord, Verdict
from grader.suite.results import TestOutcome
from tests.cli.conftest import in_process_of_its_own
from tests.helpers.assignments import make_assignment
from tests.helpers.notebooks import code, notebook
from tests.helpers.verdicts import graded, test_result
from tests.helpers.waiting import Clock

PLAIN = notebook([code("x = 1", count=1)])
SILENT = PLAIN.replace(b'"cell_type": "code"', b'"id": "a1", "cell_type": "code"')
WARNED = notebook([code("import tensorflow", count=1)])


class LiveDesk:
    """A desk that really listens, and a student's token for it."""

    def __init__(self, desk: Desk, origin: str, token: str) -> None:
        self.desk, self.origin, self.token = desk, origin, token

    def client(self, token: str = "") -> DeskClient:
        return DeskClient(self.origin, token or self.token)

    def tries(self) -> list[Any]:
        return self.desk.courses["course"].gradebook.tries.of("ada")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


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


def sure(_: tuple[str, ...]) -> bool:
    return True


def never(_: tuple[str, ...]) -> bool:
    raise AssertionError("there was nothing to ask")


def test_a_notebook_is_handed_in_and_followed(live: LiveDesk, tmp_path: Path) -> None:
    client = live.client()
    answer = client.hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=lambda _: True)
    (one,) = live.tries()
    assert answer.said["try"] == one.id
    assert answer.said["sha256"] == one.sha256
    claims = live.desk.courses["course"].gradebook.claims
    told: list[dict[str, Any]] = []

    def then_fail(said: dict[str, Any]) -> None:
        told.append(said)
        claims.fail(one.id, "the disk", now=one.received_at)

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


class Lost:
    """A connection that breaks after the desk has done what was asked, as often as it is told to.

    Args:
        monkeypatch: of the test.
        end: of the address.
        times: so often; None: always.
        status: of a proxy that answers instead; None: nothing answers.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        end: str,
        times: int | None = 1,
        status: int | None = None,
    ) -> None:
        self.end, self.times, self.status = end, times, status
        self._request = requests.request
        monkeypatch.setattr(requests, "request", self)

    def __call__(self, method: str, url: str, **more: Any) -> requests.Response:
        answer = self._request(method, url, **more)
        if not url.endswith(self.end) or self.times == 0:
            return answer
        if self.times is not None:
            self.times -= 1
        if self.status is None:
            raise requests.ConnectionError("reset by peer")
        answer.status_code, answer._content = self.status, b"<h1>Bad gateway</h1>"
        return answer


@pytest.mark.parametrize("status", [None, 200, 502], ids=["no answer", "a portal's", "a proxy's"])
@pytest.mark.parametrize(
    ("data", "end"), [(SILENT, "/hand-in"), (WARNED, "/confirm")], ids=["at once", "confirmed"]
)
def test_what_is_sent_again_after_a_lost_answer_counts_once(
    live: LiveDesk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    end: str,
    status: int | None,
) -> None:
    path = tmp_path / "warm-up.ipynb"
    path.write_bytes(data)
    lost = Lost(monkeypatch, end, status=status)
    with pytest.raises(InfrastructureError, match="run the same command again") as caught:
        live.client().hand_in(path, "warm-up", is_sure=sure)
    assert "count once" in str(caught.value)
    assert lost.times == 0
    (one,) = live.tries()
    again = live.client().hand_in(path, "warm-up", is_sure=sure)
    assert (again.said["try"], again.said["sent_before"]) == (one.id, True)
    assert len(live.tries()) == 1

    # It is answered now: whoever hands in the same file once more means another try.
    more = live.client().hand_in(path, "warm-up", is_sure=sure)
    assert more.said["sent_before"] is False
    assert len(live.tries()) == 2


def test_another_file_after_a_lost_answer_is_another_try(
    live: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lost(monkeypatch, "/confirm")
    with pytest.raises(InfrastructureError):
        live.client().hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=sure)
    other = notebook([code("x = 2", count=1)])
    live.client().hand_in(write(tmp_path, other), "warm-up", is_sure=sure)
    assert len(live.tries()) == 2


def test_a_lost_answer_is_remembered_for_a_day(
    live: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lost(monkeypatch, "/confirm")
    path = write(tmp_path, PLAIN)
    with pytest.raises(InfrastructureError):
        live.client().hand_in(path, "warm-up", is_sure=sure)
    (kept,) = (tmp_path / "state/grader/unanswered").iterdir()
    long_ago = time.time() - unanswered.KEPT_S - 60
    os.utime(kept, (long_ago, long_ago))
    live.client().hand_in(path, "warm-up", is_sure=sure)
    assert len(live.tries()) == 2
    assert not kept.exists()


def test_without_a_place_to_remember_it_is_handed_in_all_the_same(
    live: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    live.client().hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=sure)
    assert len(live.tries()) == 1


class Sleeper(Clock):
    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.skip(seconds)


@pytest.mark.parametrize("status", [None, 502, 503, 429])
def test_a_desk_that_is_away_for_a_while_is_asked_again(
    live: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    answer = live.client().hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=sure)
    (one,) = live.tries()
    claims = live.desk.courses["course"].gradebook.claims
    claims.fail(one.id, "the disk", now=one.received_at)
    clock = Sleeper()
    monkeypatch.setattr(desk_client, "time", clock)
    lost = Lost(monkeypatch, f"/t/{one.id}", times=5, status=status)
    ended = live.client().follow(answer, lambda said: None)
    assert ended.said["state"] == "failed"
    assert lost.times == 0
    assert clock.slept == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0]


def test_a_desk_that_stays_away_is_given_up_and_the_try_is_in(
    live: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = live.client().hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=sure)
    monkeypatch.setattr(desk_client, "time", Sleeper())
    Lost(monkeypatch, f"/t/{answer.said['try']}", times=None)
    with pytest.raises(InfrastructureError, match="Your try is in") as caught:
        live.client().follow(answer, lambda said: None)
    assert caught.value.where == answer.said["page"]
    assert "command again" not in str(caught.value)


def test_a_token_that_ends_while_a_try_is_followed_does_not_end_the_try(
    live: LiveDesk, tmp_path: Path
) -> None:
    answer = live.client().hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=sure)
    with pytest.raises(UsageError, match="Your try is in"):
        live.client("x").follow(answer, lambda said: None)


def test_the_command_tells_what_the_page_tells(
    live: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = live.desk.courses["course"]
    gradebook = course.gradebook
    monkeypatch.setenv("GRADER_TOKEN", live.token)
    monkeypatch.setattr(desk_client, "time", Sleeper())
    ask, asked = requests.request, []

    def judged_meanwhile(method: str, url: str, **more: Any) -> requests.Response:
        if "/t/" in url:
            asked.append(url)
        if len(asked) == 3:
            asked.append("judged")
            (one,) = live.tries()
            batch = gradebook.start_batch("warm-up", seed=1)
            gradebook.record(verdict(one), None, batch=batch, desk_try=one.id)
        return ask(method, url, **more)

    def verdict(one: Any) -> Verdict:
        shown = ("q2", "test_means", "Means must be right.", 3)
        wrong = {"points": Decimal(0), "outcome": TestOutcome.FAILED}
        tests = (
            test_result("q1", "test_softmax", "Rows must sum to one.", 5),
            test_result(*shown, **wrong, message="expected 2.0\ngot 3.0"),
            test_result("q2", "test_hidden", "A secret.", 1, **wrong, shows="never"),
        )
        spec = course.course.assignment("warm-up").spec
        record = SubmissionRecord(
            file=one.file, sha256=one.sha256, attempt=one.attempt, submitted_at=one.received_at
        )
        return msgspec.structs.replace(
            graded("ada", assignment="warm-up"),
            tests=tests,
            questions=question_marks(spec, tests),
            points=Decimal(5),
            max_points=Decimal(9),
            submission=record,
        )

    monkeypatch.setattr(requests, "request", judged_meanwhile)
    monkeypatch.setattr(TryQueue, "pace_s", lambda self, *, now: 70.0)
    more = ["--to", live.origin, "--assignment", "warm-up", "--anyway"]
    done = CliRunner().invoke(command, [str(write(tmp_path, PLAIN)), *more])
    assert done.exit_code == 0, done.output
    assert "It is next; the verdict comes in about 2 minutes." in done.stderr
    assert done.stderr.count("It is next") == 1
    assert "checks  5 of " in done.stdout
    told = done.stdout[done.stdout.index("  failed") :]
    assert "Means must be right." in told
    assert "          expected 2.0\n          got 3.0\n" in told
    assert "Rows" not in told and "secret" not in done.output


def test_a_notebook_is_handed_in_from_a_shell(live: LiveDesk, tmp_path: Path) -> None:
    """The installed command, in a process of its own, with a token in a file."""
    (tmp_path / "token.txt").write_text(live.token)
    write(tmp_path, PLAIN)
    to = ("--to", live.origin, "--token-file", "token.txt", "--assignment", "warm-up", "--no-wait")
    refused = in_process_of_its_own("submit", "hw.ipynb", *to, cwd=tmp_path)
    assert refused.code != 0 and "--anyway" in refused.err and not live.tries()
    done = in_process_of_its_own("submit", "hw.ipynb", *to, "--anyway", cwd=tmp_path)
    assert done.code == 0, done.err
    (one,) = live.tries()
    assert "Handed in: warm-up, try 1" in done.out
    assert one.sha256 in done.out and f"{live.origin}/c/course/t/{one.id}" in done.out


def test_a_desk_that_is_not_there_is_said(tmp_path: Path) -> None:
    client = DeskClient("http://127.0.0.1:9/c/course", "token")
    with pytest.raises(InfrastructureError, match="can't be reached"):
        client.hand_in(write(tmp_path, PLAIN), "warm-up", is_sure=never)


def test_a_token_is_not_sent_in_the_clear() -> None:
    with pytest.raises(UsageError, match="in the clear"):
        DeskClient("http://desk.example.edu", "token")
