"""How late something was handed in, in the course's own days."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from grader.course.policy import LatePolicy

HOURS_A_DAY = 24
_HOUR = dt.timedelta(hours=1)


def units_a_day(policy: LatePolicy) -> int:
    """Return in how many parts a day is charged: 1 for whole days, 24 for hours."""
    return HOURS_A_DAY if policy.charge == "hours" else 1


def units_late(
    handed_in: dt.datetime, due: dt.datetime, policy: LatePolicy, zone: dt.tzinfo
) -> int:
    """Return how many days (or hours, as the policy charges) have begun since it was due."""
    counted = _counted(handed_in, policy)
    if policy.charge == "hours":
        return max(0, -((deadline(due, 0, zone) - counted) // _HOUR))
    return days_late(counted, due, zone)


def days_late(handed_in: dt.datetime, due: dt.datetime, zone: dt.tzinfo) -> int:
    """Return the number of calendar days begun since it was due.

    What is due at 23:59 is one day late until 23:59 of the next day by the course's clocks: a day
    on which they are put forward has 23 hours, one on which they are put back has 25.
    """
    # Every day has at least 22 hours: so many can't be too many yet.
    days = max(0, (handed_in - due) // dt.timedelta(hours=26))
    while handed_in.astimezone(dt.UTC) > deadline(due, days, zone):
        days += 1
    return days


def past_cutoff(
    handed_in: dt.datetime, due: dt.datetime, policy: LatePolicy, zone: dt.tzinfo
) -> bool:
    """Tell whether it came when nothing was accepted any more."""
    if policy.cutoff_days is None:
        return False
    return _counted(handed_in, policy) > deadline(due, policy.cutoff_days, zone)


@lru_cache(maxsize=1024)
def deadline(due: dt.datetime, days: int, zone: dt.tzinfo) -> dt.datetime:
    """Return the same time of day so many calendar days later, in UTC.

    A time that the clocks show twice, or leave out, is taken for the later of its two readings:
    in doubt for the student.
    """
    try:
        wall = due.astimezone(zone).replace(tzinfo=None) + dt.timedelta(days=days)
        if days == 0:
            return due.astimezone(dt.UTC)
        readings = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        return max(reading.astimezone(dt.UTC) for reading in readings)
    except OverflowError:  # due in the year 9999, which means never
        return dt.datetime.max.replace(tzinfo=dt.UTC)


def _counted(handed_in: dt.datetime, policy: LatePolicy) -> dt.datetime:
    """The moment in UTC, to the second, less what is not late yet."""
    moment = handed_in.astimezone(dt.UTC).replace(microsecond=0)
    return moment - dt.timedelta(minutes=policy.tolerance_minutes)
