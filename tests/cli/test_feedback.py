"""`grader feedback moodle`: students' pages under the names that Moodle's upload takes apart."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict

__all__ = ["course"]

ROSTER = (
    "id,name,email\nada,Ada Lovelace,ada@uni.edu\n"
    "ben,../../Ben_7_assignsubmission_file_/x,b@uni.edu\n"
)
HEAD = "Identifier,Full name,Email address,Status,Grade,Maximum grade,Last modified (grade)\n"
ADA = "Participant 123456,Ada Lovelace,ada@uni.edu,Submitted,,10,-\n"
BEN = "Participant 123457,../../Ben_7_assignsubmission_file_/x,b@uni.edu,Submitted,,10,-\n"


@pytest.fixture
def worksheet(course: Path, grader: Grader) -> Path:
    """The pages are written; Moodle's worksheet lies beside the course file."""
    (course / "roster.csv").write_text(ROSTER)
    grader("report", "warm-up")
    path = course / "worksheet.csv"
    path.write_text(HEAD + ADA + BEN)
    return path


def test_each_page_stands_where_moodle_looks_for_it(
    course: Path, worksheet: Path, grader: Grader
) -> None:
    done = grader("feedback", "moodle", "warm-up", "--into", worksheet)
    assert done.code == 0, done.err
    path = Path(done.out.strip())
    assert path == course / "exports" / "warm-up-feedback-moodle.zip"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        page = archive.read(names[0])
    # importziplib.php: explode('_', path, 5) → name, participant, type, plugin, file.
    taken = [name.split("_", 4) for name in names]
    assert [(t[1], t[2], t[3], t[4]) for t in taken] == [
        ("123456", "assignsubmission", "file", "/feedback.html"),
        ("123457", "assignsubmission", "file", "/feedback.html"),
    ]
    assert taken[0][0] == "Ada Lovelace"
    assert all(".." not in name and name.count("/") == 1 for name in names)
    assert page == (course / "graded" / "warm-up" / "students" / "ada.html").read_bytes()
    again = path.read_bytes()
    grader("feedback", "moodle", "warm-up", "--into", worksheet)
    assert path.read_bytes() == again


def test_who_is_left_out_is_said(course: Path, worksheet: Path, grader: Grader) -> None:
    record(course, verdict("zoe", ""))
    grader("report", "warm-up")
    worksheet.write_text(HEAD + ADA + "Participant 9,Carl,c@uni.edu,No submission,,10,-\n")
    done = grader("feedback", "moodle", "warm-up", "--into", worksheet)
    assert "1 pages packed." in done.err
    assert "ben: has a page and no line in the file" in done.err
    assert "Carl" in done.err


def test_another_systems_file_and_missing_pages_are_refused(
    course: Path, worksheet: Path, grader: Grader
) -> None:
    other = course / "canvas.csv"
    other.write_text("Student,ID,SIS Login ID,Section,Softmax (77)\n")
    done = grader("feedback", "moodle", "warm-up", "--into", other)
    assert done.code == 2 and "not of Moodle" in done.err
    for page in (course / "graded" / "warm-up" / "students").iterdir():
        page.unlink()
    done = grader("feedback", "moodle", "warm-up", "--into", worksheet)
    assert done.code == 2 and "there is no page of warm-up" in done.err
