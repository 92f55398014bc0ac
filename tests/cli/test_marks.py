"""Marks from people: imports, excuses, extensions, and the history of it all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Grader
from tests.cli.marking import course

__all__ = ["course"]


def mark(grader: Grader, student: str, item: str) -> dict[str, object]:
    found = grader("show-marks", "--student", student, "--item", item, "--json").json()
    assert len(found) == 1
    one: dict[str, object] = found[0]
    return one


def write(course: Path, text: str) -> Path:
    path = course / "quiz.csv"
    path.write_text(text)
    return path


def test_imported_marks_count_in_totals_with_their_history(course: Path, grader: Grader) -> None:
    path = write(course, "student,item,points,handed in\nada,quiz,17.5,2024-10-09 12:00\n")
    done = grader("import-marks", path)
    assert (done.code, done.out) == (0, "")
    assert "2 recorded, 0 were known" in done.err
    found = mark(grader, "ada", "quiz")
    assert (found["points"], found["source"]) == ("17.5", "import")
    assert found["handed_in"] == "2024-10-09 09:00:00+00:00"
    [ada, _] = grader("totals", "--json").json()["students"]
    assert ada["components"][1]["items"][1]["points"] == "17.5"
    [event, _] = [e for e in ada["history"] if e["item"] == "quiz"]
    assert (event["what"], event["who"]) == ("17.5 of 20 points, imported", "prof")


def test_what_is_known_already_is_not_recorded_again(course: Path, grader: Grader) -> None:
    path = write(course, "student,item,points\nada,quiz,17.5\n")
    grader("import-marks", path)
    assert "0 recorded, 1 were known" in grader("import-marks", path).err


def test_a_change_is_kept_beside_what_was_there(course: Path, grader: Grader) -> None:
    for points in ("17.5", "18"):
        grader("import-marks", write(course, f"student,item,points\nada,quiz,{points}\n"))
    said = grader("history", "--student", "ada", "--item", "quiz").out
    assert "17.5 of 20 points, imported (prof) – from quiz.csv" in said
    assert "17.5 → 18 of 20 points, imported" in said


def test_a_dry_run_records_nothing(course: Path, grader: Grader) -> None:
    path = write(course, "student;item;points\nada;quiz;17,5\n")
    assert "1 entries could be recorded" in grader("import-marks", path, "--dry-run").err
    assert "No marks found" in grader("show-marks", "--item", "quiz").err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("adda,quiz,1", "Did you mean ada?"),
        ("ada,quizz,1", "Did you mean quiz?"),
        ("ada,quiz,20.01", "20.01 points are more than the 20"),
        ("ada,quiz,-1", "these are no points: '-1'"),
        ("ada,quiz,NaN", "these are no points"),
        ("ada,quiz,=1+1", "a cell holds a formula"),
        ("ada,quiz,", "points are missing"),
        ("ben,quiz,1", "'ben' has 'quiz' in line 2 too"),
        ("ada,quiz,1,2", "more cells than the header"),
        (",quiz,1", "the student is missing"),
    ],
)
def test_one_line_that_is_wrong_is_named_and_nothing_is_taken(
    course: Path, grader: Grader, line: str, message: str
) -> None:
    path = write(course, f"student,item,points\nben,quiz,12\n{line}\n")
    done = grader("import-marks", path)
    assert done.code == 2
    assert f"{path}:3" in done.err and message in done.err
    assert "No marks found" in grader("show-marks", "--item", "quiz").err


def test_a_new_student_is_taken_where_that_is_said(course: Path, grader: Grader) -> None:
    path = write(course, "student,item,points\nemmy,quiz,12\n")
    assert grader("import-marks", path).code == 2
    assert grader("import-marks", path, "--new-students").code == 0
    assert mark(grader, "emmy", "quiz")["points"] == "12"


def test_an_excuse_leaves_the_sum_and_can_be_taken_back(course: Path, grader: Grader) -> None:
    done = grader("excuse", "ada", "quiz", "--why", "Ill")
    assert done.code == 0
    [ada, _] = grader("totals", "--json").json()["students"]
    assert ada["components"][1]["items"][1]["state"] == "excused"
    grader("excuse", "ada", "quiz", "--undo", "--why", "A mistake")
    assert "No marks found" in grader("show-marks", "--item", "quiz").err
    said = grader("history", "--item", "quiz").out
    assert "excused (prof) – Ill" in said and "no longer excused (prof) – A mistake" in said


def test_an_extension_is_local_to_the_course(course: Path, grader: Grader) -> None:
    done = grader("extend", "ada", "h1", "2024-11-20 12:00", "--why", "Ill")
    assert done.code == 0
    assert mark(grader, "ada", "h1")["extended_to"] == "2024-11-20 09:00:00+00:00"


def test_who_has_until_a_day_has_all_of_it_as_the_class_has(course: Path, grader: Grader) -> None:
    grader("extend", "ada", "h1", "2024-11-20", "--why", "Ill")
    assert mark(grader, "ada", "h1")["extended_to"] == "2024-11-20 20:59:59+00:00"


def test_without_a_machines_mark_there_is_no_zero(course: Path, grader: Grader) -> None:
    grader("mark", "cem", "report", "--set", "clarity=30", "--new-student")
    found = mark(grader, "cem", "report")
    assert (found["points"], found["waits_for"]) == (None, "Waits for: Depth")
    assert grader("show-marks", "--student", "cem", "--item", "h1").out == ""
