"""How a hand-in time that was learnt is told, wherever it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

_NAMED = 5


def learnt_time(
    student: str, at: dt.datetime, before: dt.datetime | None, told_by: str, zone: dt.tzinfo
) -> str:
    """Say in a sentence which time was learnt, from what, and what held before; in one zone."""
    until = f"until now {_shown(before, zone)}" if before else "it was not known"
    source = f" (from {told_by})" if told_by else ""
    return f"{student}: handed in {_shown(at, zone)}{source}; {until}."


def first_few(learnt: Iterable[str]) -> list[str]:
    """Return the first sentences of many, each once, and how many more there are."""
    every = list(dict.fromkeys(learnt))
    more = len(every) - _NAMED
    rest = [f"{more} more hand-in times were learnt."] if more > 0 else []
    return every[:_NAMED] + rest


def _shown(moment: dt.datetime, zone: dt.tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone}"
