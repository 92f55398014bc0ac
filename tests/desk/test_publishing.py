"""What is published, and that a student's browser receives nothing else."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from grader.desk.pages import all_pages
from grader.desk.routing import OpenPage
from grader.gradebook.adjustments import adjustment_fact
from grader.gradebook.course_marks import answer_sha256
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.publications import Publication, Publications, first_shown
from grader.gradebook.tries import DeskTry
from grader.grading.make_verdict import question_marks
from grader.suite.results import TestOutcome
from tests.desk.conftest import COURSE_FILE, HOMEWORK, Tables, places, write_course_file
from tests.helpers.notebooks import code, notebook

PUBLISH = "/c/course/a/warm-up/publish"
SECRET = "a word of the marker"


def mark(tables: Tables, one: DeskTry, points: str, comment: str, *, who: str = "mia") -> None:
    """Mark the written answer of a try."""
    assert one.verdict is not None
    entry = tables.course.gradebook.entry(one.verdict)
    assert entry is not None
    given = Change(
        fact=Fact(student=one.student, item="warm-up", kind=Kind.ANSWER, part="q3"),
        points=Decimal(points),
        max_points=Decimal(2),
        comment=comment,
        answer_sha256=answer_sha256(entry.verdict, "q3"),
    )
    tables.course.gradebook.hand_marks.record([given], who=who, why="")


def adjust(tables: Tables, one: DeskTry, points: str, comment: str) -> None:
    """Give points beside the tests' of q2."""
    given = Change(
        fact=adjustment_fact(one.student, "warm-up", "q2"),
        points=Decimal(points),
        max_points=Decimal(0),
        comment=comment,
        answer_sha256=one.sha256,
    )
    tables.course.gradebook.hand_marks.record([given], who="mia", why="")


def give_exam(tables: Tables, student: str, points: str, comment: str) -> None:
    given = Change(
        fact=Fact(student=student, item="exam", kind=Kind.POINTS),
        points=Decimal(points),
        max_points=Decimal(100),
        comment=comment,
    )
    tables.course.gradebook.hand_marks.record([given], who="ines", why="exam")


def publish(tables: Tables, path: str = PUBLISH, what: str = "publish") -> int:
    """Press the button of the preview's page; return what the desk answers."""
    hana = tables.browser("hana")
    form = {"what": what}
    if what == "publish":
        seen = re.search(r'name="upto" value="(\d+)"', hana.get(path).text)
        assert seen, "the page has no button"
        form["upto"] = seen[1]
    else:
        seen = re.search(r'name="seen" value="(\d+)"', hana.post(path, form).text)
        assert seen, "the page asks nothing"
        form |= {"sure": "1", "seen": seen[1]}
    return int(hana.post(path, form).status_code)


def everything(tables: Tables, student: str, number: int) -> str:
    """All that a student's browser receives from every page that it may ask for."""
    browser = tables.browser(student)
    where = places(tables, number)
    found = []
    for page in all_pages():
        if page.method == "GET" and not isinstance(page, OpenPage):
            path = page.path.format(**where)
            if not path.endswith(("/events", "/notebook")):
                found.append(f"{path}\n{browser.get(path).text}")
    return "\n".join(found)


def test_no_page_of_a_student_has_anything_that_is_not_published(tables: Tables) -> None:
    one = tables.judged("ada")
    mark(tables, one, "1.37", SECRET)
    adjust(tables, one, "1.93", SECRET)
    give_exam(tables, "ada", "87.65", SECRET)
    for draft in (True, False):
        received = everything(tables, "ada", one.id)
        assert (SECRET not in received) == draft
        assert ("1.37" not in received) == draft
        assert ("1.93" not in received) == draft
        assert "87.65" not in received  # the exam is published by itself
        if draft:
            assert publish(tables) == 303
    assert publish(tables, "/c/course/i/exam/publish") == 303
    assert "87.65" in everything(tables, "ada", one.id)
    assert publish(tables, what="back") == 303
    received = everything(tables, "ada", one.id)
    assert SECRET not in received and "1.37" not in received and "87.65" in received


def test_what_is_marked_after_publishing_is_a_draft_until_it_is_published_too(
    tables: Tables,
) -> None:
    one = tables.judged("ada")
    mark(tables, one, "1", "first")
    assert publish(tables) == 303
    mark(tables, one, "1.5", "second")
    address = f"/c/course/t/{one.id}"
    ada = tables.browser("ada")
    assert "first" in ada.get(address).text and "second" not in ada.get(address).text
    preview = tables.browser("hana").get(PUBLISH).text
    assert "6 of 10" in preview and "6.5 of 10" in preview and "q3: 1 → 1.5" in preview
    assert "+0.5" in preview
    assert publish(tables) == 303
    assert "second" in ada.get(address).text


def test_only_what_was_looked_at_is_published(tables: Tables) -> None:
    one = tables.judged("ada")
    mark(tables, one, "1", "looked at")
    hana = tables.browser("hana")
    seen = re.search(r'name="upto" value="(\d+)"', hana.get(PUBLISH).text)
    assert seen
    mark(tables, one, "0", "a moment later")
    assert hana.post(PUBLISH, {"what": "publish", "upto": seen[1]}).status_code == 303
    page = tables.browser("ada").get(f"/c/course/t/{one.id}").text
    assert "looked at" in page and "a moment later" not in page
    refused = hana.post(PUBLISH, {"what": "publish", "upto": str(int(seen[1]) + 99)})
    assert refused.status_code == 422


def test_a_form_that_has_lain_open_takes_nothing_back(tables: Tables) -> None:
    one = tables.judged("ada")
    mark(tables, one, "1", "early")
    hana = tables.browser("hana")
    seen = re.search(r'name="upto" value="(\d+)"', hana.get(PUBLISH).text)
    assert seen
    mark(tables, one, "1.5", "later")
    assert publish(tables) == 303
    late = hana.post(PUBLISH, {"what": "publish", "upto": seen[1]})
    assert late.status_code == 422 and "published later marks" in late.text
    assert "later" in tables.browser("ada").get(f"/c/course/t/{one.id}").text


def test_the_preview_says_who_has_no_mark_and_how_many_answers_are_unmarked(
    tables: Tables,
) -> None:
    tables.judged("ada")
    page = tables.browser("hana").get(PUBLISH).text
    assert "1 answer to q3, of 1 student" in page
    assert "2 have no mark" in page and "Ben" in page and "nothing handed in" in page


GROUPED = COURSE_FILE.replace('id = "a1"\n', 'id = "a1"\ngroup = true\n')


def test_who_shares_a_groups_mark_is_in_the_preview_and_is_told(tables: Tables) -> None:
    write_course_file(tables, GROUPED)
    (tables.course.course.root / "groups.csv").write_text(
        "item,group,student\na1,red,ada\na1,red,ben\n"
    )
    one = tables.judged("ada")
    hana, ben = tables.browser("hana"), tables.browser("ben")
    waits = hana.get(PUBLISH).text
    assert "1 answer to q3, of 2 students" in waits and "Publish 2 marks" in waits
    mark(tables, one, "1", "Well.")
    assert "6 of 10" not in ben.get("/c/course/").text
    page = hana.get(PUBLISH).text
    assert re.findall(r'<th scope="row">(\w+)</th>', page) == ["Ada", "Ben"]
    assert page.count("6 of 10") == 2 and "Cem" in page.partition("no mark")[2]
    assert publish(tables) == 303
    for student in ("ada", "ben"):
        assert "are out" in tables.browser(student).get("/c/course/").text
    assert "are out" not in tables.browser("cem").get("/c/course/").text
    mark(tables, one, "1.5", "Well.")
    page = hana.get(PUBLISH).text
    assert "2 marks have changed" in page and page.count("q3: 1 → 1.5") == 2
    assert publish(tables) == 303
    assert "have changed" in ben.get("/c/course/").text


def test_who_loses_a_mark_of_an_exam_is_in_the_preview(tables: Tables) -> None:
    write_course_file(tables)
    give_exam(tables, "ada", "70", "")
    exam = "/c/course/i/exam/publish"
    assert publish(tables, exam) == 303
    fact = Fact(student="ada", item="exam", kind=Kind.POINTS)
    tables.course.gradebook.hand_marks.record([Change(fact=fact)], who="ines", why="")
    page = tables.browser("hana").get(exam).text
    assert "1 mark has changed" in page and "70 of 100" in page
    assert publish(tables, exam) == 303
    assert "have changed" in tables.browser("ada").get("/c/course/").text


def test_before_marks_are_taken_back_it_is_shown_who_loses_sight_of_what(tables: Tables) -> None:
    write_course_file(tables)
    mark(tables, tables.judged("ada"), "1", "Well.")
    tables.judged("ben")
    give_exam(tables, "cem", "70", "")
    hana, exam = tables.browser("hana"), "/c/course/i/exam/publish"
    assert publish(tables) == publish(tables, exam) == 303
    asked = hana.post(PUBLISH, {"what": "back"})
    assert asked.status_code == 200 and tables.course.publications.is_published("warm-up")
    assert "2 students lose" in asked.text and "q3: 1 → not marked" in asked.text
    assert "6 of 10" in asked.text and "Cem" not in asked.text
    of_exam = hana.post(exam, {"what": "back"}).text
    assert "1 student loses" in of_exam and "70 of 100" in of_exam
    assert publish(tables, exam, what="back") == 303
    assert not tables.course.publications.is_published("items/exam")
    # What was published since then, nobody has looked at.
    mark(tables, tables.course.gradebook.tries.of("ada")[0], "2", "Better.")
    assert publish(tables) == 303
    seen = re.search(r'name="seen" value="(\d+)"', asked.text)
    assert seen
    stale = hana.post(PUBLISH, {"what": "back", "sure": "1", "seen": seen[1]})
    assert stale.status_code == 422 and "published later marks meanwhile" in stale.text
    assert publish(tables, what="back") == 303
    assert not tables.course.publications.is_published("warm-up")
    assert "take marks back" in tables.browser("ines").get("/c/course/audit").text


def test_of_two_who_publish_at_once_the_second_takes_nothing_back(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tables.judged("ada")
    mark(tables, one, "1", "early")
    hana, own = tables.browser("hana"), tables.course.publications
    upto = tables.course.gradebook.hand_marks.last()
    mark(tables, one, "1.5", "later")
    whole = Publications.publish

    def meanwhile(self: Publications, name: str, **given: Any) -> None:
        later = tables.course.gradebook.hand_marks.last()
        whole(self, name, upto=later, seen=None, who="ines", now=tables.now)
        whole(self, name, **given)

    with monkeypatch.context() as quick:
        quick.setattr(Publications, "publish", meanwhile)
        late = hana.post(PUBLISH, {"what": "publish", "upto": str(upto)})
    assert late.status_code == 422 and "ines has published later marks" in late.text
    assert [p.upto for p in own.history("warm-up")] == [upto + 1]
    own.publish("warm-up", upto=upto + 1, seen=None, who="hana", now=tables.now)  # the same again
    assert len(own.history("warm-up")) == 1


def test_the_total_is_made_of_what_is_published_alone(tables: Tables) -> None:
    write_course_file(tables)
    one = tables.judged("ada")
    mark(tables, one, "1", "")
    give_exam(tables, "ada", "70", "")
    ada = tables.browser("ada")
    assert "Nothing counts in the total yet" in ada.get("/c/course/marks").text
    publish(tables, "/c/course/i/exam/publish")
    page = ada.get("/c/course/marks").text
    assert ">70<" in page and "40 of 100 percent of the course are published" in page
    assert "Warm-up" in page and "Not published yet" in page


def test_what_would_be_needed_is_said_for_each_grade(tables: Tables) -> None:
    write_course_file(tables)
    give_exam(tables, "ada", "70", "")
    publish(tables, "/c/course/i/exam/publish")
    page = tables.browser("ada").get("/c/course/marks").text
    # 28 of 40 are there: 80 needs 52 of the other 60, rounded once; 90 more than there is.
    assert "86.66 %" in page and "53.33 %" in page and "out of reach" in page


def test_a_total_that_can_not_be_computed_names_nobody(tables: Tables) -> None:
    write_course_file(tables)
    given = Change(
        fact=Fact(student="ada", item="exam", kind=Kind.POINTS),
        points=Decimal(3),
        max_points=Decimal(5),
    )
    tables.course.gradebook.hand_marks.record([given], who="ines", why="")
    assert publish(tables, "/c/course/i/exam/publish") == 303
    answer = tables.browser("ada").get("/c/course/marks")
    assert answer.status_code == 200 and "there is no total" in answer.text


def test_students_are_told_what_has_changed_until_they_have_looked(tables: Tables) -> None:
    one = tables.judged("ada")
    mark(tables, one, "1", "")
    publish(tables)
    ada, ben = tables.browser("ada"), tables.browser("ben")
    assert "are out" in ada.get("/c/course/").text
    assert "are out" not in ben.get("/c/course/").text
    ada.get("/c/course/marks")
    assert "are out" not in ada.get("/c/course/").text


@pytest.mark.parametrize("upto", ["", "x", "-1", "9" * 12])
def test_a_form_that_does_not_say_what_was_looked_at_publishes_nothing(
    tables: Tables, upto: str
) -> None:
    tables.judged("ada")
    answer = tables.browser("hana").post(PUBLISH, {"what": "publish", "upto": upto})
    assert answer.status_code == 422
    assert not tables.course.publications.is_published("warm-up")


def test_before_the_due_date_it_is_said_what_students_do_not_see_yet(tables: Tables) -> None:
    write_course_file(tables)
    for student in ("ada", "ben"):
        mark(tables, tables.judged(student), "1", "")
    held = "On their page <em>Your marks</em> this assignment stays without a mark"
    hana = tables.browser("hana")
    page = hana.get(PUBLISH).text
    assert "The due date has not passed." in page and held in page
    assert ">9 October 2099, 23:59" in page.partition(held)[2]
    assert "The due date" not in hana.get("/c/course/i/exam/publish").text
    publish(tables)
    assert "this assignment is without a mark" in hana.get(PUBLISH).text
    ada = tables.browser("ada")
    # It is as that page says; and what tells her leads to where she sees her marks.
    assert "Marks are shown after the due date" in ada.get("/c/course/marks").text
    told = re.search(r'<a href="([^"]+)">Marks for [^<]+ are out', ada.get("/c/course/").text)
    assert told and told[1] == "/c/course/a/warm-up"
    assert "<strong>6</strong> of 10" in ada.get(told[1]).text
    assert "are out" not in ada.get("/c/course/").text


def test_after_the_due_date_only_longer_time_keeps_a_mark_back(tables: Tables) -> None:
    write_course_file(tables)
    for student in ("ada", "ben"):
        mark(tables, tables.judged(student), "1", "")
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    hana = tables.browser("hana")
    assert "still have time" not in hana.get(PUBLISH).text
    longer = {"item": "a1", "until": "2098-05-06T12:00", "why": "ill"}
    assert hana.post("/c/course/s/ben/extend", longer).status_code == 303
    page = hana.get(PUBLISH).text
    assert "1 of 2 still have time to hand in." in page and ">6 May 2098, 12:00" in page
    publish(tables)
    ada, ben = tables.browser("ada"), tables.browser("ben")
    assert "<strong>6</strong> of 10" in ada.get("/c/course/marks").text
    assert 'href="/c/course/a/warm-up">Marks for' in ben.get("/c/course/").text
    assert "<strong>6</strong> of 10" not in ben.get("/c/course/marks").text


def test_before_the_due_date_the_best_try_is_the_best_of_what_is_shown(tables: Tables) -> None:
    """That a try counts would else tell that its hidden tests say more than those before."""
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    best = '[attempts]\ncounts = "best"\n[resources]'
    spec.write_text(spec.read_text().replace("[resources]", best))

    def says(student: str) -> tuple[list[str], list[str], list[str]]:
        browser = tables.browser(student)
        tries = tables.course.gradebook.tries.of(student)
        pages = ["/c/course/a/warm-up", *(f"/c/course/t/{one.id}" for one in tries)]
        html = "".join(browser.get(page).text for page in pages)
        states = re.findall(r'class="state[^>]*>([^<]*)<', html)
        links = [str(one.attempt) for one in tries if f"/t/{one.id}/result" in html]
        return states, re.findall(r"with try (\d+)", html), links

    for student, hidden in (("ada", (0, 3)), ("ben", (3, 0))):
        for number, points in enumerate(hidden):
            file = "hw.ipynb", notebook([code(f"number = {number}", count=1)])
            tables.browser(student).hand_in(file, key=f"k{number}")
            one = tables.course.gradebook.tries.of(student)[0]
            verdict = tables.verdict(one)
            outcome = TestOutcome.PASSED if points else TestOutcome.FAILED
            more = {"shows": "after_due", "points": Decimal(points), "outcome": outcome}
            tests = (verdict.tests[0], msgspec.structs.replace(verdict.tests[1], **more))
            questions = question_marks(tables.course.course.assignment("warm-up").spec, tests)
            whole = {"tests": tests, "questions": questions, "points": Decimal(5 + points)}
            verdict = msgspec.structs.replace(verdict, **whole)
            batch = tables.course.gradebook.start_batch("warm-up", seed=1)
            tables.course.gradebook.record(verdict, HOMEWORK, batch=batch, desk_try=one.id)
    assert says("ada") == says("ben")
    assert says("ada")[1] == ["1"]
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    assert [says(student)[1] for student in ("ada", "ben")] == [["2"], ["1"]]
    assert "counts" in says("ada")[0] and "This try counts" in says("ada")[0]


def test_what_is_shown_after_the_due_date_waits_for_who_has_longer(tables: Tables) -> None:
    """Their next try, still in time, could else be made of what the hidden tests say."""
    write_course_file(tables)
    tries = {}
    for student in ("ada", "ben"):
        tries[student] = one = tables.tried(student)
        verdict = tables.verdict(one)
        tests = [msgspec.structs.replace(test, shows="after_due") for test in verdict.tests]
        batch = tables.course.gradebook.start_batch("warm-up", seed=1)
        verdict = msgspec.structs.replace(verdict, tests=tuple(tests))
        tables.course.gradebook.record(verdict, HOMEWORK, batch=batch, desk_try=one.id)
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    longer = {"item": "a1", "until": "2098-05-06T12:00", "why": "ill"}
    assert tables.browser("hana").post("/c/course/s/ben/extend", longer).status_code == 303
    secret = "Means must be right."
    for student, seen in (("ada", True), ("ben", False)):
        browser, where = tables.browser(student), f"/c/course/t/{tries[student].id}"
        pages = ["/c/course/", "/c/course/a/warm-up", where, f"{where}/result", "/c/course/marks"]
        received = "".join(browser.get(page).text for page in pages)
        assert (secret in received) == seen
        said = browser.get(where, headers={"accept": "application/json"}).json()
        assert (said["points"] == "5") == seen, said
    assert secret in tables.browser("hana").get(f"/c/course/t/{tries['ben'].id}").text


def test_a_group_sees_what_is_shown_after_the_due_date_together(tables: Tables) -> None:
    """While one of them has longer, what the hidden tests say would make the group's next try."""
    write_course_file(tables)
    root = tables.course.course.root
    facts = root / "course.toml"
    assigned = 'assignment = "warm-up"\n'
    facts.write_text(facts.read_text().replace(assigned, f"{assigned}group = true\n"))
    (root / "groups.csv").write_text("item,group,student\na1,one,ada\na1,one,ben\n")
    one = tables.tried("ada")
    verdict = tables.verdict(one)
    tests = [msgspec.structs.replace(test, shows="after_due") for test in verdict.tests]
    batch = tables.course.gradebook.start_batch("warm-up", seed=1)
    verdict = msgspec.structs.replace(verdict, tests=tuple(tests))
    tables.course.gradebook.record(verdict, HOMEWORK, batch=batch, desk_try=one.id)
    spec = root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    longer = {"item": "a1", "until": "2098-05-06T12:00", "why": "ill"}
    hana, where = tables.browser("hana"), f"/c/course/t/{one.id}"
    assert hana.post("/c/course/s/ben/extend", longer).status_code == 303
    mark(tables, tables.course.gradebook.tries.of("ada")[0], "1", "")
    publish(tables)

    def seen(student: str) -> tuple[bool, bool]:
        browser = tables.browser(student)
        pages = ["/c/course/", "/c/course/a/warm-up", where, f"{where}/result"]
        received = "".join(browser.get(page).text for page in pages)
        marks = browser.get("/c/course/marks").text
        return "Means must be right." in received, "<strong>6</strong> of 10" in marks

    assert [seen(student) for student in ("ada", "ben")] == [(False, False)] * 2
    page = hana.get(f"{PUBLISH}?all=1").text
    assert "The due date has not passed." in page and ">6 May 2098, 12:00" in page
    back = {"item": "a1", "undo": "1", "why": "well again"}
    assert hana.post("/c/course/s/ben/extend", back).status_code == 303
    assert [seen(student) for student in ("ada", "ben")] == [(True, True)] * 2


def test_without_a_total_nothing_is_kept_back(tables: Tables) -> None:
    mark(tables, tables.judged("ada"), "1", "")
    assert "The due date has not passed" not in tables.browser("hana").get(PUBLISH).text
    publish(tables)
    assert "<strong>6</strong> of 10" in tables.browser("ada").get("/c/course/marks").text


def test_when_a_line_came_out_is_known_also_after_it_was_taken_back() -> None:
    def said(hour: int, upto: int, *, out: bool = True) -> Publication:
        at = dt.datetime(2026, 1, 1, hour, tzinfo=dt.UTC)
        return Publication(published=out, upto=upto, who="ines", made_at=at)

    history = [said(1, 5), said(2, 9), said(3, 0, out=False), said(4, 9), said(5, 12)]
    assert first_shown(history[:2], 4) == said(1, 0).made_at
    assert first_shown(history[:2], 8) == said(2, 0).made_at
    assert first_shown(history[:3], 4) is None
    assert first_shown(history, 4) == said(4, 0).made_at
    assert first_shown(history, 12) == said(5, 0).made_at
    assert first_shown(history, 13) is None and first_shown([], 0) is None


def test_staff_see_a_students_marks_page_as_the_student_does(tables: Tables) -> None:
    write_course_file(tables)
    one = tables.judged("ada")
    mark(tables, one, "1", "A draft's words.")
    give_exam(tables, "ada", "70", "")
    ada, mia = tables.browser("ada"), tables.browser("mia")

    def of(answer: Any) -> str:
        """A page's main part from its heading's end on, without links and the moment."""
        assert answer.status_code == 200, answer.text
        html = answer.text.partition("</h1>")[2].partition("</main>")[0]
        html = re.sub(r'<p class="note waits">This is what.*?</p>', "", html)
        return " ".join(re.sub(r"<a[^>]*>|</a>|<time.*?</time>", "", html).split())

    for is_out in (False, True):
        if is_out:
            publish(tables, "/c/course/i/exam/publish")
        own, seen = of(ada.get("/c/course/marks")), of(mia.get("/c/course/s/ada/marks"))
        assert own == seen and ("<strong>70</strong> of 100" in own) == is_out
    page = mia.get("/c/course/s/ada/marks").text
    assert "This is what Ada sees" in page and "Your marks</h1>" not in page
    assert "<form" not in page.partition("<main")[2]
    assert 'href="/c/course/s/ada/marks"' in mia.get("/c/course/s/ada").text
    (tables.course.course.root / "course.toml").unlink()  # the assignments stand for themselves
    own, seen = of(ada.get("/c/course/marks")), of(mia.get("/c/course/s/ada/marks"))
    assert "<strong>5</strong> of 10" in seen and "<strong>6</strong>" not in seen
    publish(tables)
    assert "<strong>6</strong> of 10" in mia.get("/c/course/s/ada/marks").text
