"""Course files: what they may say, and what a fault is told as."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.directory import Course
from grader.course.scheme import check_open, load_scheme
from grader.errors import SpecError, UsageError
from tests.helpers.assignments import write_assignment

COURSE = """\
title = "Warming up"
institution = "A university"
term = "Fall"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]
cap = 105

[late]
grace_days = 3
grace_days_per_item = 2
percent_per_day = 20
cutoff_days = 5
components = ["homework"]

[rounding]
to = 0.5

[letters]
bands = { A = 90, B = 80.5, C = 60 }

[[components]]
id = "homework"
title = "Homework"
weight = 60
best = 2

[[components.items]]
id = "h1"
title = "Softmax"
assignment = "warm-up"

[[components.items]]
id = "h2"
title = "Means"
points = 20
due = 2024-11-17
must_pass = true
pass_mark = 10

[[components.items]]
id = "h3"
title = "More"
points = 20
due = 2024-11-24T12:00:00
late = "refused"

[[components.items]]
id = "bonus"
title = "Even more"
extra_credit = true
weight = 2.5

[[components]]
id = "project"
title = "Project"
weight = 30

[[components.items]]
id = "report"
title = "Report"
weight = 30
group = true
group_size = [2, 3]
points = 100

[[components.items.rubric]]
id = "clarity"
title = "Clarity"
points = 40

[[components.items.rubric]]
id = "depth"
title = "Depth"
points = 60

[[components]]
id = "exam"
title = "Exam"
weight = 10

[[extensions]]
student = "ada"
item = "h2"
due = 2024-11-20T12:00:00
why = "Ill"
"""


def written(folder: Path, text: str = COURSE) -> Path:
    path = folder / "course.toml"
    path.write_text(text)
    return path


def loaded(folder: Path, text: str = COURSE) -> CourseFile:
    return load_course_file(written(folder, text))


def test_a_whole_course_file_is_read(tmp_path: Path) -> None:
    course = loaded(tmp_path)
    assert [item.id for item in course.items] == ["h1", "h2", "h3", "bonus", "report", "exam"]
    assert [c.weight for c in course.components] == [60, 30, 10]
    assert course.late and course.late.order == "best for the student"
    assert course.late.charge == "whole days"
    assert course.rounding.to == Decimal("0.5")
    assert course.letters and course.letters.bands["B"] == Decimal("80.5")
    assert course.left_open == ()
    report = course.item("report")
    assert report and report.group_size == (2, 3) and report.max_points == 100


def test_a_component_without_items_is_an_item_out_of_100(tmp_path: Path) -> None:
    exam = loaded(tmp_path).item("exam")
    assert exam and (exam.title, exam.max_points) == ("Exam", 100)


def test_a_date_alone_is_the_end_of_that_day(tmp_path: Path) -> None:
    item = loaded(tmp_path).item("h2")
    assert item and item.due == dt.datetime(2024, 11, 17, 23, 59, 59)


@pytest.mark.parametrize(
    ("score", "letter"), [("100", "A"), ("90", "A"), ("89.99", "B"), ("80.5", "B"), ("59", "F")]
)
def test_letters_begin_at_their_band(tmp_path: Path, score: str, letter: str) -> None:
    letters = loaded(tmp_path).letters
    assert letters and letters.letter(Decimal(score)) == letter


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight = 10", "weight = 11", "components: the weights add up to 101, expected 100"),
        ("weight = 10", "", "components[2].weight: this key is missing"),
        ("weight = 30\ngroup", "weight = 29\ngroup", "components[1].weight: the items add up to"),
        ("grace_days = 3", "grace_days = -3", "late.grace_days: expected 0 or more"),
        ("percent_per_day = 20", "", "late.percent_per_day: this key is missing"),
        ("percent_per_day = 20", "percent_per_day = 101", "late.percent_per_day: expected 0 to"),
        ('["homework"]', '["homwork"]', "late.components: there is no component 'homwork'"),
        ("must_pass", "mustpass", "components[0].items[1].mustpass: no such key"),
        ("pass_mark = 10", "", "components[0].items[1].pass_mark: an item that must be passed"),
        ("pass_mark = 10", "pass_mark = 21", "components[0].items[1].pass_mark: expected more"),
        ("must_pass = true", "", "components[0].items[1].pass_mark: say also: must_pass"),
        ("due = 2024-11-17\n", 'due = "17 Nov"\n', "components[0].items[1].due: "),
        ('"Europe/Istanbul"', '"Europe/Ankara"', "timezone: expected a name such as"),
        ('timezone = "Europe/Istanbul"', "", "components[0].items[1].due: this time is local"),
        ('["warm-up"]', "[]", "components[0].items[0].assignment: 'warm-up' is not among"),
        ('id = "h3"', 'id = "h2"', "components[0].items[2].id: 'h2' is the id of more than one"),
        ('id = "h3"', 'id = "exam"', "components[2].id: 'exam' is the id of more than one item"),
        ('id = "h3"', 'id = "h 3"', "components[0].items[2].id: expected letters"),
        ("best = 2", "best = 4", "components[0].best: expected 1 to 3"),
        ("best = 2", "drop = 3", "components[0].drop: expected 0 to 2"),
        ("best = 2", "best = 2\ndrop = 1", "components[0].drop: give best or drop"),
        ("best = 2", "best = 2\nby_points = true", "components[0].best: needs items that count"),
        ("extra_credit = true", "", "components[0].best: needs items that count equally"),
        ("weight = 2.5", "", "components[0].items[3].weight: an extra-credit item needs"),
        ("points = 40", "points = 41", "components[1].items[0].points: the criteria add up to 101"),
        ("group = true", "", "components[1].items[0].group_size: say also: group = true"),
        ("[2, 3]", "[3, 2]", "components[1].items[0].group_size: expected the least"),
        ('title = "Clarity"', 'title = "Clarity"\nmachine = true', "a machine's criterion needs"),
        ('item = "h2"', 'item = "h9"', "extensions[0].item: there is no item 'h9'"),
        ("to = 0.5", "to = 0.3", "rounding.to: expected one of 10, 5, 1, 0.5, 0.1, 0.01"),
        ("C = 60", "C = 90", "letters.bands: two letters begin at the same total"),
        ("C = 60", 'C = "many"', "letters.bands.C: expected a number"),
        ("[letters]", "[appeals]\ndays = 0\n[letters]", "appeals.days: expected 1 to 366, got 0"),
        ("[letters]", "[appeals]\n[letters]", "appeals.days: this key is missing"),
        ("[letters]", "[appeals]\ndays = 7\nhours = 2\n[letters]", "appeals.hours: no such key"),
        (
            "[letters]",
            "[appeals]\ndays = 7\nmost_per_assignment = 101\n[letters]",
            "appeals.most_per_assignment: expected 1 to 100, got 101",
        ),
        ("cap = 105", "cap = 99", "cap: expected 100 or more"),
        ("cap = 105", 'left_open = ["x"]', "left_open: no such key"),
        ("cap = 105", "cap = 105.001", "cap: expected at most two decimals"),
    ],
)
def test_a_fault_names_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in COURSE
    with pytest.raises(SpecError) as caught:
        loaded(tmp_path, COURSE.replace(old, new, 1))
    assert message in caught.value.what
    assert caught.value.where == str(tmp_path / "course.toml")


def test_a_weight_on_some_items_only_is_a_fault(tmp_path: Path) -> None:
    some = COURSE.replace("best = 2\n", "").replace("extra_credit = true\n", "")
    with pytest.raises(SpecError, match="give every item a weight, or none"):
        loaded(tmp_path, some)


def test_open_facts_are_named_and_missed_nowhere_else(tmp_path: Path) -> None:
    text = COURSE.replace("weight = 10", 'weight = "open"')
    text = text.replace("weight = 30\ngroup", 'weight = "open"\ngroup')
    text = text.replace("percent_per_day = 20", 'percent_per_day = "open"')
    text = text.replace("pass_mark = 10", 'pass_mark = "open"')
    course = loaded(tmp_path, text)
    assert course.left_open == (
        "late.percent_per_day",
        "components.homework.items.h2.pass_mark",
        "components.project.items.report.weight",
        "components.exam.weight",
    )
    with pytest.raises(SpecError) as caught:
        check_open(course, tmp_path / "course.toml")
    assert all(key in caught.value.what for key in course.left_open)


def test_a_title_may_say_open(tmp_path: Path) -> None:
    course = loaded(tmp_path, COURSE.replace('title = "Exam"', 'title = "open"'))
    assert course.left_open == ()


def test_an_item_takes_points_and_due_date_from_its_assignment(tmp_path: Path) -> None:
    write_assignment(tmp_path)
    written(tmp_path)
    item = load_scheme(Course(tmp_path)).item("h1")
    assert item and item.max_points == 10
    assert item.due == dt.datetime(2024, 10, 9, 20, 59, tzinfo=dt.UTC)


def test_every_date_of_a_scheme_has_a_time_zone(tmp_path: Path) -> None:
    write_assignment(tmp_path)
    written(tmp_path)
    scheme = load_scheme(Course(tmp_path))
    item = scheme.item("h3")
    assert item and item.due and item.due.utcoffset() == dt.timedelta(hours=3)
    assert scheme.extensions[0].due.utcoffset() == dt.timedelta(hours=3)


def test_points_that_differ_from_the_assignments_are_a_fault(tmp_path: Path) -> None:
    write_assignment(tmp_path)
    written(tmp_path, COURSE.replace('"warm-up"\n', '"warm-up"\npoints = 12\n', 1))
    with pytest.raises(SpecError, match=r"items\.h1\.points: the assignment warm-up has 10"):
        load_scheme(Course(tmp_path))


def test_a_course_without_a_course_file_is_told_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no course file") as caught:
        load_scheme(Course(tmp_path))
    assert "grader init" in str(caught.value.hint)


def test_the_gradebook_lies_where_the_course_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    course = Course(tmp_path)
    assert course.database_url == f"sqlite:///{tmp_path}/gradebook.db"
    written(tmp_path)
    assert course.database_url == f"sqlite:///{tmp_path}/gradebook.db"
    written(tmp_path, COURSE.replace("cap = 105", 'database = "sqlite:////srv/marks.db"'))
    assert course.database_url == "sqlite:////srv/marks.db"
    monkeypatch.setenv("GRADER_DATABASE_URL", "sqlite:////srv/other.db")
    assert course.database_url == "sqlite:////srv/other.db"
