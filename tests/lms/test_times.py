"""Times of hand-in in a table: each is read, or nothing is, and the message says which."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from grader.errors import UsageError
from grader.lms.generic import PlainList
from grader.lms.lms_table import table_from
from grader.lms.system import System
from grader.lms.times import hand_in_times

ISTANBUL = ZoneInfo("Europe/Istanbul")


class Elsewhere(System):
    """Tells times, but in no table."""

    name = "elsewhere"
    title = "Elsewhere"
    times_elsewhere = "It puts them into the names of its folders."


class Silent(System):
    """Tells no times."""

    name = "silent"
    title = "Silent"


class Universal(PlainList):
    """Writes its times in UTC."""

    times_zone = dt.UTC


def times(*cells: str, system: System | None = None, dates: str | None = None) -> list[object]:
    lines = "".join(f'{number},"{cell}"\n' for number, cell in enumerate(cells, start=1))
    table = table_from(f"id,Submitted_At\n{lines}".encode())
    found = hand_in_times(table, system or PlainList(), ISTANBUL, dates)  # type: ignore[arg-type]
    assert [told.identifier for told in found] == [str(n + 1) for n in range(len(cells))]
    return [told.at and f"{told.at:%d %H:%M %Z}" for told in found]


def test_each_line_tells_when_its_student_handed_in_or_that_they_did_not() -> None:
    cells = ["2024-10-09 23:59:00", "2024-10-09 23:59", "", "-", "–", "N/A", "None", "null"]
    assert times(*cells) == ["09 20:59 UTC", "09 20:59 UTC", *[None] * 6]


def test_a_system_with_a_zone_of_its_own_is_read_in_it() -> None:
    assert times("2024-10-09 23:59:00", system=Universal()) == ["09 23:59 UTC"]


@pytest.mark.parametrize(
    "cell", ["2024-10-09 11:59:00 PM", "9 October 2024, 11:59 PM", "2024-10-09 23:59:00 +0300"]
)
def test_a_half_of_the_day_and_an_offset_are_understood(cell: str) -> None:
    assert times(cell) == ["09 20:59 UTC"]


def test_an_unknown_word_behind_a_time_is_no_time_of_the_courses() -> None:
    with pytest.raises(UsageError) as refused:
        times("2024-10-09 23:59:00", "2024-10-09 23:59:00 XYZT", "soon")
    error = refused.value
    assert error.what == (
        "2 of 3 times of the worksheet can't be read, such as '2024-10-09 23:59:00 XYZT'"
    )
    assert error.where == "line 3"
    assert error.hint == (
        "Take the worksheet as a plain table exports it, or write times like 2024-10-09 23:59."
    )


def test_a_date_of_two_months_is_not_guessed() -> None:
    with pytest.raises(UsageError) as refused:
        times("", "03/04/2024 23:59")
    error = refused.value
    assert error.what == "the worksheet's date 03/04/2024 could be of two months"
    assert error.where == "line 3"
    assert error.hint == "Say which comes first: --dates day-first, or --dates month-first."
    assert times("03/04/2024 23:59", dates="day-first") == ["03 20:59 UTC"]
    assert times("03/04/2024 23:59", dates="month-first") == ["04 20:59 UTC"]


@pytest.mark.parametrize(
    ("system", "known"),
    [
        (PlainList(), "Known there: submitted_at, submitted at, handed_in."),
        (Elsewhere(), "It puts them into the names of its folders."),
        (Silent(), "That system tells no times in such a table."),
    ],
)
def test_a_table_without_times_says_where_they_would_be(system: System, known: str) -> None:
    with pytest.raises(UsageError) as refused:
        hand_in_times(table_from(b"id,name\n1,Ada\n"), system, ISTANBUL, None)
    error = refused.value
    assert error.what == "no column of the worksheet is known to hold times of hand-in: id, name"
    assert error.hint == (
        f"It looks like {system.title}'s. {known} A table of your own with the columns id and "
        "submitted_at is read as well."
    )
