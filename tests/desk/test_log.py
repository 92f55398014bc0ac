"""The log: a page at a time, and narrowed to a person, a kind or a thing."""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import logging
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.desk import record
from grader.desk.pages import all_pages
from grader.errors import GradebookError
from tests.desk.conftest import Tables


def test_the_log_is_shown_page_by_page_newest_first(tables: Tables) -> None:
    for number in range(205):
        tables.course.audit.add("mia", "mark", now=tables.now, course="course", thing=f"n{number}n")
    ines, path, seen = tables.browser("ines"), "/c/course/audit?who=mia", []
    while path:
        html = ines.get(path).text
        seen += re.findall(r">n(\d+)n</td>", html)
        older = re.search(r'<a href="(\?[^"]*before=[^"]*)">Older', html)
        path = f"/c/course/audit{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == [str(number) for number in reversed(range(205))]


def test_the_log_is_narrowed_to_a_person_a_kind_and_a_thing(tables: Tables) -> None:
    add = tables.course.audit.add
    add("mia", "mark", now=tables.now, course="course", thing="warm-up q3 ada")
    add("max", "mark", now=tables.now, course="course", thing="warm-up q3 cem")
    add("mia", "publish", now=tables.now, course="course", thing="100%")
    add("mia", "mark", now=tables.now, course="other", thing="another course's")
    ines = tables.browser("ines")

    def found(query: str) -> set[str]:
        html = ines.get(f"/c/course/audit?{query}").text
        things = ("warm-up q3 ada", "warm-up q3 cem", "100%", "another course's")
        return {thing for thing in things if f">{thing}</td>" in html}

    assert found("") == {"warm-up q3 ada", "warm-up q3 cem", "100%"}
    assert found("who=mia&action=mark") == {"warm-up q3 ada"}
    assert found("thing=CEM") == {"warm-up q3 cem"}
    assert found("thing=%25") == {"100%"}
    assert found("action=nothing") == set()
    assert "Nothing matches" in ines.get("/c/course/audit?who=nobody").text


def test_every_kind_of_line_is_in_the_docs() -> None:
    root = Path(__file__).parents[2]
    source = "".join(p.read_text() for p in sorted((root / "grader/desk").rglob("*.py")))
    kinds: set[str] = set()
    calls = r"\.(?:note|doing)\(|doing(?:_everywhere)?\(visit,(?: who,)?"
    calls += r"|(?:audit|self)\.add\(\s*[\w.]+,"
    for call in re.findall(rf"(?:{calls})\s*([^,)]+)", source):
        kinds |= set(re.findall(r'"([^"]+)"', call))
    assert {"publish", "publish again", "mark", "sign in: on no roster"} <= kinds
    docs = (root / "docs/how-to/run-the-desk.md").read_text()
    listed = set(re.findall(r"`([^`]+)`", docs.partition("## The log")[2].partition("##")[0]))
    assert listed == kinds


NEEDS_NO_LINE = {
    "/c/{course}/a/{assignment}/mark/{question}/preview": "shows a comment, keeps nothing",
    "/c/{course}/a/{assignment}/mark/{tested}/tests/preview": "shows a comment, keeps nothing",
    "/c/{course}/roster/list": "shows what a list would change",
    "/c/{course}/groups/list": "shows what a list would change",
    "/c/{course}/export/look": "shows what would go out",
    "/sign-in/mail": "anybody may ask; the mail is in the outbox, and using its link has a line",
}


def _writes_lines(view: Callable[..., object], seen: set[object]) -> bool:
    """Whether a view, or what it calls of the desk's, writes a line; read from the source."""
    if view in seen:
        return False
    seen.add(view)
    known = vars(sys.modules[view.__module__])
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(view)))):
        if isinstance(node, ast.Attribute) and node.attr in ("note", "doing", "log_of", "audit"):
            return True
        called = known.get(node.id) if isinstance(node, ast.Name) else None
        of_ours = inspect.isfunction(called) and called.__module__.startswith("grader.desk")
        if of_ours and _writes_lines(called, seen):
            return True
    return False


def test_every_form_writes_a_line_or_is_said_to_need_none() -> None:
    forms = {page.path: page.view for page in all_pages() if page.method == "POST"}
    assert len(forms) > 40
    without = {path for path, view in forms.items() if not _writes_lines(view, set())}
    assert without == set(NEEDS_NO_LINE)


def test_what_one_does_with_ones_own_account_is_in_the_log(tables: Tables) -> None:
    ada = tables.browser("ada")
    ada.post("/account/tokens", {"label": "laptop"})
    account = tables.course.people.user(
        next(u.account for u in tables.course.people.all() if u.person == "ada")
    )
    assert account is not None
    (token,) = tables.desk.credentials.of(account.account, "token", now=tables.now)
    assert ada.post("/account/end", {"secret": str(token.id)}).status_code == 303
    assert ada.post("/account/end", {"secret": "others"}).status_code == 303
    assert ada.post("/sign-out").status_code == 303
    lines = tables.course.audit.newest("course", who="ada")
    assert [(line.action, line.thing) for line in lines[:4]] == [
        ("sign out", ""),
        ("end a session or token", "all other sessions"),
        ("end a session or token", "token laptop"),
        ("make a token", "laptop"),
    ]


def test_a_line_is_in_the_gradebook_of_the_course_that_it_is_of(tables: Tables) -> None:
    olga = tables.browser("olga", "other")
    assert olga.post("/c/other/people/roster").status_code == 303
    other = tables.desk.courses["other"]
    assert [line.action for line in other.audit.newest("other", who="olga")][:1] == [
        "take the roster"
    ]
    assert not tables.desk.audit.newest("other", action="take the roster")
    assert "take the roster" in olga.get("/c/other/audit").text


def test_lines_that_an_older_desk_kept_beside_the_accounts_move_to_their_course(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tables.desk.audit, tables.desk.courses["other"].audit
    before = tables.now - dt.timedelta(days=30)
    known = [line.action for line in new.newest("other", limit=1000)]

    def at(number: int) -> dt.datetime:
        return before + dt.timedelta(minutes=number // 2)  # two lines at each moment

    for number in range(1200):
        old.add("olga", "old", now=at(number), course="other", thing=f"n{number}")
    for twin in ("twin", "twin"):
        old.add("olga", twin, now=before, course="other")
    old.add("ines", "ours", now=before, course="course")
    old.add("x", "sign in: on no roster", now=before)
    kept = len(old.newest("course", limit=5000)) + len(old.newest("", limit=5000))

    def killed(*_: object) -> object:
        raise GradebookError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(record, "delete", killed)  # both databases have them now
        with pytest.raises(GradebookError, match="killed"):
            old.move_to(new, "other")
    assert len(old.newest("other", limit=5000)) == 1202
    assert old.move_to(new, "other") == 1202
    assert old.move_to(new, "other") == 0
    assert not old.newest("other")
    assert len(old.newest("course", limit=5000)) + len(old.newest("", limit=5000)) == kept
    assert [line.action for line in new.newest("other", limit=len(known))] == known
    assert len(new.newest("other", action="twin", limit=5000)) == 2
    olga, path, seen = tables.browser("olga", "other"), "/c/other/audit?action=old", list[str]()
    while path:  # after the newer ones, newest first, also where one page ends
        html = olga.get(path).text
        seen += re.findall(r">n(\d+)</td>", html)
        older = re.search(r'<a href="(\?[^"]*before=[^"]*)">Older', html)
        path = f"/c/other/audit{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == [str(number) for number in reversed(range(1200))]
    assert tables.course.audit.move_to(old, "course") == 0  # one and the same


def test_what_is_refused_is_in_the_log_of_the_process_without_secrets(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    ada, stranger = tables.browser("ada"), tables.stranger()
    link = tables.link("ben")
    used = {"sec-fetch-site": "same-origin"}
    stranger.client.post(f"/s/{link}", headers=used, follow_redirects=False)
    with caplog.at_level(logging.WARNING, "grader.desk"):
        tables.stranger().client.post(f"/s/{link}", headers=used, follow_redirects=False)
        assert ada.get("/c/course/people").status_code == 404
        assert ada.get("/c/course/s/x%0aforged:%20line").status_code == 404
        stranger.client.get("/", headers={"authorization": "Bearer a-token-of-nobody"})
        form = {"sec-fetch-site": "cross-site"}
        ada.client.post("/sign-out", data=ada.form("/account"), headers=form)
    lines = [record.getMessage() for record in caplog.records]
    assert all(line.startswith("refused: ") and "\n" not in line for line in lines)
    said = "\n".join(lines)
    assert "GET '/c/course/people'; 'ada' from" in said
    assert "a sign-in link that is not known" in said and "a form of another site" in said
    assert "a token that is not known" in said
    assert link not in said and "a-token-of-nobody" not in said
