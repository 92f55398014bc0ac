"""The desk in a real browser: from a sign-in link to a published mark, also without script."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.course.directory import Course
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.desk.conftest import COURSE_FILE
from tests.helpers.assignments import make_assignment

WAIT_MS = 240_000
ADDRESS = "/c/course/a/warm-up"

pytestmark = [pytest.mark.browser, pytest.mark.local_box]


@dataclass
class Desk:
    """A desk that runs, and browsers at it; what their consoles complain of is kept."""

    origin: str
    link: str
    browser: Any
    notebook: Path
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, link: str, **options: Any) -> Any:
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.goto(link)
        page.click("button.main")
        return page

    def links(self, staff: Any) -> dict[str, str]:
        """The sign-in links of the class, from the page that is printed."""
        staff.goto(f"{self.origin}/c/course/people")
        staff.click("text=Make links to print")
        staff.wait_for_selector(".slips")
        names = [e.inner_text() for e in staff.query_selector_all(".slips strong")]
        found = [e.inner_text() for e in staff.query_selector_all(".slips code")]
        return dict(zip(names, found, strict=True))

    def hand_in(self, student: Any) -> None:
        student.goto(self.origin + ADDRESS)
        student.set_input_files("#files", self.notebook)
        student.click(".drop button")
        student.wait_for_load_state()
        if "/confirm?" in student.url:
            student.click("text=Hand it in as it is")
            student.wait_for_load_state()


def write_solution(course: Path, path: Path) -> Path:
    made = solution_notebook(Course.find(course).assignment("warm-up"))
    notebook = json.loads(notebook_bytes(made))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
    path.write_text(json.dumps(notebook))
    return path


@pytest.fixture(scope="module")
def desk(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("desk") / "course"
    make_assignment(root, "warm-up")
    spec = root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2024", "due = 2099"))
    (root / "course.toml").write_text(COURSE_FILE)
    (root / "roster.csv").write_text("id,name,section\nada,Ada Lovelace,A\nben,Ben Okafor,B\n")
    notebook = write_solution(root, root.parent / "warm-up.ipynb")
    run = "from grader.cli import main; main()"
    options = ["--port", "0", "--sandbox", "local", "--slots", "1", "--instructor", "ines"]
    with subprocess.Popen(
        [sys.executable, "-c", run, "serve", *options],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline() + process.stdout.readline()
        found = re.search(r"as ines: ((http://\S+?)/s/\S+)", said)
        assert found, said
        try:
            yield Desk(found[2], found[1], browser, notebook)
        finally:
            process.terminate()
            process.wait(120)


def test_from_a_sign_in_link_to_a_published_mark(desk: Desk) -> None:
    staff = desk.sign_in(desk.link)
    links = desk.links(staff)
    ada = desk.sign_in(links["Ada Lovelace"])
    desk.hand_in(ada)
    ada.wait_for_selector(".score")  # the page updates itself
    assert "8 of 8" in ada.inner_text(".score")
    assert "2 wait for a person" in ada.inner_text("main")

    mark_with_keys(desk, staff)
    ada.reload()
    assert "Clear." not in ada.content()
    staff.goto(f"{desk.origin}{ADDRESS}/publish")
    assert "9.5 of 10" in staff.inner_text("main")
    staff.click("button.main")
    staff.wait_for_load_state()
    ada.reload()
    assert "1 Clear." in ada.inner_text("main")
    appeal_and_answer(desk, staff, ada)

    ben = desk.sign_in(links["Ben Okafor"], java_script_enabled=False)
    desk.hand_in(ben)
    while "8 of 8" not in ben.inner_text("main"):
        ben.wait_for_timeout(500)
        ben.reload()
    assert desk.complaints == []


def mark_with_keys(desk: Desk, staff: Any) -> None:
    """Make a rubric item, give it by its key, say something, and save."""
    staff.goto(f"{desk.origin}{ADDRESS}/mark/q3")
    staff.wait_for_selector("[data-mark]")
    assert "Ada" not in staff.inner_text("body")
    staff.click("summary:has-text('Add an item')")
    staff.fill("details [name=says]", "Says that exp overflows")
    staff.fill("details [name=points]", "1.5")
    staff.click("details button:has-text('Add')")
    staff.wait_for_selector("[name=item]")
    staff.wait_for_load_state()  # its script listens by then
    staff.keyboard.press("1")
    assert staff.inner_text("[data-total]") == "1.5"
    staff.keyboard.press("c")
    staff.keyboard.type("1 Clear.")  # digits in a comment are digits
    assert staff.inner_text("[data-total]") == "1.5"
    staff.keyboard.press("Control+Enter")
    staff.wait_for_selector("text=The one answer is marked")


def appeal_and_answer(desk: Desk, staff: Any, student: Any) -> None:
    """Ask for a second look, hear of it, answer with new points, and see them beside the old."""
    student.goto(desk.origin + ADDRESS)
    student.click("tr:has-text('Why subtract') >> text=Appeal")
    student.fill("textarea", "The last line\nsays why.")
    student.click("button.main")
    student.wait_for_selector(".thread")
    staff.goto(f"{desk.origin}/c/course/")
    staff.click(".told a:has-text('An appeal')")
    staff.wait_for_selector(".thread")
    assert "Ada" not in staff.inner_text("main")
    staff.fill("textarea", "It does.")
    staff.fill("[name=points_answer]", "2")
    staff.click("button.main")
    staff.wait_for_selector(".changed")
    student.goto(f"{desk.origin}/c/course/")
    student.click(".told a:has-text('An answer')")
    student.wait_for_selector(".changed")
    assert "2 points" in student.inner_text(".changed")
    assert "ines" not in student.content()
    student.goto(desk.origin + ADDRESS)
    assert "10 of 10" in student.inner_text("#marks")
