"""A kill at any moment of a deed leaves no deed without its line, and a form that can be sent."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from grader.api.receiving import settle_broken_off
from grader.desk.app import make_app
from grader.desk.courses import open_desk
from grader.errors import GradebookError
from tests.desk.conftest import SETTINGS, Browser, Tables

NO_DEED = {"desk_audit", "desk_rates"}
"""The log itself, and how often somebody asked."""
GROUPS = """\
title = "T"
institution = "Test"
term = "Now"
timezone = "UTC"
assignments = ["warm-up"]
[[components]]
id = "work"
title = "Assignments"
weight = 100
[[components.items]]
id = "a1"
title = "Warm-up"
assignment = "warm-up"
group = true
"""


class Killed(BaseException):
    """What no handler of ours catches, as none does a kill."""


class Kill:
    """Ends a process after so many of its steps that last: commits, and files in their place."""

    def __init__(self, after: int) -> None:
        self._left = after
        self.came = False

    def step(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **more: Any) -> Any:
            self._look()
            found = do(*args, **more)
            self._left -= 1
            self._look()
            return found

        return done

    def _look(self) -> None:
        if self._left <= 0:
            self.came = True
            raise Killed


@dataclass(frozen=True)
class Deed:
    """A form, and who sends it; `before` prepares the course, and may say more of the form."""

    path: str
    data: dict[str, str]
    before: Callable[[Tables, str], dict[str, Any] | None] = lambda tables, slug: None
    person: str = ""


def _eda_on_the_roster(tables: Tables, slug: str) -> None:
    path = tables.desk.courses[slug].course.root / "roster.csv"
    path.write_text(path.read_text() + "eda,Eda,,A\n")


def _groups(tables: Tables, slug: str) -> None:
    (tables.desk.courses[slug].course.root / "course.toml").write_text(GROUPS)


def _list(of: str, content: bytes) -> Callable[[Tables, str], dict[str, Any]]:
    def looked_at(tables: Tables, slug: str) -> dict[str, Any]:
        if of == "groups":
            _groups(tables, slug)
        browser = tables.browser({"course": "ines", "other": "olga"}[slug], slug)
        files = [("file", ("list.csv", content))]
        answer = browser.post(f"/c/{slug}/{of}/list", files=files)
        page = browser.get(answer.headers["location"]).text
        named = ("upload", "seen", "key")
        return {
            name: page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in named
        }

    return looked_at


def _judged(tables: Tables, slug: str) -> None:
    tables.judged("ada")


def _failed(tables: Tables, slug: str) -> None:
    tables.course.gradebook.claims.fail(tables.tried("ada").id, "ours", now=tables.now)


def _signed_in(tables: Tables, slug: str) -> None:
    tables.browser("ben", slug)


def _file(tables: Tables, slug: str) -> dict[str, Any]:
    return {"hand in": True}


def _link(tables: Tables, slug: str) -> dict[str, Any]:
    return {"path": f"/s/{tables.link('ben', slug)}"}


OF_ACCOUNTS = {
    "take the roster": Deed("people/roster", {}, _eda_on_the_roster),
    "put a person": Deed("people/staff", {"person": "noah", "role": "marker"}),
    "remove a person": Deed("people/remove", {"person": "ben"}, _signed_in),
    "end a person's sessions": Deed("people/end", {"person": "ben"}, _signed_in),
    "make sign-in links": Deed("people/links", {}),
    "make a token": Deed("/account/tokens", {"label": "laptop"}),
    "end a session or token": Deed(
        "/account/end", {"secret": "others"}, lambda tables, slug: _again(tables, slug)
    ),
    "sign out": Deed("/sign-out", {}),
    "sign in": Deed("", {}, _link),
    "add a student": Deed("roster/student", {"id": "eda", "name": "Eda"}),
    "take a student out": Deed("roster/drop", {"person": "cem"}),
    "take a list of students": Deed(
        "roster/take", {}, _list("roster", b"id,name\nada,Ada\neda,Eda\n")
    ),
    "take a list of groups": Deed(
        "groups/take", {}, _list("groups", b"item,group,student\na1,one,ada\na1,one,cem\n")
    ),
    "change a group": Deed(
        "groups/student", {"item": "a1", "student": "cem", "group": "one"}, _groups
    ),
}
OF_WORK = {
    "hand in": Deed("a/warm-up/hand-in", {"sure": "1"}, _file, "ada"),
    "judge again": Deed("t/1/again", {}, _judged, "hana"),
    "judge all that failed again": Deed("queue/again", {}, _failed, "hana"),
    "regrade": Deed("a/warm-up/regrade", {}, _judged, "hana"),
}
CASES = [
    *((action, deed, slug) for action, deed in OF_ACCOUNTS.items() for slug in ("course", "other")),
    *((action, deed, "course") for action, deed in OF_WORK.items()),
]


def _again(tables: Tables, slug: str) -> None:
    tables.browser({"course": "ines", "other": "olga"}[slug], slug)


@contextmanager
def opened(filled: Path, folder: Path) -> Iterator[Tables]:
    if not folder.is_dir():
        shutil.copytree(filled, folder)
    roots = [folder / name for name in ("course", "other")]
    desk = open_desk(roots, origin="http://desk.test", settings=SETTINGS)
    yield Tables(desk, TestClient(make_app(desk), base_url=desk.origin))
    for course in desk.courses.values():
        course.gradebook.close()


def settle(tables: Tables) -> None:
    """What `grader serve` looks after when it begins."""
    course = tables.course
    line = partial(course.audit.hand_in, course="course", now=tables.now)
    settle_broken_off(course.course, course.gradebook, older_than=dt.timedelta(), beside=line)


def state(folder: Path) -> list[object]:
    """Everything that is kept and acknowledged, but for the log."""
    found: list[object] = []
    for path in sorted(folder.glob("*/*.csv")):
        found.append((path.parent.name, path.name, path.read_text()))
    for path in sorted(folder.glob("*/gradebook.db")):
        with closing(sqlite3.connect(path)) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in sorted(names):
                if name.startswith("sqlite_") or name in NO_DEED:
                    continue
                where = {"desk_tries": " WHERE state != 'receiving'"}.get(name, "")
                rows = database.execute(f"SELECT * FROM {name}{where}")
                found.append((path.parent.name, name, sorted(map(repr, rows))))
    return found


def lines(folder: Path, action: str) -> int:
    count = 0
    for path in folder.glob("*/gradebook.db"):
        with closing(sqlite3.connect(path)) as database:
            query = "SELECT COUNT(*) FROM desk_audit WHERE action = ?"
            count += database.execute(query, [action]).fetchone()[0]
    return count


def send(browser: Browser, path: str, form: dict[str, str], more: dict[str, Any]) -> Any:
    if "hand in" in more:
        return browser.hand_in(key="k1")
    headers = {"sec-fetch-site": "same-origin"}
    return browser.client.post(path, data=form, headers=headers, follow_redirects=False)


@pytest.mark.parametrize(("action", "deed", "slug"), CASES, ids=lambda one: str(one)[:30])
def test_a_kill_leaves_no_deed_without_its_line(
    filled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    deed: Deed,
    slug: str,
) -> None:
    person = deed.person or {"course": "ines", "other": "olga"}[slug]
    for after in range(12):
        folder = tmp_path / str(after)
        with opened(filled, folder) as tables:
            if action == "sign in":
                browser = tables.stranger()
                form = {}
            else:
                browser = tables.browser(person, slug)
                form = browser.form("/account") | {"key": f"{after:x}" * 32} | deed.data
            more = deed.before(tables, slug) or {}
            form |= {name: value for name, value in more.items() if isinstance(value, str)}
            path = form.pop("path", "") or deed.path
            path = path if path.startswith("/") else f"/c/{slug}/{path}"
            before, lines_before = state(folder), lines(folder, action)
            kill = Kill(after)
            with monkeypatch.context() as patched:
                patched.setattr(Session, "commit", kill.step(Session.commit))
                patched.setattr(Path, "replace", kill.step(Path.replace))
                try:
                    answer = send(browser, path, form, more)
                except (Killed, RuntimeError):  # the client's loop may have ended with it already
                    assert kill.came
                    answer = None
        changed = state(folder) != before
        if changed:
            assert lines(folder, action) > lines_before, after
        if not kill.came:
            assert answer is not None and answer.status_code < 400, answer and answer.text
            assert changed
            return
        with opened(filled, folder) as tables:  # the same form, after the desk came back
            settle(tables)
            again = tables.stranger()
            again.client.cookies.update(browser.client.cookies)
            answer = send(again, path, form, more)
            assert lines(folder, action) > lines_before
            if not changed:
                assert answer.status_code < 400, (after, answer.text)
                assert state(folder) != before, after
    pytest.fail("it has no end")


def test_what_fails_in_two_places_says_that_it_was_not_done(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, other = tables.browser("olga", "other"), tables.desk.courses["other"]

    def full(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    monkeypatch.setattr(other.people, "put", full)
    said = {"person": "noah", "role": "marker"}
    assert olga.post("/c/other/people/staff", said).status_code == 503
    found = other.audit.newest("other", action="put a person")
    assert [(line.thing, line.detail) for line in found] == [
        ("noah", "not done"),
        ("noah", "marker"),
    ]
    ines = tables.browser("ines")
    monkeypatch.setattr(tables.course.people, "put", full)
    assert ines.post("/c/course/people/staff", said).status_code == 503
    assert not tables.course.audit.newest("course", action="put a person")  # one transaction
