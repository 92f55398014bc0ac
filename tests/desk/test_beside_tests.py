"""Points beside the machine's, given at the desk."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.desk.conftest import HOMEWORK, Tables
from tests.desk.piles import MARK, Pile
from tests.desk.test_publishing import publish
from tests.helpers.notebooks import code, notebook


@pytest.fixture
def pile(tables: Tables) -> Pile:
    return Pile(tables)


def ref(pile: Pile, student: str, question: str = "q2") -> str:
    chosen = next(q for q in pile.marking.tested_questions() if q.id == question)
    return next(a.ref for a in pile.marking.tested(chosen, marker="") if a.student == student)


def seen(pile: Pile, student: str) -> str:
    chosen = next(q for q in pile.marking.tested_questions() if q.id == "q2")
    own = next(a for a in pile.marking.tested(chosen, marker="") if a.student == student)
    return str(own.mark.id) if own.mark else "0"


def test_a_line_mended_gives_part_of_a_question_with_a_comment(pile: Pile) -> None:
    mia, path = pile.tables.browser("mia"), f"{MARK}/q2/tests/{ref(pile, 'ada')}"
    page = mia.get(path).text
    assert "The tests gave <strong>0</strong> of 3" in page and "Ada" not in page
    assert "Means must be right." in mia.get(f"{path}/work").text
    form = {"seen": "0", "adjustment": "+2", "comment": "The `.cuda()` line mended."}
    assert mia.post(path, form).status_code == 303
    listed = mia.get(f"{MARK}/q2/tests").text
    assert "+2" in listed and "0 of 3" in listed
    number = pile.tables.course.gradebook.tries.of("ada")[0].id
    ada, hers = (
        pile.tables.browser("ada"),
        [f"/c/course/t/{number}", f"/c/course/t/{number}/result/page"],
    )
    for page in ("/c/course/", *hers):
        before = ada.get(page).text
        assert "line mended" not in before and "<strong>7</strong>" not in before, page
    assert publish(pile.tables) == 303
    assert "<strong>7</strong>" in ada.get("/c/course/").text
    for page in hers:
        after = ada.get(page).text
        assert "2 of 3" in re.sub("<[^>]*>", "", after)
        assert "<code>.cuda()</code> line mended" in after


def test_points_beside_the_tests_stay_within_the_question(pile: Pile) -> None:
    mia, path = pile.tables.browser("mia"), f"{MARK}/q2/tests/{ref(pile, 'ada')}"
    refused = mia.post(path, {"seen": "0", "adjustment": "4"})
    assert refused.status_code == 422 and "+0 to +3" in refused.text
    assert mia.post(path, {"seen": "0", "adjustment": "lots"}).status_code == 422


def test_who_saves_second_overwrites_nothing_and_what_was_given_can_be_taken_back(
    pile: Pile,
) -> None:
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    path = f"{MARK}/q2/tests/{ref(pile, 'ada')}"
    mia.post(path, {"seen": "0", "adjustment": "2", "comment": "The **mean**."})
    second = hana.post(path, {"seen": "0", "adjustment": "1", "comment": "One line is mended."})
    assert second.status_code == 409
    assert "mia gave +2" in second.text and "<strong>mean</strong>" in second.text
    assert 'name="adjustment" value="1"' in second.text
    assert ">One line is mended.</textarea>" in second.text
    assert f'name="seen" value="{seen(pile, "ada")}"' in second.text
    mia.post(path, {"seen": seen(pile, "ada"), "adjustment": "2", "undo": "1"})
    newest = pile.tables.course.gradebook.hand_marks.newest(student="ada")
    assert [m.says.points for m in newest.values() if m.fact.part == "q2"] == [None]


def test_points_beside_the_tests_of_an_earlier_try_are_named_and_do_not_count(pile: Pile) -> None:
    mia, path = pile.tables.browser("mia"), f"{MARK}/q2/tests/{ref(pile, 'ada')}"
    mia.post(path, {"seen": "0", "adjustment": "2"})
    pile.again("ada", answer="Something else.")
    assert "mia gave +2 to an earlier try" in mia.get(path).text
    assert "+2 to an earlier try" in mia.get(f"{MARK}/q2/tests").text
    mia.post(path, {"seen": seen(pile, "ada"), "adjustment": "1"})
    newest = pile.tables.course.gradebook.hand_marks.newest(student="ada")
    assert [m.says.points for m in newest.values() if m.fact.part == "q2"] == [Decimal(1)]


def test_points_of_an_earlier_try_are_offered_where_the_cells_are_the_same(pile: Pile) -> None:
    mia, path = pile.tables.browser("mia"), f"{MARK}/q2/tests/{ref(pile, 'ada')}"
    mia.post(path, {"seen": "0", "adjustment": "2", "comment": "Mended."})
    pile.again("ada", answer="Because exp overflows.", executed=HOMEWORK)
    page = mia.get(path).text
    assert "From the try before, not saved" in page and "mia gave +2" in page
    assert 'name="adjustment" value="+2"' in page and ">Mended.</textarea>" in page
    hana = pile.tables.browser("hana")
    assert "7 of 10" not in hana.get("/c/course/a/warm-up/publish").text  # it does not count yet
    assert mia.post(path, {"seen": seen(pile, "ada"), "adjustment": "+2"}).status_code == 303
    assert "7 of 10" in hana.get("/c/course/a/warm-up/publish").text
    assert "From the try before" not in mia.get(path).text


def test_points_of_an_earlier_try_are_not_offered_for_other_cells(pile: Pile) -> None:
    mia, path = pile.tables.browser("mia"), f"{MARK}/q2/tests/{ref(pile, 'ada')}"
    mia.post(path, {"seen": "0", "adjustment": "2"})
    other = notebook([code("def softmax(x):\n    return x", count=1)])
    pile.again("ada", answer="Because exp overflows.", executed=other)
    page = mia.get(path).text
    assert "From the try before" not in page and 'name="adjustment" value=""' in page
    assert "mia gave +2 to an earlier try" in page


def test_a_marker_of_a_section_sees_the_work_of_that_section_alone(pile: Pile) -> None:
    of_b = pile.tables.browser("max")
    assert of_b.get(f"{MARK}/q2/tests/{ref(pile, 'ada')}").status_code == 404
    assert of_b.get(f"{MARK}/q2/tests/{ref(pile, 'cem')}").status_code == 200
    assert of_b.get(f"{MARK}/q2/tests").text.count("Look at it") == 1
