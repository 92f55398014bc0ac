"""Whose a file in a system's archive is, by the path that the system gave it.

A student chooses the end of such a path, and in some systems their own name at its beginning: a
path that could be read in two ways is nobody's, and is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from grader.course.roster import Identity, Roster, plain_id
from grader.intake.lms.people import System

_CANVAS_USER = re.compile(r"(?P<late>_LATE)?_(?P<user>\d+)_(?=(?:\d+_.|(?:text|link)\.html?$))")
_CANVAS_ANONYMOUS = re.compile(
    r"anon_(?P<user>[A-Za-z0-9]+)(?P<late>_LATE)?_(?:\d+_)?(?P<file>.+)", re.DOTALL
)
_MOODLE = re.compile(
    r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?", re.DOTALL
)
_BLACKBOARD = re.compile(
    r"(?P<head>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.DOTALL
)
_BLACKBOARD_NAME = re.compile(r"Name:\s*(?P<name>.*)\s\((?P<login>[^()]+)\)\s*")
_GRADESCOPE = re.compile(r"submission_(\d+)")
# The word for "Participant" (assign:hiddenuser), which stands for a name that is not told.
_BLIND = frozenset(
    {
        "participant", "participante", "partecipante", "teilnehmer/in", "teilnehmerin",
        "teilnehmer", "deelnemer", "deltagare",
        "uczestnik", "účastník", "участник", "katılımcı", "参与者", "參與者", "参加者", "참가자",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a file belongs.

    Attributes:
        who: whose it is, and with whom they handed in.
        file: its path as the student named it; empty for what the system wrote itself.
        at: when it was handed in, where the system tells.
        late: the system says so.
    """

    who: Identity
    file: str
    at: dt.datetime | None = None
    late: bool = False
    others: tuple[Identity, ...] = ()


class AmbiguousError(Exception):
    """The path could be that of several students; the message says so."""


@dataclass
class Told:
    """What a system's archive says beside its paths.

    Attributes:
        roster: tells users' numbers and logins from what looks like them.
        zone: of the times in paths.
        entries: by key (Gradescope's submission, Moodle's participant): who, and when.
        names: Blackboard's own words on an attempt, by the path's beginning.
        stamps: nbgrader's times, by student's folder.
        folder: of nbgrader's assignment.
    """

    roster: Roster
    zone: dt.tzinfo
    entries: dict[str, tuple[tuple[Identity, ...], dt.datetime | None]] = field(
        default_factory=dict
    )
    names: dict[str, Identity] = field(default_factory=dict)
    stamps: dict[str, dt.datetime] = field(default_factory=dict)
    folder: str = ""


def place_of(system: System, path: str, told: Told) -> Place | None:
    """Return where a file belongs; None for what is no student's.

    Raises:
        AmbiguousError: it could be one student's or another's.
    """
    top, _, rest = path.partition("/")
    if system is System.CANVAS:
        return _canvas(top, rest, told)
    if system is System.MOODLE:
        return _moodle(top, rest, told)
    if system is System.BLACKBOARD:
        return _blackboard(top, rest, told)
    if system is System.GRADESCOPE:
        return _gradescope(top, rest, told)
    return _nbgrader(path, told)


def looks_like(paths: Iterable[str]) -> System | None:
    """Tell which system made an archive; None where its paths are no system's.

    Every path must be of that system: one student alone can't make a class look like another's.
    """
    tops = {path.partition("/")[0] for path in paths}
    files = set(paths)
    if not tops:
        return None
    others = tops - {"submission_metadata.yml"}
    if others != tops and all(_GRADESCOPE.fullmatch(top) for top in others):
        return System.GRADESCOPE
    stamped = {p.split("/")[0] for p in files if re.fullmatch(r"[^/]+/[^/]+/timestamp\.txt", p)}
    if tops == stamped:
        return System.NBGRADER
    if all(_MOODLE.fullmatch(top) for top in tops):
        return System.MOODLE
    if all(_BLACKBOARD.fullmatch(top) for top in tops):
        return System.BLACKBOARD
    if all(_CANVAS_USER.search(top) or _CANVAS_ANONYMOUS.fullmatch(top) for top in tops):
        return System.CANVAS
    return None


def blackboard_head(path: str) -> str:
    """Return what the paths of one attempt share; empty for what is none."""
    match = _BLACKBOARD.fullmatch(path.partition("/")[0])
    return f"{match['head']}_attempt_{match['time']}" if match else ""


def blackboard_name(text: str, head: str) -> Identity | None:
    """Read who handed in from the first line that Blackboard wrote, if the path agrees."""
    match = _BLACKBOARD_NAME.fullmatch(text.lstrip("\ufeff").partition("\n")[0].rstrip("\r"))
    user = head.rpartition("_attempt_")[0]
    if match is None or not user.endswith(f"_{match['login']}"):
        return None
    return Identity(login=match["login"], name=" ".join(match["name"].split()))


def _canvas(top: str, rest: str, told: Told) -> Place | None:
    if match := _CANVAS_ANONYMOUS.fullmatch(top):
        who = Identity(name=f"anon_{match['user']}")
        return Place(who, _joined(match["file"], rest), late=bool(match["late"]))
    readings = list(_CANVAS_USER.finditer(top))
    readings = [m for m in readings if m.start() > 0]
    if len(readings) > 1:
        known = {plain_id(person.canvas) for person in told.roster.people.values()}
        there = [m for m in readings if m["user"] in known]
        if len(there) != 1:
            raise AmbiguousError("its name can be read as that of several students")
        readings = there
    if not readings:
        return None
    (match,) = readings
    file = re.sub(r"^\d+_", "", top[match.end() :])
    who = Identity(canvas=match["user"], name=top[: match.start()])
    return Place(who, _joined(file, rest), late=bool(match["late"]))


def _moodle(top: str, rest: str, told: Told) -> Place | None:
    match = _MOODLE.fullmatch(top)
    if match is None:
        return None
    number = f"Participant {match['id']}"
    people, at = told.entries.get(number, ((), None))
    blind = match["name"].casefold() in _BLIND
    name = "" if blind else _without_group(match["name"], told.roster)
    who = people[0] if people else Identity(name=name, other=number)
    return Place(who, _joined(match["file"] or "", rest) or "nothing", at=at)


def _without_group(name: str, roster: Roster) -> str:
    """Take off the group that Moodle puts before a name ("Group 1-Ada Lovelace").

    Only where the roster knows the rest, and not the whole: names have dashes of their own.
    """
    if roster.match(Identity(name=name)).student:
        return name
    rests = [name[i + 1 :] for i, letter in enumerate(name) if letter == "-"]
    known = [rest for rest in rests if roster.match(Identity(name=rest)).student]
    return known[0] if len(known) == 1 else name


def _blackboard(top: str, rest: str, told: Told) -> Place | None:
    match = _BLACKBOARD.fullmatch(top)
    if match is None:
        return None
    who = told.names.get(blackboard_head(top), Identity())
    if not who.login:
        parts = match["head"].split("_")
        ends = ["_".join(parts[i:]) for i in range(1, len(parts))] or [match["head"]]
        known = [e for e in ends if told.roster.match(Identity(login=e)).student]
        if len(known) > 1:
            raise AmbiguousError("its name can be read as that of several students")
        who = Identity(login=known[0] if known else ends[-1])
    at = _time(match["time"], "%Y-%m-%d-%H-%M-%S", told.zone)
    who = replace(who, other=match["head"])
    return Place(who, _joined(match["file"] or "", rest), at=at)


def _gradescope(top: str, rest: str, told: Told) -> Place | None:
    match = _GRADESCOPE.fullmatch(top)
    people, at = told.entries.get(match[1] if match else "", ((), None))
    if not people:
        return None
    return Place(people[0], rest or "nothing", at=at, others=people[1:])


def _nbgrader(path: str, told: Told) -> Place | None:
    parts = path.split("/")
    if len(parts) < 3 or parts[1] != told.folder:
        return None
    file = "/".join(parts[2:])
    own = "" if file == "timestamp.txt" else file
    return Place(Identity(login=parts[0]), own, at=told.stamps.get(parts[0]))


def _time(text: str, form: str, zone: dt.tzinfo) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, form).replace(tzinfo=zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _joined(file: str, rest: str) -> str:
    return f"{file}/{rest}" if file and rest else file or rest
