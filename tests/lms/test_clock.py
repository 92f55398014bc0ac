"""Times as systems write them are read to the second, or not at all."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from grader.lms.clock import iso_time, local_time

ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-10-09 23:59:01", "2024-10-09T20:59:01"),
        (" 2024-10-09T23:59:01 ", "2024-10-09T20:59:01"),
        ("2024-10-09 23:59:01.123456", "2024-10-09T20:59:01"),
        ("2024-10-09 23:59:01 UTC", "2024-10-09T23:59:01"),
        ("2024-10-09T23:59:01Z", "2024-10-09T23:59:01"),
        ("2024-10-09 23:59:01 +0200", "2024-10-09T21:59:01"),
        ("2024-10-09 23:59:01-05:30", "2024-10-10T05:29:01"),
        ("2024-10-09 23:59:01 Asia/Tokyo", "2024-10-09T14:59:01"),
    ],
)
def test_a_time_is_read_in_its_own_zone_or_else_the_courses(text: str, at: str) -> None:
    found = iso_time(text, ISTANBUL)
    assert found == dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)
    assert found is not None and found.utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-10-09",
        "2024-10-09 23:59",
        "2024-13-09 23:59:01",
        "2024-10-09 23:59:01 Nowhere/City",
        "2024-10-09 23:59:01 ../../etc/passwd",
        "2024-10-09 23:59:01 +9900",
        "0001-01-01 00:00:00",
        "٢٠٢٤-10-09 23:59:01",
        "on 2024-10-09 23:59:01",
    ],
)
def test_what_is_no_whole_time_is_none(text: str) -> None:
    assert iso_time(text, ISTANBUL) is None


def test_a_local_time_is_read_by_its_form() -> None:
    form = "%Y-%m-%d-%H-%M-%S"
    assert local_time("2024-03-05-23-59-00", form, ISTANBUL) == dt.datetime(
        2024, 3, 5, 20, 59, tzinfo=dt.UTC
    )
    assert local_time("2024-03-05", form, ISTANBUL) is None
    assert local_time("0001-01-01-00-00-00", form, ISTANBUL) is None
