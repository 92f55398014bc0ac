"""Two markers at once in a real browser: keys, sums, comments, conflicts, a second look."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from grader.desk.app import make_app
from grader.desk.courses import open_desk
from tests.desk.conftest import Tables, filled  # noqa: F401 - a fixture
from tests.desk.piles import Pile
from tests.helpers.waiting import until

WAIT_MS = 240_000
pytestmark = pytest.mark.browser


class Served(Pile):
    """A desk that is served, with three answers, and who sits at it."""

    def __init__(self, tables: Tables, origin: str, browser: Any) -> None:
        super().__init__(tables)
        self.origin = origin
        self.browser = browser
        self.complaints: list[str] = []

    def sign_in(self, person: str, **options: Any) -> Any:
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.origin}/s/{self.tables.link(person)}")
        page.click("button.main")
        page.wait_for_load_state()
        return page

    def opened(self, page: Any, path: str = "mark/q3") -> str:
        page.goto(f"{self.origin}/c/course/a/warm-up/{path}")
        page.wait_for_selector("[data-mark]")
        return str(page.url)


@pytest.fixture
def served(filled: Path, tmp_path: Path, browser: Any) -> Iterator[Served]:  # noqa: F811
    shutil.copytree(filled, tmp_path / "desk")
    roots = [tmp_path / "desk" / name for name in ("course", "other")]
    desk = open_desk(roots, origin="http://127.0.0.1")
    app = make_app(desk)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server")
        port = server.servers[0].sockets[0].getsockname()[1]
        tables = Tables(desk, TestClient(app, base_url=desk.origin))
        yield Served(tables, f"http://127.0.0.1:{port}", browser)
    finally:
        server.should_exit = True
        thread.join()
        for course in desk.courses.values():
            course.gradebook.close()


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
