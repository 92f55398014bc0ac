"""Times as people write them, without an offset: local to the course, also where clocks change."""

from __future__ import annotations

import datetime as dt

from grader.errors import UsageError


def local_time(time: dt.datetime, zone: dt.tzinfo, *, where: str = "") -> dt.datetime:
    """Return a time with its zone; one that has an offset stays as it is.

    Of the hour that comes twice when clocks are put back, the later is meant: nobody is late who
    reads it the other way.

    Raises:
        UsageError: clocks are put forward over this time, so that it never comes.
    """
    if time.tzinfo is not None:
        return time
    local = time.replace(tzinfo=zone, fold=1)
    there = local.astimezone(dt.UTC).astimezone(zone)
    if there.replace(tzinfo=None) != time:
        raise UsageError(
            f"{time:%Y-%m-%d %H:%M} never comes: clocks are put forward over it",
            where=where or None,
            hint="Write an hour later, or an hour earlier.",
        )
    return local


def later_reading(time: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return a due date with its zone; one that has an offset stays as it is.

    A time that the clocks show twice, or leave out, is taken for the later of its two readings, as
    late days are counted.
    """
    if time.tzinfo is not None:
        return time
    readings = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return max(readings, key=lambda reading: reading.astimezone(dt.UTC))
