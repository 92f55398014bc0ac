"""Appeals: who may make one, when, who hears of it, and what an answer changes."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from grader.desk.appealing import change
from grader.desk.letters import News
from grader.desk.people import Role
from grader.desk.routing import Visit
from grader.errors import GradebookError, UsageError
from grader.gradebook.appeals import MOST_AN_HOUR, MOST_IN_A_THREAD, Appeal, Appeals, Speaker
from grader.gradebook.hand_marks import Fact, Kind
from grader.gradebook.publications import Publications
from grader.gradebook.rubric_items import RubricItems
from grader.gradebook.tries import DeskTry
from tests.desk.conftest import COURSE_FILE, Browser, Tables, write_course_file
from tests.desk.test_publishing import adjust, mark, publish

NEW = "/c/course/a/warm-up/appeal/q3"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\x1b[31m'


@pytest.fixture
def one(tables: Tables) -> DeskTry:
    """Ada's try, marked with 1 of 2 points by Mia, and published."""
    write_course_file(tables)
    found = tables.judged("ada")
    mark(tables, found, "1", "Say why.")
    assert publish(tables) == 303
    return found


def send(browser: Browser, path: str, says: str, **more: str) -> Any:
    return browser.post(path, {"key": f"k{abs(hash((path, says)))}", "says": says, **more})


def seen_on(browser: Browser, page: str) -> dict[str, str]:
    """What the form of an answer says that its marker saw."""
    return dict(re.findall(r'name="(seen\w*)" value="(\d+)"', browser.get(page).text))


def appeal(tables: Tables, says: str = "I said why, in the last line.") -> str:
    answer = send(tables.browser("ada"), NEW, says)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def answer(tables: Tables, who: str, page: str, says: str, **more: str) -> Any:
    browser = tables.browser(who)
    return send(browser, f"{page}/answer", says, **seen_on(browser, page), **more)


def given(tables: Tables) -> Decimal | None:
    """The points of Ada's written answer, as the record has them."""
    fact = Fact(student="ada", item="warm-up", kind=Kind.ANSWER, part="q3")
    return tables.course.gradebook.hand_marks.newest()[fact].says.points


def test_an_appeal_goes_to_who_marked_it_and_its_answer_changes_the_mark(
    tables: Tables, one: DeskTry
) -> None:
    ada = tables.browser("ada")
    assert "Appeal" in ada.get("/c/course/a/warm-up").text
    page = appeal(tables)
    assert "An appeal: " in tables.browser("mia").get("/c/course/").text
    assert "An appeal: " not in tables.browser("ines").get("/c/course/").text
    marker = tables.browser("mia").get(page).text
    assert "in the last line" in marker and "Ada" not in marker
    assert answer(tables, "mia", page, "You are right.", points_answer="1.5").status_code == 303
    assert given(tables) == Decimal("1.5")
    assert "An answer to your appeal" in ada.get("/c/course/").text
    thread = ada.get(page).text
    assert "You are right." in thread and "answered" in thread
    assert "<s>1</s>" in thread and "<strong>1.5</strong>" in thread
    assert "mia" not in thread.lower()
    # The new mark is shown at once, and the old one is in the history.
    assert "6.5" in ada.get("/c/course/a/warm-up").text
    history = tables.course.gradebook.hand_marks.history()
    assert [line.says.points for line in history] == [Decimal(1), Decimal("1.5")]
    log = tables.browser("ines").get("/c/course/audit").text
    assert "answer an appeal" in log and "1 to 1.5" in log


def test_the_items_of_the_rubric_still_lead_to_the_new_points(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables)
    answer(tables, "mia", page, "Yes.", points_answer="1.75")
    items = RubricItems(tables.course.gradebook.engine)
    marking = items.markings("warm-up", "q3")["ada"]
    rubric = items.rubric("warm-up", "q3")
    again = rubric.points(marking.items, marking.adjustment, Decimal(2))
    assert again == Decimal("1.75")


def test_an_answer_shows_its_student_nothing_else_that_is_a_draft(
    tables: Tables, one: DeskTry
) -> None:
    page = appeal(tables)
    adjust(tables, one, "2", "a draft of another question")
    answer(tables, "mia", page, "Yes.", points_answer="1.5")
    seen = tables.browser("ada").get("/c/course/a/warm-up").text
    assert "a draft of another question" not in seen and "6.5" in seen
    publish(tables, what="back")
    taken = tables.browser("ada").get(page).text
    assert "Yes." not in taken and "1.5" not in taken and "taken back" in taken


def test_a_head_marker_changes_the_points_of_the_checks(tables: Tables, one: DeskTry) -> None:
    asked = send(tables.browser("ada"), "/c/course/a/warm-up/appeal/q2", "My means are right.")
    page = asked.headers["location"]
    # Nobody marked it: the heads are told.
    assert "An appeal: " in tables.browser("hana").get("/c/course/").text
    assert "An appeal: " not in tables.browser("mia").get("/c/course/").text
    assert "points_adjustment" not in tables.browser("mia").get(page).text
    answer(tables, "mia", page, "I think so, too.", points_adjustment="3")
    assert "6 of 10" in tables.browser("hana").get("/c/course/a/warm-up/publish?all=1").text
    refused = answer(tables, "hana", page, "Too much.", points_adjustment="3.5")
    assert refused.status_code == 422
    assert "3.5 points are not between" in refused.text
    assert ">Too much.</textarea>" in refused.text  # what was written is not lost
    assert answer(tables, "hana", page, "Yes.", points_adjustment="3").status_code == 303
    assert "9 of 10" in tables.browser("hana").get("/c/course/a/warm-up/publish?all=1").text
    assert "<s>0</s>" in tables.browser("ada").get(page).text


def test_nobody_sees_the_thread_of_another_student(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables)
    for person in ("ben", "max", "adi", "olga"):  # Max has another section
        browser = tables.browser(person)
        assert browser.get(page).status_code == 404
        assert send(browser, f"{page}/reply", "Me too.").status_code == 404
        assert send(browser, f"{page}/answer", "No.", seen="1").status_code == 404
        assert "last line" not in browser.get("/c/course/appeals").text
    assert send(tables.browser("ada"), f"{page}/answer", "Yes!", seen="1").status_code == 404


def test_nobody_answers_their_own_appeal(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables)
    tables.course.people.put("ada", name="Ada", role=Role.HEAD_MARKER)
    assert send(tables.browser("ada"), f"{page}/answer", "Yes!", seen="1").status_code == 404


def test_a_name_is_shown_where_the_course_says_so(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables)
    tables.course.people.put("mia", name="Mia Marks", role=Role.MARKER)
    answer(tables, "mia", page, "Yes.")
    assert "Mia Marks" not in tables.browser("ada").get(page).text
    write_course_file(tables, COURSE_FILE.replace("days = 7", "days = 7\nmarker_names = true"))
    assert "Mia Marks" in tables.browser("ada").get(page).text


def test_who_says_more_opens_it_again_until_it_is_closed(tables: Tables, one: DeskTry) -> None:
    page, ada = appeal(tables), tables.browser("ada")
    answer(tables, "mia", page, "No.")
    assert send(ada, f"{page}/reply", "But the last line!").status_code == 303
    assert 'class="state open"' in ada.get(page).text
    answer(tables, "hana", page, "It is as it is.", then="close")
    assert send(ada, f"{page}/reply", "But!").status_code == 422
    assert "closed" in ada.get(page).text
    assert "may_answer" not in ada.get(page).text and "Say more" not in ada.get(page).text


def test_who_answers_second_is_shown_what_was_said_and_loses_no_word(
    tables: Tables, one: DeskTry
) -> None:
    page, mia = appeal(tables), tables.browser("mia")
    seen = seen_on(mia, page)
    answer(tables, "hana", page, "Yes, 2.", points_answer="2")
    late = send(mia, f"{page}/answer", "No, for many reasons.", points_answer="0.5", **seen)
    assert late.status_code == 409
    assert "No, for many reasons." in late.text and "Yes, 2." in late.text
    assert given(tables) == 2


def test_a_mark_that_was_changed_meanwhile_is_not_overwritten(tables: Tables, one: DeskTry) -> None:
    page, mia = appeal(tables), tables.browser("mia")
    seen = seen_on(mia, page)
    mark(tables, one, "1.25", "a second look", who="hana")
    late = send(mia, f"{page}/answer", "No.", points_answer="0.5", **seen)
    assert late.status_code == 409 and given(tables) == Decimal("1.25")
    html = " ".join(late.text.split())
    assert 'name="points_answer"' in html and 'value="0.5"' in html  # what was typed
    assert "now 1.25 by hana" in html


@pytest.mark.parametrize(
    "at",
    [
        "grader.api.appealing.put_markings",
        "grader.gradebook.appeals._say",
        "grader.desk.notices.put_notifications",
    ],
)
def test_an_answer_and_its_new_mark_are_kept_together_or_not_at_all(
    tables: Tables, one: DeskTry, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    page, mia = appeal(tables), tables.browser("mia")
    form = {**seen_on(mia, page), "points_answer": "1.5"}
    before = len(tables.course.gradebook.hand_marks.history())

    def killed(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(at, killed)
        assert send(mia, f"{page}/answer", "Yes.", **form).status_code == 503
    assert given(tables) == 1
    assert len(tables.course.gradebook.hand_marks.history()) == before
    assert send(mia, f"{page}/answer", "Yes.", **form).status_code == 303
    seen = tables.browser("ada").get(page).text
    assert "<s>1</s>" in seen and "<strong>1.5</strong>" in seen
    assert "6.5" in tables.browser("ada").get("/c/course/a/warm-up").text


def test_whoever_speaks_a_moment_before_an_answer_leaves_its_mark_as_it_was(
    tables: Tables, one: DeskTry, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, mia = appeal(tables), tables.browser("mia")
    form = {**seen_on(mia, page), "points_answer": "1.5"}
    number = int(page.rpartition("/")[2])

    def meanwhile(visit: Visit, asked: Appeal) -> Any:
        Appeals(tables.course.gradebook.engine).reply(
            number, who="ada", says="Wait.", key="quick", now=tables.now
        )
        return change(visit, asked)

    monkeypatch.setattr("grader.desk.views.appeals.change", meanwhile)
    late = send(mia, f"{page}/answer", "Yes.", **form)
    assert late.status_code == 409 and "Wait." in late.text and 'value="1.5"' in late.text
    assert given(tables) == 1


def test_a_form_that_is_sent_twice_says_it_once(tables: Tables, one: DeskTry) -> None:
    assert appeal(tables) == appeal(tables)
    page = appeal(tables, "other words")
    own = Appeals(tables.course.gradebook.engine)
    number = int(page.rpartition("/")[2])
    assert len(own.messages(number)) == 1
    for _ in range(2):
        assert send(tables.browser("ada"), f"{page}/reply", "More.").status_code == 303
    browser = tables.browser("mia")
    seen = seen_on(browser, page)
    for _ in range(2):
        assert send(browser, f"{page}/answer", "Well.", **seen).status_code == 303
    assert [m.says for m in own.messages(number)][1:] == ["More.", "Well."]


def test_before_marks_are_out_and_after_the_days_there_is_no_appeal(tables: Tables) -> None:
    write_course_file(tables)
    one = tables.judged("ada")
    mark(tables, one, "1", "")
    ada = tables.browser("ada")
    assert "not published yet" in send(ada, NEW, "Please.").text
    publications, last = tables.course.publications, tables.course.gradebook.hand_marks.last()
    early = tables.now - dt.timedelta(days=8)
    publications.publish("warm-up", upto=last, seen=None, who="ines", now=early)
    assert "time for appeals about this question is over" in send(ada, NEW, "Please.").text
    assert "/appeal/" not in ada.get("/c/course/a/warm-up").text
    # A mark that comes out later has days of its own, and nothing else has.
    mark(tables, one, "0.5", "")
    assert publish(tables) == 303
    assert send(ada, NEW, "Please.").status_code == 303
    assert send(ada, "/c/course/a/warm-up/appeal/q1", "Please.").status_code == 422


def test_a_question_that_nobody_marked_has_nothing_to_appeal_about(tables: Tables) -> None:
    write_course_file(tables)
    tables.judged("ada")
    assert publish(tables) == 303
    assert send(tables.browser("ada"), NEW, "Please.").status_code == 422


def test_a_course_that_does_not_say_so_takes_no_appeals(tables: Tables, one: DeskTry) -> None:
    write_course_file(tables, COURSE_FILE.replace("[appeals]\ndays = 7\n", ""))
    ada = tables.browser("ada")
    assert "takes no appeals" in send(ada, NEW, "Please.").text
    assert "/appeal/" not in ada.get("/c/course/a/warm-up").text


@pytest.mark.parametrize("says", ["", "   ", "x" * 3001])
def test_a_message_says_something_and_not_too_much(tables: Tables, one: DeskTry, says: str) -> None:
    assert send(tables.browser("ada"), NEW, says).status_code == 422
    assert Appeals(tables.course.gradebook.engine).of_student("ada") == []


def test_a_student_makes_as_many_appeals_as_the_course_allows(tables: Tables, one: DeskTry) -> None:
    write_course_file(tables, COURSE_FILE.replace("days = 7", "days = 7\nmost_per_assignment = 1"))
    appeal(tables)
    second = send(tables.browser("ada"), "/c/course/a/warm-up/appeal/q1", "And this.")
    assert second.status_code == 422 and "allows no more" in second.text


def test_a_student_writes_only_so_often(tables: Tables) -> None:
    own = Appeals(tables.course.gradebook.engine)
    now = tables.now

    def made(question: str, at: dt.datetime) -> int:
        return own.open(
            assignment="warm-up",
            question=question,
            student="ada",
            marker="",
            says="Please.",
            key=f"k{question}{at}",
            most=100,
            now=at,
        ).id

    numbers = [made(f"q{n}", now) for n in range(MOST_AN_HOUR)]
    with pytest.raises(UsageError, match="within an hour"):
        made("another", now + dt.timedelta(minutes=59))
    later = now + dt.timedelta(hours=2)
    for n in range(MOST_IN_A_THREAD - 1):
        at = later + n * dt.timedelta(hours=1)
        own.reply(numbers[0], who="ada", says="More.", key=f"r{n}", now=at)
    with pytest.raises(UsageError, match="times here"):
        own.reply(numbers[0], who="ada", says="More.", key="rx", now=later + dt.timedelta(days=9))


def test_what_is_said_is_text_to_every_reader(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables, HOSTILE)
    answer(tables, "mia", page, HOSTILE)
    for person in ("ada", "mia", "ines"):
        for path in (page, "/c/course/appeals", "/c/course/"):
            html = tables.browser(person).get(path).text
            assert "<script>alert" not in html and "<img src=x" not in html
            assert "\x1b" not in html


def test_the_list_is_paged_and_narrowed_to_a_section(tables: Tables, one: DeskTry) -> None:
    own = Appeals(tables.course.gradebook.engine)
    for number in range(60):
        own.open(
            assignment="warm-up",
            question=f"q{number}",
            student=f"s{number}",
            marker="",
            says="Please.",
            key=f"k{number}",
            most=3,
            now=tables.now,
        )
    first = tables.browser("ines").get("/c/course/appeals").text
    assert first.count("/c/course/appeals/") == 50
    older = re.search(r"\?show=open&amp;before=(\d+)", first)
    assert older
    rest = tables.browser("ines").get(f"/c/course/appeals?show=open&before={older[1]}").text
    assert rest.count("/c/course/appeals/") == 10
    assert "/c/course/appeals/" not in tables.browser("max").get("/c/course/appeals").text


def test_the_line_that_an_answer_made_is_the_only_one_that_is_out_before_the_rest(
    tables: Tables, one: DeskTry
) -> None:
    page = appeal(tables)
    answer(tables, "mia", page, "Yes.", points_answer="1.5")
    mark(tables, one, "0.25", "a draft", who="hana")
    scopes = tables.course.scopes(tables.course.scheme())
    shown = Publications(tables.course.gradebook.engine).marks(scopes).newest(student="ada")
    fact = Fact(student="ada", item="warm-up", kind=Kind.ANSWER, part="q3")
    assert shown[fact].says.points == Decimal("1.5")
    (_, message) = Appeals(tables.course.gradebook.engine).messages(int(page.rpartition("/")[2]))
    assert message.speaks is Speaker.MARKER and message.changes[0].mark == shown[fact].id


def test_lines_end_as_everywhere_else(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables, "Two\r\nlines.")
    (said,) = Appeals(tables.course.gradebook.engine).messages(int(page.rpartition("/")[2]))
    assert said.says == "Two\nlines."
    assert "\N{REPLACEMENT CHARACTER}" not in tables.browser("mia").get(page).text


def test_whoever_is_asked_and_whoever_is_answered_hears_of_it_by_mail_too(
    tables: Tables, one: DeskTry
) -> None:
    tables.desk.courses["course"] = replace(tables.course, sends_mail=True)
    page = appeal(tables)
    answer(tables, "mia", page, "You are right.", points_answer="1.5")
    mails = tables.course.outbox.newest()
    assert {(mail.kind, mail.person) for mail in mails} == {
        (News.APPEAL_OPENED, "mia"),
        (News.APPEAL_ANSWERED, "ada"),
    }
    tables.browser("ada").post(f"{page}/reply", {"key": "more", "says": "Thank you."})
    reply = tables.course.outbox.newest()[0]
    assert (reply.kind, reply.person) == (News.APPEAL_REPLIED, "mia")
    for mail in (*mails, reply):  # a letter says where to read, and nothing of what is there
        assert mail.facts["page"] == page
        assert "right" not in str(mail.facts) and "last line" not in str(mail.facts)


def test_an_appeal_of_which_nobody_can_be_told_is_not_made(
    tables: Tables, one: DeskTry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise UsageError("the disk is full")

    monkeypatch.setattr("grader.desk.views.appeals.tell", fails)
    assert send(tables.browser("ada"), NEW, "Please.").status_code == 422
    assert Appeals(tables.course.gradebook.engine).of_student("ada") == []


def test_the_dashboard_counts_the_appeals_that_one_may_answer(tables: Tables, one: DeskTry) -> None:
    page = appeal(tables)
    said = 'href="/c/course/appeals">1 open appeal<'
    for who, sees in (("mia", True), ("ines", True), ("max", False)):  # Max has another section
        assert (said in tables.browser(who).get("/c/course/").text) == sees, who
    answer(tables, "mia", page, "It does not.")
    assert "open appeal" not in tables.browser("mia").get("/c/course/").text
