"""`grader mark --question --add`: a part that a person gives beside the tests' points."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict
from tests.cli.test_mark import fill

__all__ = ["course"]

WHY = "Right <b>but</b> for the cuda line."


def criteria_of(grader: Grader, student: str = "ada") -> dict[str, str]:
    [found] = grader("show-marks", "--student", student, "--item", "h1", "--json").json()
    return dict(found["criteria"])


def add(grader: Grader, points: str = "1", item: str = "warm-up", *more: str) -> tuple[int, str]:
    done = grader("mark", "ada", item, "--question", "q1", "--add", points, "--comment", WHY, *more)
    return done.code, done.err


@pytest.mark.parametrize("item", ["warm-up", "h1"])
def test_a_part_that_a_person_gives_is_in_marks_pages_and_results(
    course: Path, grader: Grader, item: str
) -> None:
    assert add(grader, "1", item) == (0, "1 recorded.\n")
    assert criteria_of(grader) == {"q1": "7.5", "q3": "0"}
    assert criteria_of(grader, "ben")["q1"] == "4"
    history = grader("history", "--student", "ada").out
    assert f"q1: +1 beside the 6.5 of the tests: “{WHY}” (prof)" in history
    grader("report", "warm-up")
    folder = course / "graded" / "warm-up"
    page = (folder / "students" / "ada.html").read_text()
    assert "Right <b>but</b> for the cuda line." in page  # Markdown, sanitised
    assert "+1 of it by hand" in page and "<strong>7.5</strong>" in page
    results = json.loads((folder / "gradescope" / "ada.json").read_text())
    assert results["score"] == 7.5
    assert results["extra_data"]["by_hand"] == [{"question": "q1", "points": 1, "comment": WHY}]
    assert "by hand" not in (folder / "students" / "ben.html").read_text()
    assert add(grader, "1", item) == (0, "That was known already.\n")


def test_it_can_be_taken_off_and_taken_back(course: Path, grader: Grader) -> None:
    add(grader, "-2.5")
    assert criteria_of(grader)["q1"] == "4"
    assert grader("mark", "ada", "warm-up", "--question", "q1", "--undo").code == 0
    assert criteria_of(grader)["q1"] == "6.5"
    assert "q1: points beside the tests' taken back" in grader("history").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--question", "q1", "--add", "1.6"], "is not between 0 and 8: give −6.5 to +1.5"),
        (["--question", "q1", "--add", "-7"], "is not between 0 and 8"),
        (["--question", "q1", "--add", "much"], "these are no points"),
        (["--question", "q9", "--add", "1"], "no question 'q9'"),
        (["--question", "q3", "--add", "1"], "no points from the tests to add to"),
        (["--question", "q1"], "--question with --add"),
        (["--add", "1"], "--question with --add"),
        (["--question", "q1", "--add", "1", "--points", "3"], "--question with --add"),
    ],
)
def test_what_does_not_fit_is_refused(
    course: Path, grader: Grader, arguments: list[str], message: str
) -> None:
    done = grader("mark", "ada", "warm-up", *arguments)
    assert done.code == 2
    assert message in done.err
    assert criteria_of(grader)["q1"] == "6.5"


def test_it_outlives_a_regrade_and_the_marker_is_told_when_the_tests_give_it_too(
    course: Path, grader: Grader
) -> None:
    add(grader)
    record(course, verdict("ada", "Because."))
    assert criteria_of(grader)["q1"] == "7.5"
    assert "Note: " not in grader("report", "warm-up").err
    record(course, verdict("ada", "Because.", points="8"))
    assert criteria_of(grader)["q1"] == "8"
    told = "ada: q1: +1 by prof was added to 6.5 from the tests, which now give 8; +0 of it counts"
    assert told in grader("report", "warm-up").err
    assert told in grader("totals").err


def test_it_belongs_to_the_submission_that_was_read(course: Path, grader: Grader) -> None:
    add(grader)
    other = verdict("ada", "Because.", points="3", attempt=2)
    submission = msgspec.structs.replace(other.submission, sha256="f" * 64)
    record(course, msgspec.structs.replace(other, submission=submission))
    assert criteria_of(grader)["q1"] == "3"
    assert "was given to another submission" in grader("report", "warm-up").err


@pytest.mark.parametrize("name", ["q1.csv", "q1.xlsx"])
def test_a_table_of_a_question_goes_out_and_comes_back(
    course: Path, grader: Grader, name: str
) -> None:
    table = course / name
    done = grader("mark", "warm-up", "--question", "q1", "--export", table)
    assert (done.code, done.err) == (0, f"2 students: {table}\n")
    fill(table, "ben", {"add": "-1,5", "comment": "Copied from the slides."})
    done = grader("mark", "warm-up", "--question", "q1", "--import", table)
    assert (done.code, done.err) == (0, "1 recorded.\n")
    assert criteria_of(grader, "ben")["q1"] == "2.5"
    fill(table, "ben", {"add": "5"})
    done = grader("mark", "warm-up", "--question", "q1", "--import", table)
    assert done.code == 2 and "is not between 0 and 8" in done.err
    fill(table, "ben", {"add": "2"})
    done = grader("mark", "warm-up", "--question", "q1", "--import", table)
    assert done.code != 0 and "changed meanwhile" in done.err


def test_the_rubrics_share_of_the_tests_has_it_too(course: Path, grader: Grader) -> None:
    text = (course / "course.toml").read_text()
    rubric = (
        '\n[[components.items.rubric]]\nid = "tests"\ntitle = "Tests"\npoints = 16\n'
        "machine = true\n"
        '[[components.items.rubric]]\nid = "style"\ntitle = "Style"\npoints = 4\n'
    )
    text = text.replace('assignment = "warm-up"\n', f'assignment = "warm-up"\n{rubric}')
    (course / "course.toml").write_text(text)
    assert criteria_of(grader)["tests"] == "13"
    add(grader)
    assert Decimal(criteria_of(grader)["tests"]) == 15
