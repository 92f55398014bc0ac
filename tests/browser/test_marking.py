"""Two markers at once in a real browser: keys, sums, comments, conflicts, a second look."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from tests.browser.serving import Served

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_two_markers_at_once(served: Served) -> None:
    mia, hana = served.sign_in("mia"), served.sign_in("hana")
    served.item("Names the overflow", "1")
    served.item("Says that a shift changes nothing", "1.5")
    marking = served.marking
    marking.items.add("warm-up", "q3", "Copied", Decimal(0), cap=Decimal("0.5"))
    shared = served.opened(mia)
    assert served.opened(hana) != shared
    sums_are_the_servers(served, mia)
    keys_are_for_marking_alone(mia)
    a_comment_is_shown_as_the_student_reads_it(mia)

    hana.goto(shared)
    assert "mia has it open now" in hana.inner_text("main")
    hana.fill("[name=adjustment]", "0.25")
    hana.fill("[data-comment]", "Hm.")
    mia.keyboard.press("Control+Enter")
    mia.wait_for_url(lambda url: url != shared)
    hana.click("button.main")
    told = hana.wait_for_selector("[role=alert]").inner_text()
    assert "mia gave 1 of 2: Names the overflow" in told
    assert hana.input_value("[data-comment]") == "Hm."  # what was not saved is not lost

    keys_can_be_switched_off(mia)
    a_second_look_shows_no_first_marks(served, hana)
    assert served.complaints == []


def sums_are_the_servers(served: Served, page: Any) -> None:
    """Whatever is ticked, the page shows the points that a save would give."""
    rubric = served.marking.items.rubric("warm-up", "q3")
    boxes = page.query_selector_all("[name=item]")
    for size in range(len(boxes) + 1):
        for ticked in itertools.combinations(range(len(boxes)), size):
            for beside in ("", "-0,5", "1"):
                for number, box in enumerate(boxes):
                    box.set_checked(number in ticked)
                page.fill("[name=adjustment]", beside)
                points = rubric.points(
                    [rubric.items[number].id for number in ticked],
                    Decimal(beside.replace(",", ".") or 0),
                    served.question.manual,
                )
                assert Decimal(page.inner_text("[data-total]")) == points, (ticked, beside)
    for box in boxes:
        box.set_checked(False)
    page.fill("[name=adjustment]", "")


def keys_are_for_marking_alone(page: Any) -> None:
    """A digit ticks an item; in a field it is a digit, and behind the sheet of keys nothing."""
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    assert page.inner_text("[data-total]") == "1"
    page.keyboard.press("c")
    page.keyboard.type("1 2 s n")
    assert page.input_value("[data-comment]") == "1 2 s n"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    where = page.url
    page.keyboard.press("1")
    page.keyboard.press("n")
    assert page.inner_text("[data-total]") == "1"
    assert page.url == where
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="hidden")


def a_comment_is_shown_as_the_student_reads_it(page: Any) -> None:
    page.fill("[data-comment]", "**Good**, and $x^2$?")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    page.wait_for_selector("[data-shown] math")
    assert page.inner_text("[data-shown] strong") == "Good"
    for answer in (lambda route: route.abort(), lambda route: route.fulfill(status=502, body="")):
        page.route("**/preview", answer)
        page.fill("[data-comment]", "**Better**")
        page.wait_for_selector("text=There is no preview now")
        assert page.input_value("[data-comment]") == "**Better**"
        page.unroute("**/preview")
        page.fill("[data-comment]", "**Good**, and $x^2$?")
        page.wait_for_selector("[data-shown] math")


def keys_can_be_switched_off(page: Any) -> None:
    page.wait_for_selector("[data-mark]")
    page.click("[data-open-help]")
    page.uncheck("[data-keys]")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.reload()
    page.keyboard.press("1")
    assert not page.is_checked("[name=item] >> nth=0")
    assert not page.is_checked("[data-keys]")


def a_second_look_shows_no_first_marks(served: Served, hana: Any) -> None:
    hana.goto(f"{served.origin}/c/course/a/warm-up/marking")
    hana.click("summary:has-text('Draw a sample')")
    hana.fill("[name=percent]", "100")
    for box in hana.query_selector_all("[name=marker]"):
        box.set_checked(box.get_attribute("value") == "ines")
    hana.click("button:has-text('Draw')")
    hana.wait_for_load_state()
    ines = served.sign_in("ines", java_script_enabled=False)
    served.opened(ines, "mark/q3/second")
    assert "mia" not in ines.inner_text("main")
    ines.check("[name=item] >> nth=1")
    ines.click("button.main")
    ines.wait_for_selector("text=No second look waits for you")
    hana.goto(f"{served.origin}/c/course/a/warm-up/marking/q3")
    hana.click("button:has-text('These hold') >> nth=1")
    hana.wait_for_selector("text=No difference waits")
    given = [served.points(student) for student in ("ada", "ben", "cem")]
    assert [points for points in given if points is not None] == [Decimal("1.5")]
