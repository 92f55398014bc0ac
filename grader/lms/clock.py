"""Times as systems write them, to times in UTC; None for what is none."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(\S*)", re.ASCII)
_OFFSET = re.compile(r"[+-]\d\d:?\d\d", re.ASCII)


def local_time(text: str, form: str, zone: dt.tzinfo) -> dt.datetime | None:
    """Read a time of a `strptime` form, local to `zone`."""
    try:
        return dt.datetime.strptime(text, form).replace(tzinfo=zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def iso_time(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """Read "2024-10-09 23:59:00.123456 UTC", or with an offset or the name of a zone.

    Args:
        zone: of a time without one.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    try:
        if _OFFSET.fullmatch(match[3]):
            return dt.datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3]}").astimezone(dt.UTC)
        where = zone
        if match[3]:
            where = dt.UTC if match[3] in {"UTC", "Z"} else ZoneInfo(match[3])
        time = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=where)
        return time.astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        return None
