"""Times of hand-in that a table of a class tells: a grading worksheet, or grades."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from grader.course.roster import Identity
from grader.errors import UsageError
from grader.lms.clock import iso_time
from grader.lms.lms_table import LmsTable
from grader.lms.moodle_words import NO_TIME, AmbiguousDateError, DateOrder, moodle_time
from grader.lms.system import System

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_NONE = NO_TIME | {"n/a", "none", "null"}


@dataclass(frozen=True)
class ToldTime:
    """A line of the table: who is in it, the id that it gives, and when they handed in, if ever."""

    who: Identity
    identifier: str
    at: dt.datetime | None


def hand_in_times(
    table: LmsTable,
    system: System,
    zone: dt.tzinfo,
    dates: DateOrder | None,
    is_named: Callable[[str], bool] = lambda _: True,
) -> list[ToldTime]:
    """Return when those in the table handed in.

    A time that is there is read, or nothing is: a late hand-in must not become one on time.

    Args:
        table: of a class.
        system: which exported it.
        zone: of times without one, where the system has no rule for them.
        dates: whether 03/04/2024 is of April or of March.
        is_named: whether a name is that of the assignment, for tables that hold several.

    Raises:
        UsageError: the table has no times, or one that can't be read.
    """
    at = system.time_column(table)
    if at is None:
        raise UsageError(
            f"no column of the worksheet is known to hold times of hand-in: "
            f"{', '.join(table.columns)[:300]}",
            hint=f"It looks like {system.title}'s. {_known_of(system)} A table of your own with "
            "the columns id and submitted_at is read as well.",
        )
    found = []
    unread = []
    lines = list(system.of_assignment(table, system.people(table), is_named))
    for line, who, identifier, _ in lines:
        text = line.cell(at)
        try:
            time = _time(text, system.times_zone or zone, dates)
        except AmbiguousDateError as error:
            raise UsageError(
                f"the worksheet's date {error} could be of two months",
                where=f"line {line.number}",
                hint="Say which comes first: --dates day-first, or --dates month-first.",
            ) from error
        if time is None and text.casefold() not in _NONE:
            unread.append((line.number, text))
        found.append(ToldTime(who, identifier, time))
    if unread:
        first, text = unread[0]
        raise UsageError(
            f"{len(unread)} of {len(lines)} times of the worksheet can't be read, such as "
            f"{text[:80]!r}",
            where=f"line {first}",
            hint=f"Take the worksheet as {system.title} exports it, or write times like "
            "2024-10-09 23:59.",
        )
    return found


def _known_of(system: System) -> str:
    if system.time_columns:
        return f"Known there: {', '.join(system.time_columns[:3])}."
    return system.times_elsewhere or "That system tells no times in such a table."


def _time(text: str, zone: dt.tzinfo, dates: DateOrder | None) -> dt.datetime | None:
    known = iso_time(text, zone)
    iso = _ISO.match(text)
    # A word behind a full time is a zone, and an unknown one is no time of the course's.
    if iso and text[iso.end() :].strip().casefold() not in {"", "am", "pm"}:
        return known
    return known or moodle_time(text, zone, dates)
