"""Times without an offset, also where clocks are put forward or back."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from grader.course.local_times import later_reading, local_time
from grader.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_time_without_an_offset_is_local() -> None:
    found = local_time(dt.datetime(2026, 7, 1, 12), BERLIN)
    assert found.astimezone(dt.UTC) == dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)


def test_a_time_with_an_offset_stays_as_it_is() -> None:
    time = dt.datetime(2026, 3, 29, 2, 30, tzinfo=dt.UTC)
    assert local_time(time, BERLIN) is time


def test_a_time_that_clocks_are_put_forward_over_is_refused() -> None:
    with pytest.raises(UsageError, match="never comes") as caught:
        local_time(dt.datetime(2026, 3, 29, 2, 30), BERLIN, where="UNTIL")
    assert caught.value.where == "UNTIL"
    assert local_time(dt.datetime(2026, 3, 29, 3, 0), BERLIN)


def test_of_the_hour_that_comes_twice_the_later_is_meant() -> None:
    found = local_time(dt.datetime(2026, 10, 25, 2, 30), BERLIN)
    assert found.astimezone(dt.UTC) == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("due", "hour"), [((2026, 10, 25, 2, 30), 1), ((2026, 3, 29, 2, 30), 1), ((2026, 7, 1, 12), 10)]
)
def test_of_the_readings_of_a_due_date_the_later_is_meant(
    due: tuple[int, int, int, int], hour: int
) -> None:
    """As late days are counted: who hands in between the two readings is in time."""
    found = later_reading(dt.datetime(*due), BERLIN).astimezone(dt.UTC)
    assert (found.day, found.hour) == (due[2], hour)
    assert later_reading(found, BERLIN) is found
