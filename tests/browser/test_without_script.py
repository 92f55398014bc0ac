"""The desk without JavaScript: a course is run, and marks are asked about, by links and forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import Served
from tests.browser.walking import CANVAS, GROUPED
from tests.desk.conftest import write_course_file

pytestmark = pytest.mark.browser


def sit_down(served: Served, person: str) -> Any:
    return served.sign_in(person, java_script_enabled=False, accept_downloads=True)


def go(served: Served, page: Any, path: str) -> None:
    page.goto(f"{served.origin}/c/course{path}")


def save(page: Any, button: str) -> str:
    """Press a button that saves a file, and read that."""
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


@pytest.fixture
def course(served: Served) -> Served:
    """With rules, groups, and answers that are marked."""
    write_course_file(served.tables, GROUPED)
    mia = served.tables.browser("mia")
    for student in ("ada", "ben"):
        assert served.save(mia, student, adjustment="1", comment="And why?").status_code == 303
    return served


def test_a_roster_is_taken_changed_and_searched(course: Served, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(CANVAS)
    ines = sit_down(course, "ines")
    go(course, ines, "/roster")
    ines.set_input_files("[name=file]", tmp_path / "list.csv")
    ines.click("text=Look at it")
    assert "1 new, 1 changed, 2 not in it" in ines.inner_text("main")
    ines.reload()  # what was looked at has an address
    ines.click("text=Take it")
    assert "4 students take the course" in ines.inner_text("main")

    ines.click("tr:has-text('nora') >> text=Change")
    assert ines.is_visible("#edit [name=email]")
    ines.fill("#edit [name=email]", "nora@example.edu")
    ines.click("#edit button:has-text('Save')")
    ines.fill("[name=q]", "nora@")
    ines.click("button:has-text('Look') >> nth=-1")
    assert ines.locator("table.list th[scope=row]").all_inner_texts() == ["Nora New"]
    ines.click("tr:has-text('nora') >> text=Change")
    ines.click("text=Take Nora New out of the course")
    assert "3 students take the course" in ines.inner_text("main")
    ines.click("summary:has-text('Add one student')")
    ines.fill("#edit [name=id]", "eda")
    ines.fill("#edit [name=name]", "Eda")
    ines.click("#edit button:has-text('Save')")
    assert "4 students take the course" in ines.inner_text("main")
    ines.click(".chips a:has-text('without a link')")
    assert "Eda" in ines.locator("table.list th[scope=row]").all_inner_texts()
    assert "eda" in course.tables.course.roster.people


def test_groups_are_taken_and_changed(course: Served, tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("item,group,student\na1,red,ada\na1,red,ben\n")
    ines = sit_down(course, "ines")
    go(course, ines, "/groups")
    ines.set_input_files("[name=file]", tmp_path / "groups.csv")
    ines.click("text=Look at it")
    assert "2 students would be in another group" in ines.inner_text("main")
    ines.click("text=Take it")
    assert "In no group: Cem" in ines.inner_text("main")
    ines.fill("[name=student]", "cem")
    ines.fill("[name=group]", "blue")
    ines.click("text=Put there")
    rows = ines.locator("table.list tr:has(th[scope=row])").all_inner_texts()
    assert [" ".join(row.split()) for row in rows] == ["red Ada, Ben", "blue Cem"]
    assert "Everybody is in a group" in ines.inner_text("main")


def test_marks_are_exported(course: Served, tmp_path: Path) -> None:
    (tmp_path / "gradebook.csv").write_text(CANVAS)
    ines = sit_down(course, "ines")
    go(course, ines, "/export")
    ines.set_input_files("form[action$=look] [name=file]", tmp_path / "gradebook.csv")
    ines.select_option("form[action$=look] [name=item]", "a1")
    ines.click("text=Look at it")
    assert "1 mark." in ines.inner_text("main")
    ines.select_option("[name=column]", "Warm-up (31)")
    ines.click("text=Look again")
    assert '"Lovelace, Ada",101,,ada,A,6.00' in save(ines, "text=Save the file")
    go(course, ines, "/export")
    ines.select_option("form[action$=table] [name=item]", "a1")
    table = save(ines, "form[action$=table] button:has-text('CSV')")
    assert "ada" in table and "ben" in table
    go(course, ines, "/export")
    with ines.expect_download() as download:
        ines.click("button:has-text('Pack')")
    assert Path(download.value.path()).read_bytes().startswith(b"PK")


def test_marks_are_published_asked_about_and_changed(course: Served) -> None:
    hana, ada, mia = (sit_down(course, person) for person in ("hana", "ada", "mia"))
    go(course, hana, "/a/warm-up/publish")
    hana.click("button.main")
    assert "Published by hana" in hana.inner_text("main")

    go(course, ada, "/a/warm-up")
    ada.click("tr:has-text('Why subtract') >> text=Appeal")
    ada.fill("textarea", "The last line\nsays why.")
    ada.click("button.main")
    assert "says why." in ada.inner_text(".thread")
    ada.fill("textarea", "And the first, too.")
    ada.click("button:has-text('Send')")

    go(course, mia, "/")
    mia.click(".told a:has-text('An appeal')")
    assert "And the first, too." in mia.inner_text(".thread")
    mia.fill("textarea", "It does.")
    mia.fill("[name=points_answer]", "2")
    mia.click("text=Answer and close")
    assert "closed" in mia.inner_text("h1")

    go(course, ada, "/")
    ada.click(".told a:has-text('An answer')")
    assert "It does." in ada.inner_text(".thread") and "2 points" in ada.inner_text(".changed")
    go(course, ada, "/a/warm-up")
    assert "7 of 10" in ada.inner_text("#marks")
    go(course, mia, "/appeals?show=all")
    assert mia.locator(".state.closed").count() == 1
    go(course, hana, "/a/warm-up/publish")
    hana.click("text=Take the marks back")
    hana.click("text=Take 3 marks back")
    assert "This is a draft" in hana.inner_text("main")
    go(course, ada, "/a/warm-up")
    assert "are not published yet" in ada.inner_text("#marks")
