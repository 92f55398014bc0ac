"""What only a browser does at the desk: clocks, clicks, paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import Served
from tests.desk.conftest import HOMEWORK

pytestmark = pytest.mark.browser
HERE = "/c/course/a/warm-up"


def opened(served: Served, person: str, path: str, **options: Any) -> Any:
    page = served.sign_in(person, **options)
    page.goto(served.origin + path)
    return page


def test_dates_are_in_the_readers_own_zone_and_the_courses_stays_at_hand(served: Served) -> None:
    """It is due on 9 October at 23:59 in Istanbul; the desk's own clock is UTC."""
    for zone, said in (
        ("Asia/Tokyo", "Oct 10, 2099, 5:59 AM"),
        ("America/New_York", "Oct 9, 2099, 4:59 PM"),
    ):
        ada = opened(served, "ada", HERE, timezone_id=zone, locale="en-US")
        time = ada.locator("dt:has-text('Due') + dd time")
        assert time.inner_text().replace("\u202f", " ") == said
        assert "20:59 UTC" in str(time.get_attribute("title"))
    without = opened(served, "ada", HERE, timezone_id="Asia/Tokyo", java_script_enabled=False)
    assert "20:59 UTC" in without.inner_text("dt:has-text('Due') + dd time")


def test_a_second_click_sends_nothing_more(served: Served) -> None:
    ada = opened(served, "ada", HERE)
    before = len(served.tables.course.gradebook.tries.of("ada"))
    sent: list[str] = []
    ada.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    file = {"name": "hw.ipynb", "mimeType": "application/x-ipynb+json", "buffer": HOMEWORK + b"\n"}
    ada.set_input_files("#files", file)
    for button in (".drop button", "text=Hand it in as it is"):  # it is warned of something first
        with ada.expect_navigation():
            ada.locator(button).dblclick()
    assert "/t/" in ada.url
    assert [url.rpartition("/")[2] for url in sent] == ["hand-in", "confirm"]
    assert len(served.tables.course.gradebook.tries.of("ada")) == before + 1

    ines = opened(served, "ines", "/c/course/people")
    pressed: list[str] = []
    ines.on("request", lambda one: pressed.append(one.url) if one.method == "POST" else None)
    with ines.expect_navigation():
        ines.get_by_role("button", name="Make links to print").dblclick()
    assert ines.locator(".slips li").count() == 3 and len(pressed) == 1


def test_a_file_is_dropped_on_the_field_and_one_beside_it_opens_nothing(
    served: Served, tmp_path: Path
) -> None:
    """Dragged as by a hand: a file beside the field would open in place of the page."""
    notebook = tmp_path / "hw.ipynb"
    notebook.write_bytes(HOMEWORK + b"\n\n")
    ada = opened(served, "ada", HERE)
    hand = ada.context.new_cdp_session(ada)

    def drag(place: str, *kinds: str) -> None:
        ada.locator(place).scroll_into_view_if_needed()
        box = ada.locator(place).bounding_box()
        data = {"items": [], "files": [str(notebook)], "dragOperationsMask": 1}
        at = {"x": box["x"] + 5, "y": box["y"] + 5, "data": data}
        for kind in kinds:
            hand.send("Input.dispatchDragEvent", {"type": kind, **at})

    ada.evaluate("addEventListener('dragover', (e) => { window.opens = !e.defaultPrevented; })")
    drag("h1", "dragEnter", "dragOver", "drop")
    assert ada.evaluate("window.opens") is False
    assert ada.evaluate("document.querySelector('#files').files.length") == 0
    drag("[data-drop]", "dragEnter", "dragOver")
    ada.wait_for_selector("[data-drop].over")
    drag("[data-drop]", "drop")
    ada.wait_for_selector("[data-drop]:not(.over)")
    assert ada.evaluate("document.querySelector('#files').files[0].name") == "hw.ipynb"
    assert ada.url.endswith(HERE)


def test_pages_are_printed_black_on_white_without_what_can_only_be_pressed(served: Served) -> None:
    ines = opened(served, "ines", "/c/course/people", color_scheme="dark")
    ines.click("text=Make links to print")
    ines.wait_for_selector(".slips")
    ines.emulate_media(media="print")
    on_paper(ines)
    assert ines.locator(".slips li:visible").count() == 3
    assert not ines.is_visible("text=Print this page")
    for person, path, there, gone in (
        ("ada", "/c/course/marks", ".onpaper", ".top"),
        ("ada", HERE, "h1", ".drop button"),
        ("ines", HERE, "table.list", "form[role=search]"),
        ("ines", "/c/course/roster", "table.list", "#edit"),
        ("ines", "/c/course/groups", "h1", "button"),
    ):
        page = opened(served, person, path, color_scheme="dark")
        page.emulate_media(media="print")
        on_paper(page)
        assert page.locator(there).first.is_visible(), (path, there)
        assert page.locator(gone).count() == 0 or not page.locator(gone).first.is_visible(), path


def on_paper(page: Any) -> None:
    colours = page.evaluate(
        """() => [document.body, document.querySelector("h1")].map(e => {
          const style = getComputedStyle(e);
          return [style.backgroundColor, style.color];
        })"""
    )
    assert colours[0] == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert colours[1][1] == "rgb(0, 0, 0)"
    assert not page.locator(".top, button").locator("visible=true").count()
