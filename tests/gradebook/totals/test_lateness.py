"""Late days by the course's own clocks."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from grader.course.policy import LatePolicy
from grader.gradebook.totals.lateness import days_late, deadline, past_cutoff, units_late

CHICAGO = ZoneInfo("America/Chicago")
ISTANBUL = ZoneInfo("Europe/Istanbul")
DAYS = LatePolicy(percent_per_day=None)
HOURS = LatePolicy(percent_per_day=None, charge="hours")


def at(text: str, zone: ZoneInfo = CHICAGO, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("handed_in", "days"),
    [
        ("2022-10-01T00:00:00", 0),
        ("2022-10-05T23:59:00", 0),
        ("2022-10-05T23:59:01", 1),
        ("2022-10-06T00:30:00", 1),
        ("2022-10-06T23:59:00", 1),
        ("2022-10-06T23:59:01", 2),
        ("2022-10-12T12:00:00", 7),
        ("2023-10-05T12:00:00", 365),
    ],
)
def test_a_day_ends_at_the_time_of_day_at_which_it_was_due(handed_in: str, days: int) -> None:
    assert days_late(at(handed_in), at("2022-10-05T23:59:00"), CHICAGO) == days


@pytest.mark.parametrize(
    ("due", "handed_in", "hours"),
    [
        # Clocks go back on 6 November 2022 at 2:00: that day has 25 hours, and it is one day.
        ("2022-11-05T23:59:00", "2022-11-06T23:59:00", 25),
        # Clocks go forward on 13 March 2022 at 2:00: 23 hours, and it is one day too.
        ("2022-03-12T23:59:00", "2022-03-13T23:59:00", 23),
    ],
)
def test_a_day_is_a_day_when_clocks_change(due: str, handed_in: str, hours: int) -> None:
    assert days_late(at(handed_in), at(due), CHICAGO) == 1
    later = at(handed_in) + dt.timedelta(seconds=1)
    assert days_late(later, at(due), CHICAGO) == 2
    assert units_late(at(handed_in), at(due), HOURS, CHICAGO) == hours


def test_of_a_time_that_the_clocks_show_twice_the_later_is_meant() -> None:
    due = at("2022-11-05T01:30:00")
    first, second = (at("2022-11-06T01:30:00", fold=fold) for fold in (0, 1))
    assert deadline(due, 1, CHICAGO) == second.astimezone(dt.UTC)
    assert days_late(first, due, CHICAGO) == days_late(second, due, CHICAGO) == 1


def test_of_a_time_that_the_clocks_leave_out_the_later_is_meant() -> None:
    due = at("2022-03-12T02:30:00")
    assert deadline(due, 1, CHICAGO) == at("2022-03-13T03:30:00").astimezone(dt.UTC)


def test_where_a_hand_in_was_written_down_does_not_matter() -> None:
    due = at("2024-10-30T23:59:00", ISTANBUL)
    handed_in = dt.datetime(2024, 10, 30, 21, 0, tzinfo=dt.UTC)  # 00:00 in Istanbul
    assert days_late(handed_in, due, ISTANBUL) == 1
    assert days_late(handed_in.astimezone(CHICAGO), due, ISTANBUL) == 1
    # Europe's clocks went back three days before, Istanbul's never do.
    assert (
        days_late(
            at("2024-10-27T23:59:00", ISTANBUL), at("2024-10-26T23:59:00", ISTANBUL), ISTANBUL
        )
        == 1
    )


def test_the_second_of_the_due_time_is_still_in_time() -> None:
    due = at("2022-10-05T23:59:59")
    assert units_late(due.replace(microsecond=999_999), due, DAYS, CHICAGO) == 0


def test_hours_are_charged_when_they_have_begun() -> None:
    due = at("2022-10-05T23:59:00")
    assert units_late(due, due, HOURS, CHICAGO) == 0
    assert units_late(due + dt.timedelta(seconds=1), due, HOURS, CHICAGO) == 1
    assert units_late(due + dt.timedelta(hours=5), due, HOURS, CHICAGO) == 5


def test_tolerance_moves_every_deadline() -> None:
    policy = LatePolicy(percent_per_day=None, tolerance_minutes=10)
    due = at("2022-10-05T23:59:00")
    assert units_late(due + dt.timedelta(minutes=10), due, policy, CHICAGO) == 0
    assert units_late(due + dt.timedelta(minutes=11), due, policy, CHICAGO) == 1
    assert units_late(due + dt.timedelta(days=1, minutes=10), due, policy, CHICAGO) == 1


def test_the_cutoff_is_a_number_of_days_after_the_due_date() -> None:
    policy = LatePolicy(percent_per_day=None, cutoff_days=2)
    due = at("2022-11-04T23:59:00")
    assert not past_cutoff(at("2022-11-06T23:59:00"), due, policy, CHICAGO)
    assert past_cutoff(at("2022-11-06T23:59:01"), due, policy, CHICAGO)
    assert not past_cutoff(at("2023-11-06T23:59:01"), due, DAYS, CHICAGO)


@pytest.mark.parametrize("offset", [-5, 0, 3])
def test_what_is_due_in_the_last_year_that_there_is_is_never_late(offset: int) -> None:
    zone = dt.timezone(dt.timedelta(hours=offset))
    due = dt.datetime(9999, 12, 31, 23, 59, tzinfo=zone)
    handed_in = dt.datetime(2026, 11, 30, 12, tzinfo=zone)
    assert units_late(handed_in, due, DAYS, zone) == units_late(handed_in, due, HOURS, zone) == 0
    assert not past_cutoff(handed_in, due, LatePolicy(cutoff_days=5), zone)
