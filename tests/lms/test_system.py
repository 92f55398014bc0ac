"""What all systems share: numbers, cells, columns, and whose line of a table it is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from grader.course.roster import Identity, Person, Roster
from grader.errors import UsageError
from grader.lms.generic import PlainList
from grader.lms.lms_table import table_from
from grader.lms.system import (
    Context,
    MarkColumn,
    Sidecar,
    System,
    joined,
    number,
    only_target,
)

PLAIN = PlainList()
TARGET = MarkColumn(0, "Grade")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9", "9"),
        (" 9,5 ", "9.5"),
        ("9.50", "9.50"),
        ("123456789.123456789", "123456789.123456789"),
    ],
)
def test_a_number_may_have_a_point_or_a_comma(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "-", "-1", "1e9", "1,000.5", "1234567890", "0.1234567890", ".5", "5.", "٥", "NaN"]
)
def test_what_is_no_plain_number_is_none(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    ("points", "comma", "text"),
    [
        ("9.5", False, "9.50"),
        ("9.5", True, "9,50"),
        ("9.005", False, "9.01"),
        ("9.004", False, "9.00"),
        ("100", False, "100.00"),
        ("1E+2", False, "100.00"),
    ],
)
def test_points_are_written_in_hundredths_with_the_files_own_comma(
    points: str, comma: bool, text: str
) -> None:
    assert PLAIN.cell(Decimal(points), TARGET, comma=comma) == text


@pytest.mark.parametrize(
    ("file", "rest", "path"),
    [("a", "b/c", "a/b/c"), ("", "b", "b"), ("a", "", "a"), ("", "", "")],
)
def test_paths_are_joined_where_both_are_there(file: str, rest: str, path: str) -> None:
    assert joined(file, rest) == path


def test_the_one_column_of_marks_is_found_whatever_its_case_with_its_maximum() -> None:
    table = table_from(b'Name,GRADE,Max\nAda,,\nBen,,"7,5"\nCem,,9\n')
    assert only_target(table, ["mark", "grade"], ["max"]) == MarkColumn(1, "GRADE", Decimal("7.5"))


def test_a_maximum_that_no_line_tells_is_not_guessed() -> None:
    table = table_from(b"Name,Grade\nAda,\n")
    assert only_target(table, ["grade"], ["max"]) == MarkColumn(1, "Grade", None)


def test_a_table_without_the_column_of_marks_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        only_target(table_from(b"Name\nAda\n"), ["grade", "mark"], [])
    assert str(refused.value) == "the file has no column Grade"


def test_a_file_beside_is_read_where_it_is_there_and_small_enough() -> None:
    def sidecar(size: int | None) -> Sidecar:
        return Sidecar("x", size, lambda: b"a\xffb")

    assert not sidecar(None).readable
    assert sidecar(0).readable
    assert sidecar(32 << 20).readable
    assert not sidecar((32 << 20) + 1).readable
    assert sidecar(3).text(2) == "a\ufffd"


def test_each_line_of_a_person_is_given_with_id_and_section() -> None:
    table = table_from(
        b"id,first name,last name,email,section,login\n"
        b'ada,Ada,King  Lovelace,ada@uni.edu,A 1,="00lovea"\n'
        b",,,,,\n"
        b",Ben,,,,\n"
        b",,,zoe@uni.edu,B,\n"
    )
    people = list(PLAIN.people(table))
    assert [(line.number, identifier, section) for line, _, identifier, section in people] == [
        (2, "ada", "A 1"),
        (4, "", ""),
        (5, "", "B"),
    ]
    ada, ben, zoe = (who for _, who, _, _ in people)
    assert (ada.name, ada.email, ada.login) == ("Ada King Lovelace", "ada@uni.edu", "00lovea")
    assert (ben.name, zoe.email) == ("Ben", "zoe@uni.edu")


def test_the_test_student_of_canvas_is_nobody() -> None:
    table = table_from(b'name,canvas\n"Student, Test",7\nStudent Test,8\nTest Student,\n')
    assert [(who.name, who.canvas) for _, who, _, _ in PLAIN.people(table)] == [
        ("Student Test", "8"),
        ("Test Student", ""),
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [('="0017"', "0017"), ('="0017', '="0017'), ('0017"', '0017"'), (" a   b ", "a b")],
)
def test_only_a_whole_wrapping_of_spreadsheets_is_taken_off(cell: str, value: str) -> None:
    table = table_from(b"name,login\nAda,x\n")
    table.set(table.lines[0], 1, cell)
    [(_, who, _, _)] = PLAIN.people(table)
    assert who.login == value


def test_a_system_takes_and_tells_nothing_that_it_was_not_taught() -> None:
    class Bare(System):
        name = "bare"
        title = "Bare"

    bare, table = Bare(), table_from(b"id\n1\n")
    told = bare.told_by([], Context("hw1", Roster({}), dt.UTC, lambda _: True))
    assert (told.entries, told.folder, told.zone) == ({}, "", dt.UTC)
    assert not bare.made({"x"}) and not bare.is_sidecar("x") and not bare.exported(frozenset())
    assert bare.place_of("x", told) is None
    assert bare.may_be(Identity(login="a"), Person(id="b"))
    assert bare.time_column(table) is None
    assert (bare.targets(table), bare.aged(dt.timedelta(days=99))) == ([], [])
    assert list(bare.skipped(table, table.lines[0], TARGET, "9")) == []
    assert bare.over_maximum() == bare.feedback_place(table, table.lines[0]) == ""
    bare.finish(table, table.lines[0], Decimal(10))
    assert table.to_bytes() == b"id\n1\n"


def test_a_comment_is_put_into_its_column_as_a_cell_that_is_no_formula() -> None:
    class Commented(System):
        name = "commented"
        title = "Commented"
        comment_columns = ("comment", "remark")
        comments_elsewhere = "Look there."

    system, table = Commented(), table_from(b"id,Remark\nada,\nzoe,\n")
    assert system.set_comment(table, table.lines[0], ["=1", "two"]) == "'=1\ntwo"
    assert table.to_bytes() == b'id,Remark\nada,"\'=1\ntwo"\nzoe,\n'
    without = table_from(b"id\nada\n")
    with pytest.raises(UsageError) as refused:
        system.set_comment(without, without.lines[0], ["one"])
    assert refused.value.what == "the file of Commented's has no column for comments"
    assert refused.value.hint == "Look there."


@pytest.mark.parametrize("column", ["id", "student", "email", "name"])
def test_a_plain_table_is_told_by_any_column_that_names_somebody(column: str) -> None:
    assert PLAIN.exported(frozenset({column, "x"}))
    assert not PLAIN.exported(frozenset({column.upper(), f"{column}s"}))
