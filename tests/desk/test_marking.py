"""Marking: without names, in one's own order, nothing overwritten, items that re-score."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event

from grader.api.answer_marking import Marks
from grader.api.rubric_changes import RubricChanges
from grader.errors import GradebookError
from grader.gradebook.hand_marks import Change
from grader.gradebook.rubric_items import LEASE
from grader.grading.verdict import Outcome
from tests.desk.conftest import Tables
from tests.desk.piles import MARK, MARKING, Pile
from tests.desk.test_publishing import publish


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is asked of a database meanwhile."""
    found: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", hear)


@pytest.fixture
def pile(tables: Tables) -> Pile:
    return Pile(tables)


def test_marks_are_those_of_the_record_and_everything_else_counts_them(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1.5")
    mia = pile.tables.browser("mia")
    saved = pile.save(mia, "ada", item=str(item.id), comment="Good.", adjustment="0,25")
    assert saved.status_code == 303
    assert pile.points("ada") == Decimal("1.75")
    assert (pile.mark("ada").who, pile.mark("ada").says.comment) == ("mia", "Good.")
    hana = pile.tables.browser("hana")
    assert not re.search(r"\b1\.75\b", pile.tables.browser("ada").get("/c/course/a/warm-up").text)
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
    change = {"says": item.says, "points": "0.5", "seen": item.version}
    assert mia.post(f"{MARK}/q3/items/{item.id}", change).status_code == 404
    asked = hana.post(f"{MARK}/q3/items/{item.id}", change)
    assert "2 marks change" in asked.text and "2: 1 → 0.5" in asked.text
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [1, 1, 2]
    done = hana.post(f"{MARK}/q3/items/{item.id}", {**change, "sure": "1"})
    assert done.status_code == 303
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [Decimal("0.5"), Decimal("0.5"), 2]
    assert pile.mark("ada").says.comment == "to ada"
    history = [m for m in pile.tables.course.gradebook.hand_marks.history() if m.fact.part == "q3"]
    assert [m.says.points for m in history if m.fact.student == "ada"] == [1, Decimal("0.5")]


def test_an_item_and_the_marks_that_it_changes_are_one_transaction(
    pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = pile.item("Says that exp overflows", "1")
    hana = pile.tables.browser("hana")
    pile.save(hana, "ada", item=str(item.id))
    change = {"says": item.says, "points": "0.5", "seen": item.version, "sure": "1"}
    begin = {"begins": "all", "seen": "none", "sure": "1"}
    with monkeypatch.context() as broken:

        def full(*_: object, **__: object) -> None:
            raise GradebookError("the disk is full")

        broken.setattr("grader.api.rubric_changes.put_marks", full)
        assert hana.post(f"{MARK}/q3/items/{item.id}", change).status_code == 503
        assert hana.post(f"{MARK}/q3/rubric", begin).status_code == 503
    rubric = pile.marking.items.rubric("warm-up", "q3")
    assert rubric.items == (item,) and not rubric.begins_with_all
    assert "change a rubric" not in pile.log()
    assert hana.post(f"{MARK}/q3/items/{item.id}", change).status_code == 303  # and once more
    assert pile.points("ada") == Decimal("0.5")
    assert hana.post(f"{MARK}/q3/rubric", begin).status_code == 303
    assert pile.points("ada") == 2
    assert {"change a rubric", "change a rubric item"} <= pile.log()


def test_who_saves_while_an_item_is_changed_gets_no_points_of_the_old_one(
    pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = pile.item("Says that exp overflows", "1")
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    pile.save(mia, "ada", item=str(item.id))
    rescored, waiting = RubricChanges.rescored, ["ben"]

    def meanwhile(self: RubricChanges, *given: Any) -> Any:
        found = rescored(self, *given)
        if waiting:
            assert pile.save(mia, waiting.pop(), item=str(item.id)).status_code == 303
        return found

    monkeypatch.setattr(RubricChanges, "rescored", meanwhile)
    change = {"says": item.says, "points": "0.5", "seen": item.version, "sure": "1"}
    assert hana.post(f"{MARK}/q3/items/{item.id}", change).status_code == 303
    assert [pile.points(s) for s in ("ada", "ben")] == [Decimal("0.5")] * 2

    item = pile.marking.items.rubric("warm-up", "q3").items[0]
    late = Marks(items=[item.id])
    with ThreadPoolExecutor(1) as thread:

        def save_late(*_: object) -> None:
            answers = [pile.answer("cem")]
            saved.append(
                thread.submit(
                    pile.marking.save,
                    pile.question,
                    answers,
                    late,
                    who="mia",
                    seen=0,
                    now=pile.tables.now,
                )
            )
            with pytest.raises(TimeoutError):  # it waits for the item
                saved[0].result(timeout=0.3)

        saved: list[Future[Decimal]] = []
        new = replace(item, points=Decimal("1.5"))
        pile.rubric.change_item(new, was=item, who="hana", beside=save_late)
        assert saved[0].result() == Decimal("1.5")
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [Decimal("1.5")] * 3


def test_of_two_who_change_one_item_the_second_is_shown_both(
    pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = pile.item("Says that exp overflows", "1")
    hana, ines = pile.tables.browser("hana"), pile.tables.browser("ines")
    path = f"{MARK}/q3/items/{item.id}"
    assert f'name="seen" value="{item.version}"' in ines.get(path).text
    first = {"says": "Names the overflow", "points": "0.5", "seen": item.version, "sure": "1"}
    assert hana.post(path, first).status_code == 303
    second = {"says": "Says why", "points": "2", "seen": item.version, "sure": "1"}
    told = ines.post(path, second)
    assert told.status_code == 409
    assert "It now says “Names the overflow” (+0.5)" in told.text
    assert 'value="Says why"' in told.text and 'name="points" value="2"' in told.text
    (now,) = pile.marking.items.rubric("warm-up", "q3").items
    assert (now.says, now.points) == ("Names the overflow", Decimal("0.5"))
    again = dict(re.findall(r'name="(seen)" value="(\w+)"', told.text))
    assert ines.post(path, {**second, **again}).status_code == 303
    (now,) = pile.marking.items.rubric("warm-up", "q3").items
    assert now.says == "Says why"

    rescored = RubricChanges.rescored  # and where the first is quicker by a moment

    def meanwhile(self: RubricChanges, *given: Any) -> Any:
        monkeypatch.setattr(RubricChanges, "rescored", rescored)
        quick = replace(now, points=Decimal(1))
        pile.rubric.change_item(quick, was=now, who="hana")
        return rescored(self, *given)

    monkeypatch.setattr(RubricChanges, "rescored", meanwhile)
    late = ines.post(path, {**second, "points": "1.5", "seen": now.version})
    assert late.status_code == 409 and "(+1)" in late.text
    assert 'name="points" value="1.5"' in late.text


def test_of_two_who_change_with_what_answers_begin_the_second_is_told(pile: Pile) -> None:
    hana = pile.tables.browser("hana")
    assert hana.post(f"{MARK}/q3/rubric", {"begins": "all", "seen": "none"}).status_code == 303
    told = hana.post(f"{MARK}/q3/rubric", {"begins": "none", "seen": "none"})
    assert told.status_code == 409 and "an answer now begins with all points" in told.text
    assert 'value="none" checked' in told.text
    assert pile.marking.items.rubric("warm-up", "q3").begins_with_all


def test_an_answer_alike_that_somebody_marks_meanwhile_keeps_that_mark(pile: Pile) -> None:
    before = [pile.answer(student) for student in ("ada", "ben", "cem")]
    pile.save(pile.tables.browser("hana"), "ben", adjustment="2")
    marks = Marks(adjustment=Decimal(1))
    pile.marking.save(pile.question, before, marks, who="mia", seen=0, now=pile.tables.now)
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [1, 2, 1]
    assert pile.marking.items.markings("warm-up", "q3")["ben"].who == "hana"


def test_answers_that_are_the_same_to_the_letter_are_marked_at_once_when_asked(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    page = mia.get(f"{MARK}/q3/{pile.answer('ada').ref}").text
    assert "2 other answers" in page
    pile.save(mia, "ada", adjustment="1")
    assert [pile.points(s) for s in ("ben", "cem")] == [None, None]
    pile.save(mia, "ben", adjustment="2", same="1")
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [1, 2, 2]


def test_how_many_answers_were_marked_at_once_is_said_after_saving_and_in_the_progress(
    pile: Pile,
) -> None:
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    pile.again("cem", answer="Another answer.")
    said = "2 answers that are the same to the letter have these marks now"
    stays = pile.save(mia, "ada", adjustment="2", same="1", then="stay").headers["location"]
    assert said in mia.get(stays).text
    assert said not in mia.get(stays.partition("?")[0]).text
    assert said not in hana.get(stays).text  # it was not her save
    done = pile.save(mia, "ada", adjustment="1", same="1").headers["location"]
    assert said not in mia.get(done).text  # no other is unmarked, so one alone was saved
    pile.save(hana, "cem", adjustment="1")
    progress = [
        re.sub("<[^>]+>|\\s+", " ", row)
        for row in re.findall(r"<tr>.*?</tr>", hana.get(MARKING).text, re.S)
    ]
    assert not any("along with the same answer" in row for row in progress)  # Ada's was changed
    pile.again("ada", answer="Ada's new answer.")
    pile.again("ben", answer="Ada's new answer.")
    leads = pile.save(mia, "ben", adjustment="2", same="1").headers["location"]
    assert said in mia.get(leads).text and "All 3 answers are marked" in mia.get(leads).text
    [of_mia] = [r for r in re.findall(r"<tr>.*?</tr>", hana.get(MARKING).text, re.S) if "mia" in r]
    assert "1 along with the same answer" in of_mia


def test_a_section_marks_its_own_answers_and_gives_none_to_others(pile: Pile) -> None:
    of_b = pile.tables.browser("max")
    assert "0 of 1" in of_b.get(MARK).text
    assert of_b.get(f"{MARK}/q3/{pile.answer('ada').ref}").status_code == 404
    pile.save(of_b, "cem", adjustment="1", same="1")
    assert [pile.points(s) for s in ("ada", "ben", "cem")] == [None, None, 1]


def test_another_answer_is_unmarked_again_and_offered_what_the_earlier_one_got(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1.5")
    mia = pile.tables.browser("mia")
    pile.save(mia, "ada", item=str(item.id), adjustment="0.25", comment="Good.")
    pile.again("ada", answer="Something else.")
    assert pile.points("ada") is None
    page = mia.get(f"{MARK}/q3/{pile.answer('ada').ref}").text
    assert "mia gave the answer of an earlier one 1.75 of 2" in " ".join(page.split()).replace(
        "</strong> ", ""
    )
    assert f'value="{item.id}" checked' in page and 'value="0.25"' in page and "Good." in page
    pile.save(mia, "ada", item=str(item.id))
    assert pile.points("ada") == Decimal("1.5")


def test_a_new_try_with_the_same_answer_keeps_its_mark(pile: Pile) -> None:
    pile.save(pile.tables.browser("mia"), "ada", adjustment="2")
    pile.again("ada", answer="Because exp overflows.")
    assert (pile.points("ada"), pile.answer("ada").attempt) == (2, 2)


def test_a_try_that_can_not_be_read_leaves_no_answer_to_mark(pile: Pile) -> None:
    pile.again("ada", answer="", outcome=Outcome.INVALID_SUBMISSION)
    answers = pile.marking.answers(pile.question, marker="x")
    assert sorted(a.student for a in answers) == ["ben", "cem"]


def test_points_from_a_table_are_shown_as_given_and_no_rubric_moves_them(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1")
    mia = pile.tables.browser("mia")
    pile.save(mia, "ada", item=str(item.id))
    fact = pile.marking.fact("ada", pile.question)
    change = Change(
        fact=fact,
        points=Decimal("0.75"),
        max_points=Decimal(2),
        answer_sha256=pile.answer("ada").sha256,
    )
    pile.tables.course.gradebook.hand_marks.record([change], who="hana", why="table")
    page = mia.get(f"{MARK}/q3/{pile.answer('ada').ref}").text
    assert f'value="{item.id}" checked' not in page and 'value="0.75"' in page
    changed = {"says": item.says, "points": "2", "seen": item.version, "sure": "1"}
    pile.tables.browser("hana").post(f"{MARK}/q3/items/{item.id}", changed)
    assert pile.points("ada") == Decimal("0.75")


def test_with_what_answers_begin_is_changed_after_saying_how_many_marks_that_changes(
    pile: Pile,
) -> None:
    item = pile.item("No reason is given", "-0.5")
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    pile.save(mia, "ada", item=str(item.id))
    pile.save(mia, "ben")
    assert (pile.points("ada"), pile.points("ben")) == (Decimal("1.5"), 2)
    change = {"begins": "none", "seen": "all"}
    assert mia.post(f"{MARK}/q3/rubric", change).status_code == 404
    assert "2 marks change" in hana.post(f"{MARK}/q3/rubric", change).text
    assert pile.points("ben") == 2
    hana.post(f"{MARK}/q3/rubric", {**change, "sure": "1"})
    assert (pile.points("ada"), pile.points("ben")) == (0, 0)
    assert "1 of 2" in hana.get(f"{MARK}/q3/rubric").text  # have the item


def test_a_cap_is_an_item_like_any_other(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    pile.item("Says that exp overflows", "2")
    mia.post(f"{MARK}/q3/items", {"says": "Copied", "kind": "cap", "points": "0.5"})
    refused = mia.post(f"{MARK}/q3/items", {"says": "Copied", "kind": "cap", "points": "-1"})
    assert refused.status_code == 422
    whole, cap = pile.marking.items.rubric("warm-up", "q3").items
    assert "at most 0.5" in mia.get(f"{MARK}/q3/{pile.answer('ada').ref}").text
    pile.save(mia, "ada", item=[str(whole.id), str(cap.id)])
    assert pile.points("ada") == Decimal("0.5")


def test_an_item_that_is_sent_twice_is_there_once(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    form = {"says": "Says why", "points": "1", "back": "rubric"}
    led = {mia.post(f"{MARK}/q3/items", form).headers["location"] for _ in range(2)}
    assert led == {f"{MARK}/q3/rubric"}
    assert len(pile.marking.items.rubric("warm-up", "q3").items) == 1
    assert len(pile.tables.course.audit.newest("course", action="add a rubric item")) == 1
    mia.post(f"{MARK}/q3/items", {**form, "points": "0.5"})
    assert len(pile.marking.items.rubric("warm-up", "q3").items) == 2


def test_a_save_that_is_not_in_the_log_is_not_made(
    pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = pile.tables.browser("mia")

    def full(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    monkeypatch.setattr("grader.desk.record.Audit.add", full)
    assert pile.save(mia, "ada", adjustment="1").status_code == 503
    assert mia.post(f"{MARK}/q3/items", {"says": "x", "points": "1"}).status_code == 503
    assert pile.points("ada") is None
    assert not pile.marking.items.rubric("warm-up", "q3").items


def test_a_comment_is_markdown_with_formulas_for_its_reader_and_runs_nothing(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    said = "**Good**: $x^2$ <script>alert(1)</script>![p](https://evil.test/a.png)"
    preview = mia.post(f"{MARK}/q3/preview", {"comment": said}).text
    pile.save(mia, "ada", adjustment="1", comment=said)
    assert publish(pile.tables) == 303
    ada = pile.tables.browser("ada")
    number = pile.tables.course.gradebook.tries.of("ada")[0].id
    for page in (
        preview,
        ada.get(f"/c/course/t/{number}").text,
        ada.get(f"/c/course/t/{number}/result/page").text,
    ):
        assert "<strong>Good</strong>" in page and "<math" in page
        assert "<script>alert" not in page and 'src="https://evil.test' not in page


def test_what_was_said_before_is_offered_whole_the_most_frequent_first(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    long = "And why? " * 60
    for student, comment in (("ada", "Often."), ("ben", "Often."), ("cem", long.strip())):
        pile.save(mia, student, adjustment="1", comment=comment)
    assert pile.marking.comments(pile.question) == ["Often.", long.strip()]
    assert long.strip() in mia.get(f"{MARK}/q3/{pile.answer('ada').ref}").text


def test_who_has_an_item_is_shown_without_names(pile: Pile) -> None:
    item = pile.item("Says that exp overflows", "1")
    mia = pile.tables.browser("mia")
    pile.save(mia, "ada", item=str(item.id))
    page = mia.get(f"{MARK}/q3/items/{item.id}").text
    assert "1 answer has it" in page and pile.answer("ada").ref in page
    assert pile.answer("ben").ref not in page and "Ada" not in page


def test_a_save_and_the_way_to_it_are_one_transaction(
    pile: Pile, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = pile.item("Says that exp overflows", "1")

    def broken(*_: object, **__: object) -> None:
        raise GradebookError("the disk is full")

    monkeypatch.setattr("grader.api.answer_marking.put_markings", broken)
    assert pile.save(pile.tables.browser("mia"), "ada", item=str(item.id)).status_code == 503
    assert pile.points("ada") is None


def test_the_next_answer_and_a_save_ask_the_same_of_the_database_whatever_the_class(
    pile: Pile,
) -> None:
    mia = pile.tables.browser("mia")
    item = pile.item("Says that exp overflows", "1")
    engine = pile.tables.course.gradebook.engine

    def asked() -> tuple[int, int]:
        """Statements of one "next" with its form, and of a save; of a class that was read."""
        mia.get(f"{MARK}/q3")  # and whose order is kept
        with statements(engine) as next_one:
            led = mia.get(f"{MARK}/q3").headers["location"]
            assert mia.get(led).status_code == 200
        form = {"seen": "0", "item": str(item.id), **mia.form("/account")}
        own = {"sec-fetch-site": "same-origin"}
        with statements(engine) as saved:
            mia.client.post(led, data=form, headers=own, follow_redirects=False)
        return len(next_one), len(saved)

    small = asked()
    for number in range(20):
        pile.joins(f"more{number}")
    assert asked() == small
    # Sign-in, shares, the next few answers, leases, the rubric, marks and comments: each once.
    assert small[0] <= 27 and small[1] <= 18, small


@pytest.mark.parametrize("last", [0, 19, 20, -1])
def test_the_only_answer_that_is_left_is_found_wherever_it_is(pile: Pile, last: int) -> None:
    for number in range(100):
        pile.joins(f"more{number}")
    order = pile.marking.answers(pile.question, marker="mia")
    left = order[last]
    marked = [answer for answer in order if answer is not left]
    marks = Marks(adjustment=Decimal(1))
    pile.marking.save(pile.question, marked, marks, who="hana", seen=None, now=pile.tables.now)
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    for after in ("", f"?after={order[0].ref}", f"?after={left.ref}", f"?after={order[-2].ref}"):
        assert mia.get(f"{MARK}/q3{after}").headers["location"] == f"{MARK}/q3/{left.ref}"
    hana.get(f"{MARK}/q3/{left.ref}")
    led = mia.get(f"{MARK}/q3")
    assert led.status_code == 200
    assert "1 of 103 is open with other markers" in led.text
    pile.save(hana, left.student, adjustment="2")
    assert "All 103 answers are marked" in mia.get(f"{MARK}/q3").text


def test_who_is_signed_out_while_marking_gets_the_words_back(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    address = f"{MARK}/q3/{pile.answer('ada').ref}"
    comment = "Well said, but <b>why</b> is it $x^2$?"
    form = {"seen": "0", "adjustment": "1", "comment": comment, **mia.form("/account")}
    own = {"sec-fetch-site": "same-origin"}
    mia.post("/sign-out", {})
    out = mia.client.post(address, data=form, headers=own)
    assert out.status_code == 401 and "Nothing was saved" in out.text
    assert "Well said, but &lt;b&gt;why&lt;/b&gt; is it $x^2$?" in out.text
    assert 'href="/sign-in"' in out.text
    again = pile.tables.browser("mia")  # in another tab; the page is still the one of before
    stale = again.client.post(address, data=form, headers=own)
    assert stale.status_code == 403 and "an earlier sign-in" in stale.text
    assert "Well said" in stale.text
    assert pile.points("ada") is None


def test_no_other_site_puts_words_into_the_desks_pages(pile: Pile) -> None:
    address = f"{MARK}/q3/{pile.answer('ada').ref}"
    for client in (pile.tables.browser("mia").client, pile.tables.stranger().client):
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}):
            answer = client.post(address, data={"comment": "Buy this"}, headers=headers)
            assert answer.status_code in (401, 403)
            assert "Buy this" not in answer.text


def test_a_save_leads_to_the_next_answer_itself(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    led = mia.get(f"{MARK}/q3").headers["location"]
    form = {"seen": "0", "adjustment": "1", **mia.form("/account")}
    seen = [led]
    while True:
        own = {"sec-fetch-site": "same-origin"}
        done = mia.client.post(seen[-1], data=form, headers=own, follow_redirects=False)
        assert done.status_code == 303
        led = done.headers["location"]
        if "?after=" in led:  # nothing is left: the page says so
            break
        assert mia.get(led).status_code == 200
        seen.append(led)
    assert len(seen) == len(set(seen)) > 1
    assert mia.get(led).status_code == 200


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
    gone = replace(item, retired=True)
    pile.rubric.change_item(gone, was=item, who="hana")
    answer = pile.save(pile.tables.browser("mia"), "ada", item=str(item.id))
    assert answer.status_code == 422
    assert pile.points("ada") is None
