"""Marking: without names, in one's own order, nothing overwritten, items that re-score."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.api.answer_marking import AnswerMarking, AnswerRef
from grader.course.spec import Question
from grader.gradebook.rubric_items import LEASE, RubricItem, points_of
from tests.desk.conftest import Browser, Tables

MARK = "/c/course/a/warm-up/mark"


class Pile:
    """The answers to one question, and how people mark them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        for student in ("ada", "ben", "cem"):
            tables.judged(student)

    @property
    def marking(self) -> AnswerMarking:
        return self.tables.course.marking(self.tables.course.course.assignment("warm-up"))

    @property
    def question(self) -> Question:
        found = self.marking.question("q3")
        assert found is not None
        return found

    def answer(self, student: str) -> AnswerRef:
        answers = self.marking.answers(self.question, marker="x")
        return next(a for a in answers if a.student == student)

    def points(self, student: str) -> Decimal | None:
        return self.answer(student).points

    def item(self, says: str, points: str) -> RubricItem:
        return self.marking.items.add("warm-up", "q3", says, Decimal(points))

    def save(self, browser: Browser, student: str, **fields: Any) -> Any:
        answer = self.answer(student)
        seen = str(answer.mark.id) if answer.mark else "0"
        return browser.post(f"{MARK}/q3/{answer.ref}", {"seen": seen, **fields})


@pytest.fixture
def pile(tables: Tables) -> Pile:
    return Pile(tables)


def test_marks_are_those_of_the_record_and_everything_else_counts_them(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1.5")
    mia = pile.tables.browser("mia")
    saved = pile.save(mia, "ada", item=str(item.id), comment="Good.", adjustment="0,25")
    assert saved.status_code == 303
    assert pile.points("ada") == Decimal("1.75")
    mark = pile.answer("ada").mark
    assert mark is not None and (mark.who, mark.says.comment) == ("mia", "Good.")
    hana = pile.tables.browser("hana")
    assert "1.75" not in pile.tables.browser("ada").get("/c/course/a/warm-up").text
    assert "6.75 of 10" in hana.get("/c/course/a/warm-up/publish").text


def test_no_page_of_marking_names_a_student(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    answer = pile.answer("ada")
    paths = [MARK, f"{MARK}/q3/{answer.ref}", f"{MARK}/q3/{answer.ref}/work"]
    for path in paths:
        html = mia.get(path).text
        assert not re.search(r"\b(ada|Ada|ben|Ben|cem|Cem)\b", html), path


def test_each_marker_has_an_order_of_their_own_that_stays(pile: Pile) -> None:
    def order(marker: str) -> list[str]:
        return [a.student for a in pile.marking.answers(pile.question, marker=marker)]

    orders = {tuple(order(f"marker {i}")) for i in range(30)}
    assert len(orders) > 3
    assert order("mia") == order("mia")


def test_two_markers_are_led_to_different_answers_until_a_lease_is_over(pile: Pile) -> None:
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    opened = set()
    for browser in (mia, hana):
        led = browser.get(f"{MARK}/q3")
        assert led.status_code == 303
        browser.get(led.headers["location"])
        opened.add(led.headers["location"].rpartition("/")[2])
    assert len(opened) == 2
    leases = pile.marking.items.leases("warm-up", "q3", now=pile.tables.now)
    assert set(leases.values()) == {"mia", "hana"}
    assert not pile.marking.items.leases("warm-up", "q3", now=pile.tables.now + 2 * LEASE)
    theirs = pile.marking.items.leases("warm-up", "q3", now=pile.tables.now)
    student = next(s for s, who in theirs.items() if who == "hana")
    assert "hana has it open now" in mia.get(f"{MARK}/q3/{pile.answer(student).ref}").text


def test_who_saves_second_is_shown_both_and_overwrites_nothing(pile: Pile) -> None:
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    answer = pile.answer("ada")
    first = mia.post(f"{MARK}/q3/{answer.ref}", {"seen": "0", "adjustment": "2", "comment": "A"})
    assert first.status_code == 303
    second = hana.post(f"{MARK}/q3/{answer.ref}", {"seen": "0", "adjustment": "1", "comment": "B"})
    assert second.status_code == 409
    assert "mia gave 2" in second.text
    assert pile.points("ada") == 2
    assert pile.save(hana, "ada", adjustment="1").status_code == 303
    assert pile.points("ada") == 1


def test_an_item_that_is_changed_rescores_everybody_after_saying_how_many(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1")
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    for student in ("ada", "ben"):
        pile.save(mia, student, item=str(item.id), comment=f"to {student}")
    pile.save(mia, "cem", adjustment="2")
    change = {"says": item.says, "points": "0.5"}
    assert mia.post(f"{MARK}/q3/items/{item.id}", change).status_code == 404
    asked = hana.post(f"{MARK}/q3/items/{item.id}", change)
    assert "2 marks change" in asked.text
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [1, 1, 2]
    done = hana.post(f"{MARK}/q3/items/{item.id}", {**change, "sure": "1"})
    assert done.status_code == 303
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [Decimal("0.5"), Decimal("0.5"), 2]
    mark = pile.answer("ada").mark
    assert mark is not None and mark.says.comment == "to ada"
    history = [m for m in pile.tables.course.gradebook.hand_marks.history() if m.fact.part == "q3"]
    assert [m.says.points for m in history if m.fact.student == "ada"] == [1, Decimal("0.5")]


def test_answers_that_are_the_same_to_the_letter_are_marked_at_once_when_asked(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    page = mia.get(f"{MARK}/q3/{pile.answer('ada').ref}").text
    assert "2 other answers" in page
    pile.save(mia, "ada", adjustment="1")
    assert [pile.points(s) for s in ("ben", "cem")] == [None, None]
    pile.save(mia, "ben", adjustment="2", same="1")
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [1, 2, 2]


def test_a_section_marks_its_own_answers_and_gives_none_to_others(pile: Pile) -> None:
    of_b = pile.tables.browser("max")
    assert "0 of 1" in of_b.get(MARK).text
    assert of_b.get(f"{MARK}/q3/{pile.answer('ada').ref}").status_code == 404
    pile.save(of_b, "cem", adjustment="1", same="1")
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [None, None, 1]


def test_new_bytes_are_unmarked_again(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    pile.save(mia, "ada", adjustment="2")
    tables = pile.tables
    tables.browser("ada").hand_in(key="again")
    one = tables.course.gradebook.tries.of("ada")[0]
    batch = tables.course.gradebook.start_batch("warm-up", seed=1)
    verdict = msgspec.structs.replace(tables.verdict(one), answers={"q3": "Something else."})
    tables.course.gradebook.record(verdict, None, batch=batch, desk_try=one.id)
    assert pile.points("ada") is None


@pytest.mark.parametrize("points", ["", "9", "many", "1e9", "nan", "-inf", "0.001"])
def test_what_is_no_number_of_points_is_refused_with_a_sentence(pile: Pile, points: str) -> None:
    answer = pile.save(pile.tables.browser("mia"), "ada", adjustment=points)
    if points in ("", "9"):  # nothing beside the items; more than all is all
        assert answer.status_code == 303
        assert pile.points("ada") in (0, 2)
    else:
        assert answer.status_code == 422
        assert pile.points("ada") is None


def test_an_item_that_was_taken_away_meanwhile_gives_nothing(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1")
    pile.marking.items.change(item.id, says=item.says, points=item.points, retired=True)
    answer = pile.save(pile.tables.browser("mia"), "ada", item=str(item.id))
    assert answer.status_code == 422
    assert pile.points("ada") is None


_POINTS = st.decimals(-5, 5, places=2)


@given(st.lists(_POINTS, max_size=6), st.sets(st.integers(0, 5)), _POINTS, st.integers(1, 10))
def test_points_are_within_the_question_and_what_takes_off_begins_with_all(
    worth: list[Decimal], chosen: set[int], adjustment: Decimal, most: int
) -> None:
    items = [RubricItem(id=i, says="x", points=p) for i, p in enumerate(worth)]
    points = points_of(items, chosen, adjustment, Decimal(most))
    assert 0 <= points <= most
    if items and all(p <= 0 for p in worth):
        assert points_of(items, (), Decimal(0), Decimal(most)) == most
    else:
        assert points_of(items, (), Decimal(0), Decimal(most)) == 0
