"""`grader export`: from the gradebook to a system's own file."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import openpyxl

from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict
from tests.cli.test_mark import fill as fill_answers

__all__ = ["course"]

ROSTER = "id,name,email,canvas\nada,Ada Lovelace,ada@uni.edu,900\nben,=HYPERLINK(1),b@uni.edu,901\n"
CANVAS = (
    "Student,ID,SIS Login ID,Section,Softmax (77),Quiz (78)\n"
    "    Points Possible,,,,10.00,20.00\n"
    '"Lovelace, Ada",900,a1,S1,,\nBen,901,b1,S2,,\n'
)


def marked(course: Path, grader: Grader) -> Path:
    (course / "roster.csv").write_text(ROSTER)
    (course / "quiz.csv").write_text("student,item,points\nada,quiz,17.5\nben,h1,9\n")
    assert grader("import-marks", course / "quiz.csv").code == 0
    path = course / "gradebook.csv"
    path.write_text(CANVAS)
    return path


def test_canvas_is_filled_beside_its_file(course: Path, grader: Grader) -> None:
    source = marked(course, grader)
    done = grader("export", "canvas", "--into", source, "--item", "quiz", "--item", "h1")
    assert done.code == 0, done.err
    path = Path(done.out.strip())
    assert path == course / "exports" / "gradebook-filled.csv"
    assert path.read_text() == CANVAS.replace("S1,,", "S1,,17.50").replace("S2,,", "S2,9.00,")
    assert source.read_text() == CANVAS
    assert "line 4, ben: Quiz: no mark; left as it is" in done.err
    assert "line 3, ada: Softmax: Written answers to be read: q3" in done.err


def test_the_systems_file_is_never_overwritten(course: Path, grader: Grader) -> None:
    source = marked(course, grader)
    (course / "link.csv").symlink_to(source)
    os.link(source, course / "hard.csv")
    for out in (source, course / "link.csv", course / "hard.csv"):
        done = grader("export", "canvas", "--into", source, "--item", "quiz", "-o", out)
        assert (done.code, "would be overwritten" in done.err) == (2, True)
    assert source.read_text() == CANVAS


def test_an_old_worksheet_of_moodles_is_told(course: Path, grader: Grader) -> None:
    marked(course, grader)
    sheet = course / "worksheet.csv"
    sheet.write_text(
        "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade)\n"
        "Participant 3,Ada Lovelace,ada@uni.edu,,20.00,-\n"
    )
    old = time.time() - 3 * 86400
    os.utime(sheet, (old, old))
    done = grader("export", "moodle", "--into", sheet, "--item", "quiz", "-o", course / "out.csv")
    assert "the file is 3 days old" in done.err
    assert "edu,17.50,20.00,-" in (course / "out.csv").read_text()


def test_another_systems_file_is_refused(course: Path, grader: Grader) -> None:
    source = marked(course, grader)
    done = grader("export", "moodle", "--into", source, "--item", "quiz")
    assert (done.code, "this file is of Canvas, not of Moodle" in done.err) == (2, True)
    done = grader("export", "canvas", "--item", "quiz")
    assert (done.code, "Export Entire Gradebook" in done.err) == (2, True)


def test_plain_tables_hold_everybody_and_no_formula(course: Path, grader: Grader) -> None:
    marked(course, grader)
    record(course, verdict("eve", ""))
    done = grader("export", "csv")
    rows = list(csv.reader(Path(done.out.strip()).read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["id", "name", "email", "section", "Softmax (10)", "Quiz (20)"]
    assert rows[2] == ["ben", "'=HYPERLINK(1)", "b@uni.edu", "", "9.00", ""]
    assert [row[0] for row in rows[1:]] == ["ada", "ben", "eve"]
    assert "eve is not on the roster" in done.err
    done = grader("export", "xlsx", "-o", course / "marks.xlsx")
    sheet = openpyxl.load_workbook(course / "marks.xlsx").active
    assert sheet is not None
    assert sheet["F2"].value == 17.5
    assert sheet["B3"].data_type == "s"


def test_totals_go_out_once_they_are_whole(course: Path, grader: Grader) -> None:
    marked(course, grader)
    for item in ("h1", "report"):
        path = course / "more.csv"
        path.write_text(f"student,item,points\nada,{item},8\n")
        grader("import-marks", path)
    done = grader("export", "csv", "--totals", "--json").json()
    [line] = [r for r in Path(done["path"]).read_text("utf-8-sig").splitlines() if "ada," in r]
    assert line == "ada,Ada Lovelace,ada@uni.edu,,67.10"
    assert any(w.startswith("ben: Total: waits for") for w in done["warnings"])


COMMENT = 'Fair <b>& square</b>; =1+1 "quoted", und Grüße'


def commented(course: Path, grader: Grader) -> None:
    (course / "roster.csv").write_text(ROSTER + "eve,Eve,eve@uni.edu,902\n")
    grader("answers", "warm-up", "--csv")
    table = course / "graded" / "warm-up" / "answers" / "q3.csv"
    fill_answers(table, "ada", {"q3 (of 2)": "1.5", "q3 comment": COMMENT})
    done = grader("answers", "warm-up", "--question", "q3", "--import", table)
    assert done.code == 0, done.err


def test_moodles_comments_are_html_that_shows_what_was_said(course: Path, grader: Grader) -> None:
    commented(course, grader)
    sheet = course / "worksheet.csv"
    sheet.write_text(
        "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade),"
        "Feedback comments\n"
        "Participant 1,Ada Lovelace,ada@uni.edu,,10.00,-,\n"
        "Participant 2,Ben,b@uni.edu,,10.00,-,before\n"
    )
    done = grader("export", "moodle", "--into", sheet, "--item", "h1", "--comments")
    assert done.code == 0, done.err
    assert "2 comments" in done.err
    with Path(done.out.strip()).open(newline="") as file:
        ada, ben = csv.DictReader(file)
    assert ada["Grade"] == "8.00"
    said = ada["Feedback comments"]
    assert said.startswith("<p>8 of 10 points.</p><p>Late: 21 days late")
    assert said.endswith(
        "<p>q3 Why subtract the maximum?: 1.5 of 2</p><p>q3 Why subtract the maximum?: "
        "Fair &lt;b&gt;&amp; square&lt;/b&gt;; =1+1 &quot;quoted&quot;, und Grüße</p>"
    )
    said = ben["Feedback comments"]
    assert said.startswith("<p>4 of 10 points, 2 wait.</p>")
    assert said.endswith("<p>q3 Why subtract the maximum?: 2 to be marked by a person</p>")


def test_moodles_column_of_comments_is_found_in_a_language_that_is_not_known(
    course: Path, grader: Grader
) -> None:
    commented(course, grader)
    sheet = course / "worksheet.csv"
    head = "Kennung,Vollständiger Name,E-Mail-Adresse,Bewertung,Beste Bewertung,"
    head += "Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung)"
    line = "Teilnehmer/in 1,Ada Lovelace,ada@uni.edu,,10,-,-"
    sheet.write_text(f"{head},Kommentare dazu\n{line},\n")
    done = grader("export", "moodle", "--into", sheet, "--item", "h1", "--comments")
    assert done.code == 0, done.err
    assert "<p>8 of 10 points.</p>" in Path(done.out.strip()).read_text()
    sheet.write_text(f"{head}\n{line}\n")
    done = grader("export", "moodle", "--into", sheet, "--item", "h1", "--comments")
    assert done.code == 2 and "Switch feedback comments on" in done.err


def test_canvas_takes_no_comments_in_its_gradebook(course: Path, grader: Grader) -> None:
    source = marked(course, grader)
    done = grader("export", "canvas", "--into", source, "--item", "h1", "--comments")
    assert done.code == 2
    assert "grader feedback canvas" in done.err


def test_comments_are_plain_text_that_no_spreadsheet_obeys_elsewhere(
    course: Path, grader: Grader
) -> None:
    commented(course, grader)
    sheet = course / "status.csv"
    sheet.write_text("update;usr_id;login;mark;comment\n0;1;ada;;\n")
    done = grader("export", "ilias", "--into", sheet, "--item", "h1", "--comments")
    assert done.code == 0, done.err
    with Path(done.out.strip()).open(newline="") as file:
        [ada] = csv.DictReader(file, delimiter=";")
    assert ada["comment"].splitlines()[-1] == f"q3 Why subtract the maximum?: {COMMENT}"
    assert ada["comment"].startswith("8 of 10 points.")
    sheet.write_text(
        '"Last Name","Username","Softmax [Total Pts: 10 Score] |5","Feedback to Learner",'
        '"Feedback Format"\n"Lovelace","ada","","",""\n'
    )
    done = grader("export", "blackboard", "--into", sheet, "--item", "h1", "--comments")
    assert done.code == 0, done.err
    with Path(done.out.strip()).open(newline="") as file:
        [ada] = csv.DictReader(file)
    assert ada["Feedback Format"] == "PLAIN_TEXT" and COMMENT in ada["Feedback to Learner"]


def test_comments_are_of_one_assignment(course: Path, grader: Grader) -> None:
    commented(course, grader)
    sheet = course / "status.csv"
    sheet.write_text("update;usr_id;login;mark;comment\n0;1;ada;;\n")
    done = grader("export", "ilias", "--into", sheet, "--item", "quiz", "--comments")
    assert done.code == 2 and "one assignment at a time" in done.err
