"""A semester in the browser, and the same one on the command line: totals and exports are equal.

People click real pages of a real `grader serve`. What its class should get is also worked out here
in plain arithmetic, so that two equal mistakes do not pass.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from grader.course.directory import Course
from grader.gradebook.store import Gradebook
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.cli.conftest import Done, in_process_of_its_own
from tests.cli.test_mark import fill
from tests.helpers.assignments import make_assignment
from tests.helpers.classes import NAMES
from tests.semester.systems import SYSTEMS, Pupil
from tests.semester.test_semesters import BREAKS, EARNED, in_hundredths, with_cell

pytestmark = [
    pytest.mark.browser,
    pytest.mark.local_box,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]

WAIT_MS = 240_000
# Thirty hand in where there is time for it. Each signs in, downloads, hands in and is run, of which
# seven show the same: nine are the fewest of whom some are absent, in a group, late, with longer
# time, excused, wrong first and in an appeal, and who write every kind of answer.
SIZE = 32 if os.environ.get("GRADER_SEMESTERS") == "everywhere" else 9
CLASS = [Pupil(number=number, name=name) for number, name in enumerate(NAMES[:SIZE])]
COURSE_FILE = """\
title = "Warming up"
institution = "A university"
term = "Fall"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]
[late]
percent_per_day = 10
[appeals]
days = 7
[[components]]
id = "homework"
title = "Homework"
weight = 60
[[components.items]]
id = "hw"
title = "Warm-up"
assignment = "warm-up"
group = true
group_size = [1, 2]
[[components]]
id = "exam"
title = "Exam"
weight = 40
"""
SAYS = (
    ("The exponential becomes infinite, and the shift cancels.", 2),
    ("The exponential becomes infinite.", 1),
    ("It is usual.", 0),
)
"""Answers to the written question, and what they are worth; by the pupil's number modulo 3."""
ITEMS = {"Names the overflow": "becomes infinite", "Says that a shift changes nothing": "cancels"}
"""Rubric items of a point each, and the words that earn them."""
COLUMN = SYSTEMS["canvas"].mark

PARTNERS = {1: 2}
"""Who hands in for whom as well, by number."""
ABSENT, EXTENDED, EXCUSED, APPEALS = 3, 5, 0, 4
LATE = [pupil.number for pupil in CLASS if pupil.number % 10 in (5, 6)]
WRONG_FIRST = {0: ("essay.pdf", b"%PDF-1.7"), 8: ("warm-up.ipynb", b'{"cells": [')}
"""Files that are no hand-in, which some try first."""
HANDS_IN = [p for p in CLASS if p.number != ABSENT and p.number not in PARTNERS.values()]


def exam(pupil: Pupil) -> int:
    return 40 + 37 * pupil.number % 61


def machine(pupil: Pupil) -> int:
    return EARNED[pupil.number % 4]


def answer(pupil: Pupil, *, appealed: bool) -> int:
    """Points of the written answer; nothing was written in the notebook as it was released."""
    if pupil.number % 4 == 3:
        return 0
    return SAYS[pupil.number % 3][1] + (pupil.number == APPEALS and appealed)


def total(pupil: Pupil) -> Fraction:
    """What the course file says, in plain arithmetic."""
    author = next((CLASS[a] for a, partner in PARTNERS.items() if partner == pupil.number), pupil)
    homework = Fraction(machine(author) + answer(author, appealed=True), 10)
    if author.number in LATE and author.number != EXTENDED:
        homework *= Fraction(9, 10)
    if pupil.number == ABSENT:
        homework = Fraction(0)
    if pupil.number == EXCUSED:
        return 100 * homework
    return 60 * homework + 40 * Fraction(exam(pupil), 100)


def write_course(root: Path) -> Path:
    """A course directory before anybody has taken it: an assignment, its marks' rules."""
    make_assignment(root)
    (root / "course.toml").write_text(COURSE_FILE)
    due_at(root, dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
    return root


def due_at(root: Path, due: dt.datetime) -> None:
    spec = root / "assignments/warm-up/assignment.toml"
    text = re.sub(r"(?m)^due = .*$", f"due = {due:%Y-%m-%dT%H:%M:%SZ}", spec.read_text())
    spec.with_suffix(".new").write_text(text)
    spec.with_suffix(".new").replace(spec)  # whole for those whose pages are open


def filled_in(released: bytes, solution: dict[str, Any], pupil: Pupil) -> bytes:
    """What a student makes of the notebook that was released; one in four writes nothing in it."""
    if pupil.number % 4 == 3:
        return released
    notebook = json.loads(released)
    solved = {cell["id"]: cell["source"] for cell in solution["cells"]}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = solved[cell["id"]]
        if "Answer q3" in "".join(cell["source"]):
            cell["source"] = f"**Answer q3.**\n\n{SAYS[pupil.number % 3][0]}\n"
    return json.dumps(with_cell(notebook, BREAKS.get(pupil.number % 4, "pass"))).encode()


def solution_of(root: Path) -> dict[str, Any]:
    """The solution, of whose cells students write theirs."""
    made = notebook_bytes(solution_notebook(Course(root).assignment("warm-up")))
    found: dict[str, Any] = json.loads(made)
    return found


def write_groups(path: Path) -> Path:
    pairs = [(CLASS[a].id, CLASS[b].id) for a, b in PARTNERS.items()]
    lines = [f"hw,team-{a},{one}" for a, b in pairs for one in (a, b)]
    path.write_text("\n".join(["item,group,student", *lines, ""]))
    return path


def grader(root: Path, *arguments: object) -> Done:
    done = in_process_of_its_own(*arguments, cwd=root)
    assert done.code == 0, done.err
    return done


# -- at the desk -------------------------------------------------------------------------------


@dataclass
class Desk:
    """A desk that runs, and the browser in which people sit at it."""

    root: Path
    origin: str
    link: str
    browser: Any

    def sign_in(self, link: str) -> Any:
        page = self.browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(link)
        page.click("button.main")
        page.wait_for_load_state()
        return page

    def go(self, page: Any, path: str) -> None:
        page.goto(f"{self.origin}/c/course{path}")

    def links(self, staff: Any, button: str) -> dict[str, str]:
        """By name, the sign-in links that a button of the page of people makes."""
        self.go(staff, "/people")
        staff.click(f"button:has-text('{button}')")
        staff.wait_for_selector(".slips")
        names = staff.locator(".slips strong").all_inner_texts()
        return dict(zip(names, staff.locator(".slips code").all_inner_texts(), strict=True))

    def take_list(self, staff: Any, path: str, file: Path) -> None:
        self.go(staff, path)
        staff.set_input_files("form[action$=list] [name=file]", file)
        staff.click("text=Look at it")
        staff.click("text=Take it")
        staff.wait_for_url(f"**{path}")


@pytest.fixture
def desk(tmp_path: Path, browser: Any) -> Iterator[Desk]:
    root = write_course(tmp_path / "course")
    command = [sys.executable, "-c", "from grader.cli import main; main()", "serve"]
    options = ["--port", "0", "--sandbox", "local", "--slots", "1", "--instructor", "ines"]
    with subprocess.Popen(
        [*command, *options],
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
            yield Desk(root, found[2], found[1], browser)
        finally:
            process.terminate()
            process.wait(120)


def set_up(desk: Desk, staff: Any) -> dict[str, str]:
    """Release, take the class and its groups, add markers; return everybody's sign-in link."""
    grader(desk.root, "release", "warm-up")
    listed = desk.root.parent / "gradebook.csv"
    listed.write_bytes(SYSTEMS["canvas"].table(CLASS))
    desk.take_list(staff, "/roster", listed)
    desk.take_list(staff, "/groups", write_groups(desk.root.parent / "teams.csv"))
    for marker in ("mia", "hana"):
        desk.go(staff, "/people")
        staff.fill("[name=person] >> visible=true", marker)
        staff.fill("form[action$=staff] [name=name]", marker.title())
        staff.select_option("[name=role]", "marker")
        staff.click("form[action$=staff] button")
        staff.wait_for_load_state()
    links = desk.links(staff, "Make links to print")
    for marker in ("Mia", "Hana"):
        links |= desk.links(staff, f"Link for {marker}")
    desk.go(staff, f"/s/{CLASS[EXTENDED].id}")
    staff.locator("summary:has-text('Longer time')").first.click()
    staff.fill("[name=until]", "2100-02-03T12:00")
    staff.locator("details[open] [name=why]").fill("Ill, note received")
    staff.click("text=Give longer time")
    staff.wait_for_selector("text=longer than the class")
    return links


def download(desk: Desk, student: Any) -> bytes:
    """Save what was released, from the assignment's page; return the notebook that is in it."""
    desk.go(student, "/a/warm-up")
    with student.expect_download() as download:
        student.click("text=Download it with data and tests")
    assert download.value.suggested_filename == "warm-up.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        [notebook] = [name for name in archive.namelist() if name.endswith(".ipynb")]
        return archive.read(notebook)


def hand_in(desk: Desk, student: Any, name: str, data: bytes) -> None:
    desk.go(student, "/a/warm-up")
    student.set_input_files(
        "#files", {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )
    student.click(".drop button")
    student.wait_for_load_state()


def all_hand_in(desk: Desk, links: dict[str, str], written: dict[int, bytes]) -> dict[int, Any]:
    """Everybody hands in what they have made of the released notebook, some after it was due.

    Returns the pages on which they follow it; `written` gets what each has handed in.
    """
    pages, solution = {}, solution_of(desk.root)
    for pupil in sorted(HANDS_IN, key=lambda p: p.number in LATE):
        if pupil.number == LATE[0]:
            due_at(desk.root, dt.datetime.now(dt.UTC))
        student = pages[pupil.number] = desk.sign_in(links[pupil.name])
        if pupil.number in WRONG_FIRST:
            hand_in(desk, student, *WRONG_FIRST[pupil.number])
            assert "Nothing was handed in" in student.inner_text("main")
        written[pupil.number] = filled_in(download(desk, student), solution, pupil)
        hand_in(desk, student, "warm-up.ipynb", written[pupil.number])
        if "/confirm?" in student.url:
            student.click("text=Hand it in as it is")
        student.wait_for_url("**/t/*")
    for pupil in HANDS_IN:
        student = pages[pupil.number]
        student.wait_for_selector(".score")  # the page updates itself
        assert f"{machine(pupil)} of 8" in student.inner_text(".score"), pupil
    return pages


def mark(desk: Desk, staff: Any, markers: list[Any]) -> None:
    """Two markers take turns, each at a share of their own, until nothing is left."""
    desk.go(staff, "/a/warm-up/marking")
    staff.check("text=At random among")
    for marker in ("mia", "hana"):
        staff.check(f"[name=random][value={marker}]")
    staff.click("text=Divide")
    staff.wait_for_load_state()
    for says in ITEMS:
        desk.go(staff, "/a/warm-up/mark/q3/rubric")
        form = staff.locator("form[action$=items]").first
        form.locator("[name=says]").fill(says)
        form.locator("[name=points]").fill("1")
        form.locator("button").click()
        staff.wait_for_load_state()
    for page in markers:
        desk.go(page, "/a/warm-up/mark/q3")
    done = [0 for _ in markers]
    while any(page.locator("[data-mark]").count() for page in markers):
        for number, page in enumerate(markers):
            if page.locator("[data-mark]").count():
                mark_one(page)
                done[number] += 1
    assert min(done) > 0 and sum(done) == len(HANDS_IN), done


def mark_one(page: Any) -> None:
    """Read the answer in its frame, tick what it earns, save; no name is to be seen."""
    work = page.frame_locator("iframe.work").locator("main, body").first.inner_text()
    shown = page.inner_text("body") + work
    assert not any(pupil.name in shown or pupil.id in shown for pupil in CLASS)
    for says, words in ITEMS.items():
        page.set_checked(f"label.item:has-text('{says}') [name=item]", words in work)
    with page.expect_navigation():
        page.click("button.main")


def appeal(desk: Desk, staff: Any, student: Any) -> None:
    """A student asks for a second look at a point, and gets it."""
    desk.go(student, "/a/warm-up")
    student.click("tr:has-text('Why subtract') >> text=Appeal")
    student.fill("textarea", "It says why, too.")
    student.click("button.main")
    student.wait_for_selector(".thread")
    desk.go(staff, "/appeals")
    staff.click("main a:has-text('Why subtract')")
    staff.fill("textarea", "It does.")
    staff.fill("[name=points_answer]", "2")
    staff.click("text=Answer and close")
    staff.wait_for_selector(".changed")
    desk.go(student, "/a/warm-up")
    pupil = CLASS[APPEALS]
    given = machine(pupil) + answer(pupil, appealed=True)
    assert f"{given} of 10" in student.inner_text("#marks")


def publish(desk: Desk, staff: Any) -> None:
    desk.go(staff, "/a/warm-up/publish")
    assert "Not marked yet" not in staff.inner_text("main")
    staff.click("button.main")
    staff.wait_for_selector("text=Published by")


def exported(desk: Desk, staff: Any, listed: Path) -> dict[str, bytes]:
    """Save the plain tables and the system's own file."""
    files = {}
    for name, item in (("items", "=all"), ("totals", "=totals")):
        desk.go(staff, "/export")
        staff.select_option("form[action$=table] [name=item]", item)
        with staff.expect_download() as download:
            staff.click("form[action$=table] button:has-text('CSV')")
        files[name] = Path(download.value.path()).read_bytes()
    desk.go(staff, "/export")
    staff.set_input_files("form[action$=look] [name=file]", listed)
    staff.select_option("form[action$=look] [name=item]", "=totals")
    staff.click("text=Look at it")
    staff.select_option("[name=column]", COLUMN)
    staff.click("text=Look again")
    with staff.expect_download() as download:
        staff.click("text=Save the file")
    files["canvas"] = Path(download.value.path()).read_bytes()
    return files


def totals_page(desk: Desk, staff: Any) -> dict[str, Fraction]:
    """Everybody's total, as the page of totals says it."""
    desk.go(staff, "/totals")
    rows = staff.locator("table.list tbody tr").all()
    return {
        row.locator("th a").get_attribute("href").rpartition("/")[2]: Fraction(
            row.locator("td[data-label=Total] strong").inner_text()
        )
        for row in rows
    }


# -- on the command line -----------------------------------------------------------------------


def same_on_the_command_line(
    root: Path, desk: Desk, listed: Path, written: dict[int, bytes]
) -> dict[str, bytes]:
    """Play the semester by commands: the same files at the same times, the same marks."""
    write_course(root)
    shutil.copy(desk.root / "assignments/warm-up/assignment.toml", root / "assignments/warm-up")
    write_groups(root / "groups.csv")
    grader(root, "roster", "import", listed)
    times = ["id,submitted_at"]
    handed_in = root / "class"
    with Gradebook(Course(desk.root).database_url) as gradebook:
        tried = {p.number: gradebook.tries.of(p.id) for p in CLASS}
    for pupil in HANDS_IN:
        [one] = tried[pupil.number]
        times.append(f"{pupil.id},{one.received_at.isoformat()}")
        (handed_in / pupil.id).mkdir(parents=True)
        (handed_in / pupil.id / "warm-up.ipynb").write_bytes(written[pupil.number])
    (root / "times.csv").write_text("\n".join([*times, ""]))
    grader(root, "collect", "warm-up", handed_in, "--worksheet", root / "times.csv")
    grader(root, "grade", "warm-up", "submissions", "--sandbox", "local")
    mark_in_a_table(root, {p.id: answer(p, appealed=False) for p in HANDS_IN})
    ill = ("--why", "Ill, note received")
    grader(root, "extend", CLASS[EXTENDED].id, "hw", "2100-02-03 12:00", *ill)
    grader(root, "excuse", CLASS[EXCUSED].id, "exam", *ill)
    mark_in_a_table(root, {CLASS[APPEALS].id: answer(CLASS[APPEALS], appealed=True)})
    import_exam(root)
    into = ("--into", listed, "--totals", "--column", f"total={COLUMN}")
    commands = {"items": ("csv",), "totals": ("csv", "--totals"), "canvas": ("canvas", *into)}
    files = {}
    for name, arguments in commands.items():
        grader(root, "export", *arguments, "-o", root / f"{name}.csv")
        files[name] = (root / f"{name}.csv").read_bytes()
    return files


def mark_in_a_table(root: Path, points: dict[str, int]) -> None:
    grader(root, "mark-answers", "warm-up", "--csv")
    table = root / "graded/warm-up/answers/q3.csv"
    for student, given in points.items():
        fill(table, student, {"q3 (of 2)": str(given)})
    grader(root, "mark-answers", "warm-up", "--question", "q3", "--import", table)


def import_exam(root: Path) -> None:
    """Take the exam's marks, and who handed in nothing; for both there is no page at the desk."""
    path = root / "exam.csv"
    lines = [f"{p.id},exam,{exam(p)}" for p in CLASS if p.number != EXCUSED]
    path.write_text("\n".join(["student,item,points", *lines, f"{CLASS[ABSENT].id},hw,0", ""]))
    grader(root, "import-marks", path)


# -- both --------------------------------------------------------------------------------------


def test_a_semester_in_the_browser_has_the_totals_of_the_command_line(
    desk: Desk, tmp_path: Path
) -> None:
    staff = desk.sign_in(desk.link)
    links = set_up(desk, staff)
    written: dict[int, bytes] = {}
    students = all_hand_in(desk, links, written)
    mark(desk, staff, [desk.sign_in(links["Mia"]), desk.sign_in(links["Hana"])])
    publish(desk, staff)
    appeal(desk, staff, students[APPEALS])
    desk.go(staff, f"/s/{CLASS[EXCUSED].id}")
    excuse = staff.locator("article:has-text('Exam')")
    excuse.locator("summary:has-text('Excuse')").click()
    excuse.locator("details[open] [name=why]").fill("Ill, note received")
    excuse.locator("details[open] button").click()
    staff.wait_for_selector("article .state:has-text('excused')")
    import_exam(desk.root)

    listed = tmp_path / "gradebook.csv"
    at_the_desk = exported(desk, staff, listed)
    by_commands = same_on_the_command_line(tmp_path / "commands", desk, listed, written)
    assert at_the_desk == by_commands
    expected = {p.id: in_hundredths(total(p)) for p in CLASS}
    assert SYSTEMS["canvas"].marks(at_the_desk["canvas"]) == expected
    assert totals_page(desk, staff) == {who: Fraction(mark) for who, mark in expected.items()}
