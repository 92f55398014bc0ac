"""`grader mark`: rubrics by options, by questions, and as a table."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from grader.cli import cli
from tests.cli.conftest import Grader
from tests.cli.marking import course

__all__ = ["course"]


def report_of(grader: Grader, student: str = "ada") -> tuple[object, dict[str, str]]:
    found = grader("show-marks", "--student", student, "--item", "report", "--json").json()
    return (found[0]["points"], found[0]["criteria"]) if found else (None, {})


def ask(answers: str) -> Result:
    return CliRunner().invoke(cli, ["mark", "ada", "report"], input=answers)


def test_a_rubric_adds_up_once_every_criterion_is_marked(course: Path, grader: Grader) -> None:
    grader("mark", "ada", "report", "--set", "clarity=30.5", "--comment", "clarity=Name the axes.")
    assert report_of(grader) == (None, {"clarity": "30.5"})
    grader("mark", "ada", "report", "--set", "depth=50")
    assert report_of(grader) == ("80.5", {"clarity": "30.5", "depth": "50"})
    assert "clarity: 30.5 of 40 points: “Name the axes.”" in grader("history").out


def test_points_for_the_whole_item_hold_over_the_rubric_until_they_are_taken_back(
    course: Path, grader: Grader
) -> None:
    grader("mark", "ada", "report", "--set", "clarity=30", "--set", "depth=50")
    grader("mark", "ada", "report", "--points", "90", "--why", "An appeal")
    assert report_of(grader)[0] == "90"
    grader("mark", "ada", "report", "--undo")
    assert report_of(grader)[0] == "80"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "clarity=41"], "not between 0 and 40"),
        (["--set", "clearness=4"], "Did you mean clarity?"),
        (["--comment", "depth=Deep"], "a comment and no points"),
        (["--set", "clarity"], "CRITERION=VALUE"),
        (["--set", "clarity=4", "--points", "101"], "not between 0 and 100"),
    ],
)
def test_what_does_not_fit_the_rubric_is_refused_whole(
    course: Path, grader: Grader, arguments: list[str], message: str
) -> None:
    done = grader("mark", "ada", "report", *arguments)
    assert done.code == 2
    assert message in done.err
    assert report_of(grader) == (None, {})


def test_you_are_asked_and_each_answer_is_kept_at_once(course: Path, grader: Grader) -> None:
    assert ask("30\nName the axes.\n").exit_code == 1
    assert report_of(grader) == (None, {"clarity": "30"})
    # Goes on: keeps the first, too many points for the second, then right.
    done = ask("\n61\n60\nDeep.\n")
    assert (done.exit_code, done.exception) == (0, None)
    assert "Clarity (of 40, now 30)" in done.output and "more than the 60" in done.output
    assert report_of(grader)[0] == "90"


def test_an_answer_can_be_gone_back_to_and_taken_back(course: Path, grader: Grader) -> None:
    assert ask("30\n\n<\n20\n\n-\n").exit_code == 0
    assert report_of(grader) == (None, {"clarity": "20"})


def test_a_name_that_the_course_does_not_know_ends_the_asking(course: Path, grader: Grader) -> None:
    done = CliRunner().invoke(cli, ["mark", "adda", "report"], input="30\n\n30\n\n30\n\n")
    assert done.exit_code != 0
    assert "knows no student 'adda'" in done.output
    assert done.output.count("Clarity (of 40") == 1
    assert report_of(grader, "adda") == (None, {})


@pytest.mark.parametrize("name", ["report.xlsx", "report.csv"])
def test_a_table_goes_out_and_comes_back(course: Path, grader: Grader, name: str) -> None:
    grader("mark", "ada", "report", "--set", "clarity=30", "--comment", "clarity==cmd")
    path = course / name
    assert grader("mark", "report", "--export", path).code == 0
    fill(path, "ben", {"clarity (of 40)": "35.5", "depth (of 60)": "60", "depth comment": "+ all"})
    done = grader("mark", "report", "--import", path)
    assert (done.code, done.err) == (0, "2 recorded.\n")
    assert report_of(grader, "ben") == ("95.5", {"clarity": "35.5", "depth": "60"})
    assert report_of(grader) == (None, {"clarity": "30"})
    assert "cmd”" in grader("history").out


def test_a_mark_that_changed_meanwhile_is_not_overwritten(course: Path, grader: Grader) -> None:
    path = course / "report.xlsx"
    grader("mark", "report", "--export", path)
    grader("mark", "ada", "report", "--set", "clarity=30", "--by", "another")
    fill(path, "ada", {"clarity (of 40)": "10", "depth (of 60)": "10"})
    done = grader("mark", "report", "--import", path)
    assert done.code == 1
    assert "ada, report, clarity: the mark was changed meanwhile by another" in done.err
    assert report_of(grader) == (None, {"clarity": "30"})


def test_a_table_of_another_rubric_is_refused(course: Path, grader: Grader) -> None:
    path = course / "report.csv"
    grader("mark", "report", "--export", path)
    text = (course / "course.toml").read_text().replace("points = 40", "points = 50")
    (course / "course.toml").write_text(text)
    done = grader("mark", "report", "--import", path)
    assert done.code == 2
    assert "clarity (of 50)" in done.err and "export the table again" in done.err


def test_a_formula_in_a_table_is_refused(course: Path, grader: Grader) -> None:
    path = course / "report.xlsx"
    grader("mark", "report", "--export", path)
    fill(path, "ada", {"clarity (of 40)": "=20+20"})
    done = grader("mark", "report", "--import", path)
    assert done.code == 2
    assert f"{path}:2: a cell holds a formula" in done.err


def test_a_table_is_not_overwritten(course: Path, grader: Grader) -> None:
    path = course / "report.csv"
    path.write_text("kept")
    assert grader("mark", "report", "--export", path).code == 2
    assert path.read_text() == "kept"


def fill(path: Path, student: str, cells: dict[str, str]) -> None:
    """Write into a table as a person does."""
    if path.suffix == ".csv":
        import csv

        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
        row = next(r for r in rows if r[0] == student)
        for column, value in cells.items():
            row[rows[0].index(column)] = value
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return
    book = openpyxl.load_workbook(path)
    sheet = book.active
    header = [cell.value for cell in sheet[1]]
    number = next(r[0].row for r in sheet.iter_rows() if r[0].value == student)
    for column, value in cells.items():
        filled = float(value) if value.replace(".", "").isdigit() else value
        sheet.cell(number, header.index(column) + 1).value = filled
    book.save(path)
