"""Moodle's archives and worksheets: whose a file is, and which line its import passes over."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from grader.course.roster import Identity
from grader.errors import UsageError
from grader.lms.lms_table import LmsTable, table_from
from grader.lms.moodle import Moodle
from grader.lms.system import FileOwner, MarkColumn

from .told import ISTANBUL, ROSTER, context, owner, utc

MOODLE = Moodle()
SHEET = (
    "Identifier,Full name,ID number,Email address,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade)\n"
)


def sheet(*lines: str) -> LmsTable:
    return table_from((SHEET + "".join(f"{line}\n" for line in lines)).encode())


def test_a_folder_tells_the_name_the_participant_and_the_file() -> None:
    assert owner(MOODLE, "Ada Lovelace_31_assignsubmission_file/a/hw1.ipynb") == FileOwner(
        Identity(name="Ada Lovelace", other="Participant 31"), "a/hw1.ipynb"
    )
    assert owner(MOODLE, "Ada Lovelace_31_assignsubmission_file_hw1.ipynb") == FileOwner(
        Identity(name="Ada Lovelace", other="Participant 31"), "hw1.ipynb"
    )
    assert owner(MOODLE, "Ada Lovelace_31_assignsubmission_file_") == FileOwner(
        Identity(name="Ada Lovelace", other="Participant 31"), "nothing"
    )
    assert owner(MOODLE, "hw1.ipynb") is None


def test_who_a_participant_is_and_when_they_handed_in_is_the_worksheets() -> None:
    who = Identity(name="Ada", number="17", other="Participant 31")
    of_sheet = context([(who, utc(5, 20)), (Identity(name="Nobody"), utc(6, 1))])
    found = MOODLE.place_of("Other Name_31_assignsubmission_file/x", MOODLE.told_by([], of_sheet))
    assert found == FileOwner(who, "x", at=utc(5, 20))
    assert set(MOODLE.told_by([], of_sheet).entries) == {"Participant 31"}


def test_a_word_that_stands_for_a_hidden_name_is_no_name() -> None:
    found = owner(MOODLE, "Teilnehmer/in_31_assignsubmission_file".replace("/in", "") + "/x")
    assert found is not None
    assert (found.who.name, found.who.other) == ("", "Participant 31")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Group 1-Ada Lovelace", "Ada Lovelace"),
        ("A-B-Ada Lovelace", "Ada Lovelace"),
        ("Zoë O'Brien-Núñez", "Zoë O'Brien-Núñez"),
        ("G-Zoë O'Brien-Núñez", "Zoë O'Brien-Núñez"),
        ("Group 1-Somebody Else", "Group 1-Somebody Else"),
    ],
)
def test_a_group_before_a_name_is_taken_off_where_the_roster_knows_the_rest(
    name: str, read: str
) -> None:
    found = owner(MOODLE, f"{name}_31_assignsubmission_file/x")
    assert found is not None and found.who.name == read


@pytest.mark.parametrize(
    ("header", "is_moodles"),
    [
        ("Full name,Email address", True),
        ("Identifier,Email address", True),
        ("First name,Email address", True),
        ("Email address", False),
        ("Identifier,Grade", True),
        ("Identifier,Mark", False),
        ("Kennung,Zuletzt geändert (Abgabe)", True),
        ("Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung)", True),
        ("Zuletzt geändert (Abgabe)", False),
        ("Kennung,Zuletzt geändert (Bewertung)", False),
    ],
)
def test_a_worksheet_is_told_by_its_columns(header: str, is_moodles: bool) -> None:
    table = table_from(f"{header}\n".encode())
    columns = frozenset(column.casefold() for column in table.columns)
    assert MOODLE.exported(columns) is is_moodles


def test_an_archive_is_moodles_where_every_folder_is() -> None:
    assert MOODLE.made(["A B_31_assignsubmission_file/x", "C_32_assignsubmission_onlinetext/y"])
    assert not MOODLE.made(["A B_31_assignsubmission_file/x", "x"])


def test_each_line_gives_its_participant() -> None:
    table = sheet("Participant 31,Ada Lovelace,17,a@uni.edu,,,,,", "x,Ben,18,b@uni.edu,,,,,")
    ada, ben = (who for _, who, *_ in MOODLE.people(table))
    assert (ada.name, ada.number, ada.email, ada.other) == (
        "Ada Lovelace",
        "17",
        "a@uni.edu",
        "Participant 31",
    )
    assert ben.other == ""


def test_the_column_of_marks_comes_with_its_maximum() -> None:
    table = sheet("Participant 31,Ada,17,a,,12.5,Yes,-,-")
    assert MOODLE.targets(table) == [MarkColumn(4, "Grade", Decimal("12.5"))]


@pytest.mark.parametrize("missing", ["Identifier", "Grade", "Last modified (grade)"])
def test_a_file_that_moodle_would_not_import_is_refused(missing: str) -> None:
    columns = ["Identifier", "Grade", "Last modified (grade)"]
    columns.remove(missing)
    with pytest.raises(UsageError) as refused:
        MOODLE.targets(table_from((",".join(columns) + "\n").encode()))
    assert refused.value.what == (
        f"Moodle's import needs the column {missing!r}, and the file has none that is known"
    )
    assert refused.value.hint == (
        "Take the grading worksheet of the assignment (Download grading worksheet), not the "
        "course's gradebook."
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Participant 31,Ada,,,,10,Yes,-,-", []),
        ("Participant 31,Ada,,,5,10,Yes,-,today", []),
        ("Participant 31,Ada,,,-,10,Yes,-,-", []),
        (
            "Participant,Ada,,,,10,Yes,-,-",
            ["without an Identifier Moodle's import silently skips the line"],
        ),
        (
            "Participant 31,Ada,,,,10,NO,-,-",
            ["the file says that the grade can't be changed; Moodle's import skips the line"],
        ),
        (
            "Participant 31,Ada,,,,10,False,-,-",
            ["the file says that the grade can't be changed; Moodle's import skips the line"],
        ),
        (
            "Participant 31,Ada,,,,10,0,-,-",
            ["the file says that the grade can't be changed; Moodle's import skips the line"],
        ),
        *[
            (
                f"Participant 31,Ada,,,5,10,Yes,-,{graded}",
                [
                    "it has a grade and no time of it (Last modified (grade)); Moodle's import "
                    "considers the line stale and silently skips it"
                ],
            )
            for graded in ("", "-")
        ],
    ],
)
def test_what_moodles_import_passes_over_is_said(line: str, why: list[str]) -> None:
    table = sheet(line)
    [target] = MOODLE.targets(table)
    assert list(MOODLE.skipped(table, table.lines[0], target, "9.50")) == why


def test_more_than_the_maximum_is_passed_over_too() -> None:
    assert MOODLE.over_maximum() == "; Moodle's import silently skips the line"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Ada Lovelace", "Ada Lovelace_31_assignsubmission_file_"),
        ("Zoë  O'Brien-N.", "Zoë O'Brien-N_31_assignsubmission_file_"),
        ("Eve_32_x/../..", "Eve 32 x_31_assignsubmission_file_"),
        ("._/", "Participant_31_assignsubmission_file_"),
        ("x" * 101, "x" * 100 + "_31_assignsubmission_file_"),
    ],
)
def test_feedback_goes_into_a_folder_that_moodle_takes_apart_as_it_is_meant(
    name: str, place: str
) -> None:
    table = sheet(f"Participant 31,{name},,,,,,,")
    assert MOODLE.feedback_place(table, table.lines[0]) == place


def test_a_name_in_two_columns_is_put_together_for_feedback() -> None:
    table = table_from(
        b"Identifier,First name,Last name,Email address\nParticipant 31,Ada,King,a\n"
    )
    assert MOODLE.feedback_place(table, table.lines[0]) == "Ada King_31_assignsubmission_file_"


def test_a_line_without_a_participant_has_no_place_for_feedback() -> None:
    table = sheet("Participant,Ada,,,,,,,")
    assert MOODLE.feedback_place(table, table.lines[0]) == ""


def test_a_worksheet_of_yesterday_is_stale() -> None:
    assert MOODLE.aged(dt.timedelta(hours=24) - dt.timedelta(seconds=1)) == []
    assert MOODLE.aged(dt.timedelta(hours=24)) == [
        "the file is 1 days old; Moodle silently skips what was graded there since: "
        "download it again, or allow the import to update such records"
    ]


def test_a_worksheet_is_of_use_only_with_who_and_when() -> None:
    assert MOODLE.time_column(sheet()) == 7
    with pytest.raises(UsageError):
        MOODLE.time_column(table_from(b"Full name,Email address\n"))
    assert ISTANBUL is MOODLE.told_by([], context()).zone
    assert MOODLE.told_by([], context()).roster is ROSTER


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ("Feedback comments", 9),
        ("Group,Feedback comments", 10),
        ("Palautekommentit", 9),
    ],
)
def test_a_comment_goes_as_html_into_the_column_behind_the_time_of_the_grade(
    columns: str, place: int
) -> None:
    table = table_from(f"{SHEET.strip()},{columns}\nParticipant 31,Ada,,,,,,,,,\n".encode())
    said = MOODLE.set_comment(table, table.lines[0], ["1 < 2", "=A1"])
    assert said == "<p>1 &lt; 2</p><p>=A1</p>" == table.lines[0].cell(place)
    assert [cell for cell in table.lines[0].raw if cell] == ["Participant 31", "Ada", said]


@pytest.mark.parametrize(
    "header", [SHEET, f"{SHEET.strip()},Palaute,Tiedosto\n", "Identifier,Full name,Other\n"]
)
def test_a_worksheet_without_a_column_for_comments_is_refused(header: str) -> None:
    table = table_from(f"{header}Participant 31,Ada,\n".encode())
    with pytest.raises(UsageError, match="of Moodle's has no column for comments"):
        MOODLE.set_comment(table, table.lines[0], ["good"])
