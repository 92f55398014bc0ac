"""Extra credit inside an assignment, from the verdict to pages, totals and exports."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.course.directory import Course
from grader.grading.verdict import QuestionMark
from grader.release.contents import released_contents
from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict

__all__ = ["course"]

EXTRA = '\n[[questions]]\nid = "q4"\ntitle = "Faster"\npoints = 3\nextra_credit = true\n'


@pytest.fixture
def with_extra(course: Path) -> Path:
    """Ada has all of the points, and all on top; no written answer waits."""
    spec = course / "assignments" / "warm-up" / "assignment.toml"
    text = spec.read_text().replace("points = 5\n", "points = 7\n")
    spec.write_text(text.replace("manual = 2", "points = 0\nmanual = 0", 1) + EXTRA)
    spec.write_text(spec.read_text().replace('[[questions]]\nid = "q3"', "[[unused]]"))
    spec.write_text(_without_q3(spec.read_text()))
    full = verdict("ada", "", points="10")
    questions = (
        QuestionMark(id="q1", title="", points=Decimal(7), max_points=Decimal(7)),
        QuestionMark(id="q2", title="", points=Decimal(3), max_points=Decimal(3)),
        QuestionMark(
            id="q4", title="", points=Decimal(3), max_points=Decimal(3), extra_credit=True
        ),
    )
    full = msgspec.structs.replace(
        full,
        points=Decimal(13),
        max_points=Decimal(10),
        manual_points=Decimal(0),
        questions=questions,
    )
    record(course, full, msgspec.structs.replace(full, student="ben", points=Decimal(10)))
    return course


def _without_q3(text: str) -> str:
    start = text.index("[[unused]]")
    return text[:start] + text[text.index("[[questions]]", start) :]


def test_points_on_top_count_in_marks_and_totals(with_extra: Path, grader: Grader) -> None:
    [mark] = grader("show-marks", "--student", "ada", "--item", "h1", "--json").json()
    assert (mark["points"], mark["max_points"], mark["extra_points"]) == ("13", "10", "3")
    found = grader("totals", "--student", "ada", "--json").json()["students"][0]
    [item] = [i for c in found["components"] for i in c["items"] if i["item"] == "h1"]
    assert (item["points"], item["max_points"]) == ("13", "10")
    assert item["adds"] == "78"  # 13 of 10 at 60 percent


def test_the_page_says_what_is_on_top(with_extra: Path, grader: Grader) -> None:
    grader("report", "warm-up")
    page = (with_extra / "graded" / "warm-up" / "students" / "ada.html").read_text()
    assert "<strong>13</strong> <span>of 10 points" in page
    assert "of 3 extra" in page and "Extra credit: its points come on top." in page
    assert "width:130" not in page


def test_the_export_keeps_the_maximum(with_extra: Path, grader: Grader) -> None:
    done = grader("export", "csv", "--item", "h1")
    table = Path(done.out.strip()).read_text("utf-8-sig")
    assert "Softmax (10)" in table and "ada,,,,13" in table


def test_what_is_released_says_it(with_extra: Path, grader: Grader) -> None:
    reference = with_extra / "reference" / "warm_up.py"
    text = reference.read_text()
    reference.write_text(text[: text.index("# %% [markdown]\n# ## Question 3")])
    contents = released_contents(Course(with_extra).assignment("warm-up"))
    readme = contents["README.md"].decode()
    assert "**Points: 10.**" in readme
    assert "| q4 | Faster | 3 | extra credit, on top of the points |" in readme
