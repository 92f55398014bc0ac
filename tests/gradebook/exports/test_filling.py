"""Marks in the files of four systems: what is filled in, what stays, what a person is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.errors import UsageError
from grader.gradebook.exports.filling import Filled, fill
from grader.gradebook.exports.scores import Column, ExportScore, item_column
from grader.gradebook.group_marks import DIFFERENT
from grader.gradebook.marks import ItemMark
from grader.lms.lms_table import LmsTable, table_from
from grader.lms.registry import system_of, systems

ROSTER = Roster(
    {
        "ada": Person(id="ada", name="Ada Lovelace", number="17", canvas="900"),
        "zoe": Person(id="zoe", name="Zoë O'Brien-Núñez", email="z@uni.edu", canvas="901"),
        "ben": Person(id="ben", name="Ben Bitdiddle", login="ben", canvas="902"),
    }
)
D = Decimal


def column(
    item: str = "hw1", title: str = "Warm-up", most: str = "10", **points: str | None
) -> Column:
    scores = {
        student: ExportScore(None, excused=True)
        if given == "EX"
        else ExportScore(D(given) if given else None, why="not marked yet")
        for student, given in points.items()
    }
    return Column(item, title, D(most), scores)


def filled(text: str, *columns: Column, scale: bool = False, **named: str) -> tuple[str, Filled]:
    table = table_from(text.encode())
    matcher = Matcher(ROSTER, Path("matches.csv"))
    done = fill(table, system_of(table), columns, matcher, named=named, scale=scale)
    return table.to_bytes().decode(), done


CANVAS = (
    "\ufeffStudent,ID,SIS Login ID,Section,Seat,Warm-up (77),Quiz (78),Final Score\r\n"
    "    Manual Posting,,,,,,,\r\n"
    "    Points Possible,,,,,10.00,20.00,(read only)\r\n"
    '"Lovelace, Ada",900,a1,S1,"a ""b"" ",,1.00,50\r\n'
    '"O\'Brien-Núñez, Zoë",901,z1,S2,x,7.00,,60\r\n'
    "Ben Bitdiddle,902,ben,S2,=evil(),N/A,,\r\n"
    '"Student, Test",,,S1,,,,\r\n'
)


def test_canvas_gets_marks_and_keeps_all_else() -> None:
    text, done = filled(CANVAS, column(ada="9.5", zoe="7", ben="EX"))
    assert text == CANVAS.replace(' ",,1.00', ' ",9.50,1.00').replace("N/A", "EX")
    assert (done.filled, done.changed, done.warnings) == (3, 1, [])


def test_several_items_go_into_canvas_at_once() -> None:
    quiz = column("quiz", "Quiz", "20", ada="3", ben="20", zoe="4")
    text, done = filled(CANVAS, column(ada="1", zoe="2", ben="3"), quiz)
    assert '"a ""b"" ",1.00,3.00,50' in text
    assert done.filled == 6


def test_canvas_with_semicolons_gets_commas_in_numbers() -> None:
    source = "Student;ID;Section;Warm-up (77)\n    Points Possible;;;10,00\nLovelace, Ada;900;S1;\n"
    text, _ = filled(source, column(ada="9.5"))
    assert text == source.replace("S1;\n", "S1;9,50\n")


def test_lines_without_a_mark_and_marks_without_a_line_are_named() -> None:
    text, done = filled(CANVAS.replace("902", "999"), column(ada=None, ben="3"))
    assert text == CANVAS.replace("902", "999")
    assert done.warnings == [
        "line 6: Ben Bitdiddle: ben has another canvas (ben?); left as it is",
        "line 4, ada: Warm-up: not marked yet; left as it is",
        "line 5, zoe: Warm-up: no mark; left as it is",
        "ben: Warm-up: has a mark and no line in the file",
    ]


def test_two_lines_of_one_student_are_both_left() -> None:
    twice = CANVAS + "Ada Lovelace,900,a1,S1,,,,\r\n"
    text, done = filled(twice, column(ada="9"))
    assert text == twice
    assert "lines 4 and 8 are both ada's; left as they are" in done.warnings


def test_another_maximum_is_said_or_scaled() -> None:
    _, done = filled(CANVAS, column(most="20", ada="19", zoe="1", ben="1"))
    assert any("out of 20, and the file says out of 10" in w for w in done.warnings)
    assert any("line 4, ada: 19 is more than the maximum of 10" in w for w in done.warnings)
    text, done = filled(CANVAS, column(most="30", ada="19", zoe="1", ben="1"), scale=True)
    assert ",6.33,1.00" in text
    assert done.warnings == []


def test_a_column_that_is_not_there_is_not_invented() -> None:
    with pytest.raises(UsageError) as error:
        filled(CANVAS, column(title="Homework 1", ada="1"))
    assert "There are: Warm-up (77), Quiz (78)" in str(error.value)
    text, _ = filled(CANVAS, column(title="Homework 1", ada="1"), hw1="quiz")
    assert ",1.00,50" in text
    with pytest.raises(UsageError, match="no column"):
        filled(CANVAS, column(ada="1"), hw1="Final Score")


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    "Participant 5,Ada Lovelace,ada@uni.edu,Submitted,,10.00,Yes,"
    '"Friday, 1 November",-,"<p>a, b</p>"\n'
    "Participant 6,Zoë O'Brien-Núñez,z@uni.edu,-,4.00,10.00,Yes,-,-,\n"
    "Participant 7,Ben Bitdiddle,ben@uni.edu,-,,10.00,No,-,-,\n"
)


def test_moodle_gets_grades_and_a_word_on_what_it_would_skip() -> None:
    text, done = filled(MOODLE, column(ada="9.5", zoe="11", ben="3"))
    want = MOODLE.replace("Submitted,,", "Submitted,9.50,").replace("4.00", "11.00")
    assert text == want.replace("-,,10.00,No", "-,3.00,10.00,No")
    told = "\n".join(done.warnings)
    assert "line 3, zoe: 11 is more than the maximum of 10; Moodle's import silently skips" in told
    assert "line 3, zoe: it has a grade and no time of it" in told
    assert "line 4, ben: the file says that the grade can't be changed" in told
    assert "ada" not in told


def test_moodle_without_an_identifier_in_a_line_is_told() -> None:
    _, done = filled(MOODLE.replace("Participant 5", ""), column(ada="1", zoe="1", ben="1"))
    assert any("without an Identifier" in w and "ada" in w for w in done.warnings)


@pytest.mark.parametrize("gone", ["Identifier", "Grade", '"Last modified (grade)"'])
def test_moodle_files_that_its_import_would_refuse_are_refused(gone: str) -> None:
    with pytest.raises(UsageError):
        filled(MOODLE.replace(f"{gone},", "Something,", 1), column(ada="1"))


def test_moodle_takes_one_item_at_a_time() -> None:
    with pytest.raises(UsageError, match="holds one item"):
        filled(MOODLE, column(), column("quiz"))


BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\t'
    '"Warm-up [Total Pts: 10 Score] |123"\t"Total [Total Pts: up to 30 Score] |124"\n'
    '"Lovelace"\t"Ada"\t"al"\t"17"\t"Yes"\t""\t"5"\n'
    '"Bitdiddle"\t"Ben"\t"BEN"\t""\t"Yes"\t"2"\t""\n'
)


def test_blackboard_gets_quoted_marks_under_its_own_column_id() -> None:
    text, done = filled(BLACKBOARD, column(ada="9.5", ben="2"))
    want = BLACKBOARD.replace('"Yes"\t""\t"5"', '"Yes"\t"9.50"\t"5"')
    assert text == want.replace('"2"\t""', '"2.00"\t""')
    assert (done.filled, done.changed) == (2, 0)


def test_gradescope_gets_scores_out_of_the_points() -> None:
    source = (
        "First Name,Last Name,SID,Email,Total Score,Max Points,Status\n"
        "Ada,Lovelace,17,a@b.c,,,Missing\n"
    )
    text, _ = filled(source, column(ada="9.5"))
    assert text == source.replace("c,,,M", "c,9.50,10,M")


@given(st.binary(max_size=200), st.sampled_from([CANVAS, MOODLE, BLACKBOARD]), st.integers(0, 400))
def test_damaged_files_are_refused_or_keep_what_is_unknown(
    noise: bytes, source: str, place: int
) -> None:
    data = source.encode()
    try:
        table: LmsTable = table_from(data[:place] + noise + data[place:])
        system = system_of(table)
        before = [list(line.raw) for line in table.lines]
        fill(table, system, [column(ada="9.5")], Matcher(ROSTER, Path("m.csv")))
    except UsageError:
        return
    assert system in systems()
    changed = [
        (old, new)
        for line, cells in zip(table.lines, before, strict=True)
        for old, new in zip(cells, line.raw, strict=False)
        if old != new
    ]
    assert len(changed) <= 1
    assert all("9.50" in new or "9,50" in new for _, new in changed)


def mark(student: str, points: str | None, *, excused: bool = False) -> ItemMark:
    given_points = D(points) if points else None
    return ItemMark(
        student=student, item="hw1", points=given_points, max_points=D(10), excused=excused
    )


def test_a_group_shares_its_one_mark() -> None:
    groups = dict.fromkeys(("ada", "ben", "zoe"), ("ada", "ben", "zoe"))
    marks = [mark("ada", "7"), mark("ben", None, excused=True)]
    scores = item_column("hw1", "", D(10), marks, groups).scores
    assert scores["zoe"].points == D(7)
    assert scores["ben"].excused
    marks = [mark("ada", "7"), mark("ben", "8")]
    scores = item_column("hw1", "", D(10), marks, groups).scores
    assert scores["zoe"] == ExportScore(None, why=DIFFERENT)


def test_who_has_longer_than_the_group_gets_its_mark_too() -> None:
    later = dt.datetime(2024, 10, 20, tzinfo=dt.UTC)
    groups = dict.fromkeys(("ada", "ben", "zoe"), ("ada", "ben", "zoe"))
    waits = replace(mark("ben", None), extended_to=later, waits_for="Not marked yet")
    scores = item_column("hw1", "", D(10), [mark("ada", "7"), waits], groups).scores
    assert [scores[s].points for s in ("ada", "ben", "zoe")] == [7, 7, 7]
