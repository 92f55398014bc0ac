"""A course is run in the browser: who takes it, what is granted, what is left, what goes out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from grader.api.totals import course_totals
from grader.desk.letters import News
from grader.errors import GradebookError
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.tries import REGRADES, TryState
from tests.desk.conftest import Tables
from tests.desk.test_publishing import publish
from tests.helpers.notebooks import code, notebook

COURSE_FILE = """\
title = "Deep Learning"
institution = "Koç University"
term = "Fall 2024"
timezone = "Europe/Berlin"
assignments = ["warm-up"]
[late]
percent_per_day = 10
[[components]]
id = "homework"
title = "Homework"
weight = 60
[[components.items]]
id = "hw1"
title = "Warm-up"
assignment = "warm-up"
group = true
group_size = [1, 2]
[[components]]
id = "exam"
title = "Exam"
weight = 40
[[components.items]]
id = "final"
title = "Final exam"
"""
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (31)
    Points Possible,,,,,10.00
"Lovelace, Ada",101,,ada,A,
"Okafor, Ben",102,,ben,A,3
"Yıldız, Deniz",104,,deniz,B,
"""


@pytest.fixture
def running(tables: Tables) -> Tables:
    """The desk, with a course file."""
    (tables.course.course.root / "course.toml").write_text(COURSE_FILE)
    return tables


def words(answer: Any) -> str:
    """What a page says, without its markup."""
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def upload(browser: Any, path: str, text: str, **data: str) -> Any:
    """Send a file; where it is taken, the page to which that leads."""
    return followed(
        browser, browser.post(path, data, files=[("file", ("list.csv", text.encode()))])
    )


def followed(browser: Any, answer: Any) -> Any:
    return browser.get(answer.headers["location"]) if answer.status_code == 303 else answer


def fields(answer: Any) -> dict[str, str]:
    """The hidden fields of a page's first form but one: that of signing out."""
    forms = re.findall(r"<form.*?</form>", answer.text, re.S)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', forms[1]))


@pytest.fixture
def statements(tables: Tables) -> Iterator[list[str]]:
    """Every statement that is sent to the gradebook."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    engine = tables.course.gradebook.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


# -- the roster ----------------------------------------------------------------------------------


def test_a_list_is_looked_at_before_it_counts(running: Tables) -> None:
    ines, roster = running.browser("ines"), running.course.course.root / "roster.csv"
    before = roster.read_text()
    seen = upload(ines, "/c/course/roster/list", CANVAS)
    assert "1 new, 2 changed, 1 not in it" in words(seen)
    assert "Deniz" in seen.text and "Cem" in seen.text
    assert roster.read_text() == before
    assert ines.post("/c/course/roster/take", fields(seen)).status_code == 303
    people = running.course.roster.people
    assert people["deniz"].canvas == "104" and people["ada"].canvas == "101"
    assert "cem" in people  # nobody is taken out unless that is asked for
    assert "deniz" in {user.person for user in running.course.people.all()}


def test_who_is_not_in_the_list_is_taken_out_where_that_is_asked_for(running: Tables) -> None:
    cem, ines = running.browser("cem"), running.browser("ines")
    seen = upload(ines, "/c/course/roster/list", CANVAS)
    assert ines.post("/c/course/roster/take", fields(seen) | {"gone": "1"}).status_code == 303
    assert "cem" not in running.course.roster.people
    assert cem.get("/c/course/").status_code == 303


def test_a_list_is_looked_at_again_when_the_roster_changed_meanwhile(running: Tables) -> None:
    ines = running.browser("ines")
    seen = upload(ines, "/c/course/roster/list", CANVAS)
    new = {"id": "eda", "name": "Eda"}
    assert ines.post("/c/course/roster/student", new).status_code == 303
    again = followed(ines, ines.post("/c/course/roster/take", fields(seen)))
    assert "changed since" in words(again) and "2 not in it" in words(again)
    assert "deniz" not in running.course.roster.people
    assert ines.post("/c/course/roster/take", fields(again)).status_code == 303
    assert {"deniz", "eda"} <= running.course.roster.people.keys()


def test_a_list_that_is_none_says_so_and_names_no_folder(running: Tables) -> None:
    refused = upload(running.browser("ines"), "/c/course/roster/list", "a,b\n1,2\n")
    assert refused.status_code == 422
    assert "no known system" in refused.text
    assert str(running.desk.uploads) not in refused.text
    assert not list(running.desk.uploads.iterdir())


def test_nobody_takes_a_list_that_somebody_else_has_chosen(running: Tables) -> None:
    seen = fields(upload(running.browser("ines"), "/c/course/roster/list", CANVAS))
    del seen["form"]
    refused = running.browser("adi").post("/c/course/roster/take", seen)
    assert refused.status_code == 422 and "not here any more" in refused.text
    assert "deniz" not in running.course.roster.people


def test_who_is_doubtful_is_asked_for_and_known_from_then_on(running: Tables) -> None:
    ines = running.browser("ines")
    doubtful = CANVAS.replace('"Yıldız, Deniz",104,,deniz', '"Ada, Lovelace",105,,lovelace')
    known = {"id": "ada", "name": "Ada Lovelace"}
    assert ines.post("/c/course/roster/student", known).status_code == 303
    seen = upload(ines, "/c/course/roster/list", doubtful)
    assert "1 not taken" in words(seen)
    assert ines.post("/c/course/roster/take", fields(seen)).status_code == 303
    asked = ines.get("/c/course/roster")
    assert "Who is it?" in words(asked)
    which = fields_of(asked, "/roster/match")
    assert ines.post("/c/course/roster/match", which | {"person": "zoe"}).status_code == 422
    assert ines.post("/c/course/roster/match", which | {"nobody": "1"}).status_code == 303
    assert "Who is it?" not in words(ines.get("/c/course/roster"))
    again = upload(ines, "/c/course/roster/list", doubtful)
    assert "left out, as matches.csv says" in words(again)


def test_one_student_is_added_changed_and_taken_out(running: Tables) -> None:
    ines = running.browser("ines")
    eda = {"id": "eda", "name": "Eda Kaya", "email": "eda@x.edu", "section": "B"}
    assert ines.post("/c/course/roster/student", eda).status_code == 303
    taken = ines.post("/c/course/roster/student", {**eda, "id": "ece"})
    assert taken.status_code == 422 and "the same email" in taken.text
    assert ines.post("/c/course/roster/student", {"id": "../x"}).status_code == 422
    assert ines.post("/c/course/roster/student", {**eda, "section": "A"}).status_code == 303
    assert running.course.section_of("eda") == "A"
    browser = running.browser("eda")
    assert ines.post("/c/course/roster/drop", {"person": "eda"}).status_code == 303
    assert browser.get("/c/course/").status_code == 303
    log = words(ines.get("/c/course/audit"))
    assert "add a student" in log and "change a student" in log and "take a student out" in log


def test_the_roster_says_who_can_not_sign_in_yet(running: Tables) -> None:
    running.browser("ada")
    running.link("ben")
    ines = running.browser("ines")
    said = words(ines.get("/c/course/roster"))
    assert "has signed in" in said and "has a link" in said and "no link" in said
    assert "Cem" in (one := words(ines.get("/c/course/roster?show=no-link"))) and "Ben" not in one
    assert "Ben" in words(ines.get("/c/course/roster?q=BEN&section=A"))
    assert "Nobody." in words(ines.get("/c/course/roster?q=ben&section=B"))


# -- groups --------------------------------------------------------------------------------------


def test_groups_are_taken_from_a_list_and_changed_one_by_one(running: Tables) -> None:
    ines = running.browser("ines")
    seen = upload(ines, "/c/course/groups/list", "item,group,student\nhw1,red,ada\nhw1,red,cem\n")
    assert "hw1: ada: no group → red" in words(seen)
    assert not (running.course.course.root / "groups.csv").exists()
    assert ines.post("/c/course/groups/take", fields(seen)).status_code == 303
    moved = {"item": "hw1", "student": "cem", "group": "blue"}
    assert ines.post("/c/course/groups/student", moved).status_code == 303
    text = (running.course.course.root / "groups.csv").read_text()
    assert text == "item,group,student\nhw1,red,ada\nhw1,blue,cem\n"
    out = {"item": "hw1", "student": "cem", "group": ""}
    assert ines.post("/c/course/groups/student", out).status_code == 303
    assert "In no group: Ben, Cem" in words(ines.get("/c/course/groups"))


def test_a_list_of_groups_that_is_wrong_names_its_line(running: Tables) -> None:
    text = "item,group,student\nhw1,red,ada\nhw1,blue,ada\n"
    refused = upload(running.browser("ines"), "/c/course/groups/list", text)
    assert refused.status_code == 422
    assert "line 3" in refused.text and str(running.desk.uploads) not in refused.text


def test_a_group_is_no_formula_in_a_spreadsheet_and_keeps_its_name(running: Tables) -> None:
    ines = running.browser("ines")
    named = {"item": "hw1", "student": "ada", "group": "=1+1"}
    assert ines.post("/c/course/groups/student", named).status_code == 303
    assert "'=1+1" in (running.course.course.root / "groups.csv").read_text()
    assert ines.post("/c/course/groups/student", {**named, "student": "ben"}).status_code == 303
    page = words(ines.get("/c/course/groups"))
    assert "=1+1 Ada , Ben" in page and "'=1+1" not in page


# -- longer time and excuses ---------------------------------------------------------------------


def granted(tables: Tables, what: str, **data: str) -> Any:
    form = {"item": "hw1", "why": "Ill, note received", **data}
    return tables.browser("hana").post(f"/c/course/s/ada/{what}", form)


def test_a_student_sees_the_longer_time_that_they_were_given(running: Tables) -> None:
    assert granted(running, "extend", until="2100-01-02T12:00").status_code == 303
    page = running.browser("ada").get("/c/course/a/warm-up")
    assert "2100-01-02T12:00:00+01:00" in page.text and "longer for you" in page.text
    assert "2100-" not in running.browser("ben").get("/c/course/a/warm-up").text
    said = words(running.browser("ines").get("/c/course/s/ada"))
    assert "due later: 2100-01-02 12:00" in said and "Ill, note received" in said
    assert granted(running, "extend", undo="1").status_code == 303
    assert "2100-" not in running.browser("ada").get("/c/course/a/warm-up").text


def test_an_excuse_is_on_the_students_page_and_on_the_command_lines_record(
    running: Tables,
) -> None:
    assert granted(running, "excuse").status_code == 303
    assert "excused" in words(running.browser("ada").get("/c/course/"))
    newest = running.course.gradebook.hand_marks.newest(student="ada", item="hw1")
    mark = newest[Fact(student="ada", item="hw1", kind=Kind.EXCUSED)]
    assert (mark.who, mark.why, mark.says.excused) == ("hana", "Ill, note received", True)
    assert "Ada" in words(running.browser("ines").get("/c/course/a/warm-up?show=granted"))


def test_whoever_is_given_longer_or_excused_is_told(
    running: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.desk.courses["course"] = replace(running.course, sends_mail=True)
    ada, ben = running.browser("ada"), running.browser("ben")
    granted(running, "extend", until="2100-01-02T12:00")
    assert "You have longer: " in ada.get("/c/course/").text
    assert "You have longer: " not in ben.get("/c/course/").text
    ada.get("/c/course/a/warm-up")
    assert "You have longer: " not in ada.get("/c/course/").text
    granted(running, "extend", until="2100-01-02T12:00")  # that is no news
    granted(running, "extend", undo="1")
    assert "no longer than the class any more" in ada.get("/c/course/").text
    granted(running, "excuse")
    assert "You are excused: " in ada.get("/c/course/").text
    granted(running, "excuse", undo="1")
    mails = running.course.outbox.newest()
    assert sorted((mail.kind, mail.person) for mail in mails) == [
        (News.EXCUSED, "ada"),
        (News.LONGER, "ada"),
        (News.NOT_EXCUSED, "ada"),
        (News.NOT_LONGER, "ada"),
    ]

    def full(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    monkeypatch.setattr("grader.desk.notices.put_notifications", full)
    before = len(running.course.gradebook.hand_marks.history())
    assert granted(running, "excuse").status_code == 503
    assert len(running.course.gradebook.hand_marks.history()) == before


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2027-03-28T02:30", "never comes"),  # clocks go forward over it in Berlin
        ("2001-01-01T12:00", "not longer than the class has"),
        ("", "until when"),
        ("soon", "no time"),
        ("9999-12-31T23:59", "no time of a course"),
        ("0001-01-01T00:00", "no time of a course"),
    ],
)
def test_a_time_that_can_not_be_meant_is_refused(running: Tables, until: str, said: str) -> None:
    spec = running.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("2099-10-09T23:59:00+03:00", "2026-01-01T12:00:00Z"))
    refused = granted(running, "extend", until=until)
    assert refused.status_code == 422 and said in refused.text


def test_the_hour_that_comes_twice_ends_when_it_has_come_twice(running: Tables) -> None:
    spec = running.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("2099-10-09T23:59:00+03:00", "2026-01-01T12:00:00Z"))
    assert granted(running, "extend", until="2026-10-25T02:30").status_code == 303
    newest = running.course.gradebook.hand_marks.newest(student="ada")
    (mark,) = newest.values()
    assert mark.says.moment == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)


def test_nothing_is_granted_without_a_reason_or_a_course_file(tables: Tables) -> None:
    assert granted(tables, "excuse").status_code == 422
    (tables.course.course.root / "course.toml").write_text(COURSE_FILE)
    assert granted(tables, "excuse", why=" ").status_code == 422
    assert tables.course.gradebook.hand_marks.newest() == {}


# -- the work that is left -----------------------------------------------------------------------


def test_the_list_is_filtered_searched_and_sorted(running: Tables) -> None:
    running.judged("ada")
    failed = running.tried("cem")
    running.course.gradebook.claims.fail(failed.id, "the disk", now=running.now)
    ines = running.browser("ines")

    def names(query: str) -> list[str]:
        html = ines.get(f"/c/course/a/warm-up{query}").text
        return re.findall(r'<th scope="row"><a href="/c/course/s/(\w+)">', html)

    assert names("") == ["ada", "ben", "cem"]
    assert names("?show=missing") == ["ben"]
    assert names("?show=waits") == ["ada"]
    assert names("?show=failed") == ["cem"]
    assert names("?sort=-points") == ["ada", "ben", "cem"]
    assert names("?q=AD") == ["ada"]
    assert names("?section=B") == ["cem"]
    assert names("?show=nonsense&sort=nonsense&from=-1&section=nonsense") == []
    assert names("?from=99999999") == ["cem"]  # past the end: the last page there is


def test_the_dashboard_says_what_is_left_in_every_assignment(running: Tables) -> None:
    running.judged("ada")
    running.tried("ben")
    failed = running.tried("cem")
    running.course.gradebook.claims.fail(failed.id, "the disk", now=running.now)
    said = words(running.browser("ines").get("/c/course/"))
    assert "1 on its way" in said and "1 not judged" in said and "q3: 1 to mark" in said
    mark_answer(running, Decimal(2))
    assert "q3: 1 to mark" not in words(running.browser("ines").get("/c/course/"))


def test_a_marker_of_a_section_is_told_of_its_work_alone(running: Tables) -> None:
    for student in ("ada", "ben", "cem"):
        running.judged(student)
    max_ = running.browser("max")  # of section B, which is Cem's
    said = words(max_.get("/c/course/"))
    assert "1 on the roster in section B." in said and "q3: 1 to mark" in said
    assert "q3: 3 to mark" in words(running.browser("mia").get("/c/course/"))
    assert "1" in words(max_.get("/c/course/a/warm-up?show=waits")) and "Cem" in words(
        max_.get("/c/course/a/warm-up")
    )


def mark_answer(tables: Tables, points: Decimal) -> None:
    """Mark Ada's answer to q3."""
    (verdict,) = tables.course.gradebook.current("warm-up")
    change = Change(
        fact=Fact(student="ada", item="warm-up", kind=Kind.ANSWER, part="q3"),
        points=points,
        max_points=Decimal(2),
        answer_sha256=answer_sha256(verdict, "q3"),
    )
    tables.course.gradebook.hand_marks.record([change], who="mia", why="marked")


@pytest.mark.parametrize("path", ["/c/course/", "/c/course/a/warm-up", "/c/course/s/ada"])
def test_a_larger_class_costs_no_more_statements(
    running: Tables, statements: list[str], path: str
) -> None:
    ines = running.browser("ines")
    running.judged("ada")
    statements.clear()
    ines.get(path)
    of_one = len(statements)
    for student in ("ben", "cem"):
        running.judged(student)
    statements.clear()
    assert ines.get(path).status_code == 200
    assert len(statements) == of_one
    statements.clear()
    ines.get(path)
    assert len(statements) < of_one  # nothing has changed: what was made of it is kept


def test_lists_read_no_whole_verdict(running: Tables, statements: list[str]) -> None:
    running.judged("ada")
    ines = running.browser("ines")
    statements.clear()
    for path in ("/c/course/", "/c/course/a/warm-up", "/c/course/s/ada", "/c/course/totals"):
        assert ines.get(path).status_code == 200
    assert not [one for one in statements if "verdict_json" in one or "notebook_zlib" in one]


# -- the queue -----------------------------------------------------------------------------------


def test_a_regrade_waits_behind_people_and_the_old_mark_counts_meanwhile(running: Tables) -> None:
    old = running.judged("ada")
    answer = running.browser("hana").post("/c/course/a/warm-up/regrade")
    assert answer.status_code == 303
    new = running.tried("ben")
    gradebook = running.course.gradebook
    assert [one.id for one in gradebook.queue.next_up()] == [new.id, old.id]
    (again,) = gradebook.tries.some([old.id])
    assert (again.state, again.priority, again.verdict) == (
        TryState.WAITING,
        REGRADES,
        old.verdict,
    )
    said = words(running.browser("ada").get(f"/c/course/t/{old.id}"))
    assert "judged again" in said and "5 of 8" in said
    queue = words(running.browser("hana").get("/c/course/queue"))
    assert "regrade" in queue and "1 is a regrade" in queue


def test_what_is_judged_again_waits_behind_people(running: Tables) -> None:
    gradebook, hana = running.course.gradebook, running.browser("hana")
    ada, ben = running.tried("ada"), running.tried("ben")
    for one in (ada, ben):
        gradebook.claims.fail(one.id, "A check is broken.", now=running.now)
    cem = running.tried("cem")
    assert hana.post("/c/course/queue/again").status_code == 303
    assert [one.id for one in gradebook.queue.next_up()] == [cem.id, ada.id, ben.id]
    assert "2 are regrades" in words(hana.get("/c/course/queue"))
    gradebook.claims.fail(ada.id, "A check is broken.", now=running.now)
    assert hana.post(f"/c/course/t/{ada.id}/again").status_code == 303
    later = running.tried("cem", key="later")
    newest = [later.id, ada.id, ben.id]  # of cem, only the newest is run
    assert [one.id for one in gradebook.queue.next_up()] == newest
    assert hana.post("/c/course/a/warm-up/regrade").status_code == 303
    assert [one.id for one in gradebook.queue.next_up()] == newest


def test_a_run_whose_engine_is_gone_is_told_apart(running: Tables) -> None:
    running.tried("ada")
    claims, lease = running.course.gradebook.claims, dt.timedelta(seconds=30)
    long_ago = running.now - dt.timedelta(hours=1)
    claims.take("gone", limit=1, now=long_ago, lease=lease)
    said = words(running.browser("hana").get("/c/course/queue"))
    assert "has not been heard of" in said and "stuck" in said


# -- numbers, totals, settings -------------------------------------------------------------------


def test_the_class_in_numbers_tells_of_questions_and_tests(running: Tables) -> None:
    running.judged("ada")
    running.judged("ben")
    said = words(running.browser("mia").get("/c/course/a/warm-up/analysis"))
    assert "5.00 of 5 on average" in said and "0.00 of 3 on average" in said
    assert "Nobody has points for it yet" in said  # q3 waits for a person
    assert "2 miss q2 Means must be right." in said


def test_totals_follow_what_a_person_gives(running: Tables) -> None:
    running.judged("ada")
    ines = running.browser("ines")
    assert "not complete" in words(ines.get("/c/course/totals"))
    mark_answer(running, Decimal(2))
    said = words(ines.get("/c/course/totals?q=ada"))
    assert "70 %" in said and "42 – 82" in said
    again = course_totals(running.course.course, history=False)
    kept = running.course.kept.last("totals")
    assert (kept.totals, kept.entries) == (again.totals, again.entries)
    whole = ines.get("/c/course/s/ada/total/page")
    assert whole.headers["content-security-policy"].startswith("sandbox")
    assert "Warm-up" in whole.text


def test_totals_without_a_course_file_say_what_to_do(tables: Tables) -> None:
    for person in ("ines", "mia"):
        said = words(tables.browser(person).get("/c/course/totals"))
        assert "is not written yet" in said and "course.toml" in said and "roster" not in said


def test_totals_that_can_not_be_computed_say_why(running: Tables) -> None:
    file = running.course.course.root / "course.toml"
    file.write_text(COURSE_FILE.replace("weight = 40", 'weight = "open"'))
    ines, max_ = running.browser("ines"), running.browser("max")
    said = words(ines.get("/c/course/totals"))
    assert "course.toml: these facts are left open" in said and "weight" in said
    assert str(running.course.course.root) not in said
    file.write_text(COURSE_FILE)
    wrong = Change(
        fact=Fact(student="ada", item="final", kind=Kind.POINTS),
        points=Decimal(3),
        max_points=Decimal(5),
    )
    running.course.gradebook.hand_marks.record([wrong], who="ines", why="")
    said = words(ines.get("/c/course/totals"))
    assert "ada, final: the mark is out of 5 points, but the course file says 100" in said
    said = words(max_.get("/c/course/totals"))
    assert "the mark is out of 5 points" in said and "ada" not in said


def test_an_empty_course_says_where_to_begin(running: Tables) -> None:
    (running.course.course.root / "roster.csv").unlink()
    ines, mia = running.browser("ines"), running.browser("mia")
    link = 'href="/c/course/roster">Take a roster'
    for path in ("/c/course/", "/c/course/totals"):
        assert link in ines.get(path).text, path
        said = mia.get(path).text
        assert link not in said and "An instructor takes it" in said, path


def test_a_marker_of_a_section_sees_that_sections_totals_alone(running: Tables) -> None:
    said = words(running.browser("max").get("/c/course/totals"))
    assert "Cem" in said and "Ada" not in said


def test_settings_are_shown_as_the_files_say(running: Tables) -> None:
    said = words(running.browser("mia").get("/c/course/a/warm-up/settings"))
    assert "10 % a day" in said and "assignment.toml" in said and "q1 · Softmax" in said
    write = running.course.course.root / "course.toml"
    write.write_text(COURSE_FILE.replace("[late]", '[late]\ncomponents = ["exam"]'))
    said = words(running.browser("mia").get("/c/course/a/warm-up/settings"))
    assert "Late work costs nothing" in said  # the homework is not what [late] is about


def test_a_student_reads_before_handing_in_what_late_work_costs(running: Tables) -> None:
    root = running.course.course.root
    (root / "groups.csv").write_text("item,group,student\nhw1,one,ada\nhw1,one,ben\n")
    ada, cem = running.browser("ada"), running.browser("cem")
    said = words(ada.get("/c/course/a/warm-up"))
    assert "Late work costs 10 % a day" in said and "Group you and Ben; one of you" in said
    assert "The due date has passed" not in said
    assert "Nothing handed in yet" in words(running.browser("ben").get("/c/course/"))
    running.judged("ada")
    ben = running.browser("ben")
    assert "handed in by your group" in words(ben.get("/c/course/"))
    assert "Group you and Ada; it has handed in" in words(ben.get("/c/course/a/warm-up"))
    assert "Nothing handed in yet" in words(cem.get("/c/course/"))
    assert "you are in none yet" in words(cem.get("/c/course/a/warm-up"))
    spec = root / "assignments" / "warm-up" / "assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    said = words(ada.get("/c/course/a/warm-up"))
    assert "The due date has passed. You can still hand in; late work costs 10 % a day." in said


def test_days_of_grace_that_are_left_are_said_wherever_a_student_hands_in(running: Tables) -> None:
    """By the totals themselves: of what is published, and of nobody else."""
    root = running.course.course.root
    graced = COURSE_FILE.replace("percent_per_day = 10", "percent_per_day = 10\ngrace_days = 3")
    (root / "course.toml").write_text(graced)
    pages = ("/c/course/", "/c/course/a/warm-up", "/c/course/marks")
    ada, ben = running.browser("ada"), running.browser("ben")
    spec = root / "assignments" / "warm-up" / "assignment.toml"
    due = dt.datetime.now(dt.UTC) - dt.timedelta(days=1, hours=6)
    spec.write_text(re.sub("(?m)^due = .*$", f"due = {due:%Y-%m-%dT%H:%M:%SZ}", spec.read_text()))
    for page in pages:
        assert "3 of 3 grace days left." in words(ada.get(page))
    running.judged("ada")
    for page in pages:
        said = words(ada.get(page))
        assert "3 of 3 grace days left. Late work that waits for its mark is not counted" in said
    mark_answer(running, Decimal(2))
    assert publish(running) == 303
    for page in pages:
        assert "1 of 3 grace days left." in words(ada.get(page)), page
        assert "3 of 3 grace days left." in words(ben.get(page)), page


def test_without_days_of_grace_nothing_is_said_of_them(running: Tables) -> None:
    ada = running.browser("ada")
    for page in ("/c/course/", "/c/course/a/warm-up"):
        assert "grace" not in words(ada.get(page)).lower()


def test_a_list_of_assignments_says_how_many_tries_are_left(running: Tables) -> None:
    ada = running.browser("ada")
    assert "tries left" not in words(ada.get("/c/course/"))
    spec = running.course.course.root / "assignments" / "warm-up" / "assignment.toml"
    spec.write_text(spec.read_text() + "\n[attempts]\nlimit = 3\n")
    running.judged("ada")
    assert "2 of 3 tries left" in words(ada.get("/c/course/"))


@pytest.fixture
def group(running: Tables) -> Tables:
    """Ada and Ben hand in together; Cem is in no group."""
    teams = running.course.course.root / "groups.csv"
    teams.write_text("item,group,student\nhw1,one,ada\nhw1,one,ben\n")
    return running


def test_a_group_sees_its_first_try_while_it_runs(group: Tables) -> None:
    one = group.tried("ada")
    ada, ben, cem = (group.browser(student) for student in ("ada", "ben", "cem"))
    assert "on its way handed in by Ada" in words(ben.get("/c/course/"))
    said = words(ada.get("/c/course/"))
    assert "on its way" in said and "handed in by" not in said
    said = words(ben.get("/c/course/a/warm-up"))
    assert "Your group’s tries Try 1 by Ada" in said and "in the queue" in said
    assert "you and Ada; it has handed in" in said
    said = words(ben.get(f"/c/course/t/{one.id}"))
    assert "Try 1 of Ada" in said and "It is next." in said
    assert ben.get(f"/c/course/t/{one.id}/notebook").status_code == 200
    assert cem.get(f"/c/course/t/{one.id}").status_code == 404
    group.course.gradebook.claims.fail(one.id, "The disk is full.", now=group.now)
    said = words(ben.get("/c/course/"))
    assert "not judged: a problem on our side handed in by Ada" in said
    assert "It costs no try." in words(ben.get(f"/c/course/t/{one.id}"))
    assert "not judged: a problem on our side" in words(ada.get("/c/course/"))


def test_the_tries_of_a_group_count_together(group: Tables) -> None:
    spec = group.course.course.root / "assignments" / "warm-up" / "assignment.toml"
    limited = spec.read_text() + '\n[attempts]\nlimit = 2\ncounts = "best"\n'
    spec.write_text(limited)
    ada, ben, cem = (group.browser(student) for student in ("ada", "ben", "cem"))
    assert ada.hand_in(key="one").status_code == 303
    for browser, left in ((ada, 1), (ben, 1), (cem, 2)):
        assert f"{left} of 2 left" in words(browser.get("/c/course/a/warm-up"))
    assert ben.hand_in(("hw.ipynb", notebook([code("x = 2", count=1)])), key="two").is_redirect
    third = "hw.ipynb", notebook([code("x = 3", count=1)])
    for browser in (ada, ben):
        assert "All tries are used." in words(browser.get("/c/course/a/warm-up"))
        refused = browser.hand_in(third, key="three")
        assert refused.status_code == 422 and "all 2 tries are used" in refused.text
    assert cem.hand_in(third, key="three").status_code == 303
    assert len(group.course.gradebook.tries.of("ben")) == 1


def test_a_group_sees_what_came_of_its_try_and_another_group_nothing(group: Tables) -> None:
    one = group.judged("ada")
    ben, mark = group.browser("ben"), "<strong>5</strong> of 8"
    said = words(ben.get("/c/course/a/warm-up"))
    assert "Try 1 by Ada" in said and "checked counts" in said
    assert mark in ben.get(f"/c/course/t/{one.id}").text
    assert ben.post(f"/c/course/t/{one.id}/again").status_code == 404
    teams = group.course.course.root / "groups.csv"
    teams.write_text("item,group,student\nhw1,one,ada\nhw1,two,ben\nhw1,two,cem\n")
    assert ben.get(f"/c/course/t/{one.id}").status_code == 404
    assert "Try 1" not in words(ben.get("/c/course/a/warm-up"))


def test_staff_see_that_a_group_has_handed_in_while_its_try_runs(group: Tables) -> None:
    """What was handed in and waits is not missing, of nobody in the group."""
    group.tried("ada")
    mia = group.browser("mia")
    said = mia.get("/c/course/").text
    assert re.search(r'show=missing">1</a>', said)
    said = words(mia.get("/c/course/a/warm-up"))
    assert "missing 1" in said and "by the group" in said
    said = words(mia.get("/c/course/a/warm-up?show=missing"))
    assert "Cem" in said and "Ada" not in said and "Ben" not in said


def test_a_whole_group_is_told_that_its_marks_are_out(group: Tables) -> None:
    group.judged("ada")
    hana = group.browser("hana")
    upto = hana.get("/c/course/a/warm-up/publish").text
    form = {"what": "publish", "upto": upto.partition('name="upto" value="')[2].partition('"')[0]}
    assert hana.post("/c/course/a/warm-up/publish", form).status_code == 303
    for student, told in (("ada", True), ("ben", True), ("cem", False)):
        assert ("are out" in group.browser(student).get("/c/course/").text) == told


# -- on the way out ------------------------------------------------------------------------------


def test_marks_are_filled_into_a_systems_file_after_a_look(running: Tables) -> None:
    running.judged("ada")
    mark_answer(running, Decimal(2))
    hana = running.browser("hana")
    seen = upload(hana, "/c/course/export/look", CANVAS, item="hw1")
    assert "1 mark" in words(seen) and "Ada" in words(seen)
    assert "line 4, ben: Warm-up: no mark" in words(seen)
    file = hana.post("/c/course/export/file", fields_of(seen, "/export/file"))
    assert file.headers["content-disposition"].startswith('attachment; filename="list-filled.csv"')
    rows = {row["Student"]: row for row in csv.DictReader(io.StringIO(file.text))}
    assert rows["Lovelace, Ada"]["Warm-up (31)"] == "7.00"
    assert rows["Okafor, Ben"]["Warm-up (31)"] == "3"
    assert not list((running.course.course.root / "exports").glob("*"))


def fields_of(answer: Any, action: str) -> dict[str, str]:
    """The hidden fields of the form that leads to an address."""
    forms = re.findall(r"<form.*?</form>", answer.text, re.S)
    form = next(f for f in forms if f'{action}"' in f)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_a_column_is_chosen_where_none_has_the_items_title(running: Tables) -> None:
    running.judged("ada")
    mark_answer(running, Decimal(2))
    hana = running.browser("hana")
    other = CANVAS.replace("Warm-up (31)", "Homework One (31)")
    seen = upload(hana, "/c/course/export/look", other, item="hw1")
    assert "no column of the file" in words(seen)
    chosen = fields_of(seen, "/export/look") | {"column": "Homework One (31)"}
    again = hana.get("/c/course/export/look", params=chosen)
    assert "1 mark" in words(again)
    file = hana.post("/c/course/export/file", fields_of(again, "/export/file"))
    assert "7.00" in file.text


def test_a_plain_table_and_the_totals_are_saved(running: Tables) -> None:
    running.judged("ada")
    mark_answer(running, Decimal(2))
    hana = running.browser("hana")
    table = hana.post("/c/course/export/table", {"item": "hw1", "kind": "csv"})
    assert "ada,Ada,,A,7" in table.text
    book = hana.post("/c/course/export/table", {"item": "=totals", "kind": "xlsx"})
    assert book.content.startswith(b"PK")
    assert hana.post("/c/course/export/table", {"kind": "exe"}).status_code == 422


def test_students_pages_are_packed(running: Tables, tmp_path: Path) -> None:
    running.judged("ada")
    answer = running.browser("hana").post(
        "/c/course/export/feedback", {"assignment": "warm-up", "system": "folder"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"PK") and b"ada.html" in answer.content


def test_the_people_are_shown_a_page_at_a_time_and_found_without_script(tables: Tables) -> None:
    roster = tables.course.course.root / "roster.csv"
    many = [f"s{n:03},Student {n:03},,{'AB'[n % 2]}" for n in range(250)]
    roster.write_text("\n".join([roster.read_text().strip(), *many, ""]))
    tables.course.people.take_students(tables.course.roster.people.values())
    ines = tables.browser("ines")

    def names(query: str = "") -> list[str]:
        page = ines.get(f"/c/course/people{query}").text
        return re.findall(r'<tr><th scope="row">([^<]*)</th>', page)

    first = names()
    assert len(first) == 100 and first[:2] == ["adi", "ines"]
    everybody = [*first, *names("?from=100"), *names("?from=200")]
    assert len(everybody) == len(set(everybody)) == 250 + 3 + 5
    assert names("?q=student+24") == [f"Student {n:03}" for n in (24, 124, 224, *range(240, 250))]
    assert names("?q=MAX") == ["max"] and names("?q=head+marker") == ["hana"]
    assert names("?q=student&section=B")[:2] == ["Cem", "Student 001"]
    assert len(names("?show=staff")) == 5
    assert "Nobody." in ines.get("/c/course/people?q=x%3Cscript").text


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("percent_per_day = 0", "0 % a day"),
        ('percent_per_day = "open"', "what the course still has to say"),
    ],
)
def test_what_a_late_day_costs_is_said_where_it_is_nothing_or_open(
    running: Tables, rule: str, said: str
) -> None:
    file = running.course.course.root / "course.toml"
    late = COURSE_FILE.replace("percent_per_day = 10", f"cutoff_days = 2\n{rule}")
    file.write_text(late)
    ada, ines = running.browser("ada"), running.browser("ines")
    assert f"costs {said}; after 2 days it is" in words(ada.get("/c/course/a/warm-up"))
    totals = words(ines.get("/c/course/totals"))
    assert (
        f"Late work: {said}, not accepted after 2 days" in totals or "say what is known" in totals
    )
