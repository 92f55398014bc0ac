"""What watches the machine learns whether the desk lives, can work, and is well; and no name."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from grader.desk.counters import BOUNDS_S, Counters, exposed
from grader.errors import GradebookError
from grader.gradebook.claims import TryClaims
from tests.desk.conftest import Browser, Tables


def local(tables: Tables) -> Browser:
    app = tables.client.app
    return Browser(TestClient(app, base_url=tables.desk.origin, client=("127.0.0.1", 5000)))


def token(tables: Tables, person: str) -> dict[str, str]:
    answer = tables.browser(person).post("/account/tokens", {"label": "prometheus"})
    value = answer.text.partition('<code class="long">')[2].partition("</code>")[0]
    assert value, answer.text
    return {"authorization": f"Bearer {value}"}


def test_a_desk_without_an_engine_takes_hand_ins_and_is_not_well(tables: Tables) -> None:
    here = local(tables)
    assert here.get("/healthz/live").text == "ok\n"
    assert here.get("/healthz/ready").text == "ok\n"
    ill = here.get("/healthz")
    assert (ill.status_code, ill.text) == (503, "course: no engine runs\nother: no engine runs\n")
    for course in tables.desk.courses.values():
        course.gradebook.engines.here("e1", now=tables.now)
    assert here.get("/healthz").text == "ok\n"
    tables.course.gradebook.engines.here("e1", now=tables.now, trouble="no image")
    assert here.get("/healthz").text == "course: no image\n"


def test_a_stranger_learns_of_no_course_and_no_assignment(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = "an engine is missing, or does not do well\n"
    stranger = tables.stranger()
    assert (stranger.get("/healthz/live").text, stranger.get("/healthz/ready").text) == (
        "ok\n",
        "ok\n",
    )
    assert (stranger.get("/healthz").status_code, stranger.get("/healthz").text) == (503, plain)
    through_a_proxy = {"x-forwarded-for": "127.0.0.1"}
    assert local(tables).get("/healthz", headers=through_a_proxy).text == plain
    engines = tables.course.gradebook.engines
    engines.here("e1", now=tables.now, trouble="final-exam: a check is broken")
    # Who runs a course reads of that one; the other course is none of theirs.
    for person, text in (
        ("ada", plain),
        ("mia", plain),
        ("ines", f"course: final-exam: a check is broken\n{plain}"),
        ("adi", f"course: final-exam: a check is broken\n{plain}"),
    ):
        assert tables.stranger().get("/healthz", headers=token(tables, person)).text == text, person

    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    full = stranger.get("/healthz/ready")
    assert (full.status_code, full.text) == (503, "the desk has no room for uploads\n")

    def away(*_: object, **__: object) -> None:
        raise GradebookError("the database of course is away")

    monkeypatch.setattr(TryClaims, "any_free", away)
    full = stranger.get("/healthz/ready").text
    assert full == "the database does not answer\nthe desk has no room for uploads\n"
    assert local(tables).get("/healthz/ready").text.startswith("course: the database does not")


def test_a_disk_with_no_room_for_uploads_is_told_before_one_fails(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100 << 20))
    answer = local(tables).get("/healthz/ready")
    assert (answer.status_code, answer.text) == (503, "the disk is nearly full\n")


def test_numbers_are_for_this_machine_and_for_who_runs_a_course(tables: Tables) -> None:
    assert tables.stranger().get("/metrics").status_code == 404
    here = local(tables)
    assert here.get("/metrics").status_code == 200
    through_a_proxy = {"x-forwarded-for": "127.0.0.1"}
    assert here.get("/metrics", headers=through_a_proxy).status_code == 404
    for person, status in (("ada", 404), ("mia", 404), ("adi", 200), ("ines", 200)):
        answer = tables.stranger().get("/metrics", headers=token(tables, person))
        assert answer.status_code == status, person


def test_the_numbers_tell_of_the_queue_the_engines_and_the_answers(tables: Tables) -> None:
    tables.tried("ada")
    tables.course.gradebook.engines.here("e1", now=tables.now)
    lines = local(tables).get("/metrics").text.splitlines()
    for line in (
        'grader_tries{course="course",state="waiting"} 1',
        'grader_tries{course="course",state="judged"} 0',
        'grader_engines{course="course"} 1',
        'grader_engines{course="other"} 0',
        "grader_sessions 1",
        'grader_request_seconds_count{route="POST /c/{course}/a/{assignment}/hand-in"} 1',
        'grader_answers_total{status="3xx"} 2',
    ):
        assert line in lines, (line, lines)
    assert "ada" not in "\n".join(lines).lower()


def test_times_are_counted_up_to_each_bound() -> None:
    counters = Counters()
    for seconds in (0.005, 0.01, 0.2, 99.0):
        counters.answered("GET /", 200, seconds)
    lines = list(exposed(counters.all()))
    label = 'grader_request_seconds_bucket{route="GET /",le='
    found = [int(line.rpartition(" ")[2]) for line in lines if line.startswith(label)]
    assert found == [2 if b < 0.3 else 3 for b in BOUNDS_S] + [4]
    assert 'grader_request_seconds_sum{route="GET /"} 99.215000' in lines


def test_several_processes_are_added_up_and_one_that_comes_again_goes_on(tmp_path: Path) -> None:
    first, second = (Counters(tmp_path / f"{n}.json") for n in (1, 2))
    first.answered("GET /", 200, 0.1)
    second.answered("GET /", 404, 0.1)
    first.own.watchers, second.own.watchers = 3, 4
    first.keep(), second.keep()
    again = Counters(tmp_path / "1.json")
    again.answered("GET /", 200, 0.1)
    found = again.all()
    assert sum(found.requests["GET /"].counts) == 3
    assert found.answers == {"2xx": 2, "4xx": 1}
    assert found.watchers == 7
