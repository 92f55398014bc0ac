"""Reloading, going back and pressing twice in a real browser, with script and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import Served
from tests.desk.piles import ASSIGNMENT, MARK
from tests.desk.test_handing_in import WARNED

pytestmark = pytest.mark.browser
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 3


def posts_of(page: Any) -> list[str]:
    """The forms that a page's browser sends from now on."""
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    return sent


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_asked_before_it_counts_has_a_page_to_go_back_to(
    served: Served, tmp_path: Path, script: bool
) -> None:
    file = tmp_path / "warm-up.ipynb"
    file.write_bytes(WARNED)
    page = served.sign_in("ada", java_script_enabled=script)
    page.goto(f"{served.origin}{ASSIGNMENT}")
    page.set_input_files("#files", file)
    page.click(".drop button")
    page.wait_for_url("**/confirm?upload=*")
    sent, asked = posts_of(page), page.url
    page.reload()
    page.click("text=Choose another file")
    page.wait_for_url(f"**{ASSIGNMENT}")
    page.go_back()
    assert page.url == asked and page.inner_text("h1") == "Before it counts" and sent == []
    before = len(served.tables.course.gradebook.tries.of("ada"))
    page.dblclick("text=Hand it in as it is")
    page.wait_for_url("**/t/*")
    assert len(served.tables.course.gradebook.tries.of("ada")) == before + 1
    if script:
        assert len(sent) == 1
        assert "This page updates itself" in page.inner_text("main")
    else:
        assert not page.locator(".scripted").is_visible()
    assert served.complaints == []
    page.context.close()  # it would follow the try, and the server wait for it


def test_what_is_answered_by_a_file_can_be_asked_for_again(served: Served) -> None:
    """The page stays as it is: its button is free after a while, and was pressed once before."""
    page = served.sign_in("ines")
    page.goto(f"{served.origin}/c/course/people")
    sent = posts_of(page)
    button = page.locator("button:has-text('mail merge')")
    with page.expect_download():
        button.dblclick()
    assert len(sent) == 1
    page.wait_for_selector("button[aria-busy=false]:has-text('mail merge')")


def long_names(served: Served) -> None:
    """Give what people name themselves one long word each."""
    root = served.tables.course.course.root
    roster = root / "roster.csv"
    text = roster.read_text().replace("Ada", LONG).replace(",A", f",Section{LONG}")
    roster.write_text(text)
    people = served.tables.course.people
    people.take_students(served.tables.course.roster.people.values())
    spec = root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("Why subtract", LONG))


def test_long_names_are_wrapped_and_no_list_is_wider_than_its_page(served: Served) -> None:
    long_names(served)
    page = served.sign_in("ines")
    below = ("", "/marking", "/mark", "/publish", "/settings")
    paths = [f"{ASSIGNMENT}{rest}" for rest in below]
    paths += [f"/c/course/{rest}" for rest in ("", "people", "roster", "queue", "s/ada", "publish")]
    found = {}
    for width in (360, 820):
        page.set_viewport_size({"width": width, "height": 800})
        for path in paths:
            page.goto(served.origin + path)
            wide = page.evaluate("""() => [document.documentElement,
                ...document.querySelectorAll(".wide")].map((e) => e.scrollWidth - e.clientWidth)""")
            if max(wide) > 1:
                found[path, width] = wide
    assert found == {}
    page.goto(f"{served.origin}/c/course/people")
    roles = page.locator("td[data-label=Role]:has-text('instructor')").first
    line = page.locator("td[data-label=Role]:has-text('admin')").first
    assert roles.bounding_box()["height"] == line.bounding_box()["height"]  # no word is broken


def test_the_marking_pages_are_laid_out_from_top_to_bottom(served: Served) -> None:
    """Two marks that differ stand below their answer, and who marks what beside the question."""
    tables = served.tables
    mia, ines, hana = (tables.browser(person) for person in ("mia", "ines", "hana"))
    served.save(mia, "ada", adjustment="1")
    hana.post(f"{ASSIGNMENT}/marking/q3/sample", {"percent": "100", "marker": "ines"})
    ines.post(f"{MARK}/q3/second/{served.answer('ada').ref}", {"adjustment": "2"})
    page = served.sign_in("hana")
    for width in (390, 820, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{served.origin}{ASSIGNMENT}/marking/q3")
        boxes = [page.locator(f".difference > {one}").bounding_box() for one in ("h2", "iframe")]
        boxes.append(page.locator(".difference > .two").bounding_box())
        tops = [box["y"] for box in boxes]
        assert tops == sorted(tops) and len({box["x"] for box in boxes}) == 1, (width, boxes)
        page.goto(f"{served.origin}{ASSIGNMENT}/marking")
        names = page.locator(".each").first.locator("label").all()
        lefts = sorted({one.bounding_box()["x"] for one in names})
        first = page.locator(".each").first.locator("div").bounding_box()["x"]
        assert abs(lefts[0] - first) < 2, (width, lefts)
