"""Second looks: blind, drawn by chance, decided by who leads, and recorded as any mark."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from grader.api.second_looks import SecondMarking
from grader.desk.letters import News
from grader.desk.people import Role
from grader.errors import GradebookError
from grader.gradebook.second_looks import SecondLook
from tests.desk.conftest import Browser, Tables
from tests.desk.piles import MARK, MARKING, Pile


class Looks(Pile):
    """Answers of which Mia has marked all, and who is asked to look again."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.mia, self.hana = tables.browser("mia"), tables.browser("hana")
        self.ines = tables.browser("ines")
        self.why = self.item("Says why", "1")
        for student in ("ada", "ben", "cem"):
            self.save(self.mia, student, item=str(self.why.id), comment="Of the first marker.")

    def draw(self, percent: str = "100", *markers: str) -> Any:
        return self.hana.post(
            f"{MARKING}/q3/sample", {"percent": percent, "marker": list(markers or ("ines",))}
        )

    def looks(self) -> list[SecondLook]:
        return SecondMarking(self.marking).looks.of("warm-up")

    def second(self, browser: Browser, student: str, **fields: Any) -> Any:
        return browser.post(f"{MARK}/q3/second/{self.answer(student).ref}", fields)

    def decide(self, browser: Browser, student: str, holds: str) -> Any:
        return browser.post(f"{MARKING}/q3/{self.answer(student).ref}", {"holds": holds})


@pytest.fixture
def looks(tables: Tables) -> Looks:
    return Looks(tables)


def test_a_share_is_drawn_and_goes_to_others_than_who_marked_first(looks: Looks) -> None:
    assert looks.draw("1", "mia", "ines").status_code == 303
    assert [one.who for one in looks.looks()] == ["ines"]
    looks.draw("60", "mia", "ines")  # two of three, of which one is drawn already
    assert len(looks.looks()) == 2
    looks.draw("60", "mia", "ines")
    assert len(looks.looks()) == 2
    looks.draw("100", "hana", "ines")
    assert len({one.student for one in looks.looks()}) == 3
    assert {one.who for one in looks.looks()} == {"ines", "hana"}  # who has fewest is asked


@pytest.mark.parametrize(("percent", "marker"), [("0", "ines"), ("200", "ines"), ("10", "mia")])
def test_a_sample_of_nothing_or_by_nobody_else_is_refused(
    looks: Looks, percent: str, marker: str
) -> None:
    assert looks.draw(percent, marker).status_code == 422
    assert looks.looks() == []


def test_a_marker_of_a_section_is_asked_for_that_section_alone(looks: Looks) -> None:
    looks.draw("100", "max")
    assert [(one.student, one.who) for one in looks.looks()] == [("cem", "max")]


def test_the_second_marker_sees_nothing_of_the_first_marks(looks: Looks) -> None:
    looks.draw()
    ref = looks.answer("ada").ref
    assert "3 second looks" in looks.ines.get(MARK).text
    led = looks.ines.get(f"{MARK}/q3/second").headers["location"]
    assert led.startswith(f"{MARK}/q3/second/")
    to_it = looks.ines.get(f"{MARK}/q3/{ref}")
    assert to_it.headers["location"] == f"{MARK}/q3/second/{ref}"
    page = looks.ines.get(to_it.headers["location"]).text
    assert "mia" not in page and "checked data-points" not in page
    work = looks.ines.get(f"{MARK}/q3/{ref}/work").text
    assert "Of the first marker." not in work and "1 of 2" not in work
    assert ref not in looks.ines.get(f"{MARK}/q3/items/{looks.why.id}").text
    assert looks.ines.post(f"{MARK}/q3/{ref}", {"seen": "0", "adjustment": "1"}).status_code == 422
    assert looks.points("ada") == 1


def test_who_was_not_asked_gives_no_second_marks_and_nobody_gives_them_twice(looks: Looks) -> None:
    looks.draw()
    assert looks.second(looks.mia, "ada", adjustment="2").status_code == 422
    assert looks.second(looks.ines, "ada", adjustment="2").status_code == 303
    assert looks.second(looks.ines, "ada", adjustment="0").status_code == 422
    assert looks.points("ada") == 1  # the mark is still the first one
    assert [one.points for one in looks.looks() if one.student == "ada"] == [2]


def test_agreement_is_of_the_marks_before_anybody_decided(looks: Looks) -> None:
    looks.draw()
    looks.second(looks.ines, "ada", item=str(looks.why.id))
    looks.second(looks.ines, "ben", adjustment="0.5", comment="Rather vague.")
    looks.second(looks.ines, "cem", item=str(looks.why.id))
    before = SecondMarking(looks.marking).agreement(looks.question)
    assert before is not None
    assert (before.answers, before.equal, before.decisions) == (3, 2, 3)
    assert before.difference == Fraction(-1, 6)
    page = looks.hana.get(MARKING).text
    assert "2 of 3" in page and "−0.17" in page and "1 to decide" in page
    shown = looks.hana.get(f"{MARKING}/q3").text
    assert "Rather vague." in shown and "by mia" in shown and "by ines" in shown
    assert looks.mia.get(f"{MARKING}/q3").status_code == 404
    looks.decide(looks.hana, "ben", "second")
    assert SecondMarking(looks.marking).agreement(looks.question) == before


def test_two_marks_that_differ_are_shown_with_all_that_makes_them(looks: Looks) -> None:
    looks.tables.course.people.put("mia", name="Mia Berg", role=Role.MARKER)
    looks.save(looks.mia, "ben", item=str(looks.why.id), adjustment="0.5")
    looks.draw()
    looks.second(looks.ines, "ben", item=str(looks.why.id), adjustment="-0.25")
    shown = looks.hana.get(f"{MARKING}/q3").text
    assert "Difference 1 of 1" in shown and "by Mia Berg" in shown
    beside = re.findall(r'Beside the items <span class="soft">([^<]+)</span>', shown)
    assert beside == ["+0.5", "−0.25"]  # 1 for the item, and this
    assert ">−0.75<" in looks.hana.get(MARKING).text


def test_a_sample_that_is_drawn_already_is_said(looks: Looks) -> None:
    assert looks.draw("50").status_code == 303
    again = looks.draw("50")
    assert again.status_code == 422 and "second looks at 50 %" in again.text


def test_the_second_marks_hold_when_a_head_marker_says_so_with_their_history(looks: Looks) -> None:
    looks.draw()
    looks.second(looks.ines, "ben", adjustment="0.5", comment="Rather vague.")
    assert looks.decide(looks.mia, "ben", "second").status_code == 404
    assert looks.decide(looks.hana, "ben", "second").status_code == 303
    assert looks.points("ben") == Decimal("0.5")
    mark = looks.mark("ben")
    assert (mark.who, mark.says.comment) == ("hana", "Rather vague.")
    assert "ines hold over those of mia" in mark.why
    assert looks.decide(looks.hana, "ben", "first").status_code == 422  # decided already


def test_the_first_marks_stand_or_a_head_marker_marks_anew(looks: Looks) -> None:
    looks.draw()
    for student in ("ada", "ben"):
        looks.second(looks.ines, student, adjustment="0.5")
    looks.decide(looks.hana, "ada", "first")
    assert looks.points("ada") == 1
    page = looks.hana.get(f"{MARK}/q3/{looks.answer('ben').ref}").text
    assert "Two markers differ" in page
    looks.save(looks.hana, "ben", adjustment="0.75")
    assert looks.points("ben") == Decimal("0.75")
    outcomes = {one.student: (one.outcome, one.decided_by) for one in looks.looks()}
    assert outcomes["ada"] == ("first", "hana")
    assert outcomes["ben"] == ("anew", "hana")
    assert looks.decide(looks.hana, "ada", "third").status_code == 422
    page = looks.hana.get(f"{MARKING}/q3").text
    assert "the first marks" in page and "marked anew" in page


def test_a_second_look_at_an_answer_that_was_replaced_asks_nobody_any_more(looks: Looks) -> None:
    looks.draw()
    looks.again("ada", answer="Something else.")
    waiting = SecondMarking(looks.marking).waiting(looks.question, "ines")
    assert {a.student for a in waiting} == {"ben", "cem"}


def test_the_dashboard_leads_to_what_is_to_be_looked_at_again(looks: Looks) -> None:
    looks.draw("100", "ines", "max")
    due = f'href="{MARK}/q3/second">q3: {{}} to look at again'
    mine = sum(one.who == "ines" for one in looks.looks())
    assert due.format(mine) in looks.ines.get("/c/course/").text
    assert "to look at again" not in looks.mia.get("/c/course/").text
    for one in looks.looks():
        if one.who == "ines":
            looks.second(looks.ines, one.student, adjustment="0.5")
    assert "to look at again" not in looks.ines.get("/c/course/").text
    differing = f'href="{MARKING}">{mine} marked differently'
    assert differing in looks.hana.get("/c/course/").text
    assert "marked differently" not in looks.mia.get("/c/course/").text
    student = next(one.student for one in looks.looks() if one.who == "ines")
    looks.again(student, answer="Another one.")  # nobody is to look at what was replaced
    left = f">{mine - 1} marked differently" if mine > 1 else "0"
    page = looks.hana.get("/c/course/").text
    assert left in page if mine > 1 else "marked differently" not in page


def test_whoever_is_asked_for_a_second_look_is_told(looks: Looks) -> None:
    looks.tables.desk.courses["course"] = replace(looks.tables.course, sends_mail=True)
    assert looks.draw("100", "ines").status_code == 303
    assert "You are asked for second looks" in looks.ines.get("/c/course/").text
    assert "You are asked for second looks" not in looks.mia.get("/c/course/").text
    mails = looks.tables.course.outbox.newest()
    assert [(mail.kind, mail.person) for mail in mails] == [(News.SECOND_LOOKS, "ines")]
    assert looks.ines.get(str(mails[0].facts["page"])).status_code == 200
    assert "You are asked for second looks" not in looks.ines.get("/c/course/").text
    looks.draw("100", "ines")  # nothing more is asked
    assert len(looks.tables.course.outbox.newest()) == 1


def test_a_second_look_of_which_nobody_can_be_told_is_not_asked_for(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    monkeypatch.setattr("grader.desk.notices.put_notifications", full)
    assert looks.draw("100", "ines").status_code == 503
    assert looks.looks() == []
    assert not looks.tables.course.audit.newest("course", action="draw second looks")


def test_second_marks_that_could_not_be_kept_are_kept_when_they_are_sent_again(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks.draw("100", "ines")

    def full(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("grader.gradebook.second_looks.SecondLooks.mark", full)
        assert looks.second(looks.ines, "ada", adjustment="2", key="k1").status_code == 503
    for _ in range(2):
        assert looks.second(looks.ines, "ada", adjustment="2", key="k1").status_code == 303
    (ada,) = [one for one in looks.looks() if one.student == "ada"]
    assert ada.points == 2
