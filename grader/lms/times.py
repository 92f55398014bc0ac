"""Times of hand-in that a table of a class tells: a grading worksheet, or grades."""

from __future__ import annotations

import datetime as dt
import re

from grader.course.roster import Identity
from grader.errors import UsageError
from grader.lms.clock import iso_time
from grader.lms.lms_table import LmsTable
from grader.lms.moodle_words import (
    NO_TIME,
    AmbiguousDateError,
    DateOrder,
    check_worksheet,
    column_of,
    moodle_time,
)
from grader.lms.system import System

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_NONE = NO_TIME | {"n/a", "none", "null"}


def hand_in_times(
    table: LmsTable, system: System, zone: dt.tzinfo, dates: DateOrder | None
) -> list[tuple[Identity, str, dt.datetime | None]]:
    """Return who is in each line, the id it gives, and when they handed in.

    A time that is there is read, or nothing is: a late hand-in must not become one on time.

    Args:
        table: of one assignment.
        system: which exported it.
        zone: of times without one.
        dates: whether 03/04/2024 is of April or of March.

    Raises:
        UsageError: the table has no times, or one that can't be read.
    """
    if system.name == "moodle":
        check_worksheet(table)
        at = column_of(table, "handed_in")
    else:
        at = table.column(*system.time_columns)
    if at is None:
        raise UsageError(
            f"no column of the worksheet is known to hold times of hand-in: "
            f"{', '.join(table.columns)[:300]}",
            hint=f"It looks like {system.title}'s. "
            + (
                f"Known there: {', '.join(system.time_columns[:3])}."
                if system.time_columns
                else "That system tells no times in such a table."
            ),
        )
    found = []
    unread = []
    for line, who, identifier, _ in system.people(table):
        text = line.cell(at)
        try:
            time = _time(text, zone, dates)
        except AmbiguousDateError as error:
            raise UsageError(
                f"the worksheet's date {error} could be of two months",
                where=f"line {line.number}",
                hint="Say which comes first: --dates day-first, or --dates month-first.",
            ) from error
        if time is None and text.casefold() not in _NONE:
            unread.append((line.number, text))
        found.append((who, identifier, time))
    if unread:
        first, text = unread[0]
        raise UsageError(
            f"{len(unread)} of {len(table.lines)} times of the worksheet can't be read, such as "
            f"{text[:80]!r}",
            where=f"line {first}",
            hint=f"Take the worksheet as {system.title} exports it, or write times like "
            "2024-10-09 23:59.",
        )
    return found


def _time(text: str, zone: dt.tzinfo, dates: DateOrder | None) -> dt.datetime | None:
    known = iso_time(text, zone)
    iso = _ISO.match(text)
    # A word behind a full time is a zone, and an unknown one is no time of the course's.
    if iso and text[iso.end() :].strip().casefold() not in {"", "am", "pm"}:
        return known
    return known or moodle_time(text, zone, dates)
