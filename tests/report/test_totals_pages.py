"""The pages of totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import html5lib
import msgspec
import pytest

from grader.course.course_file import CourseFile
from grader.gradebook.marks import MarkEvent
from grader.gradebook.totals.students import class_entries, class_totals, student_total
from grader.gradebook.totals.total_lines import StudentTotal
from grader.report.totals_pages import (
    class_totals_page,
    student_totals_page,
    targets_of,
)
from tests.gradebook.totals.courses import AFTER, course_of, marks_of, shipped
from tests.helpers.classes import class_marks
from tests.report.hostile import ALL
from tests.report.test_student_page import text

NOW = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def koc() -> CourseFile:
    return shipped("koc-comp541", {"percent_per_day": ["20"], "pass_mark": ["50", "50"]})


def ada(course: CourseFile, **given: object) -> StudentTotal:
    marks = marks_of(course, given)  # type: ignore[arg-type]
    entries = class_entries(course, marks, now=AFTER, students=["ada"])
    return student_total("ada", course, entries["ada"])


def test_a_students_page_says_what_counted_and_why(koc: CourseFile) -> None:
    total = ada(koc, a1=(54, "2024-10-31T23:00:00"), midterm="71.5")
    said = text(student_totals_page(total, course=koc, now=NOW))
    assert "1 day late: 1 day of grace." in said
    assert "6 of 7 grace days left, 1 used." in said
    assert "22 of 100 percent of the course are marked" in said
    assert "Due 30 October 2024, 23:59 UTC+03:00; handed in 31 October 2024, 23:00 UTC" in said
    assert "12.16 of 17" in said


def test_a_student_without_marks_has_no_zero(koc: CourseFile) -> None:
    said = text(student_totals_page(ada(koc), course=koc, now=NOW))
    assert "No marks yet" in said
    assert "So far –" in said


def test_a_students_page_names_nobody_else(koc: CourseFile) -> None:
    totals = class_totals(koc, class_marks(koc, students=3), now=NOW)
    page = student_totals_page(totals[0], course=koc, now=NOW)
    assert not any(other.student in page for other in totals[1:])


def test_a_rubric_is_shown_line_by_line() -> None:
    ntu = shipped("ntu-ce7454")
    criteria = {"clarity": Decimal(16), "visualization": Decimal("18.5")}
    [mark] = marks_of(ntu, {"presentation": None})
    known = replace(mark, criteria=criteria)
    [total] = class_totals(ntu, [known], now=NOW)
    said = text(student_totals_page(total, course=ntu, now=NOW))
    assert "Clarity 16 of 20; Visualization 18.5 of 20; Logic flow – of 20" in said


def test_a_failed_item_stands_above_everything(koc: CourseFile) -> None:
    total = ada(koc, **{"quiz-theory": 20})
    assert "Not passed: Self-assessment quiz, theory" in text(
        student_totals_page(total, course=koc, now=NOW)
    )


def test_the_history_of_marks_is_told(koc: CourseFile) -> None:
    change = MarkEvent(
        student="ada", at=NOW, item="midterm", what="60 → 71.5", who="n.tas", why="added up"
    )
    said = text(student_totals_page(ada(koc, midterm=70), course=koc, now=NOW, history=[change]))
    assert "Midterm exam : 60 → 71.5 by n.tas (added up)" in said


def test_the_class_page_lists_everybody_with_links(koc: CourseFile) -> None:
    totals = class_totals(koc, class_marks(koc), now=NOW)
    links = {total.student: f"students/{i}.html" for i, total in enumerate(totals)}
    html = class_totals_page(totals, course=koc, links=links, now=NOW)
    said = text(html)
    assert all(total.student in said for total in totals)
    assert said.index("Évariste Galois") < said.index("Fei Xiaotong")
    assert html.count('<a href="students/') == 40


def test_the_pictures_say_what_they_draw(koc: CourseFile) -> None:
    totals = class_totals(koc, class_marks(koc), now=NOW)
    html = class_totals_page(totals, course=koc, links={}, now=NOW)
    assert "90 to 100 percent: " in html
    assert "Course project: lowest " in html


LETTERS = """\
[letters]
bands = { A = 90, B = 80 }
[[components]]
id = "exam"
title = "Exam"
weight = 100
"""


def test_letters_are_counted() -> None:
    course = course_of(LETTERS)
    marks = [*marks_of(course, {"exam": 95}), *marks_of(course, {"exam": 10}, "ben")]
    totals = class_totals(course, marks, now=NOW)
    said = text(class_totals_page(totals, course=course, links={}, now=NOW))
    assert "A 1 B 0 F 1" in " ".join(said.split())
    assert targets_of(course) == ("A", "B")


@pytest.mark.parametrize("link", ["javascript:attack()", "https://attack.example/", "//x", "/x"])
def test_a_link_that_leads_elsewhere_is_dropped(koc: CourseFile, link: str) -> None:
    totals = class_totals(koc, marks_of(koc, {"midterm": 50}), now=NOW)
    html = class_totals_page(totals, course=koc, links={"ada": link}, now=NOW)
    assert html.count("<a ") == 1  # the one that skips to the marks


@pytest.mark.parametrize("students", [0, 1])
def test_small_classes_have_a_page(koc: CourseFile, students: int) -> None:
    totals = class_totals(koc, class_marks(koc, students=students), now=NOW)
    assert "Distribution of totals" in class_totals_page(totals, course=koc, links={}, now=NOW)


def test_no_attack_in_any_name_becomes_an_element(koc: CourseFile) -> None:
    course = msgspec.structs.replace(koc, title=ALL)
    marks = marks_of(course, {"midterm": 50}, student=ALL)
    totals = class_totals(course, marks, now=NOW)
    history = [MarkEvent(student="ada", at=NOW, item=ALL, what=ALL, who=ALL, why=ALL)]
    pages = [
        class_totals_page(totals, course=course, links={ALL: ALL}, names={ALL: ALL}, now=NOW),
        student_totals_page(totals[0], course=course, now=NOW, history=history, shown_as=ALL),
    ]
    for html in pages:
        tree = html5lib.parse(html, namespaceHTMLElements=False)
        tags = {e.tag for e in tree.iter() if isinstance(e.tag, str)}
        assert not tags & {"script", "iframe", "img", "form", "input", "object", "embed", "base"}
        names = {name for e in tree.iter() for name in e.attrib}
        assert not any(name.startswith("on") for name in names)
        hrefs = [e.attrib["href"] for e in tree.iter() if "href" in e.attrib]
        assert not any(href.lower().strip().startswith("javascript") for href in hrefs)
