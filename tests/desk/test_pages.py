"""What pages carry: no script of a student's, nothing unpublished, and headers on every answer."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

import msgspec
import pytest
from starlette.testclient import TestClient

from grader.desk.pages import all_pages
from grader.desk.people import Role
from grader.desk.routing import OpenPage
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.tries import TryState
from tests.desk.conftest import HOMEWORK, Tables, places
from tests.desk.test_publishing import publish
from tests.helpers.notebooks import code, notebook

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\x1b[31m\u202e'

FILE = '<script>alert(1)"><img src=x onerror=alert(1)>.ipynb'


def pages_with(tables: Tables, number: int) -> list[str]:
    """Every page that a head of the course can look at."""
    ines = tables.browser("ines")
    paths = [
        p.path.format(**places(tables, number))
        for p in all_pages()
        if p.method == "GET" and not isinstance(p, OpenPage) and not p.path.endswith("/events")
    ]
    return [
        ines.get(path).text for path in paths if not path.endswith((".zip", "/notebook", ".json"))
    ]


def test_names_and_files_that_are_markup_are_shown_as_text(tables: Tables) -> None:
    tables.course.people.put("ada", name=HOSTILE, email=HOSTILE, role=Role.STUDENT)
    content = notebook([code(f"import tensorflow  # {HOSTILE}", count=1)])
    ada = tables.browser("ada")
    asked = ada.get(ada.hand_in((FILE, content), sure="").headers["location"])
    assert "tensorflow" in asked.text
    assert "<script>alert" not in asked.text and "<img src=x" not in asked.text
    assert tables.browser("ada").hand_in((FILE, content)).status_code == 303
    assert tables.browser("ada").hand_in(("a\x1b[31m.ipynb", content), key="k2").status_code == 422
    (one,) = tables.course.gradebook.tries.of("ada")
    tables.course.gradebook.claims.fail(one.id, HOSTILE, now=tables.now)
    for html in pages_with(tables, one.id):
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "\x1b" not in html and "\u202e" not in html


def test_every_answer_forbids_what_it_does_not_need(tables: Tables) -> None:
    number = tables.judged("ada").id
    ada = tables.browser("ada")
    for path in ("/", "/account", "/c/course/", f"/c/course/t/{number}", "/nowhere", "/static/x"):
        headers = ada.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "'unsafe-inline'" not in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    result = ada.get(f"/c/course/t/{number}/result/page").headers["content-security-policy"]
    assert result.startswith("sandbox; default-src 'none'") and "script-src" not in result


def test_what_was_handed_in_is_only_ever_saved(tables: Tables) -> None:
    number = tables.tried("ada").id
    answer = tables.browser("ada").get(f"/c/course/t/{number}/notebook")
    assert answer.content == HOMEWORK
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_nothing_that_a_person_gave_reaches_a_browser_before_it_is_published(
    tables: Tables,
) -> None:
    one = tables.judged("ada")
    secret = "a word of the marker"
    assert one.verdict is not None
    entry = tables.course.gradebook.entry(one.verdict)
    assert entry is not None
    given = Change(
        fact=Fact(student="ada", item="warm-up", kind=Kind.ANSWER, part="q3"),
        points=Decimal(1),
        max_points=Decimal(2),
        comment=secret,
        answer_sha256=answer_sha256(entry.verdict, "q3"),
    )
    tables.course.gradebook.hand_marks.record([given], who="mia", why="")
    ada = tables.browser("ada")
    paths = (
        "/c/course/",
        "/c/course/a/warm-up",
        f"/c/course/t/{one.id}",
        f"/c/course/t/{one.id}/result/page",
    )
    for path in paths:
        assert secret not in ada.get(path).text
    tables.browser("hana").post("/c/course/a/warm-up/publish", {"what": "publish", "upto": "1"})
    assert secret in ada.get(f"/c/course/t/{one.id}/result/page").text
    assert publish(tables, what="back") == 303
    assert secret not in ada.get(f"/c/course/t/{one.id}/result/page").text


@pytest.mark.parametrize("shows", ["after_due", "never"])
def test_what_a_suite_keeps_from_students_is_on_no_page_of_theirs(
    tables: Tables, shows: Literal["after_due", "never"]
) -> None:
    one = tables.tried("ada")
    verdict = tables.verdict(one)
    kept = msgspec.structs.replace(
        verdict.tests[1], shows=shows, title="The secret test.", message="A secret."
    )
    verdict = msgspec.structs.replace(verdict, tests=(verdict.tests[0], kept))
    gradebook = tables.course.gradebook
    batch = gradebook.start_batch("warm-up", seed=1)
    gradebook.record(verdict, HOMEWORK, batch=batch, desk_try=one.id)
    pages = ("/c/course/", "/c/course/a/warm-up", f"/c/course/t/{one.id}")
    ada, ines = tables.browser("ada"), tables.browser("ines")
    for path in (*pages, f"/c/course/t/{one.id}/result"):
        assert "ecret" not in ada.get(path).text, path
    said = [re.sub(r"<[^>]+>|\s+", " ", ada.get(path).text) for path in pages]
    if shows == "after_due":
        assert all(re.search(r"5 +of 5", page) and "3 more" in page for page in said), said
    assert "The secret test." in ines.get(f"/c/course/t/{one.id}").text

    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    shown = "The secret test." in ada.get(f"/c/course/t/{one.id}").text
    assert shown == (shows == "after_due")


def test_a_try_that_failed_can_be_judged_again_by_a_head_marker(tables: Tables) -> None:
    one = tables.tried("ada")
    tables.course.gradebook.claims.fail(one.id, "the disk", now=tables.now)
    assert tables.browser("ada").post(f"/c/course/t/{one.id}/again").status_code == 404
    assert tables.browser("hana").post(f"/c/course/t/{one.id}/again").status_code == 303
    (found,) = tables.course.gradebook.tries.some([one.id])
    assert found.state is TryState.WAITING


@pytest.mark.parametrize("file", ["..%2fbase.html.j2", "../macros.html.j2", "desk.py", ".", ""])
def test_no_other_file_is_sent_as_one_of_ours(tables: Tables, file: str) -> None:
    assert tables.stranger().get(f"/static/{file}").status_code == 404


def test_what_was_done_is_in_the_log(tables: Tables) -> None:
    tables.tried("ada")
    tables.browser("ines").post("/c/course/a/warm-up/publish", {"what": "publish", "upto": "0"})
    log = tables.browser("ines").get("/c/course/audit").text
    assert "hand in" in log and "publish" in log and "ines" in log


def test_an_answer_that_breaks_tells_nothing_and_forbids_the_same(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("what nobody is to read")

    ada = tables.browser("ada")
    kept = TestClient(tables.client.app, base_url="http://desk.test", raise_server_exceptions=False)
    kept.cookies = ada.client.cookies
    monkeypatch.setattr(tables.desk.credentials, "of", breaks)
    answer = kept.get("/account")
    assert answer.status_code == 500 and "Something broke on our side" in answer.text
    assert "nobody is to read" not in answer.text and "Traceback" not in answer.text
    whole = ada.get("/sign-in").headers
    for name in ("content-security-policy", "x-content-type-options", "referrer-policy"):
        assert answer.headers[name] == whole[name]
    assert "object-src 'none'" in answer.headers["content-security-policy"]
