"""Run a course in a real browser: from a list of students to a file of marks."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn

from grader.desk.app import make_app
from grader.desk.courses import DeskCourse, open_desk
from grader.desk.people import Role
from grader.grading.make_verdict import question_marks
from tests.desk.conftest import make_course
from tests.desk.test_running import CANVAS, COURSE_FILE
from tests.helpers.verdicts import graded, test_result

WAIT_MS = 240_000
pytestmark = pytest.mark.browser


class Sitting:
    """A desk without an engine, in a thread, and one browser in which its instructor sits."""

    def __init__(self, origin: str, course: DeskCourse, page: Any, complaints: list[str]) -> None:
        self.origin = origin
        self.course = course
        self.page = page
        self.complaints = complaints

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.origin}/c/course{path}")
        return self.page


def judged(course: DeskCourse, student: str, right: bool) -> None:
    """A verdict as the command line records it."""
    spec = course.course.assignment("warm-up").spec
    tests = (
        test_result("q1", "test_softmax", "Rows must sum to one.", 5),
        test_result("q2", "test_means", "Means.", 3, points=Decimal(3 if right else 0)),
    )
    verdict = msgspec.structs.replace(
        graded(student, assignment="warm-up"),
        tests=tests,
        questions=question_marks(spec, tests),
        points=sum((t.points for t in tests), Decimal(0)),
        max_points=spec.machine_points,
        manual_points=Decimal(0),
    )
    batch = course.gradebook.start_batch("warm-up", seed=1)
    course.gradebook.record(verdict, None, batch=batch)


@pytest.fixture
def sitting(browser: Any, tmp_path: Path) -> Iterator[Sitting]:
    root = make_course(tmp_path / "course")
    (root / "course.toml").write_text(COURSE_FILE)
    spec = root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("manual = 2", "points = 2"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        desk = open_desk([root], origin=origin)
        course = desk.courses["course"]
        user = course.people.put("ines", name="Ines", role=Role.INSTRUCTOR)
        server = uvicorn.Server(uvicorn.Config(make_app(desk), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        now = dt.datetime.now(dt.UTC)
        link = desk.credentials.make_links([user.account], course="course", now=now)[user.account]
        page = browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(WAIT_MS)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto(f"{origin}/s/{link}")
        page.click("button.main")
        page.wait_for_load_state()
        try:
            yield Sitting(origin, course, page, complaints)
        finally:
            server.should_exit = True
            thread.join(120)
            course.gradebook.close()


def test_a_course_is_run_from_a_list_of_students_to_a_file_of_marks(
    sitting: Sitting, tmp_path: Path
) -> None:
    course = sitting.course
    listed = tmp_path / "gradebook.csv"
    listed.write_text(CANVAS)

    page = sitting.go("/roster")
    page.set_input_files("[name=file]", listed)
    page.click("text=Look at it")
    page.wait_for_selector("text=Nothing has changed yet")
    page.click("text=Take it")
    page.wait_for_url("**/roster")
    assert "4 students take the course" in page.inner_text("main")

    judged(course, "ada", right=True)
    judged(course, "ben", right=False)
    page = sitting.go("/")
    page.click("tbody td[data-label=Missing] a, td[data-label=Missing] a")
    page.wait_for_url("**show=missing")
    assert page.locator("th[scope=row] a").all_inner_texts() == ["Cem", "Deniz Yıldız"]
    page.click("text=Cem")
    page.wait_for_selector("h1:has-text('Cem')")
    page.locator("summary:has-text('Longer time')").first.click()
    page.fill("[name=until]", "2100-02-03T12:00")
    page.locator("details[open] [name=why]").first.fill("Ill, note received")
    page.click("text=Give longer time")
    page.wait_for_selector("text=longer than the class")
    assert "due later: 2100-02-03 12:00" in page.inner_text("main")

    page = sitting.go("/export")
    page.set_input_files("form[action$=look] [name=file]", listed)
    page.select_option("form[action$=look] [name=item]", "hw1")
    page.click("text=Look at it")
    page.wait_for_selector("text=What goes into the file")
    assert "2 marks, 1 of them in place of another" in page.inner_text("main")
    with page.expect_download() as download:
        page.click("text=Save the file")
    text = Path(download.value.path()).read_text()
    assert '"Lovelace, Ada",101,,ada,A,8.00' in text and '"Okafor, Ben",102,,ben,A,5.00' in text
    assert sitting.complaints == []
