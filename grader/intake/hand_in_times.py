"""How a hand-in time that was learnt is told, wherever it is."""

from __future__ import annotations

import datetime as dt


def learnt_time(
    student: str, at: dt.datetime, before: dt.datetime | None, told_by: str, zone: dt.tzinfo
) -> str:
    """Say in a sentence which time was learnt, from what, and what held before; in one zone."""
    until = f"until now {_shown(before, zone)}" if before else "it was not known"
    source = f" (from {told_by})" if told_by else ""
    return f"{student}: handed in {_shown(at, zone)}{source}; {until}."


def _shown(moment: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone}"
