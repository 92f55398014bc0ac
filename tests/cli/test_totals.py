"""`grader totals`: tables, JSON, pages, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.course.directory import Assignment
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.store import Gradebook
from tests.cli.conftest import Grader
from tests.helpers.assignments import SPEC, write_assignment
from tests.helpers.verdicts import graded

COURSE = """\
title = "Warming up"
institution = "A university"
term = "Fall"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]

[late]
grace_days = 1
percent_per_day = 25

[letters]
bands = { A = 90, B = 60 }

[[components]]
id = "homework"
title = "Homework"
weight = 60

[[components.items]]
id = "h1"
title = "Softmax"
assignment = "warm-up"

[[components]]
id = "exam"
title = "Exam"
weight = 40
"""

# Two of the assignment's ten points are given by a person; here all come from the suite.
MACHINE = SPEC.replace("manual = 2", "points = 2")


@pytest.fixture
def course(warm_up: Assignment) -> Path:
    """A course with a course file, and verdicts on two students."""
    root = warm_up.course_root
    write_assignment(root, spec=MACHINE)
    (root / "course.toml").write_text(COURSE)
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        batch = gradebook.start_batch("warm-up", seed=1)
        for student, points, handed_in in (
            ("ada", "9.5", "2024-10-11T10:00:00+03:00"),
            ("ben", "4", "2024-10-09T23:59:00+03:00"),
        ):
            verdict = graded(student, points=Decimal(points))
            changed = {
                "assignment": "warm-up",
                "max_points": Decimal(10),
                "manual_points": Decimal(0),
                "submission": msgspec.structs.replace(
                    verdict.submission,
                    submitted_at=dt.datetime.fromisoformat(handed_in),
                ),
            }
            gradebook.record(msgspec.structs.replace(verdict, **changed), None, batch=batch)
    return root


def test_the_table_shows_what_is_known_and_what_waits(course: Path, grader: Grader) -> None:
    done = grader("totals")
    assert done.code == 0
    rows = {line.split()[0]: line.split() for line in done.out.splitlines() if line.strip()}
    # ada: 2 days late, one of grace, the other 25 %: 9.5 x 0.75 = 7.125 of 10
    assert rows["ada"][:6] == ["ada", "–", "–", "71.25", "42.75", "–"]
    assert rows["ben"][:6] == ["ben", "–", "–", "40", "24", "–"]
    assert "2 of 2 have no total yet" in done.err


def test_the_pages_lie_in_graded_totals(course: Path, grader: Grader) -> None:
    done = grader("totals")
    page = course / "graded" / "totals" / "totals.html"
    assert f"Pages: {page}" in done.err
    assert sorted(p.name for p in (page.parent / "students").iterdir()) == ["ada.html", "ben.html"]
    assert "ben" not in (page.parent / "students" / "ada.html").read_text()


def test_a_students_page_tells_no_mark_before_the_due_date(course: Path, grader: Grader) -> None:
    later = MACHINE.replace("due = 2024-10-09", "due = 2099-10-09")
    write_assignment(course, spec=later)
    assert " 95 " in grader("totals").out
    page = (course / "graded" / "totals" / "students" / "ada.html").read_text()
    assert "Marks are shown after the due date" in page
    assert "9.5" not in page


def test_final_counts_what_has_no_mark_as_nothing(course: Path, grader: Grader) -> None:
    [ada, _] = grader("totals", "--final", "--json").json()["students"]
    assert (ada["total"], ada["letter"], ada["waiting"]) == ("42.75", "F", [])
    assert ada["components"][1]["items"][0]["state"] == "missing"


def test_the_json_carries_exact_numbers_and_the_why_of_each_line(
    course: Path, grader: Grader
) -> None:
    document = grader("totals", "--json", "--student", "ada").json()
    [ada] = document["students"]
    assert (ada["total"], ada["so_far"], ada["at_least"], ada["at_most"]) == (
        None,
        "71.25",
        "42.75",
        "82.75",
    )
    [item] = ada["components"][0]["items"]
    assert (item["points"], item["max_points"], item["earned"]) == ("9.5", "10", "7.13")
    assert (item["days_late"], item["grace_days"], item["percent_off"]) == ("2", "1", "25")
    assert item["why"] == "2 days late: 1 day of grace, 25 % off."
    assert ada["grace_days_left"] == "0"
    [event] = ada["history"]
    assert (event["item"], event["what"]) == ("h1", "attempt 1: 9.5 of 10 points from the tests")


def test_one_student_is_shown_line_by_line(course: Path, grader: Grader) -> None:
    done = grader("totals", "--student", "ada", "--need", "B")
    said = " ".join(done.out.split())
    assert "9.5 / 10" in said
    assert "the total will lie between 42.75 and 82.75" in said
    assert "Grace days: 0 of 1 left." in said
    assert "h1: attempt 1: 9.5 of 10 points from the tests" in said
    assert "For B: 43.12 % of what is still to come (Exam 43.12 of 100)." in said


def test_need_alone_is_about_everybody(course: Path, grader: Grader) -> None:
    said = " ".join(grader("totals", "--need", "A").out.split())
    assert "ada 71.25 A is out of reach: at most 82.75." in said
    # 42.75 + 0.4312 x 40 = 59.998, and 24 + 0.8999 x 40 = 59.996: both are rounded to 60.
    found = grader("totals", "--need", "60", "--json").json()["students"]
    assert [one["need"]["percent"] for one in found] == ["43.12", "89.99"]


def test_open_facts_are_named_and_nothing_is_computed(course: Path, grader: Grader) -> None:
    text = COURSE.replace("weight = 40", 'weight = "open"')
    (course / "course.toml").write_text(text)
    done = grader("totals")
    assert (done.code, done.out) == (1, "")
    assert "components.exam.weight" in done.err
    assert not (course / "graded").exists()


def test_without_a_course_file_the_way_to_one_is_told(warm_up: Assignment, grader: Grader) -> None:
    done = grader("totals")
    assert done.code == 2
    assert "no course file" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--student", "cem"], "no mark of a student 'cem'"),
        (["--need", "many"], "expected a letter (A, B) or a total such as 85"),
    ],
)
def test_what_cannot_be_answered_is_a_usage_error(
    course: Path, grader: Grader, arguments: list[str], message: str
) -> None:
    done = grader("totals", *arguments)
    assert done.code == 2
    assert message in done.err


def test_a_mark_of_other_points_than_the_assignment_has_now_is_refused(
    course: Path, grader: Grader
) -> None:
    changed = MACHINE.replace("points = 10", "points = 11").replace("points = 2\n", "points = 3\n")
    write_assignment(course, spec=changed)
    done = grader("totals")
    assert done.code == 1
    assert "ada, h1: the mark is out of 10 points, but the course file says 11" in done.err


def test_an_empty_gradebook_is_said(warm_up: Assignment, grader: Grader) -> None:
    (warm_up.course_root / "course.toml").write_text(COURSE)
    done = grader("totals")
    assert (done.code, done.out) == (0, "")
    assert "There are no marks yet" in done.err


def test_a_group_hands_in_once(course: Path, grader: Grader) -> None:
    text = COURSE.replace(
        'assignment = "warm-up"', 'assignment = "warm-up"\ngroup = true\ngroup_size = [3, 4]'
    )
    (course / "course.toml").write_text(text)
    (course / "groups.csv").write_text("item,group,student\nh1,T1,ben\nh1,T1,cem\n")
    done = grader("totals", "--json")
    assert {s["student"]: s["so_far"] for s in done.json()["students"]} == {
        "ada": "71.25",
        "ben": "40",
        "cem": "40",
    }
    assert "the group 'T1' for 'h1' is of 2, and the course file says 3 to 4" in done.err
    assert "have each handed in" not in done.err
    (course / "groups.csv").write_text("item,group,student\nh1,T1,ben\nh1,T1,ada\n")
    said = "of the group 'T1', ada and ben have each handed in, and each has the mark of their own"
    assert said in grader("totals", "--json").err


def test_what_was_handed_in_and_not_judged_is_not_missing(course: Path, grader: Grader) -> None:
    """The desk acknowledged it: that a verdict is missing is ours to mend, and costs nobody."""
    handed_in = dt.datetime(2024, 10, 9, 12, tzinfo=dt.UTC)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student, ends in (("cem", False), ("dia", True)):
            one, _ = gradebook.tries.receive(
                student,
                assignment="warm-up",
                student=student,
                file="warm-up.ipynb",
                received_from=student,
                seed=1,
                now=handed_in,
            )
            gradebook.tries.stored(one.id, attempt=1, sha256="a" * 64, folder="f")
            if ends:
                gradebook.claims.fail(one.id, "the sandbox is gone", now=handed_in)
    (course / "roster.csv").write_text("id,name\ncem,Cem\neve,Eve\n")
    found = {s["student"]: s for s in grader("totals", "--json", "--final").json()["students"]}
    lines = {student: one["components"][0]["items"][0] for student, one in found.items()}
    assert {s: line["state"] for s, line in lines.items()} == {
        "ada": "counted",
        "ben": "counted",
        "cem": "waits",
        "dia": "waits",
        "eve": "missing",
    }
    assert "not judged yet" in lines["cem"]["why"] and "no fault" in lines["dia"]["why"]
    assert grader("report", "warm-up").code == 0
    pages = {s: (course / f"graded/warm-up/students/{s}.html").read_text() for s in ("cem", "eve")}
    assert "Handed in, not judged yet" in pages["cem"] and "Not handed in" not in pages["cem"]
    assert "Not handed in" in pages["eve"]


def test_who_has_longer_does_not_make_the_others_work_missing(
    warm_up: Assignment, grader: Grader
) -> None:
    """Nothing was graded yet: that an excuse or a later date is on record tells nothing of that."""
    root = warm_up.course_root
    write_assignment(root, spec=MACHINE)
    (root / "course.toml").write_text(COURSE)
    (root / "roster.csv").write_text("id,name\nada,Ada\nben,Ben\n")
    later = Change(
        fact=Fact(student="ada", item="h1", kind=Kind.EXTENSION),
        moment=dt.datetime(2024, 10, 12, tzinfo=dt.UTC),
    )
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        gradebook.hand_marks.record([later], who="Tan", why="")
    [_, ben] = grader("totals", "--json").json()["students"]
    assert ben["components"][0]["items"][0]["state"] == "waits"


def test_an_extension_is_the_students_whatever_the_case_of_the_id_and_a_strangers_is_said(
    course: Path, grader: Grader
) -> None:
    """Written into the course file with a slip, it would be lost without a word."""
    (course / "roster.csv").write_text("id,name\nada,Ada\nben,Ben\n")
    later = '[[extensions]]\nstudent = "{}"\nitem = "h1"\ndue = 2024-10-12\n'
    text = COURSE + "".join(later.format(student) for student in ("Ada", "adda"))
    (course / "course.toml").write_text(text)
    done = grader("totals", "--json")
    [ada, _] = done.json()["students"]
    assert (ada["student"], ada["so_far"]) == ("ada", "95")
    assert "course.toml extends h1 for 'adda', who is not on the roster" in done.err
