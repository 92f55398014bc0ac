"""What systems put beside the files that students handed in: who, and when."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from grader.course.roster import Identity, Roster
from grader.errors import UsageError
from grader.intake.choice import resembles
from grader.intake.lms.moodle_words import (
    NO_TIME,
    AmbiguousDateError,
    DateOrder,
    check_worksheet,
    column_of,
    moodle_time,
)
from grader.intake.lms.people import System, people_in
from grader.intake.lms.places import Told, blackboard_head, blackboard_name
from grader.intake.lms.table import Table
from grader.intake.members import Member

METADATA = "submission_metadata.yml"
TIMESTAMP = "timestamp.txt"
_MAX_SIDECAR_BYTES = 32 << 20
# The fastest that reads all values as plain text, and knows no tag that could make anything else.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_RUBY_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?"
)


def is_sidecar(path: str) -> bool:
    """Say whether a file may be one of these, and is to be read."""
    name = path.rpartition("/")[2]
    return name in {METADATA, TIMESTAMP} or bool(blackboard_head(name) and name.endswith(".txt"))


def told_by(
    system: System,
    members: Iterable[Member],
    *,
    assignment: str,
    roster: Roster,
    zone: dt.tzinfo,
    worksheet: Table | None = None,
    dates: DateOrder | None = None,
) -> Told:
    """Gather what the files beside say.

    Args:
        system: which system made the archive.
        members: its files, by paths below the folder round the class.
        assignment: for nbgrader's folders, which hold all assignments of a student.
        roster: of the course.
        zone: of times without one.
        worksheet: Moodle's grading worksheet of the same assignment.
        dates: whether 03/04/2024 in it is of April or of March.

    Raises:
        UsageError: what must be there is not, or can't be read.
    """
    told = Told(roster, zone)
    files = list(members)
    if system is System.GRADESCOPE:
        told.entries.update(_gradescope(_data(files, METADATA)))
    elif system is System.BLACKBOARD:
        told.names.update(_blackboard(files))
    elif system is System.NBGRADER:
        told.folder = _nbgrader_folder(files, assignment)
        told.stamps.update(_stamps(files, told.folder, zone))
    elif system is System.MOODLE and worksheet is not None:
        told.entries.update(_worksheet(worksheet, zone, dates))
    return told


def _data(files: Iterable[Member], path: str) -> bytes:
    content = next((m.content for m in files if m.path == path), None)
    if content is None or content.size > _MAX_SIDECAR_BYTES:
        raise UsageError(
            f"the export holds no {path} that can be read",
            hint="Take the whole export, as Gradescope makes it.",
        )
    return content.read(path)


def _gradescope(data: bytes) -> Iterator[tuple[str, tuple[tuple[Identity, ...], Any]]]:
    try:
        document = yaml.load(data, Loader=_Loader)  # noqa: S506 - knows no tags
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{METADATA} can't be read: {str(error)[:200]}") from error
    for name, entry in document.items() if isinstance(document, dict) else ():
        match = re.fullmatch(r"submission_(\d+)", str(name))
        if match is None or not isinstance(entry, dict):
            continue
        people = entry.get(":submitters")
        who = tuple(
            Identity(
                name=_word(person, ":name"),
                number=_word(person, ":sid"),
                email=_word(person, ":email"),
            )
            for person in (people if isinstance(people, list) else ())
            if isinstance(person, dict)
        )
        yield match[1], (tuple(w for w in who if w.key), _ruby_time(_word(entry, ":created_at")))


def _word(entry: dict[object, object], key: str) -> str:
    value = entry.get(key)
    return " ".join(value.split())[:200] if isinstance(value, str) else ""


def _ruby_time(text: str) -> dt.datetime | None:
    match = _RUBY_TIME.fullmatch(text.strip())
    if match is None:
        return None
    offset = match[3] or "Z"
    try:
        time = dt.datetime.fromisoformat(
            f"{match[1]}T{match[2]}{'+00:00' if offset in {'Z', 'UTC'} else offset}"
        )
        return time.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _blackboard(files: Iterable[Member]) -> Iterator[tuple[str, Identity]]:
    for member in files:
        head = blackboard_head(member.path)
        if head and member.path == f"{head}.txt" and member.content is not None:
            text = member.content.read(member.path)[:4096].decode("utf-8", "replace")
            if who := blackboard_name(text, head):
                yield head, who


def _nbgrader_folder(files: Iterable[Member], assignment: str) -> str:
    folders = {m.path.split("/")[1] for m in files if m.path.count("/") >= 2}
    named = sorted(f for f in folders if resembles(f, assignment) == 2)
    found = named or sorted(folders)
    if len(found) != 1:
        raise UsageError(
            f"no folder of nbgrader's is named {assignment}",
            hint=f"There are: {', '.join(found[:10]) or 'none'}. Give the folder of one assignment "
            "that name.",
        )
    return found[0]


def _stamps(
    files: Iterable[Member], folder: str, zone: dt.tzinfo
) -> Iterator[tuple[str, dt.datetime]]:
    for member in files:
        student, _, rest = member.path.partition("/")
        if rest == f"{folder}/{TIMESTAMP}" and member.content is not None:
            text = member.content.read(member.path)[:200].decode("utf-8", "replace")
            if time := _stamp(text.strip(), zone):
                yield student, time


def _stamp(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """Read "2024-10-09 23:59:00.123456 UTC", or with an offset or the name of a zone."""
    match = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(\S*)$", text)
    if match is None:
        return None
    try:
        where: dt.tzinfo = zone
        if re.fullmatch(r"[+-]\d\d:?\d\d", match[3]):
            return _ruby_time(text)
        if match[3]:
            where = dt.UTC if match[3] in {"UTC", "Z"} else ZoneInfo(match[3])
        time = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=where)
        return time.astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        return None


def _worksheet(
    table: Table, zone: dt.tzinfo, dates: DateOrder | None
) -> Iterator[tuple[str, tuple[tuple[Identity, ...], dt.datetime | None]]]:
    """Yield who each participant is and when they handed in; a time that is there is read, or
    nothing is: a late hand-in must not become one on time.
    """
    check_worksheet(table)
    at = column_of(table, "handed_in")
    unread = []
    for line, who, _, _ in people_in(table, System.MOODLE):
        text = line.cell(at)
        try:
            time = moodle_time(text, zone, dates)
        except AmbiguousDateError as error:
            raise UsageError(
                f"the worksheet's date {error} could be of two months",
                where=f"line {line.number}",
                hint="Say which comes first: --dates day-first, or --dates month-first.",
            ) from error
        if time is None and text not in NO_TIME:
            unread.append((line.number, text))
        if who.other:
            yield who.other, ((who,), time)
    if unread:
        number, text = unread[0]
        raise UsageError(
            f"{len(unread)} of {len(table.lines)} times of the worksheet can't be read, such as "
            f"{text[:80]!r}",
            where=f"line {number}",
            hint="Take the worksheet as Moodle exports it, or write times like 2024-10-09 23:59.",
        )
