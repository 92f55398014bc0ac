"""A class that hands in at a desk that is a process of its own: for faults and for measurements."""

from __future__ import annotations

import datetime as dt
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from grader.desk.courses import Desk, open_desk
from grader.desk.credentials import form_token
from grader.desk.keeping import Kept
from tests.helpers.assignments import make_assignment
from tests.helpers.notebooks import code, notebook

HOMEWORK = notebook([code("def softmax(x):\n    return x.softmax(1)", count=1)])
FOREVER = "due = 2024-10-09T23:59:00+03:00", "due = 2099-10-09T23:59:00+03:00"
PATIENCE_S = 300.0


def make_class(root: Path, *, students: int, assignments: int = 1) -> Path:
    """A course with a roster, and assignments that are due when nobody lives any more."""
    for number in range(assignments):
        name = "warm-up" if number == 0 else f"hw-{number}"
        make_assignment(root, name)
        spec = root / "assignments" / name / "assignment.toml"
        spec.write_text(spec.read_text().replace(*FOREVER))
    lines = [f"s{i:05},Student {i},,{'AB'[i % 2]}" for i in range(students)]
    (root / "roster.csv").write_text("\n".join(["id,name,email,section", *lines, ""]))
    return root


@dataclass
class Seat:
    """A browser of somebody who has signed in."""

    person: str
    session: str
    cookie: str
    client: httpx.Client = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": f"{self.cookie}={self.session}", "sec-fetch-site": "same-origin"}

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path, headers=self.headers)

    def hand_in(self, key: str, data: bytes = HOMEWORK, assignment: str = "warm-up") -> int:
        """Hand in until it is acknowledged, as a student does who sees no receipt; its number."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self.client.post(
                    f"/c/course/a/{assignment}/hand-in",
                    data={"form": form_token(self.session), "key": key, "sure": "1"},
                    files={"files": (f"{assignment}.ipynb", data)},
                    headers=self.headers,
                )
                if answer.status_code == 303:
                    return int(answer.headers["location"].rpartition("/")[2])
                assert answer.status_code == 503, (answer.status_code, answer.text)
            except httpx.TransportError:
                pass
            assert time.monotonic() < end, "it was never acknowledged"
            time.sleep(0.2)


def seats(desk: Desk, origin: str, people: list[str] | None = None) -> list[Seat]:
    """Sign people in: default everybody on the roster."""
    course = desk.courses["course"]
    course.people.take_students(course.roster.people.values())
    now = dt.datetime.now(dt.UTC)
    client = httpx.Client(base_url=origin, timeout=60, follow_redirects=False)
    wanted = set(people or course.roster.people)
    return [
        Seat(
            user.person,
            desk.credentials.make(
                "session", user.account, lasts=dt.timedelta(days=1), now=now, courses=None
            ),
            desk.cookie,
            client,
        )
        for user in course.people.all()
        if user.person in wanted
    ]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def kept(*processes: Kept) -> Iterator[None]:
    """Processes of a desk that are started again when they die."""
    for one in processes:
        one.start()
    try:
        yield
    finally:
        for one in processes:
            one.stop()


def web_process(root: Path, port: int, *more: str) -> Kept:
    """`grader serve` without an engine."""
    options = [str(root), "--no-engine", "--port", str(port), "--instructor", "ines", *more]
    return Kept("web", "tests.helpers.grader_command", ["serve", *options])


def light_engine(root: Path, name: str = "engine") -> Kept:
    return Kept(name, "tests.helpers.light_engine", [str(root)])


def until_it_answers(origin: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if httpx.get(f"{origin}/healthz/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, "the desk does not answer"
        time.sleep(0.1)


def hand_in_all(found: list[Seat], *, threads: int) -> dict[str, int]:
    """Have everybody hand in, several at once; returns the number of each one's try."""
    with ThreadPoolExecutor(threads) as pool:
        numbers = pool.map(lambda seat: seat.hand_in(secrets.token_hex(8)), found)
        return dict(zip((seat.person for seat in found), numbers, strict=True))


def opened(root: Path, origin: str) -> Desk:
    """The same desk, seen from the test."""
    return open_desk([root], origin=origin)
