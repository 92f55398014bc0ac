"""`grader roster`: from each system's list to one roster."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.directory import Assignment
from tests.cli.conftest import Grader

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Warm-up (77),Final Score\n"
    "    Points Possible,,,,,10.00,(read only)\n"
    '"Lovelace, Ada",900,17,ada,S1,,\n'
    '"O\'Brien-Núñez, Zoë",901,18,zoe,S2,,\n'
    '"Student, Test",,,,S1,,\n'
)
MOODLE = (
    "Identifier,Full name,ID number,Email address,Status,Grade,Last modified (grade)\n"
    "Participant 5,Ada Lovelace,17,ada@uni.edu,-,,-\n"
    "Participant 6,Alan Turing,21,alan@uni.edu,-,,-\n"
    "Participant 7,Zoe O'Brien-Nunez,,z@else.org,-,,-\n"
)
BLACKBOARD = (
    '"Last Name","First Name","Username","Student ID","Last Access","Availability",'
    '"HW [Total Pts: 10 Score] |123"\n"Lovelace","Ada","ada","17","","Yes",""\n'
)
GRADESCOPE = "First Name,Last Name,SID,Email,Sections,Total Score\nAda,Lovelace,17,ada@uni.edu,,\n"


def write(warm_up: Assignment, name: str, text: str) -> Path:
    path = warm_up.course_root.parent / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lists_of_several_systems_make_one_roster(warm_up: Assignment, grader: Grader) -> None:
    done = grader("roster", "import", write(warm_up, "canvas.csv", CANVAS))
    assert (done.code, "From canvas: 2 added" in done.err) == (0, True), done.err
    done = grader("roster", "import", write(warm_up, "moodle.csv", MOODLE))
    assert "1 added, 1 filled in, 1 not taken" in done.err
    assert "Zoe O'Brien-Nunez: the name is only nearly theirs: zoe" in done.err
    shown = {p["id"]: p for p in grader("roster", "show", "--json").json()}
    assert shown["ada"] == {
        "id": "ada",
        "name": "Ada Lovelace",
        "email": "ada@uni.edu",
        "section": "S1",
        "login": "ada",
        "number": "17",
        "canvas": "900",
    }
    assert sorted(shown) == ["21", "ada", "zoe"]
    assert "moodle: Zoe O'Brien-Nunez" in grader("roster", "match").out
    path = warm_up.course_root / "matches.csv"
    path.write_text(path.read_text().rstrip("\n") + "zoe\n")
    done = grader("roster", "import", write(warm_up, "moodle.csv", MOODLE))
    assert "0 added, 1 filled in, 0 not taken" in done.err


@pytest.mark.parametrize(
    ("text", "system"), [(BLACKBOARD, "blackboard"), (GRADESCOPE, "gradescope")]
)
def test_the_columns_tell_the_system(
    text: str, system: str, warm_up: Assignment, grader: Grader
) -> None:
    done = grader("roster", "import", write(warm_up, "list.csv", text), "--json")
    assert done.json()["system"] == system
    [person] = grader("roster", "show", "--json").json()
    assert (person["name"], person["number"]) == ("Ada Lovelace", "17")


def test_a_second_import_changes_nothing(warm_up: Assignment, grader: Grader) -> None:
    path = write(warm_up, "canvas.csv", CANVAS)
    grader("roster", "import", path)
    before = (warm_up.course_root / "roster.csv").read_bytes()
    assert "0 added, 0 filled in" in grader("roster", "import", path).err
    assert (warm_up.course_root / "roster.csv").read_bytes() == before


def test_a_list_of_nothing_known_is_refused(warm_up: Assignment, grader: Grader) -> None:
    done = grader("roster", "import", write(warm_up, "x.csv", "shoe,size\n1,2\n"))
    assert (done.code, "no known system" in done.err) == (2, True)


def test_of_two_new_lines_of_one_id_the_second_is_told_and_not_merged(
    warm_up: Assignment, grader: Grader
) -> None:
    text = "id,name,email\nada,Ada Lovelace,ada@uni.edu\nada,Eve Adams,eve@uni.edu\n"
    done = grader("roster", "import", write(warm_up, "list.csv", text))
    assert "1 added, 0 filled in, 1 not taken" in done.err
    assert "line 3: Eve Adams: its id is taken" in done.err
    [person] = grader("roster", "show", "--json").json()
    assert (person["name"], person["email"]) == ("Ada Lovelace", "ada@uni.edu")


def test_hostile_names_are_no_formulas_in_the_roster(warm_up: Assignment, grader: Grader) -> None:
    names = ["=1+1", "%PATH%", "|calc", "@SUM(A1)", "-2"]
    lines = [f"s{number},{name}" for number, name in enumerate(names)]
    path = write(warm_up, "list.csv", "\n".join(["id,name", *lines]) + "\n")
    grader("roster", "import", path)
    written = (warm_up.course_root / "roster.csv").read_text()
    assert all(f",'{name}," in written for name in names)
    assert [p["name"] for p in grader("roster", "show", "--json").json()] == names
