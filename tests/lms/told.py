"""What systems are asked with in tests: a roster, and files that lie beside others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from grader.course.roster import Identity, Person, Roster
from grader.lms.system import Context, ExportMetadata, FileOwner, Sidecar, System

ISTANBUL = ZoneInfo("Europe/Istanbul")
ROSTER = Roster(
    {
        "ada": Person(id="ada", name="Ada Lovelace", login="lovea", number="17", canvas="900"),
        "zoe": Person(id="zoe", name="Zoë O'Brien-Núñez", login="zoe_n", canvas="901"),
        "neo": Person(id="neo", name="Neo Noe", login="n", canvas="902"),
    }
)


def utc(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """A moment of March 2024."""
    return dt.datetime(2024, 3, day, hour, minute, tzinfo=dt.UTC)


def context(times: Sequence[tuple[Identity, dt.datetime | None]] = ()) -> Context:
    """Of the assignment hw1, in Istanbul."""
    return Context("hw1", ROSTER, ISTANBUL, lambda name: name.casefold() == "hw1", times)


def beside(files: Mapping[str, bytes | None]) -> list[Sidecar]:
    """Files of an archive; None of one that was not kept."""
    return [
        Sidecar(path, None if data is None else len(data), lambda data=data: data or b"")  # type: ignore[misc]
        for path, data in files.items()
    ]


def told(system: System, files: Mapping[str, bytes | None] | None = None) -> ExportMetadata:
    """What the files beside say."""
    return system.told_by(beside(files or {}), context())


def owner(
    system: System, path: str, files: Mapping[str, bytes | None] | None = None
) -> FileOwner | None:
    """Where a file belongs."""
    return system.place_of(path, told(system, files))
