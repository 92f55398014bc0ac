"""`grader feedback`: students' pages under the names that a system's upload takes apart."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict
from tests.intake.archives import NOTEBOOK, make_zip

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
    assert "1 page packed." in done.err
    assert "ben: has a page and no place in the file" in done.err
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


CANVAS = [
    ("lovelaceada_900_5001_warm-up-1.ipynb", NOTEBOOK),
    ("lovelaceada_900_5000_a.txt", b"-"),
    ("ben_LATE_901_5003_5_6_x.ipynb", NOTEBOOK),
    ("adams_902_5004_warm-up.ipynb", NOTEBOOK),
]


def test_canvas_pages_bear_the_numbers_that_its_upload_looks_for(
    course: Path, worksheet: Path, grader: Grader
) -> None:
    (course / "roster.csv").write_text(
        "id,name,canvas\nada,Ada Lovelace,900\nben,Ben,901\neve,Eve Adams,903\n"
    )
    archive = course / "submissions.zip"
    archive.write_bytes(make_zip(*CANVAS))
    grader("report", "warm-up")
    done = grader("feedback", "canvas", "warm-up", "--into", archive)
    assert done.code == 0, done.err
    with zipfile.ZipFile(done.out.strip()) as made:
        names = made.namelist()
        assert b"Ada" in made.read("900_5001_feedback.html")
    # abstract_assignment.rb: split("_") - ["LATE"], grep(/^\\d+$/), take(2) → user, attachment.
    taken = {tuple([p for p in n.split("_") if re.fullmatch(r"\d+", p)][:2]) for n in names}
    assert taken == {("900", "5001"), ("901", "5003")}
    assert "eve: has a page and no place in the file" in done.err
    assert "under the name of the file that was handed in" in done.err


def test_a_canvas_name_that_reads_in_two_ways_gets_no_page(
    course: Path, worksheet: Path, grader: Grader
) -> None:
    (course / "roster.csv").write_text("id,name,canvas\nada,Ada,900\nben,Ben,901\n")
    archive = course / "submissions.zip"
    archive.write_bytes(
        make_zip(("x_900_1_901_77_hw.ipynb", NOTEBOOK), ("ada_900_5_hw.ipynb", NOTEBOOK))
    )
    grader("report", "warm-up")
    done = grader("feedback", "canvas", "warm-up", "--into", archive)
    with zipfile.ZipFile(done.out.strip()) as made:
        assert made.namelist() == ["900_5_feedback.html"]


def test_what_says_who_is_who_is_asked_for_and_another_systems_is_refused(
    course: Path, worksheet: Path, grader: Grader
) -> None:
    done = grader("feedback", "canvas", "warm-up")
    assert done.code == 2 and "Canvas itself must say who is who there" in done.err
    done = grader("feedback", "canvas", "warm-up", "--into", worksheet)
    assert done.code == 2 and "no archive of Canvas" in done.err
    archive = course / "submissions.zip"
    archive.write_bytes(make_zip(("Ada_3_assignsubmission_file/a.ipynb", NOTEBOOK)))
    done = grader("feedback", "canvas", "warm-up", "--into", archive)
    assert done.code == 2 and "not of Canvas" in done.err


def test_a_folder_holds_a_page_for_each_also_of_who_handed_in_nothing(
    course: Path, worksheet: Path, grader: Grader
) -> None:
    (course / "roster.csv").write_text(ROSTER + "../eve,,\n".replace("../", "") + "Zoë Ö,,\n")
    record(course, verdict("../mallory", ""))
    grader("report", "warm-up")
    done = grader("feedback", "folder", "warm-up")
    assert done.code == 0, done.err
    folder = Path(done.out.strip())
    assert folder == course / "exports" / "warm-up-feedback"
    names = sorted(path.name for path in folder.iterdir())
    assert [name for name in names if "-" not in name] == ["ada.html", "ben.html", "eve.html"]
    assert len(names) == 5 and all(re.fullmatch(r"[a-z0-9-]+\.html", name) for name in names)
    assert "Not handed in" in (folder / "eve.html").read_text()
    done = grader("feedback", "folder", "warm-up", "--into", worksheet)
    assert done.code == 2


@pytest.mark.parametrize("named", ["no-such-browser", ""])
def test_without_a_browser_a_sentence_says_what_to_install(
    named: str, course: Path, worksheet: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_BROWSER", named)
    if not named:
        monkeypatch.setattr("grader.report.pdf._BROWSERS", ())
    done = grader("feedback", "folder", "warm-up", "--pdf")
    assert done.code == 1
    assert "no PDF can be made" in done.err and "pip install '.[pdf]'" in done.err
    assert not (course / "exports").exists()
